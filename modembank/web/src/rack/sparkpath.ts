import type { RadioMoment } from "../client/types";

// What +CSQ can tell. Source: 3GPP TS 27.007 section 8.5.
const WEAKEST_DBM = -113;
const STRONGEST_DBM = -51;

/** The path of an SVG line through the samples; a time without signal is a gap. Empty for fewer than two samples. */
export function sparkPath(
  moments: readonly RadioMoment[],
  fromMs: number,
  toMs: number,
  width: number,
  height: number,
): string {
  const samples = moments.filter(({ kind }) => kind === "signal");
  let points = 0;
  let pen = "M";
  const parts: string[] = [];
  for (const { at, rssi_dbm } of samples) {
    if (rssi_dbm === null) {
      pen = "M";
      continue;
    }
    const x = share(Date.parse(at), fromMs, toMs) * (width - 2) + 1;
    const y = (1 - share(rssi_dbm, WEAKEST_DBM, STRONGEST_DBM)) * (height - 2) + 1;
    parts.push(`${pen}${x.toFixed(1)} ${y.toFixed(1)}`);
    points += 1;
    pen = "L";
  }
  return points < 2 ? "" : parts.join("");
}

/** Least and most, in words. */
export function spread(moments: readonly RadioMoment[]): string {
  const levels = moments.flatMap(({ rssi_dbm }) => (rssi_dbm === null ? [] : [rssi_dbm]));
  if (levels.length === 0) return "none";
  const [least, most] = [Math.round(Math.min(...levels)), Math.round(Math.max(...levels))];
  return least === most ? `${most} dBm` : `${least} to ${most} dBm`;
}

function share(value: number, from: number, to: number): number {
  return Math.min(1, Math.max(0, (value - from) / (to - from)));
}
