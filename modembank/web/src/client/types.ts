import type { Message, UssdSession } from "./messages";

/** The records of the REST API, version 1, as they travel: snake_case JSON, times in RFC 3339 UTC. */

export type Direction = "outbound" | "inbound";

export type CallStatus =
  | "queued"
  | "dialing"
  | "ringing"
  | "in_progress"
  | "completed"
  | "busy"
  | "no_answer"
  | "failed"
  | "canceled"
  | "rejected";

export type HangupSource = "caller" | "callee" | "system";

export type MediaState = "new" | "connected" | "silent" | "lost" | "failed";

export interface SimRef {
  id: string;
  label: string;
  number: string | null;
  iccid: string;
}

export interface ModemRef {
  id: string;
  label: string;
  usb_path: string;
}

/** How the bank chose the SIM of a call. */
export interface Why {
  winner: string;
  filters: { name: string; removed: number }[];
  ranking: string;
  considered: number;
}

export interface Hangup {
  source: HangupSource;
  cause: string;
  q850: number | null;
  detail: string;
}

export interface Quality {
  codec: string | null;
  frames_to_far: number;
  frames_from_far: number;
  lost: number;
  late: number;
  concealed: number;
  dropped: number;
  jitter_ms: number;
  rtt_ms: number | null;
}

export type AudioDirection = "from_modem" | "from_far";

export interface Call {
  id: string;
  direction: Direction;
  status: CallStatus;
  to: string | null;
  from: string | null;
  sim: SimRef | null;
  modem: ModemRef | null;
  why: Why | null;
  early_media: boolean;
  muted: boolean;
  held: boolean;
  media: MediaState;
  quiet: AudioDirection[];
  created_at: string;
  dialing_at: string | null;
  ringing_at: string | null;
  early_media_at: string | null;
  answered_at: string | null;
  ended_at: string | null;
  duration_s: number;
  timeout_s: number;
  max_duration_s: number;
  metadata: Record<string, string>;
  hangup: Hangup | null;
  quality: Quality | null;
}

export type SimState =
  | "ready"
  | "in_call"
  | "searching"
  | "denied"
  | "sim_pin"
  | "sim_puk"
  | "sim_locked"
  | "starting"
  | "failed"
  | "absent";

export interface SimLock {
  kind: string;
  pin_left: number | null;
  puk_left: number | null;
}

export interface Sim {
  id: string;
  iccid: string;
  imsi: string | null;
  number: string | null;
  label: string;
  tags: string[];
  enabled: boolean;
  notes: string;
  state: SimState;
  state_detail: string;
  lock: SimLock | null;
  number_source: string | null;
  /** Where the network sends this SIM's calls; null when it was never asked. */
  forwarding: { reason: string; number: string | null }[] | null;
  operator: string | null;
  plmn: string | null;
  registration: string;
  access: string | null;
  rssi_dbm: number | null;
  modem: ModemRef | null;
  call_id: string | null;
  last_used_at: string | null;
  /** Null until it was read. */
  balance: { amount: string; unit: string; at: string } | null;
  first_seen_at: string;
  last_seen_at: string;
}

export type ModemState =
  | "opening"
  | "starting"
  | "no_sim"
  | "sim_locked"
  | "searching"
  | "denied"
  | "ready"
  | "in_call"
  | "failed"
  | "quarantined"
  | "lost";

export interface Modem {
  id: string;
  host_id: string;
  usb_path: string;
  slot: string | null;
  imei: string | null;
  dialect: string;
  manufacturer: string | null;
  model: string | null;
  revision: string | null;
  label: string;
  tags: string[];
  enabled: boolean;
  notes: string;
  state: ModemState;
  state_detail: string;
  voice: boolean;
  operator: string | null;
  plmn: string | null;
  registration: string;
  access: string | null;
  rssi_dbm: number | null;
  sim: SimRef | null;
  at_port: string;
  audio_port: string | null;
  /** What is being done about it; null when it is well. */
  healing: { phase: string; detail: string } | null;
  first_seen_at: string;
  last_seen_at: string;
}

/** A step of signal samples, or a change of registration. */
export interface RadioMoment {
  at: string;
  kind: "signal" | "registration";
  rssi_dbm: number | null;
}

export interface TraceLine {
  at: string;
  out: boolean;
  text: string;
}

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface SessionDescription {
  type: "offer" | "answer";
  sdp: string;
}

export type CallWithAnswer = Call & { webrtc?: SessionDescription | null };

export interface DialRequest {
  to: string;
  from?: string;
  pool?: string;
  timeout_s?: number;
  max_duration_s?: number;
  metadata?: Record<string, string>;
  webrtc?: SessionDescription;
}

export interface SimPatch {
  label?: string;
  tags?: string[];
  enabled?: boolean;
  /** An empty one forgets the number. */
  number?: string;
  notes?: string;
}

export type ModemPatch = Omit<SimPatch, "number">;

export interface Info {
  version: string;
  country: string;
  /** What this key may do; `*` is everything. */
  scopes: string[];
  max_message_parts: number;
  ussd_codes: string[];
  balance_plmns: string[];
}

export interface IceServer {
  urls: string | string[];
  username?: string | null;
  credential?: string | null;
}

interface Envelope<T extends string, D> {
  id: string;
  type: T;
  at: string;
  sequence: number;
  data: D;
}

type CallEventType =
  | "call.queued"
  | "call.dialing"
  | "call.ringing"
  | "call.early_media"
  | "call.answered"
  | "call.held"
  | "call.muted"
  | "call.media"
  | "call.quiet"
  | "call.ended";

export interface Levels {
  call_id: string;
  /** GSM to far side: what this browser hears, in dBFS from -90 to 0. */
  to_far_dbfs: number;
  /** Far side to GSM: what this browser says. */
  from_far_dbfs: number;
}

export type CallEvent =
  | Envelope<CallEventType, { call: Call }>
  | Envelope<"call.dtmf", { call: Call; digit: string; from_far: boolean }>;

export type ModemEventType =
  | "modem.changed"
  | "modem.gone"
  | "modem.healing"
  | "modem.healed"
  | "modem.quarantined"
  | "modem.released";

export type ModemEvent = Envelope<ModemEventType, { modem: Modem }>;

export type MessageEventType =
  | "sms.queued"
  | "sms.sent"
  | "sms.delivered"
  | "sms.failed"
  | "sms.unknown"
  | "sms.received"
  | "sms.partial";

export type MessagingEvent =
  | Envelope<MessageEventType, { message: Message }>
  | Envelope<"ussd.response" | "ussd.ended", { ussd: UssdSession }>;

export type SimEvent = Envelope<"sim.changed" | "sim.forwarding" | "sim.pin_refused", { sim: Sim }>;

export type ServerEvent =
  | CallEvent
  | MessagingEvent
  | Envelope<"sms.storage_full", { iccid: string | null }>
  | Envelope<"call.levels", Levels>
  | SimEvent
  | ModemEvent
  | Envelope<"host.started" | "host.stopped", { host_id?: string }>
  | Envelope<"stream.reset", { reason: string }>;

const ENDED: ReadonlySet<CallStatus> = new Set<CallStatus>([
  "completed",
  "busy",
  "no_answer",
  "failed",
  "canceled",
  "rejected",
]);

export function isEnded(status: CallStatus): boolean {
  return ENDED.has(status);
}

/** Whether an event tells of one call's life; `call.levels` does not. */
export function isCallEvent(event: ServerEvent): event is CallEvent {
  return event.type.startsWith("call.") && event.type !== "call.levels";
}

/** Whether an event shows a SIM as it is now. */
export function isSimEvent(event: ServerEvent): event is SimEvent {
  return event.type.startsWith("sim.") && "sim" in event.data;
}

/** Whether an event shows a modem as it is now. */
export function isModemEvent(event: ServerEvent): event is ModemEvent {
  return event.type.startsWith("modem.") && "modem" in event.data;
}
