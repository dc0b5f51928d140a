import type { CallStatus } from "./types";

/** What the phone does, as the person at it sees it. `ringing` and `in_progress` (answered) never merge. */
export type PhoneState = "idle" | "connecting" | "dialing" | "ringing" | "in_progress" | "ended";

/** What moves it: `start` and `reset` come from the person, the others from the network. */
export type PhoneEvent = "start" | "dialing" | "ringing" | "answered" | "ended" | "reset";

type Row = Partial<Record<PhoneEvent, PhoneState>>;

const TRANSITIONS: Record<PhoneState, Row> = {
  idle: { start: "connecting" },
  connecting: { dialing: "dialing", ringing: "ringing", answered: "in_progress", ended: "ended" },
  dialing: { ringing: "ringing", answered: "in_progress", ended: "ended" }, // some networks skip alerting
  ringing: { answered: "in_progress", ended: "ended" },
  in_progress: { ended: "ended" },
  ended: { start: "connecting", reset: "idle" },
};

/** The next state. An event that comes late or twice changes nothing: answers and events overtake each other. */
export function advance(state: PhoneState, event: PhoneEvent): PhoneState {
  return TRANSITIONS[state][event] ?? state;
}

/** What a call's status says to the phone; null when it says nothing yet. */
export function eventOf(status: CallStatus): PhoneEvent | null {
  switch (status) {
    case "queued":
      return null;
    case "dialing":
      return "dialing";
    case "ringing":
      return "ringing";
    case "in_progress":
      return "answered";
    default:
      return "ended";
  }
}

/** Whether a call is on its way or going on. */
export function isActive(state: PhoneState): boolean {
  return state !== "idle" && state !== "ended";
}
