// htmx with the CSRF token on every writing request, no eval and no injected styles (the content policy forbids both).
import htmx from "htmx.org";

function token(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
}

export function startHtmx(land: (root: ParentNode) => Promise<void>): void {
  htmx.config.allowEval = false;
  htmx.config.includeIndicatorStyles = false;
  htmx.config.historyCacheSize = 0;
  // an answer of 422 carries the form again with its errors
  htmx.config.responseHandling = [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ];
  document.addEventListener("htmx:configRequest", (event) => {
    (event as CustomEvent<{ headers: Record<string, string> }>).detail.headers["X-CSRFToken"] = token();
  });
  document.addEventListener("htmx:load", (event) => void land((event.target as HTMLElement).parentElement ?? document));
  document.addEventListener("draft:laid-out", (event) => htmx.process((event as CustomEvent<HTMLElement>).detail));
  document.addEventListener("htmx:responseError", () => say("failed"));
  document.addEventListener("htmx:sendError", () => say("offline"));
}

// The words are on <body> in the user's language: data-say-failed, data-say-offline.
function say(what: "failed" | "offline"): void {
  const words = what === "failed" ? document.body.dataset.sayFailed : document.body.dataset.sayOffline;
  const place = document.getElementById("notices");
  if (!place || !words) return;
  const notice = document.createElement("div");
  notice.className = "alert alert-danger";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  place.replaceChildren(notice);
}
