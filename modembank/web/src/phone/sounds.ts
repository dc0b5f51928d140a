import { audio } from "../preferences";

/** Short sounds of the phone itself: key tones and the ring of an incoming call. No files, no downloads. */

let context: AudioContext | null = null;

/** Browsers let a page sound only after the first touch; the context is made or woken then. */
export function wakeSound(): AudioContext {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume();
  return context;
}

// Row and column frequencies in Hz. Source: ITU-T Q.23, section 6.
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const KEYS = ["123", "456", "789", "*0#"];

export function playKey(digit: string): void {
  const row = KEYS.findIndex((keys) => keys.includes(digit));
  if (!audio.peek().keyTones || row < 0) return;
  const frequencies = [ROWS[row], COLUMNS[KEYS[row]?.indexOf(digit) ?? 0]];
  for (const frequency of frequencies) note(wakeSound(), frequency ?? 0, 0, 0.09, 0.035);
}

const MELODY = [
  { hz: 659.3, at: 0 },
  { hz: 830.6, at: 0.16 },
  { hz: 987.8, at: 0.32 },
  { hz: 830.6, at: 0.64 },
];
const MELODY_MS = 2600;

let ringing: ReturnType<typeof setInterval> | undefined;

/** Ring until `stopRing`: gently, and again every 2.6 s. */
export function startRing(): void {
  if (ringing !== undefined) return;
  const once = (): void => {
    const volume = audio.peek().ringerVolume;
    if (volume === 0 || context === null || context.state !== "running") return;
    for (const { hz, at } of MELODY) {
      note(context, hz, at, 0.7, 0.16 * volume);
      note(context, hz * 2, at, 0.35, 0.05 * volume);
    }
  };
  once();
  ringing = setInterval(once, MELODY_MS);
}

export function stopRing(): void {
  clearInterval(ringing);
  ringing = undefined;
}

/** One ring, to hear how loud it is. */
export function testRing(): void {
  wakeSound();
  stopRing();
  startRing();
  stopRing();
}

function note(on: AudioContext, hz: number, delay: number, seconds: number, volume: number): void {
  const start = on.currentTime + delay;
  const oscillator = on.createOscillator();
  const gain = on.createGain();
  oscillator.frequency.value = hz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(volume, start + 0.008);
  gain.gain.exponentialRampToValueAtTime(0.0001, start + seconds);
  oscillator.connect(gain).connect(on.destination);
  oscillator.start(start);
  oscillator.stop(start + seconds + 0.02);
}
