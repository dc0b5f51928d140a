import { describe, expect, it } from "vitest";
import { ApiError, UnreachableError } from "../client/api";
import type { Message, MessageStatus } from "../client/messages";
import { balanceWords, messageMeaning, messageStatus, problemWords, ussdMeaning } from "./words";

const ALL = "queued sending sent delivered undelivered failed unknown partial received".split(" ") as MessageStatus[];

const told = (status: MessageStatus, more: Partial<Message> = {}) => ({
  status,
  detail: "",
  cms: null,
  parts: { total: 3, done: 2 },
  delivery_report: true,
  attempts: 0,
  ...more,
});

describe("the life of a message in words", () => {
  it("tells every state from every other", () => {
    expect(new Set(ALL.map((status) => messageStatus(status).word)).size).toBe(ALL.length);
  });

  it("says why one failed, and that an unknown one may have arrived", () => {
    const refused = told("failed", { cms: 38, detail: "network out of order" });
    expect(messageMeaning(refused)).toBe("It was not sent: network out of order (CMS 38).");
    expect(messageMeaning(told("undelivered", { detail: "not obtainable" }))).toContain("not obtainable");
    expect(messageMeaning(told("unknown"))).toMatch(/may have arrived.+not sent again/);
  });

  it("does not take sent for delivered", () => {
    expect(messageMeaning(told("sent"))).toContain("no delivery report has come yet");
    expect(messageMeaning(told("sent", { delivery_report: false }))).toContain("no delivery report was asked for");
  });

  it("tells waiting for a SIM from waiting for the network", () => {
    expect(messageMeaning(told("queued"))).toBe("It waits for its SIM.");
    expect(messageMeaning(told("queued", { attempts: 1 }))).toContain("tried again by itself");
  });

  it("counts the parts that came", () => {
    expect(messageMeaning(told("partial"))).toMatch(/^2 of 3 parts came/);
  });
});

describe("refusals", () => {
  it("says what a code means, and what the server adds", () => {
    const refused = new ApiError("ussd_refused", 403, "this USSD code is not in ussd.codes", null);
    expect(problemWords(refused)).toEqual({
      title: "This code is not allowed here",
      help: "This USSD code is not in ussd.codes",
    });
    expect(problemWords(new ApiError("brand_new", 418, "no tea", null)).title).toBe("The server refused");
    expect(problemWords(new UnreachableError("")).help).toContain("nothing is sent twice");
  });

  it("explains a session only where there is something to explain", () => {
    expect(ussdMeaning({ status: "done", detail: "" })).toBe("");
    expect(ussdMeaning({ status: "failed", detail: "the network does not support this" })).toBe(
      "The network does not support this.",
    );
  });
});

it("shows money as money and everything else with its unit", () => {
  expect(balanceWords({ amount: "12.34", unit: "GBP", at: "" })).toMatch(/£\s?12\.34|12[.,]34\s?£/);
  expect(balanceWords({ amount: "2500", unit: "MB", at: "" })).toBe("2500 MB");
});
