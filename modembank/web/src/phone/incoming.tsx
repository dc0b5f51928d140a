import { computed } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api, leftBehind, phone, say, session } from "../bank";
import { isActive } from "../client/machine";
import type { Call } from "../client/types";
import { formatNumber } from "../format";
import { incomingCalls } from "../store";
import { Icon } from "../ui/icons";
import { troubleWords } from "../words";
import { answer } from "./dialer";
import { startRing, stopRing, wakeSound } from "./sounds";

/** Calls that ring here: all that ring, but for the one being answered. */
const ringing = computed(() => {
  const { state, direction, call, number } = phone.value;
  const answering = isActive(state) && direction === "inbound";
  return incomingCalls.value.filter(
    (incoming) => !answering || (call === null ? incoming.from !== number : incoming.id !== call.id),
  );
});

const FLASH_MS = 900;

/** Incoming calls: who, on which SIM, answer or reject. Rings and flashes the page's title meanwhile. */
export function Incoming(): JSX.Element | null {
  const waiting = ringing.value;
  const first = waiting[0];
  const caller = first === undefined ? null : callerOf(first);
  const busy = isActive(phone.value.state);

  useEffect(() => {
    if (caller === null) return;
    const title = document.title;
    let flash = false;
    const timer = setInterval(() => {
      flash = !flash;
      document.title = flash ? `☎ ${caller}` : title;
    }, FLASH_MS);
    if (!busy) startRing();
    return () => {
      clearInterval(timer);
      document.title = title;
      stopRing();
    };
  }, [caller, busy]);

  if (first === undefined) return null;
  return (
    <div class="incoming-stack">
      {waiting.map((call) => (
        <IncomingPanel key={call.id} call={call} busy={busy} />
      ))}
    </div>
  );
}

function callerOf(call: Call): string {
  return call.from === null ? "Number withheld" : formatNumber(call.from);
}

function IncomingPanel({ call, busy }: { call: Call; busy: boolean }): JSX.Element {
  const [rejecting, setRejecting] = useState(false);
  const on = call.sim === null ? "" : call.sim.label || `SIM …${call.sim.iccid.slice(-4)}`;
  const reject = async (): Promise<void> => {
    setRejecting(true);
    try {
      await api().act(call.id, "reject");
    } catch {
      setRejecting(false);
      say("The call could not be rejected; it may have ended already.", "bad");
    }
  };
  return (
    <section class="card incoming" role="alertdialog" aria-label="Incoming call" data-testid="incoming" data-call={call.id}>
      <span class="incoming-mark" aria-hidden="true">
        <Icon name="phone" size={24} />
      </span>
      <div class="incoming-text">
        <p class="eyebrow">Incoming call</p>
        <p class="incoming-who">{callerOf(call)}</p>
        <p class="muted">
          {on !== "" && <>on {on}</>}
          {call.sim?.number != null && <> · {formatNumber(call.sim.number)}</>}
        </p>
      </div>
      <div class="incoming-buttons">
        <button
          type="button"
          class="button danger"
          data-testid="reject"
          disabled={rejecting}
          onClick={() => void reject()}
        >
          <Icon name="hangup" />
          Reject
        </button>
        <button
          type="button"
          class="button success"
          data-testid="answer"
          disabled={rejecting}
          onClick={() => {
            wakeSound();
            void answer(call);
          }}
        >
          <Icon name="phone" />
          {busy ? "End and answer" : "Answer"}
        </button>
      </div>
    </section>
  );
}

/** After a reload in a call: the call goes on, only its sound is gone. Offer to take it up again. */
export function LeftBehind(): JSX.Element | null {
  const call = leftBehind.value;
  if (call === null || isActive(phone.value.state)) return null;
  const party = call.direction === "inbound" ? call.from : call.to;
  const hangUp = async (): Promise<void> => {
    try {
      await api().act(call.id, "hangup");
    } catch {
      say(troubleWords({ kind: "unreachable" }).title, "bad");
      return;
    }
    leftBehind.value = null;
  };
  return (
    <section class="card incoming left-behind" role="alertdialog" aria-label="Your call goes on" data-testid="left-behind">
      <span class="incoming-mark calm" aria-hidden="true">
        <Icon name="talk" size={24} />
      </span>
      <div class="incoming-text">
        <p class="eyebrow">Your call goes on</p>
        <p class="incoming-who">{party === null ? "Number withheld" : formatNumber(party)}</p>
        <p class="muted">The page was loaded again; the sound stopped.</p>
      </div>
      <div class="incoming-buttons">
        <button type="button" class="button danger" onClick={() => void hangUp()}>
          <Icon name="hangup" />
          Hang up
        </button>
        <button
          type="button"
          class="button success"
          data-testid="reattach"
          onClick={() => {
            wakeSound();
            leftBehind.value = null;
            void session.attach(call);
          }}
        >
          <Icon name="headset" />
          Return to it
        </button>
      </div>
    </section>
  );
}
