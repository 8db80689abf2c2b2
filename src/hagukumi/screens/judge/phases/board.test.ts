import { beforeEach, expect, test } from "vitest";
import board from "./board";

beforeEach(() => {
  document.body.innerHTML = `<div id="board"><div data-columns>
    <section data-phase="1"><article data-lead="7" data-name="青葉 花子"><a data-open href="/phases/x/7/">移す</a></article></section>
    <section data-phase="2"></section></div>
    <dialog><form data-move><b data-name></b><input name="lead_id"><select name="phase"><option>1</option><option>2</option>
    </select><input name="reason"></form><button data-close></button></dialog></div>`;
  board(document.getElementById("board")!);
});

test("the button asks for the reason of a move to the next column", () => {
  document.querySelector<HTMLElement>("[data-open]")!.click();
  expect(document.querySelector("dialog")!.open).toBe(true);
  expect(document.querySelector<HTMLInputElement>("[name=lead_id]")!.value).toBe("7");
  expect(document.querySelector<HTMLSelectElement>("[name=phase]")!.value).toBe("2");
  expect(document.querySelector("form [data-name]")!.textContent).toBe("青葉 花子");
});

test("a card dropped where it stood moves nothing, in another column it asks", () => {
  const card = document.querySelector("[data-lead]")!;
  const say = (on: Element, name: string): void => void on.dispatchEvent(new Event(name, { bubbles: true, cancelable: true }));
  say(card, "dragstart");
  say(document.querySelector("[data-phase='1']")!, "drop");
  expect(document.querySelector("dialog")!.open).toBe(false);
  say(card, "dragstart");
  say(document.querySelector("[data-phase='2']")!, "drop");
  expect(document.querySelector("dialog")!.open).toBe(true);
});
