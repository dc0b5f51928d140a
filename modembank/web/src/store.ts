import { batch, computed, signal } from "@preact/signals";
import { ServerClock } from "./client/clock";
import type { StreamState } from "./client/events";
import {
  isCallEvent,
  isEnded,
  isModemEvent,
  isSimEvent,
  type Call,
  type Info,
  type Levels,
  type Modem,
  type ServerEvent,
  type Sim,
} from "./client/types";
import { Keyed } from "./keyed";

/** What the bank told us. Only this module changes it; everything shown follows from it. */

export const info = signal<Info | null>(null);
export const stream = signal<StreamState>("stopped");
export const loaded = signal(false);
export const clock = new ServerClock();

export const sims = new Keyed<Sim>();
export const modems = new Keyed<Modem>();
export const calls = new Keyed<Call>();

/** Counts the moments at which the rack changed; rack views sort, filter and count once for each. */
export const rackVersion = signal(0);
/** Likewise for calls that came, moved on or ended. */
export const callsVersion = signal(0);

export const levels = new Map<string, Levels>();
export const levelsVersion = signal(0);

export const liveCalls = computed(() => pickCalls((call) => !isEnded(call.status)));
export const recentCalls = computed(() => pickCalls((call) => isEnded(call.status)).slice(0, MAX_RECENT));
export const incomingCalls = computed(() =>
  liveCalls.value.filter((call) => call.direction === "inbound" && call.status === "ringing"),
);

/** A short message that passes by. */
export const notice = signal<{ text: string; tone: "info" | "bad" } | null>(null);

export const MAX_RECENT = 100;

// A rack of 256 modems may tell five changes a second each; four redraws a second look as live.
const RACK_FLUSH_MS = 250;

const pendingSims = new Map<string, Sim>();
const pendingModems = new Map<string, Modem>();
let flushPlanned = false;
let levelsPlanned = false;

/** Take over one event. Calls show at once (a hidden page must ring too), the rack in batches. */
export function apply(event: ServerEvent): void {
  if (event.type === "call.levels") {
    applyLevels(event.data);
    return;
  }
  if (event.at !== undefined) clock.observe(event.at);
  if (isCallEvent(event)) putCalls([event.data.call]);
  else if (isSimEvent(event)) pendingSims.set(event.data.sim.id, event.data.sim);
  else if (isModemEvent(event)) pendingModems.set(event.data.modem.id, event.data.modem);
  else return;
  if (pendingSims.size + pendingModems.size > 0) planFlush();
}

/** The lists as the server gives them; they are newer than every event waiting here. */
export function replaceRack(allSims: readonly Sim[], allModems: readonly Modem[]): void {
  pendingSims.clear();
  pendingModems.clear();
  batch(() => {
    sims.replace(allSims);
    modems.replace(allModems);
    rackVersion.value += 1;
    loaded.value = true;
  });
}

export function replaceCalls(all: readonly Call[]): void {
  batch(() => {
    calls.replace(all);
    callsVersion.value += 1;
  });
}

export function putCalls(changed: readonly Call[]): void {
  batch(() => {
    calls.put(changed);
    for (const call of changed) if (isEnded(call.status)) levels.delete(call.id);
    forgetOldCalls();
    callsVersion.value += 1;
  });
}

export function putSim(sim: Sim): void {
  pendingSims.set(sim.id, sim);
  flushRack();
}

export function putModem(modem: Modem): void {
  pendingModems.set(modem.id, modem);
  flushRack();
}

export function clear(): void {
  replaceRack([], []);
  replaceCalls([]);
  levels.clear();
  batch(() => {
    info.value = null;
    loaded.value = false;
  });
}

function pickCalls(wanted: (call: Call) => boolean): Call[] {
  callsVersion.value; // read, so that this follows it
  return [...calls.values()].filter(wanted).sort((a, b) => b.created_at.localeCompare(a.created_at));
}

function forgetOldCalls(): void {
  if (calls.ids.peek().length <= MAX_RECENT * 3) return;
  const ended = [...calls.values()]
    .filter((call) => isEnded(call.status))
    .sort((a, b) => b.created_at.localeCompare(a.created_at));
  calls.remove(ended.slice(MAX_RECENT).map((call) => call.id));
}

function applyLevels(data: Levels): void {
  levels.set(data.call_id, data);
  if (levelsPlanned) return;
  levelsPlanned = true;
  requestAnimationFrame(() => {
    levelsPlanned = false;
    levelsVersion.value += 1;
  });
}

function planFlush(): void {
  if (flushPlanned) return;
  flushPlanned = true;
  setTimeout(() => {
    // A hidden page gets no frames; its changes wait here, one per record, until it is seen again.
    requestAnimationFrame(() => {
      flushPlanned = false;
      flushRack();
    });
  }, RACK_FLUSH_MS);
}

function flushRack(): void {
  if (pendingSims.size + pendingModems.size === 0) return;
  batch(() => {
    sims.put(pendingSims.values());
    modems.put(pendingModems.values());
    rackVersion.value += 1;
  });
  pendingSims.clear();
  pendingModems.clear();
}
