import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { loaded } from "../store";
import { Icon } from "../ui/icons";
import { formatAgo, formatNumber } from "../format";
import { halfMinute } from "../ui/ticker";
import type { Tone } from "../words";
import { balanceWords } from "../messages/words";
import { noteOf } from "./notes";
import {
  opened,
  rackCounts,
  rowLabel,
  rowOf,
  rowPlace,
  rowState,
  search,
  sorting,
  toneFilter,
  visibleRows,
  type SortKey,
} from "./rows";
import { Spark } from "./spark";
import { NoteLine, Signal, StateBadge, ToneIcon } from "./state";

const look = signal<"list" | "grid">("list");

/** The whole rack, live: every modem with its SIM. */
export function Rack(): JSX.Element {
  return (
    <section class="rack" aria-label="Rack" data-testid="rack" data-rows={rackCounts.value.rows}>
      <div class="toolbar">
        <Chips />
      </div>
      <Body />
    </section>
  );
}

/** What to show of the rack, and how. */
export function RackTools(): JSX.Element {
  return (
    <div class="toolbar-right">
      <label class="search">
        <Icon name="search" size={18} />
        <input
          type="search"
          placeholder="Label, number, operator, tag"
          aria-label="Search the rack"
          data-testid="search"
          value={search.value}
          onInput={(event) => (search.value = event.currentTarget.value)}
        />
      </label>
      <div class="segmented" role="group" aria-label="Look">
        {(["list", "grid"] as const).map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={look.value === name}
            aria-label={name === "list" ? "As a list" : "As a grid"}
            title={name === "list" ? "As a list" : "As a grid"}
            onClick={() => (look.value = name)}
          >
            <Icon name={name} size={18} />
          </button>
        ))}
      </div>
    </div>
  );
}

function Body(): JSX.Element {
  const ids = visibleRows.value;
  if (!loaded.value) return <p class="empty">Loading the rack…</p>;
  if (rackCounts.value.rows === 0) {
    return <p class="empty">No modem was found yet. It appears here within seconds of being plugged in.</p>;
  }
  if (ids.length === 0) return <p class="empty">Nothing in the rack matches.</p>;
  return look.value === "list" ? <List ids={ids} /> : <Grid ids={ids} />;
}

const CHIPS: readonly { tone: Tone; word: string }[] = [
  { tone: "good", word: "Ready" },
  { tone: "busy", word: "In a call" },
  { tone: "wait", word: "Starting" },
  { tone: "bad", word: "Needs care" },
  { tone: "off", word: "Off" },
];

function Chips(): JSX.Element {
  const { tones, rows } = rackCounts.value;
  const shown = CHIPS.filter(({ tone }) => tones[tone] > 0 || toneFilter.value === tone);
  return (
    <div class="chips" role="group" aria-label="Filter by state">
      <button type="button" class="chip" aria-pressed={toneFilter.value === null} onClick={() => (toneFilter.value = null)}>
        All <b>{rows}</b>
      </button>
      {shown.map(({ tone, word }) => (
        <button
          key={tone}
          type="button"
          class="chip"
          data-tone={tone}
          aria-pressed={toneFilter.value === tone}
          onClick={() => (toneFilter.value = toneFilter.value === tone ? null : tone)}
        >
          <ToneIcon tone={tone} />
          {word} <b>{tones[tone]}</b>
        </button>
      ))}
    </div>
  );
}

const COLUMNS: readonly { key: SortKey; title: string }[] = [
  { key: "slot", title: "Slot" },
  { key: "number", title: "SIM number" },
  { key: "operator", title: "Operator" },
  { key: "signal", title: "Signal" },
  { key: "state", title: "State" },
  { key: "used", title: "Last used" },
];

function List({ ids }: { ids: string[] }): JSX.Element {
  return (
    <div class="table rack-table" role="table" aria-label="Modems and SIMs" aria-rowcount={ids.length + 1}>
      <div class="tr th" role="row">
        {COLUMNS.map(({ key, title }) => (
          <Heading key={key} sortKey={key} title={title} />
        ))}
      </div>
      <div role="rowgroup" class="tbody">
        {ids.map((id) => (
          <Row key={id} id={id} />
        ))}
      </div>
    </div>
  );
}

function Heading({ sortKey, title }: { sortKey: SortKey; title: string }): JSX.Element {
  const { key, descending } = sorting.value;
  const sorted = key === sortKey;
  return (
    <div role="columnheader" class={`td c-${sortKey}`} aria-sort={sorted ? (descending ? "descending" : "ascending") : "none"}>
      <button
        type="button"
        class="sort"
        onClick={() => (sorting.value = { key: sortKey, descending: sorted && !descending })}
      >
        {title}
        <span class="sort-mark" aria-hidden="true">
          {sorted ? (descending ? "↓" : "↑") : ""}
        </span>
      </button>
    </div>
  );
}

function Row({ id }: { id: string }): JSX.Element {
  const row = rowOf(id);
  const { modem, sim } = row;
  const { word, tone } = rowState(row);
  const number = sim?.number ?? null;
  const balance = sim?.balance == null ? "" : balanceWords(sim.balance);
  return (
    <div class="tr" role="row" data-testid="rack-row" data-id={id} data-state={modem?.state ?? "absent"} data-tone={tone}>
      <div role="cell" class="td c-slot">
        <button type="button" class="row-open" onClick={() => (opened.value = id)}>
          {rowLabel(row)}
        </button>
        <small>{rowPlace(row)}</small>
      </div>
      <div role="cell" class="td c-number">
        {number === null ? <span class="muted">unknown</span> : formatNumber(number)}
        {balance !== "" && <small data-testid="balance">{balance}</small>}
      </div>
      <div role="cell" class="td c-operator">
        {modem?.operator ?? sim?.operator ?? <span class="muted">–</span>}
        {modem?.access != null && <small class="access">{modem.access}</small>}
      </div>
      <div role="cell" class="td c-signal">
        <Signal rssiDbm={modem?.rssi_dbm ?? null} />
        {modem !== null && <Spark modemId={modem.id} />}
      </div>
      <div role="cell" class="td c-state">
        <StateBadge word={word} tone={tone} />
        <NoteLine note={noteOf(modem, sim)} />
      </div>
      <div role="cell" class="td c-used muted">
        <Ago at={sim?.last_used_at ?? null} />
      </div>
    </div>
  );
}

/** On its own, so that the passing of time redraws three characters and not the row. */
function Ago({ at }: { at: string | null }): JSX.Element {
  return <>{formatAgo(at, halfMinute.value)}</>;
}

// From here on cells shrink, so that a rack of 256 fits one screen.
const DENSE = 96;

function Grid({ ids }: { ids: string[] }): JSX.Element {
  return (
    <ul class="cells" data-dense={ids.length > DENSE}>
      {ids.map((id) => (
        <Cell key={id} id={id} />
      ))}
    </ul>
  );
}

function Cell({ id }: { id: string }): JSX.Element {
  const row = rowOf(id);
  const { word, tone } = rowState(row);
  const operator = row.modem?.operator ?? row.sim?.operator ?? "";
  return (
    <li>
      <button
        type="button"
        class="cell"
        data-tone={tone}
        title={`${rowLabel(row)}: ${word}${operator === "" ? "" : `, ${operator}`}`}
        onClick={() => (opened.value = id)}
      >
        <span class="cell-top">
          <ToneIcon tone={tone} />
          <Signal rssiDbm={row.modem?.rssi_dbm ?? null} />
        </span>
        <span class="cell-label">{rowLabel(row)}</span>
        <span class="visually-hidden">{word}</span>
      </button>
    </li>
  );
}
