import { beforeEach, expect, test, vi } from "vitest";
import conditions from "./conditions";

const catalog = {
  columns: [], operators: {}, operator_words: {}, words: {},
  leaves: [
    { type: "score", label: "スコア", fresh: { type: "score", op: ">=", value: 10 }, controls: [{ name: "value", control: "number", label: "点", number: true }] },
  ],
};
const tree = { schema: 1, type: "score", op: ">=", value: 10 };
const kept = (): Record<string, unknown> => JSON.parse(document.querySelector<HTMLInputElement>("[name=tree]")!.value) as never;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Option", function option(text: string, value: string) {
    const made = document.createElement("option"); // the DOM of the tests has no such constructor
    made.textContent = text;
    made.value = value;
    return made;
  });
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response("<p>12 人</p>")));
  document.body.innerHTML = `<div id="it" data-preview="/conditions/preview/"><script type="application/json"></script>
    <input type="hidden" name="tree"><div data-builder></div><div data-answer></div></div>`;
  document.querySelector("script")!.textContent = JSON.stringify(catalog);
  document.querySelector<HTMLInputElement>("[name=tree]")!.value = JSON.stringify(tree);
  conditions(document.getElementById("it")!);
});

test("a changed value is in the document at once and the server is asked after a pause", async () => {
  const field = document.querySelector<HTMLInputElement>("[data-builder] input[type=number]")!;
  field.value = "25";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.dispatchEvent(new Event("change", { bubbles: true }));
  expect(kept()).toMatchObject({ schema: 1, type: "all", items: [{ type: "score", op: ">=", value: 25 }] });
  await vi.advanceTimersByTimeAsync(400);
  expect(document.querySelector("[data-answer]")!.textContent).toBe("12 人");
});
