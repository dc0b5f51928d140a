import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { api, say } from "../bank";
import type { Modem, Sim } from "../client/types";
import { formatNumber, formatTime } from "../format";
import { via } from "../phone/dialer";
import { view } from "../phone/view";
import { putModem, putSim } from "../store";
import { Dialog, Toggle } from "../ui/dialog";
import { Icon } from "../ui/icons";
import { halfMinute } from "../ui/ticker";
import { forwardingWords, noteOf } from "./notes";
import { opened, rowLabel, rowOf, rowState } from "./rows";
import { Spark } from "./spark";
import { Signal, StateBadge } from "./state";
import { Trace } from "./trace";

/** Everything about one slot: the SIM, the modem, what they said lately. */
export function Details(): JSX.Element | null {
  const id = opened.value;
  return id === null ? null : <Open key={id} id={id} />;
}

function Open({ id }: { id: string }): JSX.Element {
  const row = rowOf(id);
  const { modem, sim } = row;
  const { word, tone } = rowState(row);
  const note = noteOf(modem, sim);
  const close = (): void => void (opened.value = null);
  return (
    <Dialog title={rowLabel(row)} kind="drawer" onClose={close} testId="details">
      <div class="facts-head">
        <StateBadge word={word} tone={tone} />
        <Signal rssiDbm={modem?.rssi_dbm ?? null} />
        {modem !== null && <Spark modemId={modem.id} />}
        <span>{modem?.operator ?? sim?.operator ?? ""}</span>
        {sim !== null && modem?.state === "ready" && (
          <button
            type="button"
            class="button small"
            onClick={() => {
              via.value = sim.id;
              view.value = "phone";
              close();
              document.getElementById("number")?.focus();
            }}
          >
            <Icon name="phone" size={16} />
            Call from this SIM
          </button>
        )}
      </div>
      {note?.urgent && <p class="alert">{note.text}</p>}
      {modem !== null && modem.state_detail !== "" && modem.state_detail.toLowerCase() !== note?.text.toLowerCase() && (
        <p class={note?.urgent ? "muted" : "alert"}>{modem.state_detail}</p>
      )}
      {sim !== null && <SimPart key={sim.id} sim={sim} />}
      {modem !== null && <ModemPart key={modem.id} modem={modem} />}
      {modem !== null && <Trace modemId={modem.id} />}
    </Dialog>
  );
}

const NUMBER_SOURCES: Record<string, string> = { person: "a person", card: "the card", ussd: "the operator (USSD)" };

interface Editable {
  label: string;
  tags: string[];
  enabled: boolean;
  notes: string;
}

function SimPart({ sim }: { sim: Sim }): JSX.Element {
  const [number, setNumber] = useState(sim.number ?? "");
  return (
    <Part
      title="SIM"
      enabledHint="May carry calls"
      record={sim}
      dirty={number !== (sim.number ?? "")}
      extra={
        <label class="field">
          <span>Own number</span>
          <input type="tel" value={number} placeholder="+44 7700 900000" onInput={(event) => setNumber(event.currentTarget.value)} />
        </label>
      }
      onSave={async (values) => {
        const patch = number === (sim.number ?? "") ? values : { ...values, number: number.trim() };
        const saved = await api().patchSim(sim.id, patch);
        setNumber(saved.number ?? "");
        putSim(saved);
      }}
      facts={[
        ["ICCID", sim.iccid],
        ["IMSI", sim.imsi],
        ["Number", sim.number === null ? null : formatNumber(sim.number)],
        ["Number told by", sim.number === null ? null : (NUMBER_SOURCES[sim.number_source ?? ""] ?? sim.number_source)],
        ["Call forwarding", forwardingWords(sim)],
        ["Last used", sim.last_used_at === null ? "never" : formatTime(sim.last_used_at, halfMinute.value)],
      ]}
    />
  );
}

function ModemPart({ modem }: { modem: Modem }): JSX.Element {
  return (
    <Part
      title="Modem"
      enabledHint="May carry calls"
      record={modem}
      dirty={false}
      extra={null}
      onSave={async (values) => putModem(await api().patchModem(modem.id, values))}
      facts={[
        ["Model", [modem.manufacturer, modem.model].filter(Boolean).join(" ") || modem.dialect],
        ["Firmware", modem.revision],
        ["IMEI", modem.imei],
        ["Network", [modem.operator, modem.access, modem.registration].filter(Boolean).join(", ")],
        ["Voice", modem.voice ? "proven" : "not proven"],
        ["Host", modem.host_id],
        ["Slot", modem.slot],
        ["USB path", modem.usb_path],
        ["AT port", modem.at_port],
        ["Audio port", modem.audio_port],
      ]}
    />
  );
}

interface PartProps {
  title: string;
  enabledHint: string;
  record: Editable;
  dirty: boolean;
  extra: JSX.Element | null;
  facts: [name: string, value: string | null][];
  /** Only what was changed here: somebody else may be changing the rest. */
  onSave: (changed: Partial<Editable>) => Promise<void>;
}

function Part({ title, enabledHint, record, dirty, extra, facts, onSave }: PartProps): JSX.Element {
  const [draft, setDraft] = useState(() => draftOf(record));
  const [saving, setSaving] = useState(false);
  const [base, setBase] = useState(draft);
  const changed = changesOf(base, draft);
  const unsaved = dirty || Object.keys(changed).length > 0;
  const edit = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });
  const save = async (event: Event): Promise<void> => {
    event.preventDefault();
    setSaving(true);
    try {
      await onSave(changed);
      const saved = { ...draft, tags: tagsOf(draft.tags).join(", ") };
      setDraft(saved);
      setBase(saved);
      say(`${title} saved.`);
    } catch (error) {
      say(error instanceof Error ? error.message : `The ${title} could not be saved.`, "bad");
    } finally {
      setSaving(false);
    }
  };
  return (
    <form class="part" aria-label={title} onSubmit={(event) => void save(event)}>
      <h3>{title}</h3>
      <div class="part-fields">
        <label class="field">
          <span>Label</span>
          <input value={draft.label} onInput={(event) => edit({ label: event.currentTarget.value })} />
        </label>
        {extra}
        <label class={extra === null ? "field" : "field wide"}>
          <span>Tags, with commas between</span>
          <input value={draft.tags} onInput={(event) => edit({ tags: event.currentTarget.value })} />
        </label>
        <label class="field wide">
          <span>Notes</span>
          <textarea rows={2} value={draft.notes} onInput={(event) => edit({ notes: event.currentTarget.value })} />
        </label>
      </div>
      <Toggle label="Switched on" hint={enabledHint} checked={draft.enabled} onChange={(enabled) => edit({ enabled })} />
      <dl class="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value === null || value === "" ? "–" : value}</dd>
          </div>
        ))}
      </dl>
      {unsaved && (
        <button type="submit" class="button primary" disabled={saving} data-testid={`save-${title.toLowerCase()}`}>
          {saving ? "Saving…" : `Save ${title === "SIM" ? "SIM" : "modem"}`}
        </button>
      )}
    </form>
  );
}

type Draft = Omit<Editable, "tags"> & { tags: string };

function draftOf({ label, tags, enabled, notes }: Editable): Draft {
  return { label, tags: tags.join(", "), enabled, notes };
}

function changesOf(base: Draft, draft: Draft): Partial<Editable> {
  const changed: Partial<Editable> = {};
  if (draft.label !== base.label) changed.label = draft.label;
  if (draft.tags !== base.tags) changed.tags = tagsOf(draft.tags);
  if (draft.enabled !== base.enabled) changed.enabled = draft.enabled;
  if (draft.notes !== base.notes) changed.notes = draft.notes;
  return changed;
}

function tagsOf(text: string): string[] {
  return text.split(",").map((tag) => tag.trim()).filter((tag) => tag !== "");
}
