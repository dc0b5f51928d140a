import type { Message, SendRequest, UssdRequest, UssdSession } from "./messages";
import type {
  Call,
  CallWithAnswer,
  DialRequest,
  IceServer,
  Info,
  Modem,
  ModemPatch,
  Page,
  RadioMoment,
  SessionDescription,
  Sim,
  SimPatch,
  TraceLine,
} from "./types";

/** An answer of the server that is not a success. `code` is stable. Source: RFC 9457. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly code: string;
  readonly status: number;
  readonly requestId: string | null;

  constructor(code: string, status: number, detail: string, requestId: string | null) {
    super(detail);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }
}

/** The server could not be reached, so nobody knows whether it did what was asked. */
export class UnreachableError extends Error {
  override readonly name = "UnreachableError";
}

export type CallAction = "reject" | "hangup" | "hold" | "unhold" | "mute" | "unmute";

export interface ApiOptions {
  /** Where the server is: `https://bank.example`, no path. */
  base: string;
  key: string;
  /** Called once for each answer 401: the key is wrong or was revoked. */
  onUnauthorized?: () => void;
  fetch?: typeof fetch;
}

const MAX_PAGE = 200;
// A POST with an Idempotency-Key is safe to repeat; two more tries cover a server that restarts.
const POST_RETRIES_MS = [500, 1500];

/** The REST API, one method for each route the page uses. Every method may throw ApiError and UnreachableError. */
export class Api {
  readonly base: string;
  private readonly key: string;
  private readonly onUnauthorized: () => void;
  private readonly send: typeof fetch;

  constructor(options: ApiOptions) {
    this.base = options.base;
    this.key = options.key;
    this.onUnauthorized = options.onUnauthorized ?? (() => undefined);
    this.send = options.fetch ?? ((input, init) => fetch(input, init));
  }

  info = () => this.request<Info>("GET", "/v1/info");

  iceServers = async () =>
    (await this.request<{ ice_servers: IceServer[] }>("GET", "/v1/ice-servers")).ice_servers;

  eventTicket = async () => (await this.request<{ ticket: string }>("POST", "/v1/event-tickets")).ticket;

  sims = () => this.all<Sim>("/v1/sims");

  modems = () => this.all<Modem>("/v1/modems");

  calls = (limit: number) => this.request<Page<Call>>("GET", `/v1/calls?limit=${limit}`);

  call = (id: string) => this.request<Call>("GET", `/v1/calls/${id}`);

  patchSim = (id: string, patch: SimPatch) => this.request<Sim>("PATCH", `/v1/sims/${id}`, patch);

  patchModem = (id: string, patch: ModemPatch) => this.request<Modem>("PATCH", `/v1/modems/${id}`, patch);

  /** Signal of a modem since a moment, oldest first, joined to minutes. */
  history = async (id: string, sinceMs: number, limit: number) => {
    const from = encodeURIComponent(new Date(sinceMs).toISOString());
    const page = await this.request<Page<RadioMoment>>(
      "GET",
      `/v1/modems/${id}/history?from=${from}&step_s=60&limit=${limit}`,
    );
    return page.data;
  };

  trace = async (id: string, limit: number) =>
    (await this.request<{ data: TraceLine[] }>("GET", `/v1/modems/${id}/trace?limit=${limit}`)).data;

  at = async (id: string, line: string) =>
    (await this.request<{ lines: string[] }>("POST", `/v1/modems/${id}/at`, { line })).lines;

  messages = (limit: number, cursor: string | null = null) =>
    this.request<Page<Message>>("GET", `/v1/messages?limit=${limit}${after(cursor)}`);

  ussdSessions = (limit: number) => this.request<Page<UssdSession>>("GET", `/v1/ussd?limit=${limit}`);

  answerUssd = (id: string, text: string) =>
    this.request<UssdSession>("POST", `/v1/ussd/${id}/actions/answer`, { text });

  cancelUssd = (id: string) => this.request<UssdSession>("POST", `/v1/ussd/${id}/actions/cancel`);

  /** Ask the operator what is left on a SIM; may take half a minute. */
  readBalance = (id: string) => this.request<Sim>("POST", `/v1/sims/${id}/balance`);

  /** Place a call. The same `idempotencyKey` never dials twice, so an unreachable server is asked again. */
  dial = (request: DialRequest, idempotencyKey: string) =>
    this.postOnce<CallWithAnswer>("/v1/calls", request, idempotencyKey);

  /** Queue a message; like `dial`, the same key never sends twice. */
  sendMessage = (request: SendRequest, idempotencyKey: string) =>
    this.postOnce<Message>("/v1/messages", request, idempotencyKey);

  /** Send a code and wait for what the network says; may take half a minute. */
  runUssd = (request: UssdRequest, idempotencyKey: string) =>
    this.postOnce<UssdSession>("/v1/ussd", request, idempotencyKey);

  answer = (id: string, offer: SessionDescription) =>
    this.request<CallWithAnswer>("POST", `/v1/calls/${id}/actions/answer`, { webrtc: offer });

  /** Attach or re-attach this browser's media to a live call. */
  attach = (id: string, offer: SessionDescription) =>
    this.request<SessionDescription>("POST", `/v1/calls/${id}/webrtc`, offer);

  /** Hand on a candidate that was found after the offer was sent; null says that there are no more. */
  candidate = (id: string, candidate: RTCIceCandidate | null) =>
    this.request<void>("PATCH", `/v1/calls/${id}/webrtc`, {
      candidate: candidate?.candidate ?? null,
      sdp_mid: candidate?.sdpMid ?? null,
      sdp_m_line_index: candidate?.sdpMLineIndex ?? null,
    });

  act = (id: string, action: CallAction) => this.request<Call>("POST", `/v1/calls/${id}/actions/${action}`);

  dtmf = (id: string, digits: string) =>
    this.request<Call>("POST", `/v1/calls/${id}/actions/dtmf`, { digits });

  private async postOnce<T>(path: string, body: object, key: string): Promise<T> {
    const post = (): Promise<T> => this.request<T>("POST", path, body, { "Idempotency-Key": key });
    for (const delay of POST_RETRIES_MS) {
      try {
        return await post();
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, delay));
      }
    }
    return post();
  }

  private async all<T>(path: string): Promise<T[]> {
    const found: T[] = [];
    let cursor: string | null = null;
    do {
      const page: Page<T> = await this.request<Page<T>>("GET", `${path}?limit=${MAX_PAGE}${after(cursor)}`);
      found.push(...page.data);
      cursor = page.next_cursor;
    } while (cursor !== null);
    return found;
  }

  private async request<T>(
    method: string,
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const init: RequestInit = {
      method,
      headers: { Authorization: `Bearer ${this.key}`, Accept: "application/json", ...headers },
      cache: "no-store",
    };
    if (body !== undefined) {
      init.body = JSON.stringify(body);
      init.headers = { ...init.headers, "Content-Type": "application/json" };
    }
    let response: Response;
    try {
      response = await this.send(this.base + path, init);
    } catch (error) {
      throw new UnreachableError("The server does not answer.", { cause: error });
    }
    if (!response.ok) throw await this.problem(response);
    return (response.status === 204 ? undefined : await response.json()) as T;
  }

  private async problem(response: Response): Promise<ApiError> {
    if (response.status === 401) this.onUnauthorized();
    const text = await response.text();
    const problem = parseProblem(text);
    return new ApiError(
      problem.code ?? (response.status === 401 ? "unauthorized" : "internal"),
      response.status,
      problem.detail ?? problem.title ?? `The server answered ${response.status}.`,
      problem.request_id ?? null,
    );
  }
}

function after(cursor: string | null): string {
  return cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
}

interface Problem {
  code?: string;
  title?: string;
  detail?: string;
  request_id?: string;
}

function parseProblem(text: string): Problem {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Problem) : {};
  } catch {
    return {}; // a proxy in between answers in HTML; the status says enough
  }
}

/** A random key of 128 bits. `crypto.randomUUID` exists on secure pages only; this works on any. */
export function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
