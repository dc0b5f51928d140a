import { describe, expect, it } from "vitest";
import { segments } from "./segments";

describe("how many SMS a text takes", () => {
  it.each([
    ["", "GSM-7", 0, 0],
    ["a".repeat(160), "GSM-7", 160, 1],
    ["a".repeat(161), "GSM-7", 161, 2],
    ["a".repeat(306), "GSM-7", 306, 2],
    ["a".repeat(307), "GSM-7", 307, 3],
    ["€".repeat(80), "GSM-7", 160, 1],
    ["ж".repeat(70), "UCS-2", 70, 1],
    ["ж".repeat(71), "UCS-2", 71, 2],
    ["😀".repeat(35), "UCS-2", 70, 1],
  ] as const)("%#", (text, encoding, units, parts) => {
    expect(segments(text)).toMatchObject({ encoding, units, parts });
  });

  it("splits no escape pair and no surrogate pair", () => {
    expect(segments("€".repeat(152)).parts).toBe(2); // 76 to a part, and one septet stays free
    expect(segments("€".repeat(153)).parts).toBe(3);
    expect(segments("😀".repeat(66)).parts).toBe(2); // 33 to a part
    expect(segments("😀".repeat(67))).toMatchObject({ parts: 3, left: 65 });
  });

  it("names the character that needs UCS-2", () => {
    expect(segments("Grüße, ça va?").culprit).toBe("ç");
    expect(segments("[Größe] {a|b} ~1 €").culprit).toBeNull();
    expect(segments("Fine 👍🏽").culprit).toBe("👍");
  });
});
