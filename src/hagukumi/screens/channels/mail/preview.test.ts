import { beforeEach, expect, test, vi } from "vitest";
import preview from "./preview";

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = `<form><input name="subject"><button data-preview></button><button name="save"></button></form>`;
});

test("the preview is asked for at once, and again after a pause in typing, by its own button", () => {
  const form = document.querySelector("form")!;
  const asked: unknown[] = [];
  form.requestSubmit = (button) => void asked.push(button);
  preview(form);
  expect(asked).toHaveLength(1);
  const field = form.querySelector("input")!;
  for (let letters = 0; letters < 5; letters++) field.dispatchEvent(new Event("input", { bubbles: true }));
  expect(asked).toHaveLength(1);
  vi.advanceTimersByTime(500);
  expect(asked).toEqual(Array(2).fill(form.querySelector("[data-preview]")));
});
