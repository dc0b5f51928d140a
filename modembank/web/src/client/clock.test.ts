import { expect, it } from "vitest";
import { ServerClock } from "./clock";

const at = (ms: number): string => new Date(ms).toISOString();

it("measures a running time by the server's clock, whatever ours says", () => {
  const clock = new ServerClock();
  const oursAhead = 3_600_000; // one hour
  clock.observe(at(1_000_000), 1_000_000 + oursAhead + 80);
  clock.observe(at(1_002_000), 1_002_000 + oursAhead + 20); // this one travelled faster
  expect(clock.secondsSince(at(1_000_000), 1_010_020 + oursAhead)).toBe(10);
});

it("is not led astray by old events of a resumed stream", () => {
  const clock = new ServerClock();
  clock.observe(at(5_000), 65_000);
  clock.observe(at(65_010), 65_020);
  expect(clock.now(70_000)).toBe(69_990);
});

it("never runs negative and ignores what is no time", () => {
  const clock = new ServerClock();
  clock.observe("soon", 5);
  expect(clock.secondsSince(at(10_000), 9_000)).toBe(0);
});
