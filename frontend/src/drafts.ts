// Nothing typed is lost by leaving: `<form data-draft="key" data-draft-found="…" data-draft-restore="…" data-draft-drop="…">`.
// What differs from the page as it was opened is kept in this browser; leaving asks first, and the next visit offers it.
// `data-draft-act`: the form's rows come and go, so the server lays the draft out (posted with `do` set to this word).
// A form is found again after htmx has swapped it. What was sent is forgotten once a page of the house has opened.
const PREFIX = "hagukumi-draft:";
const PAUSE_MS = 400;

type Draft = { text: string; sentFrom?: string };

const opened = new WeakMap<HTMLFormElement, string>();
let pause = 0;
let leaving = false;

/** The answers of a form as one text; files and the CSRF token are not part of it. */
export function answers(form: HTMLFormElement): string {
  const pairs = [...new FormData(form)].filter(([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken");
  return new URLSearchParams(pairs as [string, string][]).toString();
}

function read(key: string): Draft | null {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + key) ?? "null") as Draft | null;
  } catch {
    return null;
  }
}

function keep(key: string, draft: Draft | null): void {
  try {
    if (draft) localStorage.setItem(PREFIX + key, JSON.stringify(draft));
    else localStorage.removeItem(PREFIX + key);
  } catch {
    // a browser without room or permission: leaving still asks
  }
}

function forms(): HTMLFormElement[] {
  return [...document.querySelectorAll<HTMLFormElement>("form[data-draft]")];
}

function isChanged(form: HTMLFormElement): boolean {
  return opened.has(form) && opened.get(form) !== answers(form);
}

function note(form: HTMLFormElement): void {
  keep(form.dataset.draft ?? "", isChanged(form) ? { text: answers(form) } : null);
}

/** Puts the draft's answers into the fields that are there. */
export function fill(form: HTMLFormElement, text: string): void {
  const found = new URLSearchParams(text);
  for (const field of form.elements) {
    if (!("name" in field) || !(field as HTMLInputElement).name || field instanceof HTMLButtonElement) continue;
    const one = field as HTMLInputElement;
    if (one.type === "hidden" && one.name === "csrfmiddlewaretoken") continue;
    if (one.type === "checkbox" || one.type === "radio") one.checked = found.getAll(one.name).includes(one.value);
    else if (one.type !== "file" && found.has(one.name)) one.value = found.get(one.name) ?? "";
  }
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

async function layOut(form: HTMLFormElement, text: string, act: string): Promise<void> {
  const body = new URLSearchParams(text);
  body.set("do", act);
  body.set("csrfmiddlewaretoken", form.querySelector<HTMLInputElement>("[name=csrfmiddlewaretoken]")?.value ?? "");
  const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
  if (!answer.ok) return;
  const before = opened.get(form) ?? "";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector<HTMLFormElement>("form[data-draft]");
  if (!fresh) return;
  form.replaceWith(fresh);
  opened.set(fresh, before);
  document.dispatchEvent(new CustomEvent("draft:laid-out", { detail: fresh }));
}

function offer(form: HTMLFormElement, draft: Draft): void {
  const bar = document.createElement("div");
  bar.className = "alert alert-info d-flex flex-wrap gap-2 align-items-center";
  bar.setAttribute("role", "status");
  const said = document.createElement("span");
  said.className = "me-auto";
  said.textContent = form.dataset.draftFound ?? "";
  const button = (words: string | undefined, done: () => void, primary = false): HTMLButtonElement => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = primary ? "btn btn-sm btn-primary" : "btn btn-sm";
    made.textContent = words ?? "";
    made.addEventListener("click", () => {
      bar.remove();
      done();
    });
    return made;
  };
  const act = form.dataset.draftAct;
  bar.append(
    said,
    button(form.dataset.draftRestore, () => (act ? void layOut(form, draft.text, act) : fill(form, draft.text)), true),
    button(form.dataset.draftDrop, () => keep(form.dataset.draft ?? "", null)),
  );
  form.before(bar);
}

function open(form: HTMLFormElement): void {
  if (opened.has(form)) return;
  // what the server has refused was typed, too: such a page differs from what is stored
  const refused = form.querySelector(".is-invalid, .alert-danger:not(.d-none)") !== null;
  opened.set(form, refused ? "" : answers(form));
  const key = form.dataset.draft ?? "";
  const draft = read(key);
  if (refused || draft?.text === answers(form)) keep(key, null);
  else if (draft) offer(form, draft);
}

function forgetSent(): void {
  // on the sign-in page, or come to by another way, what was sent may not have arrived
  if (!document.querySelector(".house") || !document.referrer) return;
  const from = new URL(document.referrer).pathname;
  for (const name of Object.keys(localStorage)) {
    if (!name.startsWith(PREFIX)) continue;
    const key = name.slice(PREFIX.length);
    if (read(key)?.sentFrom === from) keep(key, null);
  }
}

/** A swapped form is the same work: it is measured against what the page was opened with. */
function follow(event: Event): void {
  const form = (event.target as HTMLElement).closest?.<HTMLFormElement>("form[data-draft]");
  if (!form || opened.has(form)) return;
  opened.set(form, "");
  note(form);
}

export function startDrafts(): void {
  leaving = false;
  forgetSent();
  for (const form of forms()) open(form);
  document.addEventListener("htmx:load", follow);
  document.addEventListener("input", (event) => {
    const form = (event.target as HTMLElement).closest<HTMLFormElement>("form[data-draft]");
    if (!form) return;
    window.clearTimeout(pause);
    pause = window.setTimeout(() => note(form), PAUSE_MS);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.matches("form[data-draft]") || event.defaultPrevented) return;
    if (event.submitter?.hasAttribute("formtarget")) return; // a preview goes into a frame: nobody leaves
    keep(form.dataset.draft ?? "", { text: answers(form), sentFrom: location.pathname });
    leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    const changed = leaving ? [] : forms().filter(isChanged);
    if (!changed.length) return;
    for (const form of changed) note(form);
    event.preventDefault();
  });
}
