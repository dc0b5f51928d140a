import { describe, expect, it } from "vitest";
import { advance, eventOf, isActive, type PhoneEvent, type PhoneState } from "./machine";

const run = (...events: PhoneEvent[]): PhoneState => events.reduce(advance, "idle");

describe("advance", () => {
  it("goes through a call", () => {
    expect(run("start")).toBe("connecting");
    expect(run("start", "dialing")).toBe("dialing");
    expect(run("start", "dialing", "ringing")).toBe("ringing");
    expect(run("start", "dialing", "ringing", "answered")).toBe("in_progress");
    expect(run("start", "dialing", "ringing", "answered", "ended")).toBe("ended");
    expect(run("start", "ended", "reset")).toBe("idle");
  });

  it("takes an answer without alerting", () => {
    expect(run("start", "dialing", "answered")).toBe("in_progress");
  });

  it("never goes back", () => {
    expect(run("start", "dialing", "ringing", "dialing")).toBe("ringing");
    expect(run("start", "answered", "ringing")).toBe("in_progress");
    expect(run("start", "ended", "answered")).toBe("ended");
    expect(run("start", "reset")).toBe("connecting");
  });

  it("begins the next call from the end of the last one", () => {
    expect(run("start", "ended", "start")).toBe("connecting");
  });
});

describe("eventOf", () => {
  it("keeps ringing and answered apart", () => {
    expect(eventOf("ringing")).toBe("ringing");
    expect(eventOf("in_progress")).toBe("answered");
  });

  it("takes every last status as the end, and waiting as nothing", () => {
    for (const status of ["completed", "busy", "no_answer", "failed", "canceled", "rejected"] as const) {
      expect(eventOf(status)).toBe("ended");
    }
    expect(eventOf("queued")).toBeNull();
  });
});

it("knows when there is a call", () => {
  expect(isActive("idle")).toBe(false);
  expect(isActive("ended")).toBe(false);
  expect(isActive("connecting")).toBe(true);
});
