import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { playKey } from "./sounds";

const KEYS: readonly (readonly [digit: string, letters: string])[] = [
  ["1", ""],
  ["2", "ABC"],
  ["3", "DEF"],
  ["4", "GHI"],
  ["5", "JKL"],
  ["6", "MNO"],
  ["7", "PQRS"],
  ["8", "TUV"],
  ["9", "WXYZ"],
  ["*", ""],
  ["0", "+"],
  ["#", ""],
];

const LONG_PRESS_MS = 500;

interface KeypadProps {
  onKey: (digit: string) => void;
  /** A long press on 0 gives +, where a number is typed. */
  plus?: boolean;
}

export function Keypad({ onKey, plus = false }: KeypadProps): JSX.Element {
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const wasLong = useRef(false);
  const press = (digit: string): void => {
    clearTimeout(timer.current);
    if (wasLong.current) {
      wasLong.current = false;
      return;
    }
    playKey(digit);
    onKey(digit);
  };
  const hold = (digit: string): void => {
    wasLong.current = false;
    if (!plus || digit !== "0") return;
    timer.current = setTimeout(() => {
      wasLong.current = true;
      onKey("+");
    }, LONG_PRESS_MS);
  };
  return (
    <div class="keypad" role="group" aria-label="Dial pad">
      {KEYS.map(([digit, letters]) => (
        <button
          key={digit}
          type="button"
          class="key"
          data-testid={`key-${digit}`}
          onPointerDown={() => hold(digit)}
          onPointerLeave={() => clearTimeout(timer.current)}
          onClick={() => press(digit)}
        >
          <span class="key-digit">{digit}</span>
          <span class="key-letters" aria-hidden="true">
            {letters}
          </span>
        </button>
      ))}
    </div>
  );
}
