import type { JSX } from "preact";
import { SimSelect } from "../phone/simselect";
import { info } from "../store";
import { Icon } from "../ui/icons";
import { canSend, cost, draft, recipient, refusal, send, sending, smsVia, tooLong } from "./compose";

/** The form for a new message. */
export function Composer(): JSX.Element {
  const submit = (event: Event): void => {
    event.preventDefault();
    void send();
  };
  return (
    <form class="composer" onSubmit={submit} aria-label="New message" data-testid="composer">
      <div class="composer-head">
        <input
          class="text-input"
          type="tel"
          inputMode="tel"
          autocomplete="off"
          placeholder="To: number"
          aria-label="To: number"
          data-testid="sms-to"
          value={recipient.value}
          onInput={(event) => (recipient.value = event.currentTarget.value)}
        />
        <SimSelect choice={smsVia} label="Send through" testId="sms-sim" />
      </div>
      <textarea
        id="sms-text"
        class="text-input"
        rows={3}
        placeholder="Message"
        aria-label="Message"
        aria-describedby="sms-cost"
        data-testid="sms-text"
        value={draft.value}
        onInput={(event) => (draft.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
        }}
      />
      {refusal.value !== null && (
        <p class="alert" role="alert" data-testid="sms-refusal">
          <Icon name="warning" />
          <span>
            {refusal.value.title}
            {refusal.value.help !== "" && <small>{refusal.value.help}</small>}
          </span>
        </p>
      )}
      <div class="composer-foot">
        <Cost />
        <button type="submit" class="button primary" disabled={!canSend.value} data-testid="sms-send" title="Ctrl+Enter">
          <Icon name="send" size={18} />
          {sending.value ? "Sending…" : "Send"}
        </button>
      </div>
    </form>
  );
}

/** How many SMS the text takes, and which character makes it dear. */
function Cost(): JSX.Element {
  const { encoding, units, parts, perPart, left, culprit } = cost.value;
  const most = info.value?.max_message_parts ?? 0;
  const count = parts > 1 ? `${parts} SMS of ${perPart}, ${left} left` : `${units} of ${perPart}`;
  return (
    <p id="sms-cost" class="cost" data-testid="sms-cost" data-encoding={encoding} data-parts={parts}>
      <span class="badge" data-tone={encoding === "GSM-7" ? "off" : "wait"}>
        {encoding}
      </span>
      <span>{count}</span>
      {culprit !== null && <span class="cost-why">because of “{culprit}”; the GSM alphabet lacks it</span>}
      {tooLong.value && <span class="cost-over">Too long: at most {most} SMS are allowed here.</span>}
    </p>
  );
}
