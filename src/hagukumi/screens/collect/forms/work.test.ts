import { expect, test } from "vitest";
import { firstBits, work } from "./work";

test("the first bits are those of SHA-256", () => {
  expect(firstBits("") >>> 0).toBe(0xe3b0c442);
  expect(firstBits("abc") >>> 0).toBe(0xba7816bf);
  expect(firstBits("a".repeat(119)) >>> 0).toBe(0x31eba51c);
});

test("the work is a counter whose sum begins with zero bits", async () => {
  const counter = await work("token", 8);
  expect(firstBits(`token:${counter}`) >>> 24).toBe(0);
  expect(Number(counter)).toBeGreaterThanOrEqual(0);
});
