import type { JSX } from "preact";

/** Line icons of this page, on a 24 by 24 grid. */
const PATHS = {
  phone: "M6.6 3.5 9 4l1.2 4-2 1.6a13 13 0 0 0 6.2 6.2l1.6-2 4 1.2.5 2.4a2 2 0 0 1-2 2.4A15.5 15.5 0 0 1 4.2 5.5a2 2 0 0 1 2.4-2z",
  hangup: "M3 14.5c-.6-1.6.2-3.2 1.8-4.1 4.3-2.5 10.1-2.5 14.4 0 1.6.9 2.4 2.5 1.8 4.1l-.5 1.1-4.3-.9-.6-3a13 13 0 0 0-7.2 0l-.6 3-4.3.9z",
  mic: "M12 3.5a2.8 2.8 0 0 0-2.8 2.8v5a2.8 2.8 0 0 0 5.6 0v-5A2.8 2.8 0 0 0 12 3.5zM5.8 11a6.2 6.2 0 0 0 12.4 0M12 17.2v3.3",
  micOff: "M9.2 9.2v2.1a2.8 2.8 0 0 0 4.6 2.1M14.8 10.5V6.3a2.8 2.8 0 0 0-5.4-1M5.8 11a6.2 6.2 0 0 0 10 4.9M18.2 11a6 6 0 0 1-.5 2.4M12 17.2v3.3M4 4l16 16",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  play: "M8 5.5v13l10.5-6.5z",
  keypad: "M6 5.5h.01M12 5.5h.01M18 5.5h.01M6 12h.01M12 12h.01M18 12h.01M6 18.5h.01M12 18.5h.01M18 18.5h.01",
  backspace: "M8.5 5.5H19a1.5 1.5 0 0 1 1.5 1.5v10a1.5 1.5 0 0 1-1.5 1.5H8.5L3 12zM11 9.5l5 5M16 9.5l-5 5",
  close: "M6 6l12 12M18 6 6 18",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4",
  moon: "M20 14.2A8.2 8.2 0 0 1 9.8 4 8.2 8.2 0 1 0 20 14.2z",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  search: "M11 4.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.8 15.8 20 20",
  check: "M5 12.5 10 17.5 19.5 7",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.5l3 1.8",
  warning: "M12 4.5 21 19.5H3zM12 10.5v4M12 17h.01",
  off: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM6.5 6.5l11 11",
  talk: "M4.5 5.5h15v10.5H11l-4 3.5v-3.5H4.5z",
  incoming: "M18.5 5.5 6.5 17.5M6.5 9v8.5H15",
  outgoing: "M5.5 18.5 17.5 6.5M17.5 15V6.5H9",
  rack: "M4.5 4.5h15v5.5h-15zM4.5 14h15v5.5h-15zM8 7.3h.01M8 16.8h.01M12 7.3h4M12 16.8h4",
  list: "M8.5 6.5H20M8.5 12H20M8.5 17.5H20M4.5 6.5h.01M4.5 12h.01M4.5 17.5h.01",
  grid: "M4.5 4.5h6v6h-6zM13.5 4.5h6v6h-6zM4.5 13.5h6v6h-6zM13.5 13.5h6v6h-6z",
  headset: "M4.5 15v-3a7.5 7.5 0 0 1 15 0v3M4.5 13.5h3v6h-1.5a1.5 1.5 0 0 1-1.5-1.5zM19.5 13.5h-3v6h1.5a1.5 1.5 0 0 0 1.5-1.5z",
  refresh: "M19.5 5v5h-5M4.5 19v-5h5M18.8 10A7.3 7.3 0 0 0 6 7.2L4.8 9M5.2 14A7.3 7.3 0 0 0 18 16.8l1.2-1.8",
  sim: "M7 3.5h7l4 4V19a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 6 19V5a1.5 1.5 0 0 1 1-1.5zM9 12h6v5H9zM12 12v5",
  person: "M12 4.5a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.6zM4.8 20a7.3 7.3 0 0 1 14.4 0",
  send: "M20 4 3.5 10.5l6.5 3 3 6.5zM10 13.5 20 4",
  reply: "M9.5 6 4 11.5 9.5 17M4 11.5h9.5a6 6 0 0 1 6 6v1",
  chevron: "M9 5.5 15.5 12 9 18.5",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" width={size} height={size} aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
      <rect class="logo-ground" width="32" height="32" rx="8" />
      <rect class="logo-bar" x="7" y="18" width="4" height="7" rx="1.5" />
      <rect class="logo-bar" x="14" y="13" width="4" height="12" rx="1.5" />
      <rect class="logo-bar" x="21" y="7" width="4" height="18" rx="1.5" />
    </svg>
  );
}
