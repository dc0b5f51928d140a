import { describe, expect, it } from "vitest";
import type { Hangup } from "./client/types";
import { causeWords, endWords, ender, stateWords, statusWords, troubleWords, whyWords } from "./words";

const hangup = (source: Hangup["source"], cause: string): Hangup => ({ source, cause, q850: null, detail: "" });

describe("why a call ended", () => {
  it("says who hung up, from both directions", () => {
    const byCaller = hangup("caller", "normal_clearing");
    const outbound = { status: "completed", direction: "outbound", hangup: byCaller } as const;
    const inbound = { status: "completed", direction: "inbound", hangup: byCaller } as const;
    expect(endWords(outbound, true)).toBe("You hung up");
    expect(endWords(outbound)).toBe("Hung up here");
    expect(endWords(inbound, true)).toBe("They hung up");
    expect(ender({ direction: "inbound", hangup: hangup("callee", "normal_clearing") })).toBe("us");
    expect(ender({ direction: "inbound", hangup: hangup("system", "normal_clearing") })).toBe("");
  });

  it("has words for every cause of the bank, and shows a new one readably", () => {
    const causes = [
      ..."normal_clearing user_busy no_answer call_rejected unassigned_number invalid_number".split(" "),
      ..."congestion network_failure call_barred originator_cancel time_limit modem_lost".split(" "),
      ..."modem_failed sim_not_ready not_registered media_lost media_failed server_restart".split(" "),
      ..."host_unreachable number_blacklisted unspecified".split(" "),
    ];
    for (const cause of causes) expect(causeWords(cause)).toMatch(/^[A-Z][a-z]+ .+[a-z]$/);
    expect(new Set(causes.map(causeWords)).size).toBe(causes.length);
    expect(causeWords("some_new_cause")).toBe("Some new cause");
  });

  it("calls an unanswered incoming call missed", () => {
    const call = { status: "no_answer", direction: "inbound", hangup: hangup("caller", "originator_cancel") } as const;
    expect(endWords(call)).toBe("Missed call");
    expect(statusWords({ ...call, held: false })).toBe("Missed");
  });
});

describe("states", () => {
  it("never merges ringing and answered", () => {
    const say = (status: "ringing" | "in_progress"): string =>
      statusWords({ status, direction: "outbound", held: false });
    expect(say("ringing")).toBe("Ringing");
    expect(say("in_progress")).toBe("Connected");
  });

  it("shows a switched-off line as off, but a call on it as a call", () => {
    expect(stateWords("ready", false)).toEqual({ word: "Switched off", tone: "off" });
    expect(stateWords("in_call", false).tone).toBe("busy");
    expect(stateWords("sim_locked", true).tone).toBe("bad");
  });
});

describe("reasons", () => {
  it("explains the choice of the SIM", () => {
    const filters = [
      { name: "ready", removed: 2 },
      { name: "enabled", removed: 1 },
      { name: "registered", removed: 0 },
    ];
    const why = { winner: "sim_1", filters, ranking: "least_recently_used", considered: 16 };
    expect(whyWords({ why })).toBe(
      "13 of 16 SIMs could take it (2 not ready, 1 switched off); chosen: the one that rested longest.",
    );
    expect(whyWords({ why: null })).toBe("");
    const named = { ...why, filters: [{ name: "named", removed: 15 }, ...filters] };
    expect(whyWords({ why: named })).toBe("It was asked for by name.");
  });

  it("keeps the server's detail beside the plain words", () => {
    const trouble = { kind: "api", code: "no_sim_available", detail: "16 in a call" } as const;
    expect(troubleWords(trouble)).toEqual({ title: "No SIM is free for this call", help: "16 in a call" });
    expect(troubleWords({ kind: "api", code: "new_code", detail: "Because." }).help).toBe("Because.");
  });
});
