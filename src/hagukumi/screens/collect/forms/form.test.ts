import { beforeEach, expect, test, vi } from "vitest";
import form from "./form";

const reply = (status: number, body: object): Response => new Response(JSON.stringify(body), { status });

beforeEach(() => {
  vi.useFakeTimers();
  document.cookie = "hgk=visitor-0001";
  document.body.innerHTML = `<form data-post-to="https://collect.example/f/a"><input name="email"><input name="_visitor">
    <div data-error="email"></div><div data-error="" class="d-none"></div><button>送信</button></form>`;
  form(document.querySelector("form")!);
});

async function send(): Promise<void> {
  document.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
  await vi.advanceTimersByTimeAsync(2000);
}

test("an error stands beside its field and the button works again", async () => {
  const asked = vi.spyOn(globalThis, "fetch").mockResolvedValue(reply(422, { ok: false, errors: { email: "メールの形ではありません" } }));
  await send();
  expect(document.querySelector("[data-error=email]")!.textContent).toBe("メールの形ではありません");
  expect(document.querySelector("[name=email]")!.classList.contains("is-invalid")).toBe(true);
  expect(document.querySelector("button")!.disabled).toBe(false);
  expect((asked.mock.calls[0]![1]!.body as URLSearchParams).get("_visitor")).toBe("visitor-0001");
});

test("where the collector cannot be reached the browser posts the page itself", async () => {
  vi.spyOn(globalThis, "fetch").mockRejectedValue(new TypeError("offline"));
  const posted = vi.spyOn(document.querySelector("form")!, "submit").mockImplementation(() => {});
  await send();
  expect(posted).toHaveBeenCalledOnce();
});
