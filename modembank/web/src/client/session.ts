import { ApiError, randomKey, type Api, type CallAction } from "./api";
import { advance, eventOf, isActive, type PhoneState } from "./machine";
import { MicrophoneError, type MicrophoneFault } from "./microphone";
import type { Peer, PeerCallbacks } from "./peer";
import {
  isCallEvent,
  isEnded,
  type Call,
  type CallEvent,
  type CallWithAnswer,
  type DialRequest,
  type Direction,
  type IceServer,
  type ServerEvent,
  type SessionDescription,
} from "./types";

/** Why the phone could not do what was asked; the words for it are the page's matter. */
export type Trouble =
  | { kind: "microphone"; fault: MicrophoneFault }
  | { kind: "api"; code: string; detail: string }
  | { kind: "unreachable" }
  | { kind: "media"; detail: string };

export interface SessionSnapshot {
  state: PhoneState;
  direction: Direction;
  /** The other party as it was typed or announced; null when withheld. */
  number: string | null;
  call: Call | null;
  trouble: Trouble | null;
  /** The person hung up before there was a call. */
  canceled: boolean;
  hangingUp: boolean;
  muted: boolean;
  held: boolean;
  listenOnly: boolean;
  digits: string;
  /** Whether sound can flow: `lost` means that a new connection is being made. */
  transport: "new" | "connected" | "lost";
  remote: MediaStream | null;
  local: MediaStreamTrack | null;
}

/** What the session needs from its surroundings; the page gives the browser's own. */
export interface SessionDeps {
  api: () => Api;
  peer: (iceServers: IceServer[], callbacks: PeerCallbacks) => Peer;
  microphone: () => Promise<MediaStreamTrack>;
  silence: () => MediaStreamTrack;
  /** Whether events arrive; while they do not, the session asks for its call. */
  eventsLive: () => boolean;
}

const FRESH: SessionSnapshot = {
  state: "idle",
  direction: "outbound",
  number: null,
  call: null,
  trouble: null,
  canceled: false,
  hangingUp: false,
  muted: false,
  held: false,
  listenOnly: false,
  digits: "",
  transport: "new",
  remote: null,
  local: null,
};

const WATCH_MS = 2000;
const MAX_REATTACH = 3;
// Events may overtake the answer to our own dial; a few dozen cover the busiest second of a large bank.
const MAX_OVERTAKING = 64;

type Place = (offer: SessionDescription) => Promise<CallWithAnswer>;
type Beginning = Pick<SessionSnapshot, "direction" | "number"> & { place: Place };

/** One telephone: at most one call, from the dialled number to its end. Knows WebRTC and our JSON, no UI. */
export class PhoneSession {
  private readonly deps: SessionDeps;
  private readonly listeners = new Set<(snapshot: SessionSnapshot) => void>();
  private now: SessionSnapshot = FRESH;
  private run = 0;
  private peer: Peer | null = null;
  private overtaking: CallEvent[] = [];
  private reattached = 0;
  private watch: ReturnType<typeof setInterval> | undefined;
  private again: ((listenOnly: boolean) => Promise<void>) | null = null;

  constructor(deps: SessionDeps) {
    this.deps = deps;
  }

  get snapshot(): SessionSnapshot {
    return this.now;
  }

  subscribe(listener: (snapshot: SessionSnapshot) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Dial. The request's `to` may be national; the server knows the bank's country. */
  dial(request: Omit<DialRequest, "webrtc">, listenOnly = false): Promise<void> {
    const key = randomKey();
    const place: Place = (webrtc) => this.deps.api().dial({ ...request, webrtc }, key);
    this.again = (silent) => this.dial(request, silent);
    return this.begin({ direction: "outbound", number: request.to, place }, listenOnly);
  }

  /** Answer an incoming call. */
  answer(call: Call, listenOnly = false): Promise<void> {
    const place: Place = (offer) => this.deps.api().answer(call.id, offer);
    this.again = (silent) => this.answer(call, silent);
    return this.begin({ direction: call.direction, number: call.from, place }, listenOnly);
  }

  /** Carry on, in this page, with a live call that another page or a reload left without media. */
  attach(call: Call, listenOnly = false): Promise<void> {
    const number = call.direction === "inbound" ? call.from : call.to;
    const place: Place = async (offer) => ({ ...call, webrtc: await this.deps.api().attach(call.id, offer) });
    this.again = (silent) => this.attach(call, silent);
    return this.begin({ direction: call.direction, number, place }, listenOnly);
  }

  /** Do again what failed for want of a microphone. */
  retry(listenOnly: boolean): Promise<void> {
    return this.again?.(listenOnly) ?? Promise.resolve();
  }

  async hangUp(): Promise<void> {
    if (!isActive(this.now.state) || this.now.hangingUp) return;
    const call = this.now.call;
    if (call === null) {
      this.finish({ canceled: true }); // `begin` hangs up should the server have dialled meanwhile
      return;
    }
    this.update({ hangingUp: true });
    const ended = this.deps.api().act(call.id, "hangup");
    this.closeMedia(); // nobody is heard after hanging up, whatever the server says
    await this.follow(ended);
    if (this.now.trouble !== null) await this.refresh(); // it may have ended by itself in the same moment
  }

  async setMuted(muted: boolean): Promise<void> {
    if (this.now.local !== null) this.now.local.enabled = !muted; // at once, and even if the server is away
    this.update({ muted });
    await this.act(muted ? "mute" : "unmute");
  }

  async setHeld(held: boolean): Promise<void> {
    await this.act(held ? "hold" : "unhold");
  }

  /** Send digits in the call: as telephone-event where the connection can, else by the server. */
  async sendDigits(digits: string): Promise<void> {
    const call = this.now.call;
    if (call === null || !isActive(this.now.state)) return;
    this.update({ digits: this.now.digits + digits });
    if (this.peer?.dtmf(digits) === true) return;
    await this.follow(this.deps.api().dtmf(call.id, digits));
  }

  /** Take the microphone of the current choice, for example after another device was chosen. */
  async changeMicrophone(): Promise<void> {
    if (this.peer === null) return;
    const run = this.run;
    const track = await this.deps.microphone();
    if (run !== this.run) {
      track.stop();
      return;
    }
    track.enabled = !this.now.muted;
    await this.peer.replaceTrack(track);
    this.now.local?.stop();
    this.update({ local: track, listenOnly: false });
  }

  /** Back to an empty phone after a call. */
  reset(): void {
    if (this.now.state === "ended") this.update({ ...FRESH, state: advance(this.now.state, "reset") });
  }

  /** Tell the session what happened in the bank; it picks what concerns its call. */
  observe(event: ServerEvent): void {
    if (!isCallEvent(event) || !isActive(this.now.state)) return;
    if (this.now.call === null) {
      this.overtaking.push(event);
      if (this.overtaking.length > MAX_OVERTAKING) this.overtaking.shift();
    } else if (event.data.call.id === this.now.call.id) {
      this.adopt(event.data.call);
    }
  }

  /** Ask the server how the call stands; after a gap in the events, for example. */
  async refresh(): Promise<void> {
    const call = this.now.call;
    if (call === null || !isActive(this.now.state)) return;
    await this.follow(this.deps.api().call(call.id));
  }

  private async begin(beginning: Beginning, listenOnly: boolean): Promise<void> {
    if (isActive(this.now.state)) throw new Error("A call is going on already.");
    const run = ++this.run;
    this.overtaking = [];
    this.reattached = 0;
    const { direction, number, place } = beginning;
    this.update({ ...FRESH, state: advance(this.now.state, "start"), direction, number, listenOnly });
    try {
      const offer = await this.prepare(run, listenOnly);
      if (offer === null) return;
      const placed = await place(offer);
      if (run !== this.run) {
        await this.deps.api().act(placed.id, "hangup");
        return;
      }
      await this.placed(placed);
    } catch (error) {
      if (run === this.run) this.fail(error);
    }
  }

  /** Microphone, connection and offer; null when the person gave up meanwhile. */
  private async prepare(run: number, listenOnly: boolean): Promise<SessionDescription | null> {
    const servers = this.deps.api().iceServers();
    servers.catch(() => undefined); // a missing microphone is told first; the await below still throws
    const track = listenOnly ? this.deps.silence() : await this.deps.microphone();
    if (run !== this.run) {
      track.stop();
      return null;
    }
    this.update({ local: track });
    const iceServers = await servers;
    if (run !== this.run) return null;
    const peer = this.connect(iceServers);
    const offer = await peer.offer(track);
    return run === this.run ? offer : null;
  }

  private async placed(placed: CallWithAnswer): Promise<void> {
    const { webrtc, ...call } = placed;
    this.adopt(call);
    for (const event of this.overtaking.splice(0)) {
      if (event.data.call.id === call.id) this.adopt(event.data.call);
    }
    if (!isActive(this.now.state)) return;
    this.watch = setInterval(() => this.look(), WATCH_MS);
    const peer = this.peer;
    if (peer === null || webrtc == null) return;
    try {
      await peer.accept(webrtc);
    } catch (error) {
      void this.deps.api().act(call.id, "hangup");
      throw error;
    }
    this.trickle(peer, call.id);
  }

  private connect(iceServers: IceServer[]): Peer {
    const peer = this.deps.peer(iceServers, {
      onRemote: (remote) => this.update({ remote }),
      onState: (state) => {
        if (peer !== this.peer) return;
        if (state === "connected") {
          this.reattached = 0;
          this.update({ transport: "connected" });
        } else if (state === "broken") void this.reattach();
      },
    });
    this.peer = peer;
    return peer;
  }

  private trickle(peer: Peer, callId: string): void {
    // A candidate that does not get through costs one of several paths, never the call.
    peer.trickle((candidate) => void this.deps.api().candidate(callId, candidate).catch(() => undefined));
  }

  /** A new connection for the same call: the server keeps the GSM side while ours is broken. */
  private async reattach(): Promise<void> {
    const { call, local } = this.now;
    if (call === null || local === null || this.now.hangingUp) return;
    this.update({ transport: "lost" });
    if (++this.reattached > MAX_REATTACH) return;
    const run = this.run;
    this.peer?.close();
    try {
      const peer = this.connect(await this.deps.api().iceServers());
      const answer = await this.deps.api().attach(call.id, await peer.offer(local));
      if (run !== this.run || peer !== this.peer) {
        peer.close();
        return;
      }
      await peer.accept(answer);
      this.trickle(peer, call.id);
    } catch {
      if (run === this.run && isActive(this.now.state)) setTimeout(() => void this.reattach(), WATCH_MS);
    }
  }

  private look(): void {
    if (!this.deps.eventsLive() || this.now.hangingUp) void this.refresh();
  }

  private async act(action: CallAction): Promise<void> {
    const call = this.now.call;
    if (call !== null && isActive(this.now.state)) await this.follow(this.deps.api().act(call.id, action));
  }

  /** Take over the call that a request returns; a failed request leaves the call as it is, with the reason. */
  private async follow(request: Promise<Call>): Promise<void> {
    const run = this.run;
    try {
      const call = await request;
      if (run === this.run) this.adopt(call);
    } catch (error) {
      if (run === this.run && isActive(this.now.state)) this.update({ trouble: troubleOf(error), hangingUp: false });
    }
  }

  private adopt(call: Call): void {
    if (!isActive(this.now.state)) return;
    const seen = this.now.call;
    if (seen !== null && isOlder(call, seen)) return;
    if (isEnded(call.status)) {
      this.finish({ call, trouble: null });
      return;
    }
    // An incoming call rings before we answer; that is the panel's matter, this phone is connecting.
    const waits = call.direction === "inbound" && call.status === "ringing";
    const event = waits ? null : eventOf(call.status);
    // Only a change of the record counts: our own wish is newer than an event that was on its way.
    const muted = call.muted === (seen?.muted ?? false) ? this.now.muted : call.muted;
    if (this.now.local !== null) this.now.local.enabled = !muted;
    const state = event === null ? this.now.state : advance(this.now.state, event);
    this.update({ call, state, muted, held: call.held, trouble: null });
  }

  private fail(error: unknown): void {
    this.finish({ trouble: troubleOf(error) });
  }

  private finish(change: Partial<SessionSnapshot>): void {
    this.run += 1;
    clearInterval(this.watch);
    this.closeMedia();
    this.update({ ...change, hangingUp: false, held: false, state: advance(this.now.state, "ended") });
  }

  private closeMedia(): void {
    this.peer?.close();
    this.peer = null;
    this.now.local?.stop();
    this.update({ local: null, remote: null });
  }

  private update(change: Partial<SessionSnapshot>): void {
    this.now = { ...this.now, ...change };
    for (const listener of this.listeners) listener(this.now);
  }
}

const RANK: Partial<Record<Call["status"], number>> = { queued: 0, dialing: 1, ringing: 2, in_progress: 3 };

/** Whether a record of the same call was overtaken by one we have already. */
function isOlder(call: Call, seen: Call): boolean {
  return (RANK[call.status] ?? 4) < (RANK[seen.status] ?? 4);
}

function troubleOf(error: unknown): Trouble {
  if (error instanceof MicrophoneError) return { kind: "microphone", fault: error.fault };
  if (error instanceof ApiError) return { kind: "api", code: error.code, detail: error.message };
  if (error instanceof Error && error.name === "UnreachableError") return { kind: "unreachable" };
  return { kind: "media", detail: error instanceof Error ? error.message : String(error) };
}
