// The tracking tag, as it stands on customers' sites: views, dwell, scroll, downloads, own events; embedded forms.
// <script async src="https://…/tag.js" data-consent="required" data-domain="example.co.jp"></script>
// window.hagukumi("event", name, details) and hagukumi("consent", true | false) are its whole interface.
// It must stay under 3 kB: the build writes collector/tag.js. What of an address is kept, `collector/page_url.py` decides.

type Timer = ReturnType<typeof setTimeout> | undefined;
type Sent = { id?: string; k?: string; t?: number; u?: string; ti?: string; r?: string; n?: number; d?: object };

const FLUSH_MS = 250;
const TITLE_MS = 1000; // so long a page may take to give itself a title
const BATCH = 20;
const YEAR_SECONDS = 34_560_000;
const FILES = /\.(pdf|zip|xlsx?|docx?|pptx?|csv|mp4|dwg|dxf|step?)([?#]|$)/i;

const doc = document;
const place = location;
const script = (doc.currentScript ?? doc.querySelector('script[src*="/tag.js"]')) as HTMLScriptElement;
const options = script.dataset;
const collector = new URL(script.src).origin + "/e";
const now = Date.now;

let active = false;
let visitor: string | undefined;
let arrival = "";
let queue: Sent[] = [];
let flushTimer: Timer;
// the page that is looked at: its address, the title that was told of it, and the view that still waits for a title
let url = "";
let title = "";
let view: Sent | undefined;
let viewTimer: Timer;
let shownAt = 0;
let shownMs = 0;
let sentSeconds = 0;
let depth = 0;
let sentDepth = 0;

function listen(target: EventTarget, name: string, heard: (event: any) => void, how?: AddEventListenerOptions | boolean): void {
  target.addEventListener(name, heard, how);
}

function id(): string {
  return "10000000-1000-4000-8000-100000000000".replace(/[018]/g, (digit) =>
    (+digit ^ (crypto.getRandomValues(new Uint8Array(1))[0]! & (15 >> (+digit / 4)))).toString(16),
  );
}

function cookie(): string | undefined {
  return doc.cookie.match(/(?:^|; )hgk=([\w-]{8,40})/)?.[1];
}

function keep(value: string, age: number): void {
  doc.cookie =
    `hgk=${value};path=/;max-age=${age};samesite=lax` +
    (options.domain ? ";domain=" + options.domain : "") +
    (place.protocol == "https:" ? ";secure" : "");
}

function put(kind: string, event: Sent): void {
  if (!active) return;
  queue.push({ id: id(), k: kind, t: now(), u: url, ...event });
  clearTimeout(flushTimer);
  flushTimer = setTimeout(flush, FLUSH_MS);
}

function flush(): void {
  clearTimeout(flushTimer);
  while (queue[0]) {
    const body = JSON.stringify({ v: visitor, s: now(), a: arrival, e: queue.splice(0, BATCH) });
    arrival = "";
    if (!navigator.sendBeacon(collector, body))
      fetch(collector, { method: "POST", body, keepalive: true }).catch(() => {});
  }
}

function count(): void {
  if (shownAt) shownMs += now() - shownAt;
  shownAt = doc.hidden ? 0 : now();
}

/** The waiting view goes out, with the address and the title that the page has by now. */
function tell(): void {
  clearTimeout(viewTimer);
  if (view) put("view", { ...view, u: url, ti: (title = doc.title).slice(0, 300) });
  view = undefined;
}

/** What is to be said of this page when it is left or hidden; a title that came late goes with it. */
function leave(): void {
  tell();
  count();
  const seconds = Math.round(shownMs / 1000);
  if (seconds > sentSeconds) {
    put("dwell", { n: seconds - sentSeconds, ti: doc.title == title ? "" : doc.title.slice(0, 300) });
    title = doc.title;
  }
  sentSeconds = seconds;
  if (depth > sentDepth) put("scroll", { n: depth });
  sentDepth = depth;
  flush();
}

/** Where we are. Of the fragment only the route of a single-page site belongs to it (`#/…`, `#!…`). */
function here(): string {
  return place.href.replace(/#(?![/!]).*/, "");
}

/** An address without its queries: two of them differ only where another page is shown. */
function page(address: string): string {
  return address.replace(/\?[^#]*/g, "");
}

/** Another page is looked at. Its view waits until the page has set its title, at most TITLE_MS. */
function arrive(): void {
  const next = here();
  if (!active || url == next) return;
  const from = url;
  if (from) leave();
  url = next;
  title = doc.title;
  shownMs = sentSeconds = depth = sentDepth = shownAt = 0;
  count();
  view = { t: now(), r: from || doc.referrer };
  viewTimer = setTimeout(tell, TITLE_MS);
}

/** A replaced address is no page of its own unless the page also calls itself something else. */
function replaced(): void {
  if (view) url = here();
  else if (url && doc.title != title && page(here()) != page(url)) arrive();
}

function titled(): void {
  if (view && doc.title != title) {
    clearTimeout(viewTimer);
    viewTimer = setTimeout(tell, 50);
  } else replaced();
}

function start(): void {
  if (active) return;
  active = true;
  visitor = cookie() ?? id().replace(/-/g, "");
  keep(visitor, YEAR_SECONDS);
  arrival = place.search.match(/[?&]hgk=([\w-]+)/)?.[1] ?? "";
  url = "";
  if (arrival)
    history.replaceState(
      history.state, "", place.href.replace(/([?&])hgk=[\w-]+(&|(?=#)|$)/, (_all, before, after) => (after ? before : "")),
    );
  arrive();
  frames();
}

function frames(): void {
  doc.querySelectorAll<HTMLElement>("[data-hagukumi-form]").forEach((spot) => {
    if (spot.firstChild) return;
    const { hagukumiForm, height, title: name } = spot.dataset;
    const frame = doc.createElement("iframe");
    frame.src = `${hagukumiForm}?embed=1&v=${visitor ?? ""}`;
    frame.style.cssText = `border:0;width:100%;height:${height ?? 640}px`;
    frame.title = name ?? "Form";
    spot.append(frame);
  });
}

(window as any).hagukumi = (command: string, value: unknown, details?: object): void => {
  if (command == "event") put("custom", { d: { name: `${value as string}`, ...details } });
  else if (value) start();
  else {
    active = false;
    queue = [];
    keep("", 0);
  }
};

for (const [name, then] of [["pushState", arrive], ["replaceState", replaced]] as const) {
  const original = history[name];
  history[name] = function (...given): void {
    original.apply(this, given);
    then();
  };
}
listen(window, "popstate", arrive);
new MutationObserver(titled).observe(doc.head, { childList: true, subtree: true, characterData: true });
listen(
  window,
  "scroll",
  () => {
    const seen = ((window.scrollY + window.innerHeight) / doc.documentElement.scrollHeight) * 100;
    depth = Math.max(depth, Math.min(100, Math.round(seen)));
  },
  { passive: true },
);
listen(doc, "visibilitychange", () => (doc.hidden ? leave() : count()));
listen(window, "pagehide", leave);
listen(
  doc,
  "click",
  (event) => {
    const link = event.target.closest("a[href]");
    if (link && link.href.startsWith("http") && FILES.test(link.href)) {
      put("download", { u: link.href, ti: link.textContent.trim().slice(0, 200) });
      flush();
    }
  },
  true,
);

function begin(): void {
  if (options.consent != "required" || cookie()) start();
  else frames();
}
if ((doc as any).prerendering) listen(doc, "prerenderingchange", begin);
else begin();

export {};
