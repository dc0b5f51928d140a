import { beforeEach, expect, it } from "vitest";
import type { Message, UssdSession } from "../client/messages";
import type { ServerEvent } from "../client/types";
import { info } from "../store";
import { applyToInbox, clearInbox, may, messages, newestMessages, putMessage, putUssd, ussd } from "./inbox";

const message = (id: string, status: Message["status"], steps: number): Message =>
  ({
    id,
    status,
    direction: "outbound",
    created_at: `2026-01-01T00:00:0${id}.000Z`,
    history: Array.from({ length: steps }, () => ({ at: "", status, detail: "" })),
  }) as unknown as Message;

const session = (status: UssdSession["status"], turns: number, ended: string | null): UssdSession =>
  ({
    id: "u",
    status,
    created_at: "2026-01-01T00:00:00.000Z",
    turns: Array.from({ length: turns }, () => ({ at: "", out: true, text: "" })),
    ended_at: ended,
  }) as unknown as UssdSession;

beforeEach(clearInbox);

it("lists the newest first", () => {
  putMessage(message("1", "sent", 2));
  putMessage(message("3", "sent", 2));
  putMessage(message("2", "sent", 2));
  expect(newestMessages.value.map(({ id }) => id)).toEqual(["3", "2", "1"]);
});

it("does not let a late answer undo an event", () => {
  putMessage(message("1", "delivered", 4));
  putMessage(message("1", "queued", 1));
  expect(messages.peek("1")?.status).toBe("delivered");
});

it("lets no session live again, and takes a new turn", () => {
  putUssd(session("waiting", 2, null));
  putUssd(session("running", 3, null));
  putUssd(session("waiting", 2, null));
  expect(ussd.peek("u")?.status).toBe("running");
  putUssd(session("canceled", 3, "2026-01-01T00:00:09.000Z"));
  putUssd(session("waiting", 4, null));
  expect(ussd.peek("u")?.status).toBe("canceled");
});

it("tells of messages that came in, and of nothing else", () => {
  const event = (type: string, data: object) => ({ id: "e", type, at: "", sequence: 1, data }) as unknown as ServerEvent;
  const came = message("1", "received", 1);
  expect(applyToInbox(event("sms.received", { message: came }))?.id).toBe("1");
  expect(applyToInbox(event("sms.sent", { message: message("2", "sent", 2) }))).toBeNull();
  expect(applyToInbox(event("ussd.response", { ussd: session("done", 2, "x") }))).toBeNull();
  expect(applyToInbox(event("call.levels", { call_id: "c" }))).toBeNull();
  expect(newestMessages.value).toHaveLength(2);
});

it("knows what its key may do", () => {
  const facts = { version: "", country: "GB", max_message_parts: 10, ussd_codes: [], balance_plmns: [] };
  info.value = { ...facts, scopes: ["sms:read"] };
  expect([may("sms:read"), may("sms:content")]).toEqual([true, false]);
  info.value = { ...facts, scopes: ["*"] };
  expect(may("ussd:run")).toBe(true);
});
