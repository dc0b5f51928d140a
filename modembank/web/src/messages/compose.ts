import { computed, signal } from "@preact/signals";
import { api } from "../bank";
import { randomKey } from "../client/api";
import type { Message } from "../client/messages";
import { choiceOf } from "../phone/dialer";
import { info } from "../store";
import { putMessage } from "./inbox";
import { segments } from "./segments";
import { problemWords } from "./words";

/** The message that is being written. */

export const recipient = signal("");
export const draft = signal("");
/** Like the phone's: `""`, a SIM's id, or `tag:` and a tag. */
export const smsVia = signal("");
export const sending = signal(false);
export const refusal = signal<{ title: string; help: string } | null>(null);

export const cost = computed(() => segments(draft.value));
export const tooLong = computed(() => cost.value.parts > (info.value?.max_message_parts ?? Infinity));
export const canSend = computed(
  () => recipient.value.trim() !== "" && draft.value !== "" && !tooLong.value && !sending.value,
);

/** The key of what stands in the form, and what that was: as long as it is the same, it is sent once. */
let attempt = { key: "", content: "" };

export async function send(): Promise<void> {
  if (!canSend.value) return;
  const request = { to: recipient.value.trim(), text: draft.value, ...choiceOf(smsVia.value) };
  const content = JSON.stringify(request);
  if (attempt.content !== content) attempt = { key: randomKey(), content };
  sending.value = true;
  refusal.value = null;
  try {
    putMessage(await api().sendMessage(request, attempt.key));
    attempt = { key: "", content: "" };
    if (draft.value === request.text) draft.value = "";
  } catch (error) {
    refusal.value = problemWords(error);
  } finally {
    sending.value = false;
  }
}

/** Write to the other party of a message, through the same SIM; the text of one that did not arrive goes along. */
export function writeAgain(message: Message): void {
  const party = message.direction === "inbound" ? message.from : message.to;
  if (party === null) return;
  recipient.value = party;
  smsVia.value = message.sim?.id ?? "";
  if (LOST.has(message.status) && message.text !== null) draft.value = message.text;
  refusal.value = null;
  document.getElementById("sms-text")?.focus();
}

const LOST: ReadonlySet<string> = new Set(["failed", "undelivered", "unknown"]);
