import { computed, signal } from "@preact/signals";
import type { Api } from "../client/api";
import type { Message, UssdSession } from "../client/messages";
import type { ServerEvent } from "../client/types";
import { Keyed } from "../keyed";
import { info } from "../store";

/** What the bank told us of messages and USSD. Only this module changes it. */

export const messages = new Keyed<Message>();
export const ussd = new Keyed<UssdSession>();
/** Counts the moments at which one of them changed. */
const version = signal(0);
/** Where the older messages begin; null when there are none. */
export const older = signal<string | null>(null);
/** Messages that came while nobody looked. */
export const unseen = signal(0);

export const newestMessages = computed(() => newest(messages));
export const newestUssd = computed(() => newest(ussd).slice(0, MAX_USSD));

const PAGE = 50;
const MAX_MESSAGES = 500;
const MAX_USSD = 20;

/** Whether the key of this page may do something. */
export function may(scope: string): boolean {
  const scopes = info.value?.scopes ?? [];
  return scopes.includes("*") || scopes.includes(scope);
}

/** Load both lists afresh, as far as the key may see them. */
export async function loadInbox(api: Api): Promise<() => void> {
  const [page, sessions] = await Promise.all([
    may("sms:read") ? api.messages(PAGE) : null,
    may("ussd:run") ? api.ussdSessions(MAX_USSD) : null,
  ]);
  return () => {
    messages.replace(page?.data ?? []);
    ussd.replace(sessions?.data ?? []);
    older.value = page?.next_cursor ?? null;
    version.value += 1;
  };
}

export async function loadOlder(api: Api): Promise<void> {
  const cursor = older.peek();
  if (cursor === null) return;
  const page = await api.messages(PAGE, cursor);
  messages.put(page.data);
  older.value = page.next_cursor;
  version.value += 1;
}

/** Take over one event; returns a message that just came in. */
export function applyToInbox(event: ServerEvent): Message | null {
  if ("ussd" in event.data) putUssd(event.data.ussd);
  if (!("message" in event.data)) return null;
  const { message } = event.data;
  putMessage(message);
  return event.type === "sms.received" ? message : null;
}

/** The answer to a request may come after an event that is newer: history only grows. */
export function putMessage(message: Message): void {
  const known = messages.peek(message.id);
  if (known !== undefined && known.history.length > message.history.length) return;
  messages.put([message]);
  forgetOld();
  version.value += 1;
}

/** As above: what was said only grows, and what is over stays over. */
export function putUssd(session: UssdSession): void {
  const known = ussd.peek(session.id);
  if (known !== undefined) {
    if (known.ended_at !== null && session.ended_at === null) return;
    if (known.turns.length > session.turns.length) return;
  }
  ussd.put([session]);
  version.value += 1;
}

export function clearInbox(): void {
  messages.replace([]);
  ussd.replace([]);
  older.value = null;
  unseen.value = 0;
  version.value += 1;
}

function newest<T extends { id: string; created_at: string }>(from: Keyed<T>): T[] {
  version.value; // read, so that this follows it
  return [...from.values()].sort((a, b) => b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id));
}

/** A page that stays open for weeks keeps the newest; the others are behind "Older messages". */
function forgetOld(): void {
  if (messages.ids.peek().length <= MAX_MESSAGES * 2) return;
  const sorted = newest(messages);
  messages.remove(sorted.slice(MAX_MESSAGES).map((message) => message.id));
  older.value = sorted[MAX_MESSAGES - 1]?.id ?? null;
}
