import { signal } from "@preact/signals";
import { Api, ApiError, UnreachableError } from "./client/api";
import { EventStream } from "./client/events";
import { isActive } from "./client/machine";
import type { Message } from "./client/messages";
import { openMicrophone, silentTrack } from "./client/microphone";
import { Peer } from "./client/peer";
import { PhoneSession, type SessionSnapshot } from "./client/session";
import { isEnded, type Call, type ServerEvent } from "./client/types";
import { formatNumber } from "./format";
import { applyToInbox, clearInbox, loadInbox, unseen } from "./messages/inbox";
import { view } from "./phone/view";
import { audio, recall, remember } from "./preferences";
import * as store from "./store";

/** Joins the parts: one API key, one event stream, one telephone. */

export type KeyState = "missing" | "checking" | "refused" | "unreachable" | "valid";

export const keyState = signal<KeyState>("missing");
/** A live call of this browser that a reload left without sound. */
export const leftBehind = signal<Call | null>(null);

let client: Api | null = null;
let lastKey = "";
let events: EventStream | null = null;

export function api(): Api {
  if (client === null) throw new ApiError("unauthorized", 401, "Sign in first.", null);
  return client;
}

export const session = new PhoneSession({
  api,
  peer: (iceServers, callbacks) => new Peer(iceServers, callbacks),
  microphone: () => openMicrophone(audio.peek()),
  silence: silentTrack,
  eventsLive: () => store.stream.peek() === "live",
});

export const phone = signal<SessionSnapshot>(session.snapshot);

session.subscribe((snapshot) => {
  const { call } = snapshot;
  phone.value = snapshot;
  if (call !== null && isActive(snapshot.state)) remember("sessionStorage", "call", call.id);
  else if (snapshot.state === "ended") remember("sessionStorage", "call", null);
});

/** Take the key of a demo link (`#key=…`) out of the address bar; null when there is none. */
export function keyOfAddress(): string | null {
  const match = /[#&]key=([^&]+)/.exec(window.location.hash);
  if (match?.[1] === undefined) return null;
  history.replaceState(null, "", window.location.pathname + window.location.search);
  return decodeURIComponent(match[1]);
}

export function storedKey(): string | null {
  return recall("sessionStorage", "key") ?? recall("localStorage", "key");
}

export const isRemembered = (): boolean => recall("localStorage", "key") !== null;

/** Keep the key until this tab closes, or on this computer. */
export function keepKey(key: string, onThisComputer: boolean): void {
  remember("sessionStorage", "key", key);
  remember("localStorage", "key", onThisComputer ? key : null);
}

/** Try a key; on success everything loads and stays live. */
export async function signIn(key: string, onThisComputer: boolean): Promise<void> {
  keyState.value = "checking";
  lastKey = key;
  disconnect();
  const candidate = new Api({ base: window.location.origin, key, onUnauthorized: () => refuse(candidate) });
  client = candidate;
  try {
    store.info.value = await candidate.info();
  } catch (error) {
    if (candidate !== client) return;
    // 401 was handled by `refuse`; everything else is the server's or the network's trouble.
    if (!isUnauthorized(error)) keyState.value = "unreachable";
    return;
  }
  if (candidate !== client) return;
  keepKey(key, onThisComputer);
  keyState.value = "valid";
  connect(candidate);
}

/** The same key once more: the server did not answer. */
export const signInAgain = (onThisComputer: boolean): Promise<void> => signIn(lastKey, onThisComputer);

export function signOut(): void {
  forget();
  keyState.value = "missing";
}

/** Load all lists afresh. */
export async function reload(): Promise<void> {
  const current = api();
  held = [];
  try {
    const [allSims, allModems, page, fillInbox] = await Promise.all([
      current.sims(),
      current.modems(),
      current.calls(store.MAX_RECENT),
      loadInbox(current),
    ]);
    if (current !== client) return;
    fillInbox();
    store.replaceRack(allSims, allModems);
    store.replaceCalls(page.data);
    await lookForLeftBehind();
  } catch (error) {
    if (!isUnauthorized(error)) say("The lists could not be loaded; trying again.", "bad");
    if (error instanceof UnreachableError) events?.hurry();
    else setTimeout(() => void (current === client ? reload() : undefined), RELOAD_AGAIN_MS);
  } finally {
    const waiting = held;
    held = null;
    for (const event of waiting ?? []) take(event);
  }
}

export function say(text: string, tone: "info" | "bad" = "info"): void {
  const notice = { text, tone };
  store.notice.value = notice;
  setTimeout(() => {
    if (store.notice.peek() === notice) store.notice.value = null;
  }, NOTICE_MS);
}

const RELOAD_AGAIN_MS = 3000;
const NOTICE_MS = 6000;

/** Events that arrive while the lists load: applied after them, or an older list would undo them. */
let held: ServerEvent[] | null = null;

function connect(current: Api): void {
  const stream = new EventStream({
    base: current.base,
    ticket: current.eventTicket,
    isFinal: isUnauthorized,
    onEvent: (event) => (held === null ? take(event) : held.push(event)),
    onFresh: () => void reload(),
    onState: (state) => {
      store.stream.value = state;
      if (state === "live") void session.refresh();
    },
  });
  events = stream;
  stream.start();
}

window.addEventListener("online", () => events?.hurry());

function take(event: ServerEvent): void {
  if (event.type === "stream.reset") {
    void reload();
    void session.refresh();
    return;
  }
  if ("call" in event.data) {
    const { call } = event.data;
    tellMissed(call);
    if (call.id === leftBehind.peek()?.id && isEnded(call.status)) leftBehind.value = null;
  }
  tellMessage(applyToInbox(event));
  store.apply(event);
  session.observe(event);
}

/** An incoming call that stops ringing without us: say where it went. */
function tellMissed(call: Call): void {
  const before = store.calls.peek(call.id);
  if (call.direction !== "inbound" || before?.status !== "ringing" || call.status === "ringing") return;
  const { state, direction } = phone.peek();
  if (isActive(state) && direction === "inbound") return; // answered here
  const who = call.from === null ? "a withheld number" : formatNumber(call.from);
  if (!isEnded(call.status)) say(`The call from ${who} was answered elsewhere.`);
  else if (call.status === "no_answer" || call.status === "canceled") say(`Missed call from ${who}.`);
}

function tellMessage(message: Message | null): void {
  if (message === null || view.peek() === "messages") return;
  unseen.value += 1;
  say(`New message from ${message.from === null ? "an unknown sender" : formatNumber(message.from)}.`);
}

async function lookForLeftBehind(): Promise<void> {
  const id = recall("sessionStorage", "call");
  if (id === null || isActive(phone.peek().state)) return;
  const call = store.calls.peek(id) ?? (await api().call(id).catch(() => null));
  const live = call !== null && !isEnded(call.status);
  leftBehind.value = live ? call : null;
  if (!live) remember("sessionStorage", "call", null);
}

function refuse(which: Api): void {
  if (which !== client) return;
  forget();
  keyState.value = "refused";
}

function forget(): void {
  remember("sessionStorage", "key", null);
  remember("localStorage", "key", null);
  disconnect();
  client = null;
}

function disconnect(): void {
  events?.stop();
  events = null;
  store.clear();
  clearInbox();
}

function isUnauthorized(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}
