import { expect, it } from "vitest";

// The client is to become a package of its own: it imports nothing but itself.
it("keeps the client free of the page", () => {
  const sources = import.meta.glob<string>("./*.ts", { query: "?raw", import: "default", eager: true });
  const files = Object.entries(sources).filter(([name]) => !name.endsWith(".test.ts"));
  expect(files.length).toBeGreaterThan(5);
  for (const [name, source] of files) {
    const imports = [...source.matchAll(/from "([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(imports.filter((path) => !/^\.\/[a-z]+$/.test(path)), name).toEqual([]);
  }
});
