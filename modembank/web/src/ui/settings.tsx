import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { isRemembered, keepKey, say, session, signOut, storedKey } from "../bank";
import { openMicrophone } from "../client/microphone";
import { testRing } from "../phone/sounds";
import { audio, type AudioPreferences } from "../preferences";
import { info } from "../store";
import { Dialog, Toggle } from "./dialog";

export const settingsOpen = signal(false);

export function Settings(): JSX.Element | null {
  return settingsOpen.value ? <Panel /> : null;
}

function change(values: Partial<AudioPreferences>): void {
  const before = audio.peek();
  audio.value = { ...before, ...values };
  const microphone = ["deviceId", "echoCancellation", "noiseSuppression", "autoGainControl"] as const;
  if (microphone.every((name) => before[name] === audio.peek()[name])) return;
  session.changeMicrophone().catch(() => say("That microphone cannot be used; the call keeps the one it had.", "bad"));
}

function Panel(): JSX.Element {
  const devices = useDevices();
  const [kept, setKept] = useState(isRemembered());
  const now = audio.value;
  return (
    <Dialog title="Settings" kind="modal" onClose={() => (settingsOpen.value = false)} testId="settings">
      <section class="part">
        <h3>Microphone</h3>
        <DeviceSelect
          label="Microphone"
          kind="audioinput"
          devices={devices.list}
          value={now.deviceId}
          onChange={(deviceId) => change({ deviceId })}
        />
        {!devices.named && (
          <button type="button" class="button small" onClick={() => void devices.ask()}>
            Show the names of my devices
          </button>
        )}
        <Toggle
          label="Echo cancellation"
          hint="Keep it on unless you wear a headset"
          checked={now.echoCancellation}
          onChange={(echoCancellation) => change({ echoCancellation })}
        />
        <Toggle
          label="Noise suppression"
          checked={now.noiseSuppression}
          onChange={(noiseSuppression) => change({ noiseSuppression })}
        />
        <Toggle
          label="Automatic level"
          checked={now.autoGainControl}
          onChange={(autoGainControl) => change({ autoGainControl })}
        />
      </section>
      <section class="part">
        <h3>Loudspeaker</h3>
        <DeviceSelect
          label="Loudspeaker"
          kind="audiooutput"
          devices={devices.list}
          value={now.speakerId}
          onChange={(speakerId) => change({ speakerId })}
        />
        <label class="field">
          <span>Ring volume</span>
          <input
            type="range"
            min="0"
            max="1"
            step="0.05"
            value={now.ringerVolume}
            onInput={(event) => change({ ringerVolume: Number(event.currentTarget.value) })}
            onChange={testRing}
          />
        </label>
        <Toggle label="Key tones" checked={now.keyTones} onChange={(keyTones) => change({ keyTones })} />
      </section>
      <section class="part">
        <h3>This browser</h3>
        <Toggle
          label="Remember the API key"
          hint="On a computer that only you use"
          checked={kept}
          onChange={(keep) => {
            const key = storedKey();
            if (key !== null) keepKey(key, keep);
            setKept(keep);
          }}
        />
        <div class="row-buttons">
          <button
            type="button"
            class="button"
            onClick={() => {
              settingsOpen.value = false;
              signOut();
            }}
          >
            Sign out
          </button>
          <span class="muted">modembank {info.value?.version ?? ""}</span>
        </div>
      </section>
      <section class="part shortcuts">
        <h3>Keys in a call</h3>
        <p>
          <kbd>m</kbd> mute <kbd>h</kbd> hold <kbd>k</kbd> keypad <kbd>0</kbd>–<kbd>9</kbd> send digits
        </p>
      </section>
    </Dialog>
  );
}

interface DeviceSelectProps {
  label: string;
  kind: MediaDeviceKind;
  devices: MediaDeviceInfo[];
  value: string | null;
  onChange: (deviceId: string | null) => void;
}

function DeviceSelect({ label, kind, devices, value, onChange }: DeviceSelectProps): JSX.Element {
  const ours = devices.filter((device) => device.kind === kind && device.deviceId !== "" && device.deviceId !== "default");
  return (
    <label class="field">
      <span>{label}</span>
      <select
        value={value ?? ""}
        data-testid={`device-${kind}`}
        onChange={(event) => onChange(event.currentTarget.value || null)}
      >
        <option value="">The system's choice</option>
        {ours.map((device, index) => (
          <option key={device.deviceId} value={device.deviceId}>
            {device.label || `${label} ${index + 1}`}
          </option>
        ))}
      </select>
    </label>
  );
}

interface Devices {
  list: MediaDeviceInfo[];
  /** Browsers tell the names only after the microphone was allowed once. */
  named: boolean;
  ask: () => Promise<void>;
}

function useDevices(): Devices {
  const [list, setList] = useState<MediaDeviceInfo[]>([]);
  const media = navigator.mediaDevices as MediaDevices | undefined;
  const read = async (): Promise<void> => setList((await media?.enumerateDevices()) ?? []);
  useEffect(() => {
    const again = (): void => void read();
    again();
    media?.addEventListener("devicechange", again);
    return () => media?.removeEventListener("devicechange", again);
  }, []);
  const ask = async (): Promise<void> => {
    try {
      (await openMicrophone(audio.peek())).stop();
    } catch {
      say("The microphone is not allowed for this page.", "bad");
    }
    await read();
  };
  return { list, named: list.some((device) => device.label !== ""), ask };
}
