import { describe, expect, it } from "vitest";
import type { Modem, RadioMoment, Sim } from "../client/types";
import { forwardingWords, noteOf } from "./notes";
import { sparkPath, spread } from "./sparkpath";

const modem = (changes: Partial<Modem>): Modem =>
  ({ state: "ready", state_detail: "", registration: "home", healing: null, ...changes }) as Modem;
const sim = (changes: Partial<Sim>): Sim =>
  ({ state: "ready", state_detail: "", lock: null, forwarding: [], balance: null, ...changes }) as Sim;

describe("what to know of a row beside its state", () => {
  it("is nothing when all is well, and nothing is known to be wrong of a SIM that was never asked", () => {
    expect(noteOf(modem({}), sim({}))).toBeNull();
    expect(noteOf(modem({}), sim({ forwarding: null }))).toBeNull();
    expect(noteOf(null, sim({}))).toBeNull();
  });

  it("is the tries left of a locked card", () => {
    const locked = (kind: string, left: number | null) =>
      noteOf(modem({ state: "sim_locked" }), sim({ lock: { kind, pin_left: left, puk_left: left } }))?.text;
    expect(locked("pin", 3)).toBe("3 tries left");
    expect(locked("puk", 1)).toBe("1 try left");
    expect(locked("pin", null)).toBe("Tries left are not told");
  });

  it("puts a forwarding first, then healing, then roaming, then the state's own sentence", () => {
    const forwarding = [{ reason: "no_reply", number: null }];
    const healing = { phase: "quarantined", detail: "left alone until 12:00" };
    const ill = modem({ healing, registration: "roaming", state: "failed", state_detail: "port is gone" });
    expect(noteOf(ill, sim({ forwarding }))).toEqual({ text: "Calls are forwarded", urgent: true });
    expect(noteOf(ill, sim({}))).toEqual({ text: "Left alone until 12:00", urgent: true });
    expect(noteOf(modem({ registration: "roaming" }), sim({}))).toEqual({ text: "Roaming", urgent: false });
    const denied = modem({ state: "denied", state_detail: "the network refuses this SIM: not allowed (cause 11)" });
    expect(noteOf(denied, null)).toEqual({ text: "Not allowed (cause 11)", urgent: true });
    expect(noteOf(modem({ state: "searching", state_detail: "searching" }), null)?.urgent).toBe(false);
    expect(forwardingWords(sim({ forwarding }))).toBe("no reply: number not told");
    expect(forwardingWords(sim({ forwarding: null }))).toBe("");
  });
});

describe("the line of the signal", () => {
  const at = (second: number, rssi_dbm: number | null): RadioMoment => ({
    at: new Date(second * 1000).toISOString(),
    kind: "signal",
    rssi_dbm,
  });

  it("goes from left to right, better is higher, and stays in its box", () => {
    expect(sparkPath([at(0, -113), at(100, -51)], 0, 100_000, 56, 16)).toBe("M1.0 15.0L55.0 1.0");
    expect(sparkPath([at(-50, -130), at(200, 0)], 0, 100_000, 56, 16)).toBe("M1.0 15.0L55.0 1.0");
  });

  it("has a gap where there was no signal, and is nothing with fewer than two samples", () => {
    expect(sparkPath([at(0, -51), at(50, null), at(100, -51)], 0, 100_000, 56, 16)).toBe("M1.0 1.0M55.0 1.0");
    expect(sparkPath([at(0, -51), at(50, null)], 0, 100_000, 56, 16)).toBe("");
    expect(sparkPath([{ ...at(0, -60), kind: "registration" }, at(1, -60)], 0, 100_000, 56, 16)).toBe("");
    expect(spread([at(0, -71.4), at(1, -63), at(2, null)])).toBe("-71 to -63 dBm");
  });
});
