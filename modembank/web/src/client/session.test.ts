import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api } from "./api";
import { MicrophoneError } from "./microphone";
import type { Peer, PeerCallbacks } from "./peer";
import { PhoneSession } from "./session";
import type { Call, CallEvent, CallStatus } from "./types";

/** The session against the real Api, with the network and the browser's WebRTC played by the test. */

interface Request {
  method: string;
  path: string;
  body: Record<string, unknown>;
  key: string | null;
}

type Reply = () => Promise<Response> | Response;

const json = (value: unknown, status = 200): Response => new Response(JSON.stringify(value), { status });
const problem = (status: number, code: string): Response => json({ code, detail: `detail of ${code}` }, status);

function makeCall(status: CallStatus, change: Partial<Call> = {}): Call {
  return {
    id: "call_1",
    direction: "outbound",
    status,
    to: "+447700900123",
    from: "+447700900001",
    sim: null,
    modem: null,
    why: null,
    early_media: false,
    muted: false,
    held: false,
    media: "new",
    quiet: [],
    created_at: "2026-11-22T15:00:00.000Z",
    dialing_at: null,
    ringing_at: null,
    early_media_at: null,
    answered_at: null,
    ended_at: null,
    duration_s: 0,
    timeout_s: 60,
    max_duration_s: 3600,
    metadata: {},
    hangup: null,
    quality: null,
    ...change,
  };
}

const eventFor = (call: Call, type: CallEvent["type"] = "call.ringing"): CallEvent =>
  ({ id: "evt_1", type, at: call.created_at, sequence: 1, data: { call } }) as CallEvent;

class FakeTrack {
  enabled = true;
  stopped = false;

  stop(): void {
    this.stopped = true;
  }
}

class FakePeer {
  closed = false;
  accepted: string | null = null;
  tones = "";
  canTone = true;
  handOn: ((candidate: RTCIceCandidate | null) => void) | null = null;
  readonly callbacks: PeerCallbacks;

  constructor(callbacks: PeerCallbacks) {
    this.callbacks = callbacks;
  }

  offer = () => Promise.resolve({ type: "offer" as const, sdp: "our offer" });

  accept = (answer: { sdp: string }): Promise<void> => {
    this.accepted = answer.sdp;
    return Promise.resolve();
  };

  trickle = (handOn: (candidate: RTCIceCandidate | null) => void): void => {
    this.handOn = handOn;
  };

  dtmf = (digits: string): boolean => {
    if (this.canTone) this.tones += digits;
    return this.canTone;
  };

  close = (): void => {
    this.closed = true;
  };
}

const requests: Request[] = [];
const replies = new Map<string, Reply>();
const peers: FakePeer[] = [];
const tracks: FakeTrack[] = [];
let microphone: () => Promise<FakeTrack>;
let eventsLive: boolean;
let session: PhoneSession;

const WEBRTC = { type: "answer", sdp: "their answer" };

function newTrack(): FakeTrack {
  const track = new FakeTrack();
  tracks.push(track);
  return track;
}

const fetched = ((url: string, init: RequestInit): Promise<Response> => {
  const path = new URL(url).pathname;
  const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
  const headers = new Headers(init.headers);
  const method = init.method ?? "GET";
  requests.push({ method, path, body, key: headers.get("Idempotency-Key") });
  const reply = replies.get(`${method} ${path}`);
  return Promise.resolve(reply === undefined ? problem(404, "not_found") : reply());
}) as typeof fetch;

beforeEach(() => {
  vi.useFakeTimers();
  requests.length = peers.length = tracks.length = 0;
  replies.clear();
  replies.set("GET /v1/ice-servers", () => json({ ice_servers: [] }));
  replies.set("POST /v1/calls", () => json({ ...makeCall("dialing"), webrtc: WEBRTC }, 201));
  microphone = () => Promise.resolve(newTrack());
  eventsLive = true;
  const api = new Api({ base: "http://bank.test", key: "mbk_test", fetch: fetched });
  session = new PhoneSession({
    api: () => api,
    peer: (_servers, callbacks) => {
      const peer = new FakePeer(callbacks);
      peers.push(peer);
      return peer as unknown as Peer;
    },
    microphone: () => microphone() as unknown as Promise<MediaStreamTrack>,
    silence: () => newTrack() as unknown as MediaStreamTrack,
    eventsLive: () => eventsLive,
  });
});

afterEach(() => {
  vi.useRealTimers();
});

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const asked = (path: string): Request[] => requests.filter((request) => request.path === path);

describe("dialling", () => {
  it("offers, dials once with a key, and takes the answer", async () => {
    await session.dial({ to: "07700 900123", from: "sim_3" });
    const [dial] = asked("/v1/calls");
    expect(dial?.body).toEqual({ to: "07700 900123", from: "sim_3", webrtc: { type: "offer", sdp: "our offer" } });
    expect(dial?.key).toMatch(/^[0-9a-f]{32}$/);
    expect(peers[0]?.accepted).toBe("their answer");
    expect(session.snapshot.state).toBe("dialing");
  });

  it("shows ringing, then answered, then the end", async () => {
    const states: string[] = [];
    session.subscribe((snapshot) => states.at(-1) !== snapshot.state && states.push(snapshot.state));
    await session.dial({ to: "07700900123" });
    session.observe(eventFor(makeCall("ringing")));
    session.observe(eventFor(makeCall("in_progress")));
    session.observe(eventFor(makeCall("ringing"))); // late: changes nothing
    expect(session.snapshot.call?.status).toBe("in_progress");
    session.observe(eventFor(makeCall("completed")));
    expect(states).toEqual(["connecting", "dialing", "ringing", "in_progress", "ended"]);
    expect(peers[0]?.closed).toBe(true);
    expect(tracks[0]?.stopped).toBe(true);
  });

  it("takes events that overtake the answer to its own request", async () => {
    replies.set("POST /v1/calls", () => {
      session.observe(eventFor(makeCall("ringing")));
      session.observe(eventFor(makeCall("in_progress", { id: "call_of_somebody_else" })));
      return json({ ...makeCall("queued"), webrtc: WEBRTC }, 201);
    });
    await session.dial({ to: "07700900123" });
    expect(session.snapshot.state).toBe("ringing");
  });

  it("repeats with the same key when the server is away for a moment", async () => {
    let tries = 0;
    replies.set("POST /v1/calls", () => {
      tries += 1;
      if (tries === 1) throw new TypeError("network");
      return json({ ...makeCall("dialing"), webrtc: WEBRTC }, 201);
    });
    const dialled = session.dial({ to: "07700900123" });
    await vi.advanceTimersByTimeAsync(5000);
    await dialled;
    const keys = asked("/v1/calls").map((request) => request.key);
    expect(keys.length).toBe(2);
    expect(keys[0]).toBe(keys[1]);
    expect(session.snapshot.state).toBe("dialing");
  });

  it("ends with the server's reason when it refuses", async () => {
    replies.set("POST /v1/calls", () => problem(503, "no_sim_available"));
    await session.dial({ to: "07700900123" });
    expect(session.snapshot).toMatchObject({
      state: "ended",
      trouble: { kind: "api", code: "no_sim_available" },
    });
    expect(tracks[0]?.stopped).toBe(true);
  });

  it("allows one call at a time", async () => {
    await session.dial({ to: "07700900123" });
    await expect(session.dial({ to: "07700900124" })).rejects.toThrow("already");
  });

  it("hands on candidates that are found later", async () => {
    replies.set("PATCH /v1/calls/call_1/webrtc", () => new Response(null, { status: 204 }));
    await session.dial({ to: "07700900123" });
    peers[0]?.handOn?.(null);
    await settle();
    expect(asked("/v1/calls/call_1/webrtc")[0]?.body["candidate"]).toBeNull();
  });
});

describe("without a microphone", () => {
  it("says why, dials nothing, and can still listen", async () => {
    microphone = () => Promise.reject(new MicrophoneError("blocked"));
    await session.dial({ to: "07700900123" });
    expect(session.snapshot.trouble).toEqual({ kind: "microphone", fault: "blocked" });
    expect(asked("/v1/calls")).toEqual([]);
    await session.retry(true);
    expect(session.snapshot).toMatchObject({ state: "dialing", listenOnly: true, number: "07700900123" });
  });
});

describe("hanging up", () => {
  it("closes the media at once and ends with the server's record", async () => {
    await session.dial({ to: "07700900123" });
    replies.set("POST /v1/calls/call_1/actions/hangup", () => json(makeCall("canceled")));
    const done = session.hangUp();
    expect(peers[0]?.closed).toBe(true);
    await done;
    expect(session.snapshot).toMatchObject({ state: "ended", call: { status: "canceled" } });
  });

  it("before there is a call: ends at once, and hangs up what the server dials meanwhile", async () => {
    let release: (response: Response) => void = () => undefined;
    replies.set("POST /v1/calls", () => new Promise((resolve) => (release = resolve)));
    replies.set("POST /v1/calls/call_1/actions/hangup", () => json(makeCall("canceled")));
    const dialled = session.dial({ to: "07700900123" });
    await settle();
    await session.hangUp();
    expect(session.snapshot).toMatchObject({ state: "ended", canceled: true });
    release(json({ ...makeCall("dialing"), webrtc: WEBRTC }, 201));
    await dialled;
    expect(asked("/v1/calls/call_1/actions/hangup").length).toBe(1);
    expect(session.snapshot.state).toBe("ended");
  });

  it("while the browser still asks for the microphone: dials nothing and lets it go", async () => {
    let allow: (track: FakeTrack) => void = () => undefined;
    microphone = () => new Promise((resolve) => (allow = resolve));
    const dialled = session.dial({ to: "07700900123" });
    await session.hangUp();
    allow(newTrack());
    await dialled;
    expect(asked("/v1/calls")).toEqual([]);
    expect(tracks[0]?.stopped).toBe(true);
  });

  it("finds out that the call had ended by itself", async () => {
    await session.dial({ to: "07700900123" });
    replies.set("POST /v1/calls/call_1/actions/hangup", () => problem(409, "wrong_state"));
    replies.set("GET /v1/calls/call_1", () => json(makeCall("completed")));
    await session.hangUp();
    expect(session.snapshot.state).toBe("ended");
  });
});

describe("in a call", () => {
  beforeEach(async () => {
    await session.dial({ to: "07700900123" });
    session.observe(eventFor(makeCall("in_progress")));
  });

  it("mutes the track before anything else, and tells the server", async () => {
    replies.set("POST /v1/calls/call_1/actions/mute", () => json(makeCall("in_progress", { muted: true })));
    const done = session.setMuted(true);
    expect(tracks[0]?.enabled).toBe(false);
    await done;
    expect(session.snapshot.muted).toBe(true);
    session.observe(eventFor(makeCall("in_progress", { muted: false }))); // somebody else unmuted
    expect(tracks[0]?.enabled).toBe(true);
  });

  it("stays muted when the server cannot be told", async () => {
    replies.set("POST /v1/calls/call_1/actions/mute", () => problem(503, "host_unreachable"));
    await session.setMuted(true);
    expect(session.snapshot).toMatchObject({ muted: true, trouble: { code: "host_unreachable" } });
    expect(tracks[0]?.enabled).toBe(false);
  });

  it("holds when the server says so", async () => {
    replies.set("POST /v1/calls/call_1/actions/hold", () => json(makeCall("in_progress", { held: true })));
    await session.setHeld(true);
    expect(session.snapshot.held).toBe(true);
  });

  it("sends digits as telephone-event, or by the server when the connection cannot", async () => {
    replies.set("POST /v1/calls/call_1/actions/dtmf", () => json(makeCall("in_progress")));
    await session.sendDigits("5");
    expect(peers[0]?.tones).toBe("5");
    expect(asked("/v1/calls/call_1/actions/dtmf")).toEqual([]);
    if (peers[0] !== undefined) peers[0].canTone = false;
    await session.sendDigits("#");
    expect(asked("/v1/calls/call_1/actions/dtmf")[0]?.body).toEqual({ digits: "#" });
    expect(session.snapshot.digits).toBe("5#");
  });

  it("makes a new connection when the old one breaks, with the same microphone", async () => {
    replies.set("POST /v1/calls/call_1/webrtc", () => json({ type: "answer", sdp: "second answer" }));
    peers[0]?.callbacks.onState("broken");
    expect(session.snapshot.transport).toBe("lost");
    await settle();
    expect(peers[1]?.accepted).toBe("second answer");
    peers[1]?.callbacks.onState("connected");
    expect(session.snapshot).toMatchObject({ transport: "connected", state: "in_progress" });
    expect(tracks.length).toBe(1);
  });

  it("asks how the call stands while no events arrive", async () => {
    eventsLive = false;
    replies.set("GET /v1/calls/call_1", () => json(makeCall("completed")));
    await vi.advanceTimersByTimeAsync(2000);
    expect(session.snapshot.state).toBe("ended");
  });
});

describe("incoming and left-behind calls", () => {
  it("answers with an offer and waits for the network to say answered", async () => {
    const ringing = makeCall("ringing", { direction: "inbound", from: "+447700900555" });
    replies.set("POST /v1/calls/call_1/actions/answer", () => json({ ...ringing, webrtc: WEBRTC }));
    await session.answer(ringing);
    expect(session.snapshot).toMatchObject({ state: "connecting", direction: "inbound", number: "+447700900555" });
    session.observe(eventFor({ ...ringing, status: "in_progress" }, "call.answered"));
    expect(session.snapshot.state).toBe("in_progress");
  });

  it("attaches to a live call and shows it as it is", async () => {
    replies.set("POST /v1/calls/call_1/webrtc", () => json(WEBRTC));
    await session.attach(makeCall("in_progress", { muted: true }));
    expect(session.snapshot).toMatchObject({ state: "in_progress", muted: true });
    expect(tracks[0]?.enabled).toBe(false);
    expect(peers[0]?.accepted).toBe("their answer");
  });
});
