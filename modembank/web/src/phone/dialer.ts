import { signal } from "@preact/signals";
import { phone, session } from "../bank";
import { isActive } from "../client/machine";
import type { Call, DialRequest } from "../client/types";
import { cleanNumber } from "../format";

/** What is typed and chosen on the idle phone. */
export const typed = signal("");
/** `""`: automatic; a SIM's id; or `tag:` and a tag. */
export const via = signal("");
export const keypadOpen = signal(false);

export type View = "phone" | "calls" | "rack";

/** What a small screen shows, and which table a large one shows beside the phone. */
export const view = signal<View>("phone");

export function type(text: string): void {
  session.reset(); // a new number begins a new story
  typed.value = cleanNumber(typed.value + text);
}

export function place(): void {
  if (typed.value === "" || isActive(phone.value.state)) return;
  keypadOpen.value = false;
  void session.dial(request(typed.value, via.value));
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

function request(to: string, choice: string): DialRequest {
  if (choice === "") return { to };
  return choice.startsWith("tag:") ? { to, pool: choice.slice(4) } : { to, from: choice };
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
