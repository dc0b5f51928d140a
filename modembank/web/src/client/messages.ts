import type { Direction, ModemRef, SimRef, Why } from "./types";

/** Messages and USSD sessions as they travel. */

export type MessageStatus =
  | "queued"
  | "sending"
  | "sent"
  | "delivered"
  | "undelivered"
  | "failed"
  | "unknown"
  | "partial"
  | "received";

export interface MessageStep {
  at: string;
  status: MessageStatus;
  detail: string;
}

export interface Message {
  id: string;
  direction: Direction;
  status: MessageStatus;
  to: string | null;
  /** A number, or a name that a company sends under. */
  from: string | null;
  sim: SimRef | null;
  modem: ModemRef | null;
  /** Null for 8-bit data, and for a key without the scope sms:content. */
  text: string | null;
  /** 8-bit data in hexadecimal. */
  data: string | null;
  encoding: string;
  parts: { total: number; done: number };
  flash: boolean;
  delivery_report: boolean;
  attempts: number;
  created_at: string;
  sent_at: string | null;
  delivered_at: string | null;
  cms: number | null;
  detail: string;
  why: Why | null;
  history: MessageStep[];
}

export interface SendRequest {
  to: string;
  text: string;
  from?: string;
  pool?: string;
}

export type UssdStatus = "running" | "waiting" | "done" | "canceled" | "expired" | "failed";

export interface UssdTurn {
  at: string;
  /** Towards the network. */
  out: boolean;
  text: string;
}

export interface UssdSession {
  id: string;
  status: UssdStatus;
  /** Empty when the network wrote unasked. */
  code: string;
  sim: SimRef;
  /** What the network said last; null without the scope sms:content. */
  text: string | null;
  turns: UssdTurn[];
  detail: string;
  created_at: string;
  ended_at: string | null;
}

export interface UssdRequest {
  code: string;
  from?: string;
  pool?: string;
}
