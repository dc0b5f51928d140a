import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Icon } from "../ui/icons";
import { Composer } from "./composer";
import { may, newestUssd, unseen } from "./inbox";
import { MessageList } from "./list";
import { UssdBox } from "./ussd";

/** Which half a narrow page shows; a wide one shows both. */
const half = signal<"messages" | "ussd">("messages");

const HALVES = [
  { name: "messages", word: "Messages" },
  { name: "ussd", word: "USSD and balance" },
] as const;

/** Messages of all SIMs, and the service codes of their operators. */
export function Messages(): JSX.Element {
  const came = unseen.value;
  useEffect(() => {
    unseen.value = 0; // they are seen now
  }, [came]);
  return (
    <div class="messaging" data-half={half.value} data-testid="messages">
      <div class="halves chips" role="group" aria-label="Messages or USSD">
        {HALVES.map(({ name, word }) => (
          <button
            key={name}
            type="button"
            class="chip"
            aria-pressed={half.value === name}
            data-testid={`half-${name}`}
            onClick={() => (half.value = name)}
          >
            {word}
            {name === "ussd" && newestUssd.value.some((session) => session.status === "waiting") && " (asks you)"}
          </button>
        ))}
      </div>
      <div class="sms-half">
        {may("sms:send") ? <Composer /> : <Hint>This API key may not send messages: it lacks the scope sms:send.</Hint>}
        {may("sms:read") ? <MessageList /> : <Hint>This API key may not read messages: it lacks the scope sms:read.</Hint>}
      </div>
      <aside class="ussd-half" aria-label="USSD">
        {may("ussd:run") ? <UssdBox /> : <Hint>This API key may not run USSD codes: it lacks the scope ussd:run.</Hint>}
      </aside>
    </div>
  );
}

function Hint({ children }: { children: string }): JSX.Element {
  return (
    <p class="note">
      <Icon name="off" size={18} />
      {children}
    </p>
  );
}
