import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { RadioMoment } from "../client/types";
import { formatTime } from "../format";
import { halfMinute } from "../ui/ticker";
import { SPAN_MS, dropHistory, historyOf, wantHistory } from "./history";
import { sparkPath, spread } from "./sparkpath";

const WIDTH = 56;
const HEIGHT = 16;

/** The signal of the last hours as a small line; empty until there are two samples. */
export function Spark({ modemId }: { modemId: string }): JSX.Element {
  const box = useRef<HTMLSpanElement>(null);
  const moments = historyOf(modemId).value;
  const nowMs = halfMinute.value;
  const seen = useRef(false);

  useEffect(() => {
    const watch = new IntersectionObserver((entries) => {
      seen.current = entries.at(-1)?.isIntersecting ?? false;
      if (seen.current) wantHistory(modemId);
      else dropHistory(modemId);
    });
    if (box.current !== null) watch.observe(box.current);
    return () => {
      watch.disconnect();
      dropHistory(modemId);
    };
  }, [modemId]);

  useEffect(() => {
    if (seen.current) wantHistory(modemId);
  }, [modemId, nowMs]);

  return (
    <span class="spark" ref={box} data-testid="spark">
      <Line moments={moments} nowMs={nowMs} />
    </span>
  );
}

function Line({ moments, nowMs }: { moments: readonly RadioMoment[]; nowMs: number }): JSX.Element | null {
  const first = moments[0];
  if (first === undefined) return null;
  const path = sparkPath(moments, Math.max(Date.parse(first.at), nowMs - SPAN_MS), nowMs, WIDTH, HEIGHT);
  if (path === "") return null;
  const words = `Signal since ${formatTime(first.at, nowMs)}: ${spread(moments)}`;
  return (
    <svg width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={words}>
      <title>{words}</title>
      <path d={path} />
    </svg>
  );
}
