import { expect, test } from "vitest";
import { arrows, cards } from "./scenario";

const step = (id: string, column: number, row: number) => ({ id, look: "step" as const, title: id, kind: "メール", stands: true, column, row });
const drawing = {
  nodes: [step("a", 0, 0), step("b", 0, 1), step("c", 1, 2)],
  edges: [
    { id: "ab", source: "a", target: "b", label: "", exit: "next" },
    { id: "bc", source: "b", target: "c", label: "いいえ", exit: "no" },
  ],
  counts: null,
  words: { people: "名", done: "名が完了", zoomIn: "", zoomOut: "", fit: "", controls: "" },
};
const counts = { nodes: { a: 3 }, edges: { bc: 1200 } };

test("every step stands in its column and row, with the people who are there", () => {
  expect(cards(drawing, counts).map((card) => [card.position.x, card.position.y, card.data.here])).toEqual([
    [0, 0, 3],
    [0, 112, 0],
    [300, 224, 0],
  ]);
  expect(cards(drawing, null)[0]!.data.here).toBeNull();
});

test("a way says where it leads and how many went; no leaves by the side", () => {
  expect(arrows(drawing, counts).map((way) => [way.sourceHandle, way.label])).toEqual([
    ["down", undefined],
    ["side", "いいえ · 1,200"],
  ]);
});
