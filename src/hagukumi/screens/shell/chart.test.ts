import { expect, test } from "vitest";
import { coloured } from "./chart";

test("the skin's names become the skin's colours, at every depth; other texts stay", () => {
  const shades: Record<string, string> = { "--chart-1": "#2f9e5b" };
  const given = { series: [{ color: "--chart-1", data: [{ value: 3, itemStyle: { color: "--chart-1" } }] }], name: "--" };
  expect(coloured(given, (name) => shades[name]!)).toEqual({
    series: [{ color: "#2f9e5b", data: [{ value: 3, itemStyle: { color: "#2f9e5b" } }] }],
    name: "--",
  });
});
