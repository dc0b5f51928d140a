/** How many SMS a text takes, as the bank splits it. Source: 3GPP TS 23.038 section 6.2.1, TS 23.040 section 9.2.3.24. */

export interface Segments {
  encoding: "GSM-7" | "UCS-2";
  /** Septets or UTF-16 code units. */
  units: number;
  parts: number;
  /** What a part of this text holds, in `units`. */
  perPart: number;
  /** Units that are free in the last part. */
  left: number;
  /** The first character that GSM-7 lacks; null when it has all. */
  culprit: string | null;
}

const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
// These take an escape septet and their own.
const EXTENSION = new Set("\f^{}\\[~]|€");

// 140 octets; a part of a long text spends six of them on its place among the others.
const SIZES = { "GSM-7": { alone: 160, part: 153 }, "UCS-2": { alone: 70, part: 67 } } as const;

export function segments(text: string): Segments {
  const characters = Array.from(text);
  const culprit = characters.find((one) => !BASIC.has(one) && !EXTENSION.has(one)) ?? null;
  const encoding = culprit === null ? "GSM-7" : "UCS-2";
  const sizes = characters.map((one) => (encoding === "UCS-2" ? one.length : EXTENSION.has(one) ? 2 : 1));
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const { alone, part } = SIZES[encoding];
  if (units <= alone) return { encoding, units, parts: units === 0 ? 0 : 1, perPart: alone, left: alone - units, culprit };
  const { parts, used } = fill(sizes, part);
  return { encoding, units, parts, perPart: part, left: part - used, culprit };
}

/** No escape pair and no surrogate pair is split, so a part may stay one unit short. */
function fill(sizes: readonly number[], most: number): { parts: number; used: number } {
  let [parts, used] = [1, 0];
  for (const size of sizes) {
    if (used + size > most) {
      parts += 1;
      used = 0;
    }
    used += size;
  }
  return { parts, used };
}
