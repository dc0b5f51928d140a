import { describe, expect, it } from "vitest";
import {
  caretAfter,
  cleanNumber,
  formatAgo,
  formatDuration,
  formatNumber,
  formatTyped,
  meterShare,
  signalBars,
} from "./format";

describe("cleanNumber", () => {
  it.each([
    ["+44 7700 900123", "+447700900123"],
    ["07700 900 123", "07700900123"],
    ["tel:+44-7700-900123", "+447700900123"],
    ["tel:+447700900123;ext=5", "+447700900123"],
    ["+44 (0)7700 900123", "+447700900123"],
    ["0044 (0) 7700 900123", "00447700900123"],
    ["(07700) 900-123", "07700900123"],
    ["07700 900123 ext. 42", "07700900123"],
    ["call 07700 900123 now", "07700900123"],
    ["\u0660\u0667\u0667\u0660\u0660 \u0669\u0660\u0660\u0661\u0662\u0663", "07700900123"],
    ["\uff0b\uff14\uff14 7700 900123", "+447700900123"],
    ["+44+7700900123", "+447700900123"],
    ["*100#", "*100#"],
    ["", ""],
  ])("%j gives %j", (pasted, dialled) => {
    expect(cleanNumber(pasted)).toBe(dialled);
  });
});

describe("formatTyped", () => {
  it("groups national and international numbers as they grow", () => {
    expect(formatTyped("07700900123", "GB")).toBe("07700 900123");
    expect(formatTyped("+4477009", "GB")).toBe("+44 7700 9");
    expect(formatTyped("2125550123", "US")).toBe("(212) 555-0123");
  });

  it("never loses or adds a dialable character", () => {
    const number = "+447700900123";
    for (let length = 0; length <= number.length; length += 1) {
      const typed = number.slice(0, length);
      expect(cleanNumber(formatTyped(typed, "GB"))).toBe(typed);
    }
  });

  it("leaves service codes as they are", () => {
    expect(formatTyped("*100#", "GB")).toBe("*100#");
  });
});

describe("caretAfter", () => {
  it("stands behind the same digit when separators move", () => {
    expect(caretAfter("07700 900123", 5)).toBe(5);
    expect(caretAfter("07700 900123", 6)).toBe(7);
    expect(caretAfter("07700 900123", 0)).toBe(0);
    expect(caretAfter("077", 9)).toBe(3);
  });
});

describe("formatNumber", () => {
  it("shows numbers internationally and short codes as they are", () => {
    expect(formatNumber("+447700900123")).toBe("+44 7700 900123");
    expect(formatNumber("07700900123", "GB")).toBe("+44 7700 900123");
    expect(formatNumber("150", "GB")).toBe("150");
    expect(formatNumber("150")).toBe("150");
  });
});

describe("times and levels", () => {
  it("writes a running time", () => {
    expect([0, 7.9, 65, 3723].map(formatDuration)).toEqual(["0:00", "0:07", "1:05", "1:02:03"]);
    expect(formatDuration(-3)).toBe("0:00");
  });

  it("says how long ago", () => {
    const now = Date.parse("2026-11-22T15:00:00.000Z");
    const ago = (seconds: number): string => formatAgo(new Date(now - seconds * 1000).toISOString(), now);
    expect([5, 70, 3600 * 5, 86_400 * 3].map(ago)).toEqual(["now", "1 min", "5 h", "3 d"]);
    expect(formatAgo(null, now)).toBe("–");
  });

  it("turns levels into bars and meters that stay in range", () => {
    expect([null, -113, -100, -90, -80, -60].map(signalBars)).toEqual([0, 0, 1, 2, 3, 4]);
    expect(meterShare(-90)).toBe(0);
    expect(meterShare(0)).toBe(1);
    expect(meterShare(-20)).toBeGreaterThan(meterShare(-40));
  });
});
