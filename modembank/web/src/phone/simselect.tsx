import { computed, type Signal } from "@preact/signals";
import type { JSX } from "preact";
import type { Sim } from "../client/types";
import { formatNumber } from "../format";
import { rackVersion, sims } from "../store";
import { Icon } from "../ui/icons";
import { via } from "./dialer";

interface Choices {
  sims: { id: string; text: string }[];
  tags: string[];
}

// A rack changes several times a second, its choices seldom: the same text is the same list.
const choicesText = computed((): string => {
  rackVersion.value; // read, so that this follows it
  const ready = [...sims.values()].filter((sim) => sim.enabled && sim.state === "ready");
  const choices: Choices = {
    sims: ready.map((sim) => ({ id: sim.id, text: simText(sim) })).sort(byText),
    tags: [...new Set(ready.flatMap((sim) => sim.tags))].sort(),
  };
  return JSON.stringify(choices);
});

const collator = new Intl.Collator(undefined, { numeric: true });

function byText(a: { text: string }, b: { text: string }): number {
  return collator.compare(a.text, b.text);
}

function simText(sim: Sim): string {
  const name = sim.label || (sim.number === null ? `SIM …${sim.iccid.slice(-4)}` : "");
  const parts = [name, sim.number === null ? "" : formatNumber(sim.number), sim.operator ?? ""];
  return parts.filter((part) => part !== "").join(" · ");
}

interface SimSelectProps {
  /** `""`: automatic; a SIM's id; or `tag:` and a tag. */
  choice: Signal<string>;
  label: string;
  testId: string;
  /** How the first choice is called. */
  automatic?: string;
}

/** Which SIM carries the next call. */
export function PhoneSimSelect(): JSX.Element {
  return (
    <SimSelect choice={via} label="Call from" testId="sim-select" automatic="Automatic: the best free SIM" />
  );
}

export function SimSelect({ choice, label, testId, automatic = "Any free SIM" }: SimSelectProps): JSX.Element {
  const choices = JSON.parse(choicesText.value) as Choices;
  const known = choice.value === "" || choice.value.startsWith("tag:") || choices.sims.some((sim) => sim.id === choice.value);
  return (
    <label class="sim-choice">
      <Icon name="sim" size={18} />
      <span class="visually-hidden">{label}</span>
      <select
        data-testid={testId}
        value={choice.value}
        onChange={(event) => (choice.value = event.currentTarget.value)}
      >
        <option value="">{automatic}</option>
        {!known && <option value={choice.value}>The chosen SIM (not ready)</option>}
        {choices.tags.length > 0 && (
          <optgroup label="Any SIM tagged">
            {choices.tags.map((tag) => (
              <option key={tag} value={`tag:${tag}`}>
                {tag}
              </option>
            ))}
          </optgroup>
        )}
        <optgroup label="This SIM">
          {choices.sims.map((sim) => (
            <option key={sim.id} value={sim.id}>
              {sim.text}
            </option>
          ))}
        </optgroup>
      </select>
    </label>
  );
}
