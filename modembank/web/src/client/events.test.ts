import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventStream, type EventStreamOptions, type StreamState } from "./events";
import type { ServerEvent } from "./types";

/** The browser's end of a socket; the test plays the server. */
class FakeSocket {
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((message: { data: string }) => void) | null = null;
  closed = false;
  readonly url: URL;

  constructor(url: string) {
    this.url = new URL(url);
  }

  close(): void {
    this.closed = true;
  }

  say(type: string, id: string): void {
    this.onmessage?.({ data: JSON.stringify({ id, type, at: "", sequence: 1, data: {} }) });
  }
}

const sockets: FakeSocket[] = [];
const seen: ServerEvent[] = [];
const states: StreamState[] = [];
let fresh = 0;
let tickets = 0;
let stream: EventStream;

function make(options: Partial<EventStreamOptions> = {}): EventStream {
  return new EventStream({
    base: "http://bank.test",
    ticket: () => Promise.resolve(`ticket${++tickets}`),
    onEvent: (event) => seen.push(event),
    onState: (state) => states.push(state),
    onFresh: () => (fresh += 1),
    random: () => 1,
    socket: (url) => {
      const socket = new FakeSocket(url);
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    ...options,
  });
}

const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);
const last = (): FakeSocket => {
  const socket = sockets.at(-1);
  if (socket === undefined) throw new Error("no socket was opened");
  return socket;
};

beforeEach(() => {
  vi.useFakeTimers();
  sockets.length = seen.length = states.length = fresh = tickets = 0;
  stream = make();
});

afterEach(() => {
  stream.stop();
  vi.useRealTimers();
});

async function live(): Promise<void> {
  stream.start();
  await settle();
  last().onopen?.();
}

describe("EventStream", () => {
  it("opens a socket with a one-use ticket and asks for a first load", async () => {
    await live();
    expect(last().url.href).toBe("ws://bank.test/v1/events?ticket=ticket1");
    expect(states).toEqual(["connecting", "live"]);
    expect(fresh).toBe(1);
  });

  it("resumes after the last event, with a new ticket, and needs no reload", async () => {
    await live();
    last().say("call.ringing", "evt_7");
    last().onclose?.();
    expect(stream.state).toBe("waiting");
    await vi.advanceTimersByTimeAsync(500);
    last().onopen?.();
    expect(last().url.searchParams.get("after")).toBe("evt_7");
    expect(last().url.searchParams.get("ticket")).toBe("ticket2");
    expect(fresh).toBe(1);
  });

  it("does not resume after levels, which are not stored", async () => {
    await live();
    last().say("call.ringing", "evt_7");
    last().say("call.levels", "evt_8");
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(500);
    expect(last().url.searchParams.get("after")).toBe("evt_7");
    expect(seen.map((event) => event.type)).toEqual(["call.ringing", "call.levels"]);
  });

  it("starts afresh when the server has forgotten, and asks for a load if that is cut short", async () => {
    await live();
    last().say("call.ringing", "evt_7");
    last().say("stream.reset", "evt_900");
    last().onclose?.();
    await vi.advanceTimersByTimeAsync(500);
    last().onopen?.();
    expect(last().url.searchParams.get("after")).toBeNull();
    expect(fresh).toBe(2);
  });

  it("waits longer after each failure, up to 15 s, and short again after a success", async () => {
    stream.start();
    await settle();
    const waits: number[] = [];
    for (let failure = 0; failure < 7; failure += 1) {
      const before = sockets.length;
      last().onclose?.();
      let waited = 0;
      while (sockets.length === before) {
        await vi.advanceTimersByTimeAsync(500);
        waited += 500;
      }
      waits.push(waited);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
    last().onopen?.();
    last().onclose?.();
    const before = sockets.length;
    await vi.advanceTimersByTimeAsync(500);
    expect(sockets.length).toBe(before + 1);
  });

  it("tries at once when the network is back", async () => {
    await live();
    last().onclose?.();
    stream.hurry();
    await settle();
    expect(sockets.length).toBe(2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sockets.length).toBe(2);
  });

  it("gives up when the ticket is refused for good, and retries otherwise", async () => {
    const refused = new Error("refused");
    stream = make({ ticket: () => Promise.reject(refused), isFinal: (error) => error === refused });
    stream.start();
    await settle();
    expect(stream.state).toBe("stopped");
    stream = make({ ticket: () => Promise.reject(new Error("away")), isFinal: () => false });
    stream.start();
    await settle();
    expect(stream.state).toBe("waiting");
  });

  it("is silent after stop, whatever the old socket still says", async () => {
    await live();
    const socket = last();
    stream.stop();
    socket.say("call.ringing", "evt_9");
    socket.onclose?.();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen).toEqual([]);
    expect(socket.closed).toBe(true);
    expect(sockets.length).toBe(1);
  });
});
