import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { api, say } from "../bank";
import type { Message } from "../client/messages";
import type { SimRef } from "../client/types";
import { formatNumber, formatTime } from "../format";
import { Icon } from "../ui/icons";
import { halfMinute } from "../ui/ticker";
import { writeAgain } from "./compose";
import { loadOlder, may, newestMessages, older } from "./inbox";
import { messageMeaning, messageStatus } from "./words";

/** The message whose details are open. */
export const openedMessage = signal<string | null>(null);

/** All messages, newest first. */
export function MessageList(): JSX.Element {
  const all = newestMessages.value;
  const more = async (): Promise<void> => {
    try {
      await loadOlder(api());
    } catch {
      say("The older messages could not be loaded.", "bad");
    }
  };
  return (
    <section class="inbox" aria-label="Messages" data-testid="inbox" data-count={all.length}>
      {!may("sms:content") && (
        <p class="note" data-testid="no-content">
          <Icon name="off" size={18} />
          This API key may not read what messages say (scope sms:content). You see who wrote, when and through which SIM.
        </p>
      )}
      {all.length === 0 ? (
        <p class="empty">No message yet. What is sent and what comes in appears here at once.</p>
      ) : (
        <ol>
          {all.map((message) => (
            <MessageRow key={message.id} message={message} />
          ))}
        </ol>
      )}
      {older.value !== null && (
        <div class="row-buttons centred">
          <button type="button" class="button small" onClick={() => void more()}>
            Older messages
          </button>
        </div>
      )}
    </section>
  );
}

function MessageRow({ message }: { message: Message }): JSX.Element {
  const { word, tone } = messageStatus(message.status);
  const inbound = message.direction === "inbound";
  const meaning = messageMeaning(message);
  const known = message.status !== "received";
  return (
    <li class="message" data-testid="message" data-id={message.id} data-direction={message.direction} data-status={message.status}>
      <span class="direction" title={inbound ? "Received" : "Sent"}>
        <Icon name={inbound ? "incoming" : "outgoing"} size={18} />
        <span class="visually-hidden">{inbound ? "Received from" : "Sent to"}</span>
      </span>
      <div class="message-main">
        <div class="message-head">
          <button type="button" class="row-open" onClick={() => (openedMessage.value = message.id)}>
            {partyOf(message)}
          </button>
          <span class="muted message-sim">{inbound ? `to ${simName(message.sim)}` : `through ${simName(message.sim)}`}</span>
          <time class="muted" dateTime={message.created_at}>
            {formatTime(message.created_at, halfMinute.value)}
          </time>
        </div>
        <Body message={message} />
        {known && (
          <p class="message-state">
            <span class="badge" data-tone={tone} data-testid="message-state">
              {word}
            </span>
            {meaning !== "" && !CALM.has(message.status) && <span>{meaning}</span>}
          </p>
        )}
      </div>
      <WriteAgain message={message} />
    </li>
  );
}

// What goes as it should needs no explanation in the list; the details have it.
const CALM: ReadonlySet<string> = new Set(["sending", "sent"]);

/** The text; or why there is none. */
export function Body({ message }: { message: Message }): JSX.Element {
  if (message.text !== null) {
    return (
      <p class="message-text" data-testid="message-text">
        {message.text}
      </p>
    );
  }
  if (message.data !== null) {
    return (
      <p class="message-text">
        <span class="muted">Data, {message.data.length / 2} octets:</span> <code>{message.data}</code>
      </p>
    );
  }
  return <p class="message-text muted">{may("sms:content") ? "No text" : "Text hidden from this key"}</p>;
}

function WriteAgain({ message }: { message: Message }): JSX.Element | null {
  const party = message.direction === "inbound" ? message.from : message.to;
  if (party === null || !/^[+0-9]/.test(party) || !may("sms:send")) return null;
  const word = message.direction === "inbound" ? "Reply" : "Write again";
  return (
    <button
      type="button"
      class="icon-button message-act"
      aria-label={`${word} to ${formatNumber(party)}`}
      title={word}
      onClick={() => writeAgain(message)}
    >
      <Icon name="reply" size={18} />
    </button>
  );
}

export function partyOf(message: Message): string {
  const party = message.direction === "inbound" ? message.from : message.to;
  return party === null ? "Unknown sender" : formatNumber(party);
}

export function simName(sim: SimRef | null): string {
  if (sim === null) return "no SIM";
  return sim.label || (sim.number === null ? `SIM …${sim.iccid.slice(-4)}` : formatNumber(sim.number));
}
