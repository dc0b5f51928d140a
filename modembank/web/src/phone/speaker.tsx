import { signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { phone } from "../bank";
import { audio } from "../preferences";
import { Icon } from "../ui/icons";

const blocked = signal(false);

/** The loudspeaker: plays what comes from the call, on the chosen device. */
export function Speaker(): JSX.Element {
  const ref = useRef<HTMLAudioElement>(null);
  const remote = phone.value.remote;
  const speaker = audio.value.speakerId;

  useEffect(() => {
    const element = ref.current;
    if (element === null) return;
    element.srcObject = remote;
    blocked.value = false;
    if (remote !== null) void play(element);
  }, [remote]);

  useEffect(() => {
    const element = ref.current;
    // Firefox has setSinkId since version 116, Safari not everywhere.
    if (element === null || !("setSinkId" in element)) return;
    element.setSinkId(speaker ?? "").catch(() => {
      if (speaker !== null) audio.value = { ...audio.peek(), speakerId: null }; // the device is gone
    });
  }, [speaker]);

  return (
    <>
      <audio ref={ref} autoplay data-testid="remote-audio" />
      {blocked.value && (
        <button
          type="button"
          class="button primary sound-blocked"
          onClick={() => ref.current !== null && void play(ref.current)}
        >
          <Icon name="headset" />
          Turn the sound on
        </button>
      )}
    </>
  );
}

async function play(element: HTMLAudioElement): Promise<void> {
  try {
    await element.play();
    blocked.value = false;
  } catch (error) {
    // Loading another stream aborts a pending play; only a forbidden one needs a click.
    blocked.value = (error as DOMException).name === "NotAllowedError";
  }
}
