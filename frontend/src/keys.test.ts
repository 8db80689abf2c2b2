import { beforeAll, beforeEach, expect, test } from "vitest";
import { startKeys } from "./keys";

const press = (key: string, target: Element = document.body): void =>
  void target.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
const current = (): string | undefined => document.querySelector<HTMLElement>(".is-current")?.id;

beforeAll(() => startKeys());
beforeEach(() => {
  document.body.innerHTML = `<input data-search><table data-list><tr data-row id="a"></tr><tr data-row id="b"></tr></table>`;
  for (const row of document.querySelectorAll<HTMLElement>("[data-row]")) row.scrollIntoView = (): void => {};
});

test("j and k walk the rows and stop at the ends", () => {
  press("j");
  expect(current()).toBe("a");
  press("j");
  press("j");
  expect(current()).toBe("b");
  press("k");
  expect(current()).toBe("a");
});

test("a slash goes to the search, and what is typed there moves nothing", () => {
  press("/");
  const search = document.querySelector("[data-search]")!;
  expect(document.activeElement).toBe(search);
  press("j", search);
  expect(current()).toBeUndefined();
});
