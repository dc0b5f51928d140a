/** Plain words for the life of a message and of a USSD session. */

import { ApiError, UnreachableError } from "../client/api";
import type { Message, MessageStatus, UssdSession, UssdStatus } from "../client/messages";
import type { Sim } from "../client/types";
import type { Tone } from "../words";

interface StatusWords {
  word: string;
  tone: Tone;
}

const STATUSES: Record<MessageStatus, StatusWords> = {
  queued: { word: "Queued", tone: "wait" },
  sending: { word: "Sending", tone: "wait" },
  sent: { word: "Sent", tone: "busy" },
  delivered: { word: "Delivered", tone: "good" },
  undelivered: { word: "Not delivered", tone: "bad" },
  failed: { word: "Failed", tone: "bad" },
  unknown: { word: "Unknown", tone: "wait" },
  partial: { word: "Incomplete", tone: "wait" },
  received: { word: "Received", tone: "off" },
};

const USSD_STATUSES: Record<UssdStatus, StatusWords> = {
  running: { word: "Asking the network", tone: "wait" },
  waiting: { word: "Wants an answer", tone: "busy" },
  done: { word: "Done", tone: "good" },
  canceled: { word: "Cancelled", tone: "off" },
  expired: { word: "Nobody answered in time", tone: "off" },
  failed: { word: "Failed", tone: "bad" },
};

/** Where the server's own sentence speaks of settings, a person at the page first needs to know what it means. */
const PROBLEMS: Record<string, string> = {
  no_sim_available: "No SIM is free for this",
  invalid_number: "This is not a number that can be written to",
  destination_refused: "Messages to this number are not allowed here",
  emergency_number: "Emergency numbers take no messages from here; call from a phone",
  sms_format: "This text cannot be sent",
  ussd_refused: "This code is not allowed here",
  ussd_timeout: "The network did not answer in time",
  wrong_state: "The SIM cannot do that now",
  balance_unknown: "The network's answer tells no amount",
  forbidden: "This API key may not do that",
  host_unreachable: "The machine with this modem cannot be reached",
  rate_limited: "Too much at once; wait a moment",
};

// The server's sentence about these speaks of calls.
const COMPLETE: ReadonlySet<string> = new Set(["emergency_number"]);

export function messageStatus(status: MessageStatus): StatusWords {
  return STATUSES[status] ?? { word: sentence(status), tone: "wait" };
}

export function ussdStatus(status: UssdStatus): StatusWords {
  return USSD_STATUSES[status] ?? { word: sentence(status), tone: "wait" };
}

type Told = Pick<Message, "status" | "detail" | "cms" | "parts" | "delivery_report" | "attempts">;

/** What a state means for the person who reads it; empty where its word says all. */
export function messageMeaning(message: Told): string {
  const { status, parts } = message;
  switch (status) {
    case "queued":
      if (message.attempts > 0) return "The network refused it for the moment; it is tried again by itself.";
      return message.detail === "" ? "It waits for its SIM." : `It waits for its SIM: ${message.detail}.`;
    case "sending":
      return parts.total > 1 ? `${parts.done} of ${parts.total} parts are sent.` : "";
    case "sent":
      return message.delivery_report
        ? "The network has it; no delivery report has come yet."
        : "The network has it; no delivery report was asked for.";
    case "undelivered":
      return reason("The network gave up delivering it", message);
    case "failed":
      return reason("It was not sent", message);
    case "unknown":
      return "It was handed to the network, and the answer was lost. It may have arrived, so it is not sent again by itself.";
    case "partial":
      return `${parts.done} of ${parts.total} parts came; […] stands for what is missing. It may still become whole.`;
    case "delivered":
    case "received":
      return "";
  }
}

function reason(what: string, { detail, cms }: Told): string {
  const code = cms !== null && !detail.includes(String(cms)) ? ` (CMS ${cms})` : "";
  return detail === "" ? `${what}${code}; no reason was given.` : `${what}: ${detail}${code}.`;
}

/** An error as a title and, where there is more to say, one sentence. */
export function problemWords(error: unknown): { title: string; help: string } {
  if (error instanceof UnreachableError) {
    return { title: "The server does not answer", help: "Try again: nothing is sent twice." };
  }
  if (!(error instanceof ApiError)) return { title: "Something went wrong in this page", help: String(error) };
  const title = PROBLEMS[error.code] ?? "The server refused";
  return { title, help: COMPLETE.has(error.code) ? "" : sentence(error.message) };
}

/** Why a USSD session ended as it did; empty while it goes well. */
export function ussdMeaning(session: Pick<UssdSession, "status" | "detail">): string {
  if (session.detail === "") return session.status === "failed" ? "The network gave no reason." : "";
  return `${sentence(session.detail)}.`;
}

/** An amount of money as such, anything else with its unit behind it. */
export function balanceWords(balance: NonNullable<Sim["balance"]>): string {
  if (/^[A-Z]{3}$/.test(balance.unit)) {
    try {
      return new Intl.NumberFormat(undefined, { style: "currency", currency: balance.unit }).format(Number(balance.amount));
    } catch {
      // Three capitals that are no currency.
    }
  }
  return `${balance.amount} ${balance.unit}`;
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
