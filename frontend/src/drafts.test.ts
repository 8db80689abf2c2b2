import { beforeEach, expect, test, vi } from "vitest";
import { startDrafts } from "./drafts";

const page = (subject: string): void => {
  document.body.innerHTML = `<main class="house"><form data-draft="mail-1" data-draft-found="残っています" data-draft-restore="続き"
    data-draft-drop="捨てる"><input name="subject" value="${subject}"><textarea name="body"></textarea></form></main>`;
};
const field = (): HTMLInputElement => document.querySelector("input")!;
const type = (text: string): void => {
  field().value = text;
  field().dispatchEvent(new Event("input", { bubbles: true }));
  vi.advanceTimersByTime(400);
};
const leaves = (): boolean => {
  const event = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(event);
  return !event.defaultPrevented;
};

beforeEach(() => {
  vi.useFakeTimers();
  localStorage.clear();
  page("お知らせ");
  startDrafts();
});

test("leaving asks only where something was typed", () => {
  expect(leaves()).toBe(true);
  type("お知らせ 2");
  expect(leaves()).toBe(false);
  type("お知らせ");
  expect(leaves()).toBe(true);
});

test("what was typed is offered at the next visit, and put back", () => {
  type("書きかけ");
  page("お知らせ");
  startDrafts();
  const [restore] = document.querySelectorAll<HTMLButtonElement>("[role=status] button");
  expect(document.querySelector("[role=status] span")!.textContent).toBe("残っています");
  restore!.click();
  expect(field().value).toBe("書きかけ");
  expect(document.querySelector("[role=status]")).toBeNull();
});

test("a draft that is thrown away does not come back", () => {
  type("書きかけ");
  page("お知らせ");
  startDrafts();
  document.querySelectorAll<HTMLButtonElement>("[role=status] button")[1]!.click();
  page("お知らせ");
  startDrafts();
  expect(document.querySelector("[role=status]")).toBeNull();
});

test("what was saved leaves nothing behind", () => {
  type("書きかけ");
  page("書きかけ");
  startDrafts();
  expect(document.querySelector("[role=status]")).toBeNull();
  expect(localStorage).toHaveLength(0);
});
