import type { JSX } from "preact";
import type { Message } from "../client/messages";
import { formatExact, formatTime } from "../format";
import { Dialog } from "../ui/dialog";
import { halfMinute } from "../ui/ticker";
import { whyWords } from "../words";
import { messages } from "./inbox";
import { Body, openedMessage, partyOf, simName } from "./list";
import { messageMeaning, messageStatus } from "./words";

/** All that is known of one message: its text, its way, its SIM and why that one. */
export function MessageDetails(): JSX.Element | null {
  const id = openedMessage.value;
  const message = id === null ? undefined : messages.get(id)?.value;
  if (message === undefined) return null;
  const meaning = messageMeaning(message);
  return (
    <Dialog title={partyOf(message)} kind="drawer" onClose={() => (openedMessage.value = null)} testId="message-details">
      <section class="part">
        <Body message={message} />
        {meaning !== "" && <p>{meaning}</p>}
      </section>
      <Steps message={message} />
      <section class="part">
        <h3>Message</h3>
        <dl class="facts">
          {facts(message).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {whyWords(message) !== "" && (
        <section class="part">
          <h3>Why this SIM</h3>
          <p>{whyWords(message)}</p>
        </section>
      )}
    </Dialog>
  );
}

function Steps({ message }: { message: Message }): JSX.Element {
  return (
    <ol class="moments">
      {message.history.map((step, index) => (
        <li key={index} data-moment={step.status}>
          <span class="moment-word">
            {messageStatus(step.status).word}
            {step.detail !== "" && <small class="muted"> {step.detail}</small>}
          </span>
          <span />
          <time class="muted" dateTime={step.at}>
            {formatExact(step.at)}
          </time>
        </li>
      ))}
    </ol>
  );
}

const ENCODINGS: Record<string, string> = { gsm7: "GSM-7", ucs2: "UCS-2", octets: "8-bit data" };

function facts(message: Message): [string, string][] {
  const { parts } = message;
  const found: [string, string][] = [
    ["State", messageStatus(message.status).word],
    ["SIM", simName(message.sim)],
    ["Slot", message.modem === null ? "–" : message.modem.label || message.modem.usb_path],
    ["When", formatTime(message.created_at, halfMinute.value)],
    ["Encoding", ENCODINGS[message.encoding] ?? message.encoding],
    ["SMS", parts.done === parts.total ? String(parts.total) : `${parts.done} of ${parts.total}`],
  ];
  if (message.flash) found.push(["Kind", "Flash: shown at once, not stored"]);
  if (message.direction === "outbound") found.push(["Delivery report", message.delivery_report ? "asked for" : "not asked for"]);
  if (message.attempts > 0) found.push(["Refused by the network", `${message.attempts} times`]);
  if (message.cms !== null) found.push(["CMS error", String(message.cms)]);
  found.push(["Message id", message.id]);
  return found;
}
