import { signal, type Signal } from "@preact/signals";
import type { MicrophoneChoice } from "./client/microphone";

const PREFIX = "modembank.";

type Where = "localStorage" | "sessionStorage";

/** Read and write a browser store that may be forbidden: then nothing is remembered, and nothing breaks. */
export function remember(where: Where, name: string, value: string | null): void {
  try {
    if (value === null) window[where].removeItem(PREFIX + name);
    else window[where].setItem(PREFIX + name, value);
  } catch {
    // A private window or a full store: the value lives as long as the page.
  }
}

export function recall(where: Where, name: string): string | null {
  try {
    return window[where].getItem(PREFIX + name);
  } catch {
    return null; // as above
  }
}

function kept<T>(name: string, initial: T): Signal<T> {
  const stored = recall("localStorage", name);
  const value = signal<T>(initial);
  if (stored !== null) {
    try {
      value.value = { ...initial, ...(JSON.parse(stored) as Partial<T>) };
    } catch {
      remember("localStorage", name, null); // written by an older page
    }
  }
  value.subscribe((next) => remember("localStorage", name, JSON.stringify(next)));
  return value;
}

export interface AudioPreferences extends MicrophoneChoice {
  speakerId: string | null;
  ringerVolume: number;
  keyTones: boolean;
}

/** Devices and processing; kept on this computer. */
export const audio = kept<AudioPreferences>("audio", {
  deviceId: null,
  speakerId: null,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  ringerVolume: 0.5,
  keyTones: true,
});

export type Theme = "auto" | "light" | "dark";

const storedTheme = recall("localStorage", "theme");

/** Light, dark, or as the system says. `public/theme.js` applies it before the first paint. */
export const theme = signal<Theme>(storedTheme === "light" || storedTheme === "dark" ? storedTheme : "auto");

const systemDark = window.matchMedia("(prefers-color-scheme: dark)");

export function toggleTheme(): void {
  const dark = theme.value === "auto" ? systemDark.matches : theme.value === "dark";
  const next = dark ? "light" : "dark";
  // Choosing what the system says anyway follows the system again.
  theme.value = (next === "dark") === systemDark.matches ? "auto" : next;
  remember("localStorage", "theme", theme.value === "auto" ? null : theme.value);
  if (theme.value === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme.value;
}

export const isDark = (): boolean => (theme.value === "auto" ? systemDark.matches : theme.value === "dark");
