import { signal, type Signal } from "@preact/signals";
import { api } from "../bank";
import type { RadioMoment } from "../client/types";

/** The signal of modems over the last hours: read for rows that are seen, few at a time, and kept for a while. */

export const SPAN_MS = 6 * 3_600_000;
const FRESH_MS = 5 * 60_000; // the bank samples that often by itself
const AT_ONCE = 2; // a rack of 256 that is scrolled through must not flood the server
const MOST = 400; // minutes of the span, and changes of registration between them

const EMPTY: readonly RadioMoment[] = [];
const known = new Map<string, { moments: Signal<readonly RadioMoment[]>; readMs: number }>();
const waiting = new Set<string>();
let running = 0;

/** What is known now; reading it in a component redraws that component when more is. */
export function historyOf(modemId: string): Signal<readonly RadioMoment[]> {
  let entry = known.get(modemId);
  if (entry === undefined) {
    entry = { moments: signal(EMPTY), readMs: 0 };
    known.set(modemId, entry);
  }
  return entry.moments;
}

/** Read it soon, unless it was read lately. */
export function wantHistory(modemId: string): void {
  const entry = known.get(modemId);
  if (entry !== undefined && Date.now() - entry.readMs < FRESH_MS) return;
  waiting.add(modemId);
  next();
}

/** The row is out of sight before its turn came. */
export function dropHistory(modemId: string): void {
  waiting.delete(modemId);
}

function next(): void {
  const [id] = waiting;
  if (id === undefined || running >= AT_ONCE) return;
  waiting.delete(id);
  running += 1;
  void read(id).finally(() => {
    running -= 1;
    next();
  });
}

async function read(id: string): Promise<void> {
  const moments = historyOf(id);
  const entry = known.get(id);
  if (entry !== undefined) entry.readMs = Date.now(); // also when it fails: a server in trouble is not asked at once again
  try {
    moments.value = await api().history(id, Date.now() - SPAN_MS, MOST);
  } catch {
    return; // a line in a table that stays empty is no news; the page tells by itself when the server is away
  }
}
