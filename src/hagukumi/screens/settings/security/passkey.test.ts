import { beforeEach, expect, test, vi } from "vitest";
import passkey from "./passkey";

beforeEach(() => {
  document.body.innerHTML = `<script type="application/json" id="data">{"request_options":{"publicKey":{"challenge":"AA"}}}</script>
    <form data-act="get" data-options="data"><input name="credential"><p class="d-none" data-passkey-problem></p></form>`;
  passkey(document.querySelector("form")!);
});

async function send(): Promise<void> {
  document.querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
  await new Promise((done) => setTimeout(done, 10));
}

test("the browser's credential goes with the form", async () => {
  vi.stubGlobal("PublicKeyCredential", { parseRequestOptionsFromJSON: (wish: object) => wish });
  const get = vi.fn().mockResolvedValue({ toJSON: () => ({ id: "x" }) });
  vi.stubGlobal("navigator", { credentials: { get } });
  const posted = vi.spyOn(document.querySelector("form")!, "submit").mockImplementation(() => {});
  await send();
  expect(document.querySelector<HTMLInputElement>("[name=credential]")!.value).toBe('{"id":"x"}');
  expect(get.mock.calls[0]![0]).toEqual({ publicKey: { challenge: "AA" } });
  expect(posted).toHaveBeenCalledOnce();
});

test("where it fails the page says so and nothing is sent", async () => {
  vi.stubGlobal("PublicKeyCredential", undefined);
  const posted = vi.spyOn(document.querySelector("form")!, "submit").mockImplementation(() => {});
  await send();
  expect(document.querySelector("[data-passkey-problem]")!.classList.contains("d-none")).toBe(false);
  expect(posted).not.toHaveBeenCalled();
});
