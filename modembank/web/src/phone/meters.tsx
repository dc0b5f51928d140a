import { effect } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { phone } from "../bank";
import { meterShare } from "../format";
import { levels, levelsVersion } from "../store";
import { wakeSound } from "./sounds";

const SILENCE_DBFS = -90;
// The server tells levels five times a second; after this long without them the page measures itself.
const STALE_MS = 1000;

type Way = "in" | "out";

/** How loud each direction is. The server measures at the modem; without it the page measures its own streams. */
export function Meters(): JSX.Element {
  const incoming = useRef<HTMLDivElement>(null);
  const outgoing = useRef<HTMLDivElement>(null);
  const { remote, local } = phone.value;

  useEffect(() => {
    let told = 0;
    const show = (way: Way, dbfs: number): void => paint((way === "in" ? incoming : outgoing).current, dbfs);
    const stop = effect(() => {
      levelsVersion.value; // read, so that this follows it
      const call = phone.value.call;
      const now = call === null ? undefined : levels.get(call.id);
      if (now === undefined) return;
      told = Date.now();
      show("in", now.to_far_dbfs);
      show("out", now.from_far_dbfs);
    });
    const listenIn = listen(remote);
    const listenOut = listen(local === null ? null : new MediaStream([local]));
    const timer = setInterval(() => {
      if (Date.now() - told < STALE_MS) return;
      show("in", listenIn.level());
      show("out", listenOut.level());
    }, 100);
    return () => {
      stop();
      clearInterval(timer);
      listenIn.close();
      listenOut.close();
    };
  }, [remote, local]);

  return (
    <div class="meters">
      <Meter label="They" way="in" hint="What you hear" holder={incoming} />
      <Meter label="You" way="out" hint="What they hear" holder={outgoing} />
    </div>
  );
}

interface MeterProps {
  label: string;
  hint: string;
  way: Way;
  holder: { current: HTMLDivElement | null };
}

function Meter({ label, hint, way, holder }: MeterProps): JSX.Element {
  return (
    <div class="meter-line" title={hint}>
      <span class="meter-name">{label}</span>
      <div
        ref={holder}
        class="meter"
        role="meter"
        aria-label={hint}
        aria-valuemin={SILENCE_DBFS}
        aria-valuemax={0}
        aria-valuenow={SILENCE_DBFS}
        data-testid={`meter-${way}`}
      >
        <div class="meter-fill" />
      </div>
    </div>
  );
}

function paint(meter: HTMLDivElement | null, dbfs: number): void {
  if (meter === null) return;
  const bounded = Math.max(SILENCE_DBFS, Math.min(0, Math.round(dbfs)));
  meter.setAttribute("aria-valuenow", String(bounded));
  meter.style.setProperty("--level", meterShare(dbfs).toFixed(3));
}

interface Listener {
  level: () => number;
  close: () => void;
}

function listen(stream: MediaStream | null): Listener {
  if (stream === null || stream.getAudioTracks().length === 0) {
    return { level: () => SILENCE_DBFS, close: () => undefined };
  }
  const context = wakeSound();
  const source = context.createMediaStreamSource(stream);
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  source.connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  return {
    level: () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
      return power === 0 ? SILENCE_DBFS : 10 * Math.log10(power);
    },
    close: () => source.disconnect(),
  };
}
