/** Why there is no microphone, in the browser's terms. */
export type MicrophoneFault = "blocked" | "absent" | "busy" | "insecure";

/** The microphone cannot be used. Source: W3C Media Capture and Streams, section 10.2.2 (error names). */
export class MicrophoneError extends Error {
  override readonly name = "MicrophoneError";
  readonly fault: MicrophoneFault;

  constructor(fault: MicrophoneFault, cause?: unknown) {
    super(`microphone ${fault}`, { cause });
    this.fault = fault;
  }
}

export interface MicrophoneChoice {
  deviceId: string | null;
  echoCancellation: boolean;
  noiseSuppression: boolean;
  autoGainControl: boolean;
}

const FAULTS: Record<string, MicrophoneFault> = {
  NotAllowedError: "blocked",
  SecurityError: "blocked",
  NotFoundError: "absent",
  NotReadableError: "busy",
  AbortError: "busy",
};

/** Open the microphone. A chosen device that is gone is replaced by the default one. Throws MicrophoneError. */
export async function openMicrophone(choice: MicrophoneChoice): Promise<MediaStreamTrack> {
  // Browsers hide mediaDevices from pages that are neither HTTPS nor localhost.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) throw new MicrophoneError("insecure");
  const { deviceId, ...processing } = choice;
  const audio: MediaTrackConstraints = { ...processing, channelCount: 1 };
  if (deviceId !== null) audio.deviceId = { ideal: deviceId };
  try {
    const [track] = (await devices.getUserMedia({ audio })).getAudioTracks();
    if (track === undefined) throw new MicrophoneError("absent");
    return track;
  } catch (error) {
    if (error instanceof MicrophoneError) throw error;
    throw new MicrophoneError(FAULTS[(error as DOMException).name] ?? "absent", error);
  }
}

/** A track that is silence. It keeps packets flowing, so a listener is not taken for a vanished peer. */
export function silentTrack(): MediaStreamTrack {
  const context = new AudioContext();
  const destination = context.createMediaStreamDestination();
  // Chromium makes no samples for a destination that nothing feeds.
  const source = context.createConstantSource();
  source.offset.value = 0;
  source.connect(destination);
  source.start();
  void context.resume();
  const [track] = destination.stream.getAudioTracks();
  if (track === undefined) throw new MicrophoneError("absent");
  const stop = track.stop.bind(track);
  track.stop = () => {
    stop();
    void context.close();
  };
  return track;
}
