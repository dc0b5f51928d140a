import type { JSX } from "preact";
import { calls } from "../store";
import type { Call } from "../client/types";
import { formatDuration, formatExact } from "../format";
import { Dialog } from "../ui/dialog";
import { causeWords, ender, statusWords, whyWords } from "../words";
import { openedCall, partyOf, simName } from "./calls";

/** All that is known of one call: its moments, its SIM and why that one, its end, its sound. */
export function CallDetails(): JSX.Element | null {
  const id = openedCall.value;
  const call = id === null ? undefined : calls.get(id)?.value;
  if (call === undefined) return null;
  return (
    <Dialog title={partyOf(call)} kind="drawer" onClose={() => (openedCall.value = null)} testId="call-details">
      <Moments call={call} />
      <Facts title="Call" facts={callFacts(call)} />
      {whyWords(call) !== "" && (
        <section class="part">
          <h3>Why this SIM</h3>
          <p>{whyWords(call)}</p>
        </section>
      )}
      {call.quality !== null && <Facts title="Sound" facts={soundFacts(call)} />}
    </Dialog>
  );
}

const MOMENTS = [
  ["created_at", "Asked for"],
  ["dialing_at", "Dialled"],
  ["early_media_at", "Network audible"],
  ["ringing_at", "Ringing"],
  ["answered_at", "Answered"],
  ["ended_at", "Ended"],
] as const;

function Moments({ call }: { call: Call }): JSX.Element {
  const known = momentsOf(call);
  const start = Date.parse(known[0]?.at ?? call.created_at);
  return (
    <ol class="moments">
      {known.map(({ field, word, at }, index) => (
        <li key={field} data-moment={field}>
          <span class="moment-word">{word}</span>
          <span class="moment-after">{index === 0 ? "" : `+${((Date.parse(at) - start) / 1000).toFixed(1)} s`}</span>
          <time class="muted" dateTime={at}>
            {formatExact(at)}
          </time>
        </li>
      ))}
    </ol>
  );
}

interface Moment {
  field: (typeof MOMENTS)[number][0];
  word: string;
  at: string;
}

/** The known moments in their order. A call that came in was asked for by its ringing. */
function momentsOf(call: Call): Moment[] {
  return MOMENTS.flatMap(([field, word]): Moment[] => {
    const at = call[field];
    if (at === null || (field === "created_at" && call.direction === "inbound")) return [];
    return [{ field, word, at }];
  }).sort((a, b) => a.at.localeCompare(b.at));
}

type Fact = [name: string, value: string];

function Facts({ title, facts }: { title: string; facts: Fact[] }): JSX.Element {
  return (
    <section class="part">
      <h3>{title}</h3>
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function callFacts(call: Call): Fact[] {
  const { hangup } = call;
  const facts: Fact[] = [
    ["State", statusWords(call)],
    ["SIM", simName(call)],
    ["Slot", call.modem === null ? "–" : call.modem.label || call.modem.usb_path],
  ];
  if (call.duration_s > 0) facts.push(["Talked", formatDuration(call.duration_s)]);
  if (hangup !== null) {
    facts.push(["Reason", causeWords(hangup.cause)]);
    const who = ender(call);
    if (who !== "") facts.push(["Ended by", who === "us" ? "our side" : "the other side"]);
    if (hangup.q850 !== null) facts.push(["Q.850 cause", String(hangup.q850)]);
    if (hangup.detail !== "") facts.push(["Detail", hangup.detail]);
  }
  facts.push(["Call id", call.id]);
  return facts;
}

function soundFacts({ quality }: Call): Fact[] {
  if (quality === null) return [];
  const facts: Fact[] = [
    ["Codec", quality.codec ?? "–"],
    ["Heard", `${(quality.frames_to_far / 50).toFixed(1)} s`],
    ["Said", `${(quality.frames_from_far / 50).toFixed(1)} s`],
    ["Lost, late", `${quality.lost}, ${quality.late} packets`],
    ["Concealed, dropped", `${quality.concealed}, ${quality.dropped} frames`],
    ["Jitter", `${quality.jitter_ms.toFixed(1)} ms`],
  ];
  if (quality.rtt_ms !== null) facts.push(["Round trip", `${quality.rtt_ms.toFixed(0)} ms`]);
  return facts;
}
