import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { UssdSession } from "../client/messages";
import { formatTime } from "../format";
import { SimSelect } from "../phone/simselect";
import { info } from "../store";
import { Icon } from "../ui/icons";
import { halfMinute } from "../ui/ticker";
import { Balance } from "./balance";
import { may, newestUssd } from "./inbox";
import { simName } from "./list";
import { answer, asking, cancel, code, reply, run, show, shownSession, ussdRefusal, ussdVia } from "./session";
import { ussdMeaning, ussdStatus } from "./words";

/** Service codes: ask, answer a menu, see what was asked lately. */
export function UssdBox(): JSX.Element {
  const session = shownSession.value;
  return (
    <>
      <section class="ussd" aria-label="USSD" data-testid="ussd">
        <h2>USSD</h2>
        <CodeForm />
        {ussdRefusal.value !== null && (
          <p class="alert" role="alert" data-testid="ussd-refusal">
            <Icon name="warning" />
            <span>
              {ussdRefusal.value.title}
              {ussdRefusal.value.help !== "" && <small>{ussdRefusal.value.help}</small>}
            </span>
          </p>
        )}
        {session !== null && <Session key={session.id} session={session} />}
        {asking.value !== null && session?.status !== "running" && (
          <p class="muted asking" role="status">
            Asking the network: {asking.value} …
          </p>
        )}
      </section>
      <Balance />
      <Recent />
    </>
  );
}

function CodeForm(): JSX.Element {
  const codes = info.value?.ussd_codes ?? [];
  return (
    <form
      class="ussd-form"
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <SimSelect choice={ussdVia} label="Ask through" testId="ussd-sim" />
      <div class="joined">
        <input
          class="text-input"
          type="text"
          inputMode="tel"
          autocomplete="off"
          spellcheck={false}
          placeholder="*100#"
          aria-label="USSD code"
          data-testid="ussd-code"
          id="ussd-code"
          value={code.value}
          onInput={(event) => (code.value = event.currentTarget.value)}
        />
        <button
          type="submit"
          class="button primary"
          data-testid="ussd-run"
          disabled={code.value.trim() === "" || asking.value !== null}
        >
          Ask
        </button>
      </div>
      {codes.length === 0 ? (
        <p class="hint" data-testid="ussd-none">
          No code is allowed on this server yet; an operator lists them in its setting ussd.codes.
        </p>
      ) : (
        <div class="codes" role="group" aria-label="Allowed codes">
          {codes.map((one) => (
            <button key={one} type="button" class="chip" onClick={() => take(one)}>
              {one.replace("{digits}", "…")}
            </button>
          ))}
        </div>
      )}
    </form>
  );
}

/** Put an allowed code into the field, the caret where its digits are missing. */
function take(allowed: string): void {
  const at = allowed.indexOf("{digits}");
  code.value = allowed.replace("{digits}", "");
  const field = document.getElementById("ussd-code") as HTMLInputElement | null;
  if (field === null) return;
  field.value = code.value;
  field.focus();
  if (at >= 0) field.setSelectionRange(at, at);
}

function Session({ session }: { session: UssdSession }): JSX.Element {
  const { word, tone } = ussdStatus(session.status);
  const meaning = ussdMeaning(session);
  return (
    <div class="ussd-session" data-testid="ussd-session" data-status={session.status}>
      <p class="ussd-head">
        <span class="badge" data-tone={tone} data-testid="ussd-state">
          {word}
        </span>
        <span class="muted">{simName(session.sim)}</span>
      </p>
      {may("sms:content") ? (
        <ol class="turns" aria-live="polite">
          {session.turns.map((turn, index) => (
            <li key={index} data-out={turn.out} data-testid="ussd-turn">
              <span class="visually-hidden">{turn.out ? "Asked: " : "Network: "}</span>
              {turn.text || "(no text)"}
            </li>
          ))}
        </ol>
      ) : (
        <p class="note">
          <Icon name="off" size={18} />
          This API key may not read what the network says (scope sms:content).
        </p>
      )}
      {meaning !== "" && <p class="muted">{meaning}</p>}
      {session.status === "waiting" && <Reply session={session} />}
    </div>
  );
}

function Reply({ session }: { session: UssdSession }): JSX.Element {
  const ref = useRef<HTMLInputElement>(null);
  const turns = session.turns.length;
  useEffect(() => ref.current?.focus({ preventScroll: true }), [turns]);
  return (
    <form
      class="ussd-reply"
      onSubmit={(event) => {
        event.preventDefault();
        void reply(session);
      }}
    >
      <div class="joined">
        <input
          ref={ref}
          class="text-input"
          type="text"
          autocomplete="off"
          placeholder="Your answer"
          aria-label="Your answer to the network"
          data-testid="ussd-answer"
          value={answer.value}
          onInput={(event) => (answer.value = event.currentTarget.value)}
        />
        <button
          type="submit"
          class="button primary"
          data-testid="ussd-reply"
          disabled={answer.value.trim() === "" || asking.value !== null}
        >
          Answer
        </button>
      </div>
      <p class="hint">
        The network waits about a minute.{" "}
        <button type="button" class="link" data-testid="ussd-cancel" onClick={() => void cancel(session)}>
          Cancel the session
        </button>
      </p>
    </form>
  );
}

function Recent(): JSX.Element | null {
  const sessions = newestUssd.value;
  if (sessions.length === 0) return null;
  return (
    <section class="ussd" aria-label="Asked lately">
      <h2>Asked lately</h2>
      <ol class="ussd-list">
        {sessions.map((session) => (
          <li key={session.id}>
            <button
              type="button"
              aria-current={shownSession.value?.id === session.id}
              data-testid="ussd-row"
              onClick={() => show(session)}
            >
              <b>{session.code || "From the network"}</b>
              <span class="ussd-said">{session.text ?? ussdStatus(session.status).word}</span>
              <time class="muted" dateTime={session.created_at}>
                {formatTime(session.created_at, halfMinute.value)}
              </time>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
