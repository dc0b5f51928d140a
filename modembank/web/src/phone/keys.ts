import { batch } from "@preact/signals";
import { phone, session } from "../bank";
import { isActive } from "../client/machine";
import { keypadOpen, type } from "./dialer";
import { playKey } from "./sounds";

/** Keyboard shortcuts: m, h, k and digits in a call; digits begin a number when the phone is idle. */
export function listenToKeys(): () => void {
  const listener = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]") !== null) return;
    const taken = isActive(phone.value.state) ? inCall(event.key) : idle(event.key);
    if (taken) event.preventDefault();
  };
  window.addEventListener("keydown", listener);
  return () => window.removeEventListener("keydown", listener);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function inCall(key: string): boolean {
  const { call, muted, held, state } = phone.value;
  if (call === null) return false;
  if (/^[0-9*#]$/.test(key)) {
    batch(() => {
      keypadOpen.value = true;
      playKey(key);
      void session.sendDigits(key);
    });
    return true;
  }
  switch (key.toLowerCase()) {
    case "m":
      void session.setMuted(!muted);
      return true;
    case "h":
      if (state === "in_progress") void session.setHeld(!held);
      return true;
    case "k":
      keypadOpen.value = !keypadOpen.value;
      return true;
    case "escape":
      keypadOpen.value = false;
      return true;
    default:
      return false;
  }
}

function idle(key: string): boolean {
  if (!/^[0-9+]$/.test(key)) return false;
  type(key);
  document.getElementById("number")?.focus();
  return true;
}
