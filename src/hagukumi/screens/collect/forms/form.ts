// A public form: posts to the collector by fetch; where that cannot be reached, the browser posts to the page itself.
// Usage: <form data-island="form" data-post-to="https://…/f/slug">; errors go to [data-error="<field key>"].
// data-work="15": the page works for its answer while it is filled in (see work.ts).
import { work } from "./work";

type Reply = { ok: boolean; errors?: Record<string, string>; redirect?: string };

const SETTLE_MS = 1100; // kit.answers asks for a second between handing out and sending

function show(form: HTMLFormElement, errors: Record<string, string>): void {
  for (const place of form.querySelectorAll<HTMLElement>("[data-error]")) {
    const text = errors[place.dataset.error ?? ""] ?? "";
    place.textContent = text;
    if (place.dataset.error === "") place.classList.toggle("d-none", !text);
  }
  for (const field of form.querySelectorAll<HTMLElement>("[name]")) {
    field.classList.toggle("is-invalid", Boolean(errors[field.getAttribute("name") ?? ""]));
  }
  form.querySelector<HTMLElement>(".is-invalid")?.focus();
}

function visitor(): string {
  return /(?:^|; )hgk=([\w-]{8,40})/.exec(document.cookie)?.[1] ?? "";
}

export default function start(element: HTMLElement): void {
  const form = element as HTMLFormElement;
  const opened = performance.now();
  const button = form.querySelector("button");
  const known = form.querySelector<HTMLInputElement>("[name=_visitor]");
  const bits = Number(form.dataset.work ?? 0);
  const page = form.querySelector<HTMLInputElement>("[name=_started]")?.value ?? "";
  const worked = bits ? work(page, bits) : null;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (known && !known.value) known.value = visitor();
    if (button) button.disabled = true;
    void (async () => {
      const wait = SETTLE_MS - (performance.now() - opened);
      if (wait > 0) await new Promise((done) => window.setTimeout(done, wait));
      const done = form.querySelector<HTMLInputElement>("[name=_work]");
      if (worked && done) done.value = await worked;
      const body = new URLSearchParams(new FormData(form) as unknown as Record<string, string>);
      try {
        const answer = await fetch(form.dataset.postTo ?? "", { method: "POST", body });
        if (answer.status !== 200 && answer.status !== 422) throw new Error(String(answer.status));
        const reply = (await answer.json()) as Reply;
        if (reply.ok && reply.redirect) {
          const embed = new URLSearchParams(window.location.search).has("embed") && reply.redirect.includes("/thanks?");
          window.location.assign(reply.redirect + (embed ? "&embed=1" : ""));
          return;
        }
        show(form, reply.errors ?? {});
      } catch {
        form.submit();
        return;
      }
      if (button) button.disabled = false;
    })();
  });
}
