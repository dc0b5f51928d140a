import type { IceServer, SessionDescription } from "./types";

// Long enough for host and STUN candidates on a good network; a slow TURN server is trickled afterwards.
const GATHER_MS = 500;
// A short Wi-Fi gap heals by itself within this time; after it a new connection is quicker.
const DISCONNECTED_MS = 4000;
// RFC 4733 leaves it open; GSM networks hear 100 ms reliably.
const DTMF_TONE_MS = 120;
const DTMF_GAP_MS = 80;

export type PeerState = "new" | "connected" | "broken";

export interface PeerCallbacks {
  onRemote: (stream: MediaStream) => void;
  onState: (state: PeerState) => void;
}

/** One RTCPeerConnection with one audio line each way, from offer to close. */
export class Peer {
  private readonly pc: RTCPeerConnection;
  private readonly callbacks: PeerCallbacks;
  private sender: RTCRtpSender | null = null;
  private offered = false;
  private late: (RTCIceCandidate | null)[] = [];
  private handOn: ((candidate: RTCIceCandidate | null) => void) | null = null;
  private brokenTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(iceServers: IceServer[], callbacks: PeerCallbacks) {
    this.callbacks = callbacks;
    this.pc = new RTCPeerConnection({ iceServers: iceServers.map(browserServer), bundlePolicy: "max-bundle" });
    this.pc.onicecandidate = (event) => this.found(event.candidate);
    this.pc.onconnectionstatechange = () => this.watch();
    this.pc.ontrack = (event) => callbacks.onRemote(event.streams[0] ?? new MediaStream([event.track]));
  }

  /** Make the offer, with the candidates found within half a second. */
  async offer(track: MediaStreamTrack): Promise<SessionDescription> {
    const stream = new MediaStream([track]);
    const transceiver = this.pc.addTransceiver(track, { direction: "sendrecv", streams: [stream] });
    this.sender = transceiver.sender;
    await this.pc.setLocalDescription(await this.pc.createOffer());
    await gathered(this.pc, GATHER_MS);
    this.offered = true;
    return { type: "offer", sdp: this.pc.localDescription?.sdp ?? "" };
  }

  async accept(answer: SessionDescription): Promise<void> {
    await this.pc.setRemoteDescription(answer);
  }

  /** Give the candidates that came after the offer, those to come included; null is the end of them. */
  trickle(handOn: (candidate: RTCIceCandidate | null) => void): void {
    this.handOn = handOn;
    for (const candidate of this.late.splice(0)) handOn(candidate);
  }

  async replaceTrack(track: MediaStreamTrack): Promise<void> {
    await this.sender?.replaceTrack(track);
  }

  /** Send digits as telephone-event; false when this connection cannot. Source: RFC 4733. */
  dtmf(digits: string): boolean {
    const dtmf = this.sender?.dtmf;
    if (dtmf?.canInsertDTMF !== true) return false;
    dtmf.insertDTMF(dtmf.toneBuffer + digits, DTMF_TONE_MS, DTMF_GAP_MS);
    return true;
  }

  close(): void {
    clearTimeout(this.brokenTimer);
    this.pc.onconnectionstatechange = this.pc.onicecandidate = this.pc.ontrack = null;
    this.pc.close();
  }

  private found(candidate: RTCIceCandidate | null): void {
    if (!this.offered) return; // it stands in the offer
    if (this.handOn === null) this.late.push(candidate);
    else this.handOn(candidate);
  }

  private watch(): void {
    clearTimeout(this.brokenTimer);
    const state = this.pc.connectionState;
    if (state === "connected") this.callbacks.onState("connected");
    else if (state === "failed") this.callbacks.onState("broken");
    else if (state === "disconnected") {
      this.brokenTimer = setTimeout(() => this.callbacks.onState("broken"), DISCONNECTED_MS);
    }
  }
}

/** The browser would take a null user name for the name "null". */
function browserServer({ urls, username, credential }: IceServer): RTCIceServer {
  return username == null || credential == null ? { urls } : { urls, username, credential };
}

function gathered(pc: RTCPeerConnection, capMs: number): Promise<void> {
  if (pc.iceGatheringState === "complete") return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      pc.removeEventListener("icegatheringstatechange", check);
      resolve();
    };
    const check = (): void => {
      if (pc.iceGatheringState === "complete") done();
    };
    const timer = setTimeout(done, capMs);
    pc.addEventListener("icegatheringstatechange", check);
  });
}
