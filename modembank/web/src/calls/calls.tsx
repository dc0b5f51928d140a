import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, phone, say } from "../bank";
import type { Call } from "../client/types";
import { formatDuration, formatNumber, formatTime, meterShare } from "../format";
import { prepare } from "../phone/dialer";
import { clock, levels, levelsVersion, liveCalls, recentCalls } from "../store";
import { Icon } from "../ui/icons";
import { halfMinute, second } from "../ui/ticker";
import { endWords, statusWords, type Tone } from "../words";

/** The call whose page is open. */
export const openedCall = signal<string | null>(null);

/** The calls that go on now. */
export function LiveCalls(): JSX.Element {
  const live = liveCalls.value;
  return (
    <section class="card live" aria-label="Live calls" data-testid="calls" data-count={live.length}>
      <header class="card-head">
        <h2>Live calls</h2>
        <span class="count">{live.length}</span>
      </header>
      {live.length === 0 ? (
        <p class="empty slim">No call is going on.</p>
      ) : (
        <div class="table live-table" role="table" aria-label="Live calls">
          <div role="rowgroup" class="tbody">
            {live.map((call) => (
              <LiveRow key={call.id} call={call} />
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

function LiveRow({ call }: { call: Call }): JSX.Element {
  const [ending, setEnding] = useState(false);
  const hangUp = async (): Promise<void> => {
    setEnding(true);
    try {
      await api().act(call.id, "hangup");
    } catch {
      setEnding(false);
      say("The call could not be hung up; it may have ended already.", "bad");
    }
  };
  const mine = phone.value.call?.id === call.id;
  return (
    <div class="tr" role="row" data-testid="call-row" data-call={call.id} data-status={call.status} data-mine={mine}>
      <div role="cell" class="td c-dir">
        <DirectionIcon call={call} />
      </div>
      <div role="cell" class="td c-party">
        <button type="button" class="row-open" onClick={() => (openedCall.value = call.id)}>
          {partyOf(call)}
        </button>
        <small>{simName(call)}</small>
      </div>
      <div role="cell" class="td c-status">
        <span class="badge" data-tone={toneOf(call)}>
          {statusWords(call)}
        </span>
      </div>
      <div role="cell" class="td c-levels">
        <TinyMeters id={call.id} />
      </div>
      <div role="cell" class="td c-time">
        <RunningTime call={call} />
      </div>
      <div role="cell" class="td c-act">
        <button
          type="button"
          class="icon-button danger-text"
          aria-label={`Hang up ${partyOf(call)}`}
          title="Hang up"
          disabled={ending}
          onClick={() => void hangUp()}
        >
          <Icon name="hangup" />
        </button>
      </div>
    </div>
  );
}

function TinyMeters({ id }: { id: string }): JSX.Element {
  levelsVersion.value; // read, so that this follows it
  const now = levels.get(id);
  const style = (dbfs: number | undefined) => ({ "--level": dbfs === undefined ? 0 : meterShare(dbfs).toFixed(2) });
  return (
    <span class="tiny-meters" aria-hidden="true">
      <i style={style(now?.to_far_dbfs)} />
      <i style={style(now?.from_far_dbfs)} />
    </span>
  );
}

function RunningTime({ call }: { call: Call }): JSX.Element {
  const from = call.answered_at ?? call.created_at;
  const seconds = clock.secondsSince(from, Math.max(second.value, Date.now()));
  return <span class={call.answered_at === null ? "muted" : ""}>{formatDuration(seconds)}</span>;
}

/** The calls that are over, newest first. */
export function RecentCalls(): JSX.Element {
  const recent = recentCalls.value;
  return (
    <section class="recent" aria-label="Recent calls" data-testid="recent" data-count={recent.length}>
      {recent.length === 0 ? (
        <p class="empty">Calls that have ended are listed here, each with its reason.</p>
      ) : (
        <div class="table recent-table" role="table" aria-label="Recent calls">
          <div role="rowgroup" class="tbody">
            {recent.map((call) => (
              <RecentRow key={call.id} call={call} />
            ))}
          </div>
        </div>
      )}
    </section>
  );
}

function RecentRow({ call }: { call: Call }): JSX.Element {
  const party = call.direction === "inbound" ? call.from : call.to;
  return (
    <div class="tr" role="row" data-testid="recent-row" data-call={call.id} data-status={call.status}>
      <div role="cell" class="td c-dir">
        <DirectionIcon call={call} />
      </div>
      <div role="cell" class="td c-party">
        <button type="button" class="row-open" onClick={() => (openedCall.value = call.id)}>
          {partyOf(call)}
        </button>
        <small>{simName(call)}</small>
      </div>
      <div role="cell" class="td c-cause" data-tone={toneOf(call)}>
        {endWords(call)}
      </div>
      <div role="cell" class="td c-time">{call.duration_s > 0 ? formatDuration(call.duration_s) : "–"}</div>
      <div role="cell" class="td c-when muted">{formatTime(call.created_at, halfMinute.value)}</div>
      <div role="cell" class="td c-act">
        {party !== null && (
          <button
            type="button"
            class="icon-button"
            aria-label={`Put ${formatNumber(party)} on the phone`}
            title="Call again"
            onClick={() => prepare(party)}
          >
            <Icon name="phone" size={18} />
          </button>
        )}
      </div>
    </div>
  );
}

function DirectionIcon({ call }: { call: Call }): JSX.Element {
  const inbound = call.direction === "inbound";
  return (
    <span class="direction" title={inbound ? "Incoming" : "Outgoing"}>
      <Icon name={inbound ? "incoming" : "outgoing"} size={18} />
      <span class="visually-hidden">{inbound ? "Incoming" : "Outgoing"}</span>
    </span>
  );
}

export function partyOf(call: Call): string {
  const party = call.direction === "inbound" ? call.from : call.to;
  return party === null ? "Number withheld" : formatNumber(party);
}

export function simName(call: Call): string {
  const { sim } = call;
  if (sim === null) return "no SIM";
  return sim.label || (sim.number === null ? `SIM …${sim.iccid.slice(-4)}` : formatNumber(sim.number));
}

export function toneOf(call: Call): Tone {
  switch (call.status) {
    case "in_progress":
      return call.held ? "wait" : "good";
    case "queued":
    case "dialing":
    case "ringing":
      return "wait";
    case "completed":
      return call.hangup?.source === "system" ? "bad" : "off";
    case "canceled":
      return "off";
    default:
      return "bad";
  }
}
