import type { JSX } from "preact";
import { signalBars } from "../format";
import { Icon, type IconName } from "../ui/icons";
import { signalWords, type Tone } from "../words";
import type { Note } from "./notes";

const TONE_ICONS: Record<Tone, IconName> = {
  good: "check",
  busy: "talk",
  wait: "clock",
  bad: "warning",
  off: "off",
};

/** A state by colour, icon and word, so that no one of them is needed. */
export function StateBadge({ word, tone }: { word: string; tone: Tone }): JSX.Element {
  return (
    <span class="badge" data-tone={tone}>
      <Icon name={TONE_ICONS[tone]} size={14} />
      {word}
    </span>
  );
}

/** What to know beside the state, on one line; the whole of it as a hint. */
export function NoteLine({ note }: { note: Note | null }): JSX.Element | null {
  if (note === null) return null;
  return (
    <small class="state-note" data-urgent={note.urgent} data-testid="note" title={note.text}>
      {note.text}
    </small>
  );
}

export function ToneIcon({ tone, size = 14 }: { tone: Tone; size?: number }): JSX.Element {
  return <Icon name={TONE_ICONS[tone]} size={size} />;
}

export function Signal({ rssiDbm }: { rssiDbm: number | null }): JSX.Element {
  const bars = signalBars(rssiDbm);
  return (
    <span class="signal" data-bars={bars} title={rssiDbm === null ? "No signal" : `${rssiDbm} dBm, ${signalWords(bars)}`}>
      <span class="bars" aria-hidden="true">
        <i />
        <i />
        <i />
        <i />
      </span>
      <span class="dbm">{rssiDbm === null ? "–" : rssiDbm}</span>
    </span>
  );
}
