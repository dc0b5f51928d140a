import { computed, signal } from "@preact/signals";
import { api } from "../bank";
import { randomKey, UnreachableError } from "../client/api";
import type { UssdSession } from "../client/messages";
import type { Sim } from "../client/types";
import { choiceOf } from "../phone/dialer";
import { info, putSim, rackVersion, sims } from "../store";
import { newestUssd, putUssd, ussd } from "./inbox";
import { problemWords } from "./words";

/** The USSD session at hand: what is typed, asked and refused. */

export const code = signal("");
export const answer = signal("");
/** Like the phone's: `""`, a SIM's id, or `tag:` and a tag. */
export const ussdVia = signal("");
/** What the network is asked right now; null when it is not. */
export const asking = signal<string | null>(null);
export const ussdRefusal = signal<{ title: string; help: string } | null>(null);
/** The session that is shown: one that was chosen or run here, else one that wants an answer. */
const chosen = signal<string | null>(null);
export const balanceBusy = signal(false);
export const balanceRefusal = signal<{ title: string; help: string } | null>(null);

export const shownSession = computed((): UssdSession | null => {
  const sessions = newestUssd.value; // read, so that this follows each change
  const mine = chosen.value === null ? undefined : ussd.get(chosen.value)?.value;
  return mine ?? sessions.find((session) => session.status === "waiting") ?? null;
});

/** The SIM of the box, once one is chosen. */
export const chosenSim = computed((): Sim | null => {
  rackVersion.value; // read, so that this follows it
  return sims.peek(ussdVia.value) ?? null;
});

/** Whether the settings tell how to read this SIM's balance: by its home operator, else by its network. */
export function hasBalanceRule(sim: Pick<Sim, "imsi" | "plmn">): boolean {
  const plmns = info.value?.balance_plmns ?? [];
  return plmns.some((plmn) => sim.imsi?.startsWith(plmn) === true || sim.plmn === plmn);
}

export function show(session: UssdSession): void {
  chosen.value = session.id;
  ussdRefusal.value = null;
}

// As for a message: what was perhaps asked already is asked again under the same key only.
let attempt = { key: "", content: "" };

export async function run(): Promise<void> {
  const typed = code.value.trim();
  if (typed === "") return;
  const request = { code: typed, ...choiceOf(ussdVia.value) };
  const content = JSON.stringify(request);
  if (attempt.content !== content) attempt = { key: randomKey(), content };
  await ask(typed, async () => {
    const session = await api().runUssd(request, attempt.key);
    chosen.value = session.id;
    return session;
  });
}

export async function reply(session: UssdSession): Promise<void> {
  const typed = answer.value.trim();
  if (typed === "") return;
  await ask(typed, async () => {
    const next = await api().answerUssd(session.id, typed);
    answer.value = "";
    return next;
  });
}

export async function cancel(session: UssdSession): Promise<void> {
  try {
    putUssd(await api().cancelUssd(session.id));
  } catch (error) {
    ussdRefusal.value = problemWords(error);
  }
}

export async function refreshBalance(sim: Sim): Promise<void> {
  balanceBusy.value = true;
  balanceRefusal.value = null;
  try {
    putSim(await api().readBalance(sim.id));
  } catch (error) {
    balanceRefusal.value = problemWords(error);
  } finally {
    balanceBusy.value = false;
  }
}

async function ask(text: string, exchange: () => Promise<UssdSession>): Promise<void> {
  if (asking.value !== null) return;
  asking.value = text;
  ussdRefusal.value = null;
  try {
    putUssd(await exchange());
    attempt = { key: "", content: "" };
  } catch (error) {
    // A refused code may be asked anew; only of one without any answer nobody knows whether it was sent.
    if (!(error instanceof UnreachableError)) attempt = { key: "", content: "" };
    ussdRefusal.value = problemWords(error);
  } finally {
    asking.value = null;
  }
}
