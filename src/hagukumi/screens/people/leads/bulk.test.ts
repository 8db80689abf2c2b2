import { beforeEach, expect, test } from "vitest";
import bulk from "./bulk";

const box = (name: string): HTMLInputElement => document.querySelector<HTMLInputElement>(name)!;

beforeEach(() => {
  document.body.innerHTML = `<form><input type="checkbox" data-check-all>
    <input type="checkbox" name="ids" value="1"><input type="checkbox" name="ids" value="2"></form>`;
  bulk(document.querySelector("form")!);
});

test("one box chooses the whole page, and takes it back", () => {
  box("[data-check-all]").click();
  expect([...document.querySelectorAll<HTMLInputElement>("[name=ids]")].map((one) => one.checked)).toEqual([true, true]);
  box("[data-check-all]").click();
  expect(box("[value='1']").checked).toBe(false);
});

test("a part of the page shows as a part", () => {
  box("[value='1']").click();
  expect(box("[data-check-all]").indeterminate).toBe(true);
  box("[value='2']").click();
  expect([box("[data-check-all]").checked, box("[data-check-all]").indeterminate]).toEqual([true, false]);
});
