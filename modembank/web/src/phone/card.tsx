import type { JSX } from "preact";
import { phone, session } from "../bank";
import { isActive } from "../client/machine";
import { Icon } from "../ui/icons";
import { rackCounts } from "../rack/rows";
import { loaded } from "../store";
import { ActiveCall } from "./active";
import { keypadOpen, place, type, typed } from "./dialer";
import { Keypad } from "./keypad";
import { NumberField } from "./number";
import { PhoneSimSelect } from "./simselect";
import { say } from "./words";

/** The telephone: a dial pad when idle, the call while there is one. */
export function PhoneCard(): JSX.Element {
  const snapshot = phone.value;
  const active = isActive(snapshot.state);
  return (
    <section class="card phone" data-active={active} aria-label="Phone">
      <StateLine />
      {active ? <ActiveCall /> : <Dialler />}
    </section>
  );
}

/** One element for the whole life of a call, so that screen readers hear every change. */
function StateLine(): JSX.Element {
  const snapshot = phone.value;
  const { ready, sims } = rackCounts.value;
  const { title, detail } = say(snapshot, ready, loaded.value ? sims : null);
  const bad = snapshot.state === "ended" && (snapshot.trouble !== null || isFailure(snapshot.call?.status));
  return (
    <div
      class="state"
      role="status"
      aria-live="polite"
      data-testid="state"
      data-state={snapshot.state}
      data-held={snapshot.held}
      data-cause={snapshot.call?.hangup?.cause}
      data-tone={bad ? "bad" : "calm"}
    >
      <strong class="state-title">{title}</strong>
      <span class="state-detail">{detail}</span>
    </div>
  );
}

function isFailure(status: string | undefined): boolean {
  return status === "failed" || status === "busy" || status === "no_answer" || status === "rejected";
}

function Dialler(): JSX.Element {
  const { state, trouble } = phone.value;
  const noMicrophone = state === "ended" && trouble?.kind === "microphone";
  return (
    <div class="dialler">
      {noMicrophone && (
        <div class="row-buttons centred">
          <button type="button" class="button" onClick={() => void session.retry(false)}>
            Try again
          </button>
          <button
            type="button"
            class="button"
            data-testid="listen-only"
            onClick={() => void session.retry(true)}
          >
            <Icon name="headset" size={18} />
            Just listen
          </button>
        </div>
      )}
      <NumberField />
      <Keypad onKey={type} plus />
      <PhoneSimSelect />
      <button
        type="button"
        class="button call-button"
        data-testid="call"
        disabled={typed.value === ""}
        onClick={() => {
          keypadOpen.value = false;
          place();
        }}
      >
        <Icon name="phone" />
        Call
      </button>
    </div>
  );
}
