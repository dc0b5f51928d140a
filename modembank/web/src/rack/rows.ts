import { computed, signal } from "@preact/signals";
import type { Modem, Sim } from "../client/types";
import { formatNumber } from "../format";
import { modems, rackVersion, sims } from "../store";
import { stateWords, type Tone } from "../words";

/** One row of the rack: a modem with the SIM in it, or a known SIM that is in none. */
export interface RackRow {
  /** The id of the modem, or of the SIM when there is no modem. */
  id: string;
  modem: Modem | null;
  sim: Sim | null;
}

export type SortKey = "slot" | "number" | "operator" | "signal" | "state" | "used";

export const search = signal("");
export const toneFilter = signal<Tone | null>(null);
export const sorting = signal<{ key: SortKey; descending: boolean }>({ key: "slot", descending: false });
/** The row whose details are open. */
export const opened = signal<string | null>(null);

/** The row as it is now; reading it in a component redraws that component when modem or SIM change. */
export function rowOf(id: string): RackRow {
  const modem = modems.get(id)?.value ?? null;
  if (modem === null) return { id, modem: null, sim: sims.get(id)?.value ?? null };
  return { id, modem, sim: modem.sim === null ? null : (sims.get(modem.sim.id)?.value ?? null) };
}

function peekRow(id: string): RackRow {
  const modem = modems.peek(id) ?? null;
  if (modem === null) return { id, modem: null, sim: sims.peek(id) ?? null };
  return { id, modem, sim: modem.sim === null ? null : (sims.peek(modem.sim.id) ?? null) };
}

export function rowLabel(row: RackRow): string {
  const { modem, sim } = row;
  if (modem === null) return sim?.label || `SIM …${(sim?.iccid ?? "").slice(-4)}`;
  return modem.label || sim?.label || placeName(modem);
}

/** The slot of the chassis where it has a name, else the place on USB. */
function placeName(modem: Modem): string {
  return modem.slot || modem.usb_path;
}

/** What stands below the label: where the modem is, or, when that is the label, what it is. */
export function rowPlace(row: RackRow): string {
  const { modem } = row;
  if (modem === null) return "no modem";
  return rowLabel(row) === placeName(modem) ? (modem.model ?? modem.dialect) : placeName(modem);
}

export function rowState(row: RackRow): { word: string; tone: Tone } {
  const { modem, sim } = row;
  if (modem === null) return stateWords("absent", true);
  if (modem.state === "sim_locked" && sim?.state.startsWith("sim_")) {
    return stateWords(sim.state, modem.enabled && sim.enabled); // which code it wants
  }
  return stateWords(modem.state, modem.enabled && (sim?.enabled ?? true));
}

const allRows = computed((): string[] => {
  rackVersion.value; // read, so that this follows it
  const inModems = new Set<string>();
  const ids: string[] = [];
  for (const modem of modems.values()) {
    ids.push(modem.id);
    if (modem.sim !== null) inModems.add(modem.sim.id);
  }
  for (const sim of sims.values()) if (!inModems.has(sim.id)) ids.push(sim.id);
  return ids;
});

export interface RackCounts {
  tones: Record<Tone, number>;
  /** SIMs that can call now, and all SIMs that are in a modem. */
  ready: number;
  sims: number;
  rows: number;
}

const countsText = computed((): string => {
  const tones: Record<Tone, number> = { good: 0, busy: 0, wait: 0, bad: 0, off: 0 };
  let inserted = 0;
  for (const id of allRows.value) {
    const row = peekRow(id);
    tones[rowState(row).tone] += 1;
    if (row.modem !== null && row.sim !== null && row.modem.state !== "lost") inserted += 1;
  }
  const counts: RackCounts = { tones, ready: tones.good, sims: inserted, rows: allRows.value.length };
  return JSON.stringify(counts);
});

/** Compared as text, so that a rack that changes without changing its counts redraws nothing. */
export const rackCounts = computed((): RackCounts => JSON.parse(countsText.value) as RackCounts);

const visibleText = computed((): string => {
  const words = search.value.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const tone = toneFilter.value;
  const rows = allRows.value
    .map(peekRow)
    .filter((row) => (tone === null || rowState(row).tone === tone) && matches(row, words));
  return rows.sort(comparison(sorting.value)).map((row) => row.id).join(" ");
});

/** Ids of the rows that pass the filter, in order; compared as text like the counts. */
export const visibleRows = computed((): string[] => (visibleText.value === "" ? [] : visibleText.value.split(" ")));

function matches(row: RackRow, words: string[]): boolean {
  if (words.length === 0) return true;
  const { modem, sim } = row;
  const number = sim?.number ?? "";
  const text = [
    rowLabel(row),
    modem?.slot,
    modem?.usb_path,
    modem?.imei,
    modem?.model,
    modem?.operator ?? sim?.operator,
    sim?.label,
    sim?.iccid,
    number,
    number === "" ? "" : formatNumber(number),
    rowState(row).word,
    ...(modem?.tags ?? []),
    ...(sim?.tags ?? []),
  ]
    .join(" ")
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

const collator = new Intl.Collator(undefined, { numeric: true });

const TONE_ORDER: Record<Tone, number> = { busy: 0, good: 1, wait: 2, bad: 3, off: 4 };

const TEXTS: Record<"number" | "operator" | "used", (row: RackRow) => string> = {
  number: (row) => row.sim?.number ?? "",
  operator: (row) => row.modem?.operator ?? row.sim?.operator ?? "",
  used: (row) => row.sim?.last_used_at ?? "",
};

function comparison({ key, descending }: { key: SortKey; descending: boolean }): (a: RackRow, b: RackRow) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => sign * compareBy(key, a, b) || sign * bySlot(a, b);
}

function compareBy(key: SortKey, a: RackRow, b: RackRow): number {
  if (key === "signal") return (a.modem?.rssi_dbm ?? -999) - (b.modem?.rssi_dbm ?? -999);
  if (key === "state") return TONE_ORDER[rowState(a).tone] - TONE_ORDER[rowState(b).tone];
  if (key === "slot") return bySlot(a, b);
  return unknownLast(TEXTS[key](a), TEXTS[key](b)) || collator.compare(TEXTS[key](a), TEXTS[key](b));
}

/** SIMs that are in no modem stand below those that are. */
function bySlot(a: RackRow, b: RackRow): number {
  return Number(a.modem === null) - Number(b.modem === null) || collator.compare(placeOf(a), placeOf(b));
}

/** The rack's own order is where the modems are, whatever they are called. */
function placeOf(row: RackRow): string {
  return row.modem?.usb_path ?? rowLabel(row);
}

function unknownLast(a: string, b: string): number {
  return Number(a === "") - Number(b === "");
}
