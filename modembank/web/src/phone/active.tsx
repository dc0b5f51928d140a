import type { JSX } from "preact";
import { phone, session } from "../bank";
import type { SessionSnapshot } from "../client/session";
import { formatDuration, formatNumber } from "../format";
import { clock, info } from "../store";
import { Icon, type IconName } from "../ui/icons";
import { second } from "../ui/ticker";
import { troubleWords, whyWords } from "../words";
import { keypadOpen } from "./dialer";
import { Keypad } from "./keypad";
import { Meters } from "./meters";

/** The phone while there is a call. */
export function ActiveCall(): JSX.Element {
  const snapshot = phone.value;
  const inCall = snapshot.call !== null;
  return (
    <div class="active" data-state={snapshot.state} data-held={snapshot.held}>
      <div class="avatar" aria-hidden="true">
        <span class="ring" />
        <span class="ring" />
        <span class="avatar-face">
          <Icon name={snapshot.held ? "pause" : "person"} size={34} />
        </span>
      </div>
      <p class="party" data-testid="party">
        {snapshot.number === null ? "Number withheld" : formatNumber(snapshot.number, info.value?.country)}
      </p>
      <Timer />
      <Route snapshot={snapshot} />
      {snapshot.trouble !== null && (
        <p class="alert" role="alert">
          <Icon name="warning" />
          {troubleWords(snapshot.trouble).title}
        </p>
      )}
      {keypadOpen.value && inCall && (
        <>
          <p class="digits" data-testid="digits" aria-label="Digits sent">
            {snapshot.digits === "" ? <span class="muted">Press the digits to send</span> : snapshot.digits}
          </p>
          <Keypad onKey={(digit) => void session.sendDigits(digit)} />
        </>
      )}
      <Meters />
      <Controls snapshot={snapshot} />
    </div>
  );
}

function Timer(): JSX.Element {
  const answeredAt = phone.value.call?.answered_at ?? null;
  const seconds = answeredAt === null ? 0 : clock.secondsSince(answeredAt, Math.max(second.value, Date.now()));
  return (
    <p class="timer" data-testid="timer" data-running={answeredAt !== null}>
      {answeredAt === null ? "\u00a0" : formatDuration(seconds)}
    </p>
  );
}

function Route({ snapshot }: { snapshot: SessionSnapshot }): JSX.Element | null {
  const sim = snapshot.call?.sim ?? null;
  if (sim === null) return <p class="route">{"\u00a0"}</p>;
  const name = sim.label || (sim.number === null ? `SIM …${sim.iccid.slice(-4)}` : formatNumber(sim.number));
  const why = snapshot.call === null ? "" : whyWords(snapshot.call);
  return (
    <p class="route" title={why}>
      <Icon name="sim" size={15} />
      {snapshot.direction === "inbound" ? "on" : "from"} {name}
    </p>
  );
}

interface ControlProps {
  icon: IconName;
  label: string;
  testId: string;
  shortcut: string;
  pressed: boolean;
  disabled: boolean;
  onClick: () => void;
}

function Control({ icon, label, testId, shortcut, pressed, disabled, onClick }: ControlProps): JSX.Element {
  return (
    <button
      type="button"
      class="control"
      data-testid={testId}
      aria-pressed={pressed}
      aria-keyshortcuts={shortcut}
      title={`${label} (${shortcut})`}
      disabled={disabled}
      onClick={onClick}
    >
      <span class="control-disc">
        <Icon name={icon} size={24} />
      </span>
      {label}
    </button>
  );
}

function Controls({ snapshot }: { snapshot: SessionSnapshot }): JSX.Element {
  const { muted, held, hangingUp, call, state } = snapshot;
  const none = call === null || hangingUp;
  return (
    <>
      <div class="controls">
        <Control
          icon={muted ? "micOff" : "mic"}
          label={muted ? "Unmute" : "Mute"}
          testId="mute"
          shortcut="m"
          pressed={muted}
          disabled={none}
          onClick={() => void session.setMuted(!muted)}
        />
        <Control
          icon="keypad"
          label="Keypad"
          testId="keypad"
          shortcut="k"
          pressed={keypadOpen.value}
          disabled={none}
          onClick={() => (keypadOpen.value = !keypadOpen.value)}
        />
        <Control
          icon={held ? "play" : "pause"}
          label={held ? "Resume" : "Hold"}
          testId="hold"
          shortcut="h"
          pressed={held}
          disabled={none || state !== "in_progress"}
          onClick={() => void session.setHeld(!held)}
        />
      </div>
      <button
        type="button"
        class="button hangup-button"
        data-testid="hangup"
        disabled={hangingUp}
        onClick={() => void session.hangUp()}
      >
        <Icon name="hangup" />
        {state === "in_progress" ? "Hang up" : "Cancel"}
      </button>
    </>
  );
}
