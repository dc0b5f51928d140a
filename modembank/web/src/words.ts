/** Plain words for what the API says in codes. One table for each kind; an unknown code is shown as it is. */

import type { Call, CallStatus, ModemState, SimState } from "./client/types";
import type { MicrophoneFault } from "./client/microphone";
import type { Trouble } from "./client/session";

const CAUSES: Record<string, string> = {
  normal_clearing: "The call ended normally",
  user_busy: "The line is busy",
  no_answer: "Nobody answered",
  call_rejected: "The call was rejected",
  unassigned_number: "This number is not in use",
  invalid_number: "The network does not accept this number",
  congestion: "The network is congested; try again in a moment",
  network_failure: "The mobile network failed",
  call_barred: "This SIM may not call that number",
  originator_cancel: "Cancelled before it was answered",
  time_limit: "The time limit for this call was reached",
  number_blacklisted: "The modem refuses this number for a while",
  modem_lost: "The modem was unplugged during the call",
  modem_failed: "The modem stopped responding",
  sim_not_ready: "The SIM was not ready",
  not_registered: "The SIM has no network",
  media_lost: "The sound connection to this browser was lost",
  media_failed: "No sound connection to this browser could be made",
  server_restart: "The server was restarted during the call",
  host_unreachable: "The machine with this modem cannot be reached",
  unspecified: "The call ended, and the network gave no reason",
};

const STATUSES: Record<CallStatus, string> = {
  queued: "Waiting",
  dialing: "Calling",
  ringing: "Ringing",
  in_progress: "Connected",
  completed: "Completed",
  busy: "Busy",
  no_answer: "No answer",
  failed: "Failed",
  canceled: "Cancelled",
  rejected: "Rejected",
};

const PROBLEMS: Record<string, string> = {
  unauthorized: "The API key is not valid any more",
  no_sim_available: "No SIM is free for this call",
  invalid_number: "This is not a number that can be dialled",
  destination_refused: "Calls to this number are not allowed here",
  emergency_number: "Emergency numbers cannot be dialled from here; use a phone",
  invalid_offer: "The server could not accept this browser's sound connection",
  wrong_state: "The call is not in a state for that any more",
  not_found: "This call does not exist any more",
  host_unreachable: "The machine with this modem cannot be reached",
  line_busy: "This SIM waits for its network; try again in a minute, or take another one",
  rate_limited: "Too many calls at once; wait a moment",
};

const MICROPHONE: Record<MicrophoneFault, { title: string; help: string }> = {
  blocked: {
    title: "The microphone is blocked",
    help: "Open the site settings beside the address, allow the microphone, and try again.",
  },
  absent: {
    title: "No microphone was found",
    help: "Plug in a headset or a microphone and try again.",
  },
  busy: {
    title: "The microphone is in use",
    help: "Another program holds it. Close that program and try again.",
  },
  insecure: {
    title: "This page cannot use a microphone",
    help: "Browsers give the microphone only to secure pages. Open this one with https:// or on localhost.",
  },
};

export type Tone = "good" | "busy" | "wait" | "bad" | "off";

interface StateWords {
  word: string;
  tone: Tone;
}

const STATES: Record<ModemState | SimState | "disabled", StateWords> = {
  ready: { word: "Ready", tone: "good" },
  in_call: { word: "In a call", tone: "busy" },
  opening: { word: "Opening", tone: "wait" },
  starting: { word: "Starting", tone: "wait" },
  searching: { word: "No network yet", tone: "wait" },
  no_sim: { word: "No SIM", tone: "off" },
  sim_pin: { word: "Wants its PIN", tone: "bad" },
  sim_puk: { word: "Wants its PUK", tone: "bad" },
  sim_locked: { word: "SIM locked", tone: "bad" },
  denied: { word: "Refused by network", tone: "bad" },
  failed: { word: "Failed", tone: "bad" },
  quarantined: { word: "In quarantine", tone: "bad" },
  lost: { word: "Unplugged", tone: "off" },
  absent: { word: "Not inserted", tone: "off" },
  disabled: { word: "Switched off", tone: "off" },
};

const FILTERS: Record<string, string> = {
  tag: "without the tag",
  enabled: "switched off",
  modem_enabled: "in a modem that is switched off",
  not_in_call: "in a call",
  ready: "not ready",
  registered: "without network",
  roaming: "roaming",
  operator: "with an operator that is not allowed",
  number_blacklisted: "whose modem refuses this number for a while",
};

const RANKINGS: Record<string, string> = {
  least_recently_used: "the one that rested longest",
};

export function causeWords(cause: string): string {
  return CAUSES[cause] ?? spaced(cause);
}

export function statusWords(call: Pick<Call, "status" | "direction" | "held">): string {
  if (call.status === "in_progress" && call.held) return "On hold";
  if (call.direction === "inbound" && call.status === "ringing") return "Incoming";
  if (call.direction === "inbound" && call.status === "no_answer") return "Missed";
  return STATUSES[call.status];
}

export function stateWords(state: ModemState | SimState, enabled: boolean): StateWords {
  if (!enabled && state !== "in_call") return STATES.disabled;
  return STATES[state] ?? { word: spaced(state), tone: "wait" };
}

/** Who ended a call: our side of the bank or the other; empty when the system did. */
export function ender(call: Pick<Call, "direction" | "hangup">): "us" | "them" | "" {
  const source = call.hangup?.source;
  if (source === undefined || source === "system") return "";
  const ours = call.direction === "outbound" ? "caller" : "callee";
  return source === ours ? "us" : "them";
}

const HUNG_UP = { us: "Hung up here", them: "They hung up", "": "" };

/** One sentence: why the call is over. `mine` speaks to the person who had the call. */
export function endWords(call: Pick<Call, "status" | "direction" | "hangup">, mine = false): string {
  const hangup = call.hangup;
  if (hangup === null) return STATUSES[call.status];
  if (hangup.cause === "normal_clearing") {
    const who = ender(call);
    return mine && who === "us" ? "You hung up" : HUNG_UP[who] || causeWords(hangup.cause);
  }
  if (call.status === "no_answer" && call.direction === "inbound") return "Missed call";
  return causeWords(hangup.cause);
}

export function troubleWords(trouble: Trouble): { title: string; help: string } {
  switch (trouble.kind) {
    case "microphone":
      return MICROPHONE[trouble.fault];
    case "unreachable":
      return { title: "The server does not answer", help: "Check the network; nothing was dialled twice." };
    case "media":
      return { title: "The sound connection failed", help: trouble.detail };
    case "api": {
      const title = PROBLEMS[trouble.code];
      return title === undefined
        ? { title: "The server refused", help: sentence(trouble.detail) }
        : { title, help: sentence(trouble.detail) };
    }
  }
}

/** Why this SIM carries the call, in one sentence; empty when the bank gave no reason. */
export function whyWords(call: Pick<Call, "why">): string {
  const why = call.why;
  if (why === null) return "";
  if (why.filters.some((filter) => filter.name === "named" && filter.removed > 0)) return "It was asked for by name.";
  const removed = why.filters
    .filter((filter) => filter.removed > 0)
    .map((filter) => `${filter.removed} ${FILTERS[filter.name] ?? spaced(filter.name)}`);
  const left = why.filters.reduce((count, filter) => count - filter.removed, why.considered);
  const ranking = RANKINGS[why.ranking] ?? spaced(why.ranking);
  const without = removed.length > 0 ? ` (${removed.join(", ")})` : "";
  return `${left} of ${why.considered} SIMs could take it${without}; chosen: ${ranking}.`;
}

export function signalWords(bars: number): string {
  return ["no signal", "very weak", "weak", "good", "very good"][bars] ?? "";
}

function spaced(code: string): string {
  return sentence(code.replaceAll("_", " "));
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
