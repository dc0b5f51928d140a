import { signal } from "@preact/signals";
import { phone, session } from "../bank";
import { isActive } from "../client/machine";
import type { Call } from "../client/types";
import { cleanNumber } from "../format";
import { view } from "./view";

/** What is typed and chosen on the idle phone. */
export const typed = signal("");
/** `""`: automatic; a SIM's id; or `tag:` and a tag. */
export const via = signal("");
export const keypadOpen = signal(false);

export function type(text: string): void {
  session.reset(); // a new number begins a new story
  typed.value = cleanNumber(typed.value + text);
}

export function place(): void {
  if (typed.value === "" || isActive(phone.value.state)) return;
  keypadOpen.value = false;
  void session.dial({ to: typed.value, ...choiceOf(via.value) });
}

/** Put another party's number on the phone, ready to call. */
export function prepare(number: string | null): void {
  if (number === null || isActive(phone.value.state)) return;
  session.reset();
  typed.value = cleanNumber(number);
  view.value = "phone";
}

/** Answer an incoming call; a call that goes on is hung up first. */
export async function answer(call: Call): Promise<void> {
  keypadOpen.value = false;
  if (isActive(phone.value.state)) {
    await session.hangUp();
    await ended();
  }
  view.value = "phone";
  await session.answer(call);
}

/** A choice of SIM as the API takes it. */
export function choiceOf(choice: string): { from?: string; pool?: string } {
  if (choice === "") return {};
  return choice.startsWith("tag:") ? { pool: choice.slice(4) } : { from: choice };
}

function ended(): Promise<void> {
  return new Promise((resolve) => {
    const stop = session.subscribe((snapshot) => {
      if (!isActive(snapshot.state)) finish();
    });
    const finish = (): void => {
      stop();
      resolve();
    };
    if (!isActive(session.snapshot.state)) finish();
  });
}
