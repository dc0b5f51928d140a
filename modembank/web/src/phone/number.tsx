import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { session } from "../bank";
import { caretAfter, cleanNumber, formatTyped, isDialable } from "../format";
import { info } from "../store";
import { Icon } from "../ui/icons";
import { place, typed } from "./dialer";

/** The number field: formats while typing, cleans what is pasted, keeps the caret at its digit. */
export function NumberField(): JSX.Element {
  const ref = useRef<HTMLInputElement>(null);
  const caret = useRef<number | null>(null);
  const country = info.value?.country ?? "GB";
  const shown = formatTyped(typed.value, country);

  const change = (field: HTMLInputElement): void => {
    session.reset();
    const before = field.value.slice(0, field.selectionStart ?? field.value.length);
    const next = cleanNumber(field.value);
    caret.current = Array.from(cleanNumber(before)).filter(isDialable).length;
    typed.value = next;
    // Also when the digits are the same (a separator was deleted): show the formatted text again.
    field.value = formatTyped(next, country);
    moveCaret(field, caret.current);
  };

  useLayoutEffect(() => {
    if (ref.current !== null && caret.current !== null) moveCaret(ref.current, caret.current);
    caret.current = null;
  }, [shown]);

  return (
    <div class="number">
      <input
        ref={ref}
        id="number"
        class="number-input"
        type="tel"
        inputMode="tel"
        autocomplete="off"
        aria-label="Number to call"
        placeholder="Enter a number"
        data-testid="number"
        data-length={size(shown)}
        value={shown}
        onInput={(event) => change(event.currentTarget)}
        onKeyDown={(event) => {
          if (event.key === "Enter") place();
        }}
      />
      <button
        type="button"
        class="icon-button number-erase"
        aria-label="Delete the last digit"
        disabled={typed.value === ""}
        onClick={() => {
          typed.value = typed.value.slice(0, -1);
          ref.current?.focus();
        }}
      >
        <Icon name="backspace" size={22} />
      </button>
    </div>
  );
}

function moveCaret(field: HTMLInputElement, digits: number): void {
  if (document.activeElement !== field) return;
  const at = caretAfter(field.value, digits);
  field.setSelectionRange(at, at);
}

function size(text: string): "short" | "long" | "huge" {
  if (text.length <= 14) return "short";
  return text.length <= 19 ? "long" : "huge";
}
