import { signal, type ReadonlySignal } from "@preact/signals";

function ticker(periodMs: number): ReadonlySignal<number> {
  const now = signal(Date.now());
  setInterval(() => (now.value = Date.now()), periodMs);
  return now;
}

/** The local time in milliseconds; running times follow it. */
export const second = ticker(500);
/** Likewise, for "5 min ago". */
export const halfMinute = ticker(30_000);
