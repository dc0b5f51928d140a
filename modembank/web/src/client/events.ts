import type { ServerEvent } from "./types";

/** `live`: events flow. `waiting`: the connection was lost and the next try is planned. `stopped`: nobody tries. */
export type StreamState = "stopped" | "connecting" | "live" | "waiting";

export interface EventStreamOptions {
  /** Where the server is: `https://bank.example`, no path. */
  base: string;
  /** A one-use ticket for the next connection. A rejection counts as a lost connection. */
  ticket: () => Promise<string>;
  onEvent: (event: ServerEvent) => void;
  onState?: (state: StreamState) => void;
  /** A connection opened that continues no earlier one: reload whatever the events only change. */
  onFresh?: () => void;
  /** Tells from a ticket's error that trying again is useless, for example a revoked key. */
  isFinal?: (error: unknown) => boolean;
  socket?: (url: string) => WebSocket;
  random?: () => number;
}

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;

/**
 * The event stream over WebSocket: resumes after the last event it saw and reconnects with back-off.
 *
 * When the server no longer has the events in between, it says so by `stream.reset`: the listener reloads its lists.
 */
export class EventStream {
  private readonly options: EventStreamOptions;
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private failures = 0;
  private lastId: string | null = null;
  private attempt = 0;
  private current: StreamState = "stopped";

  constructor(options: EventStreamOptions) {
    this.options = options;
  }

  get state(): StreamState {
    return this.current;
  }

  start(): void {
    if (this.current === "stopped") void this.connect();
  }

  stop(): void {
    this.attempt += 1;
    this.clear();
    this.enter("stopped");
  }

  /** Try at once instead of waiting for the next planned try: the network came back. */
  hurry(): void {
    if (this.current === "waiting") void this.connect();
  }

  private async connect(): Promise<void> {
    this.clear();
    const attempt = ++this.attempt;
    this.enter("connecting");
    let ticket: string;
    try {
      ticket = await this.options.ticket();
    } catch (error) {
      if (attempt !== this.attempt) return;
      if (this.options.isFinal?.(error) === true) this.stop();
      else this.retry();
      return;
    }
    if (attempt === this.attempt) this.open(ticket, attempt);
  }

  private open(ticket: string, attempt: number): void {
    const query = new URLSearchParams({ ticket });
    if (this.lastId !== null) query.set("after", this.lastId);
    const fresh = this.lastId === null;
    const url = `${this.options.base.replace(/^http/, "ws")}/v1/events?${query}`;
    const socket = this.options.socket?.(url) ?? new WebSocket(url);
    this.socket = socket;
    socket.onopen = () => {
      if (attempt !== this.attempt) return;
      this.failures = 0;
      this.enter("live");
      if (fresh) this.options.onFresh?.();
    };
    socket.onmessage = (message: MessageEvent<string>) => {
      if (attempt === this.attempt) this.receive(message.data);
    };
    socket.onclose = () => {
      if (attempt === this.attempt) this.retry();
    };
  }

  private receive(text: string): void {
    const event = JSON.parse(text) as ServerEvent;
    if (event.type === "stream.reset") this.lastId = null;
    // Levels are not stored, so the stream cannot be resumed after one.
    else if (event.type !== "call.levels") this.lastId = event.id;
    this.options.onEvent(event);
  }

  private retry(): void {
    this.clear();
    const ceiling = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.failures);
    this.failures += 1;
    const jitter = 0.5 + 0.5 * (this.options.random ?? Math.random)();
    this.enter("waiting");
    this.timer = setTimeout(() => void this.connect(), ceiling * jitter);
  }

  private clear(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const socket = this.socket;
    this.socket = null;
    if (socket === null) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  private enter(state: StreamState): void {
    if (state === this.current) return;
    this.current = state;
    this.options.onState?.(state);
  }
}
