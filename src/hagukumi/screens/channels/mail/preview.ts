// Live preview of a mail: `<form data-island="preview">` with a button `[data-preview]` that posts into a named iframe.
// A pause in typing presses that button and tells htmx parts that listen for `preview`.
const PAUSE_MS = 500;

export default function preview(form: HTMLElement): void {
  if (!(form instanceof HTMLFormElement)) return;
  const button = form.querySelector<HTMLButtonElement>("[data-preview]");
  if (!button) return;
  let timer = 0;
  const show = (): void => {
    form.requestSubmit(button);
  };
  form.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => {
      show();
      document.body.dispatchEvent(new CustomEvent("preview"));
    }, PAUSE_MS);
  });
  show();
}
