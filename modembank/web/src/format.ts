import { AsYouType, parsePhoneNumberFromString, type CountryCode } from "libphonenumber-js/min";

const DIALABLE = /[0-9+*#]/;

/** Whether a character counts as part of a number, and not as its dress. */
export function isDialable(character: string): boolean {
  return DIALABLE.test(character);
}

/** What can be dialled of a pasted or typed text: `tel:+44 (0)7700 900-123` gives `+447700900123`. */
export function cleanNumber(text: string): string {
  const bare = text
    .replace(/^\s*(tel|sip|callto):/i, "")
    .replace(/[;,@].*$/s, "")
    .replace(/(ext|x)\.?\s*\d+\s*$/i, "")
    .replace(/[\uFF0B]/g, "+");
  // "+44 (0)7700": the national prefix is not dialled after a country code.
  const international = bare.replace(/^(\s*(?:\+|00)[\d\s.-]*)\(0\)/, "$1");
  const digits = Array.from(international, asciiDigit).filter(isDialable).join("");
  return digits.slice(0, 1) + digits.slice(1).replaceAll("+", "");
}

/** Digits of other scripts, as a phone's locale may paste them, become 0 to 9. */
function asciiDigit(character: string): string {
  if (!/\p{Nd}/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  // Every block of decimal digits starts at a multiple of 2 with a digit zero: walk down to it.
  let zero = code;
  while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero -= 1;
  return String(code - zero);
}

/** The number as it looks while it is typed, in the bank's country. Service codes stay as they are. */
export function formatTyped(dialable: string, country: string): string {
  if (/[*#]/.test(dialable)) return dialable;
  return new AsYouType(country as CountryCode).input(dialable);
}

const shown = new Map<string, string>();
const MAX_SHOWN = 5000;

/** A number for reading: international, grouped; a short code as it is. A national one needs the country. */
export function formatNumber(number: string, country?: string): string {
  const key = `${country ?? ""} ${number}`;
  let text = shown.get(key);
  if (text === undefined) {
    const parsed = parsePhoneNumberFromString(number, country as CountryCode | undefined);
    text = parsed?.isPossible() === true ? parsed.formatInternational() : number;
    if (shown.size >= MAX_SHOWN) shown.clear();
    shown.set(key, text);
  }
  return text;
}

/** Where the caret stands in `formatted` when `count` dialable characters are before it. */
export function caretAfter(formatted: string, count: number): number {
  if (count === 0) return 0;
  let seen = 0;
  for (const [index, character] of Array.from(formatted).entries()) {
    if (isDialable(character) && ++seen === count) return index + 1;
  }
  return formatted.length;
}

/** Seconds as a running time: `0:07`, `12:34`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.floor(Math.max(0, seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** How long ago, in few characters: `now`, `5 min`, `3 h`, `2 d`. */
export function formatAgo(at: string | null, nowMs: number): string {
  if (at === null) return "–";
  const seconds = (nowMs - Date.parse(at)) / 1000;
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

/** The time of day, with the date when it is not today. */
export function formatTime(at: string, nowMs: number): string {
  const date = new Date(at);
  const today = new Date(nowMs).toDateString() === date.toDateString();
  return today ? clock.format(date) : `${day.format(date)}, ${clock.format(date)}`;
}

/** The time of day to the second. */
export function formatExact(at: string): string {
  return exact.format(new Date(at));
}

/** Bars from 0 to 4 for a received level; the steps are those of common phones. */
export function signalBars(rssiDbm: number | null): number {
  if (rssiDbm === null) return 0;
  return [-107, -97, -87, -77].filter((step) => rssiDbm >= step).length;
}

/** A level in dBFS (-90 to 0) as a share of a meter's length; speech stands in its upper half. */
export function meterShare(dbfs: number): number {
  return Math.min(1, Math.max(0, (dbfs + 60) / 57));
}
