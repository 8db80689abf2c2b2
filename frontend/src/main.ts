// The one entry: the skin, Bootstrap's parts, htmx, and islands that are fetched when a page holds them.
import "./skin.css";
import "./qualify.css";
import "./leads.css";
import "@tabler/core/dist/js/tabler.esm.min.js";
import { startHtmx } from "./requests";
import { startKeys } from "./keys";
import { startDrafts } from "./drafts";
import { startTheme } from "./theme";

type Island = { default: (element: HTMLElement) => void };

// An island is one file with a default export, beside the templates of its noun; `data-island="name"` asks for `name.ts`
// or `name.tsx`.
const found = import.meta.glob<Island>([
  "../../src/hagukumi/screens/**/*.{ts,tsx}",
  "!../../src/hagukumi/screens/**/*.test.ts",
]);
const islands = new Map(Object.entries(found).map(([path, load]) => [/([\w-]+)\.tsx?$/.exec(path)?.[1] ?? "", load]));

async function land(root: ParentNode): Promise<void> {
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]:not([data-landed])")) {
    const name = element.dataset.island ?? "";
    const load = islands.get(name);
    element.dataset.landed = "";
    if (load) (await load()).default(element);
    else console.error(`no island is called ${name}`);
  }
}

function confirmFirst(event: SubmitEvent): void {
  const asked = (event.submitter?.closest("[data-confirm]") ?? (event.target as HTMLElement).closest("[data-confirm]")) as
    | HTMLElement
    | null;
  if (!asked?.dataset.confirm || window.confirm(asked.dataset.confirm)) return;
  event.preventDefault();
  if (!event.submitter) (event.target as HTMLFormElement).reset(); // sent by a change: the choice goes back
}

function submitOnChange(event: Event): void {
  const field = event.target as HTMLElement;
  if (field.matches("[data-submit-on-change]")) field.closest("form")?.requestSubmit();
}

async function copyText(event: MouseEvent): Promise<void> {
  const button = (event.target as HTMLElement).closest<HTMLElement>("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy ?? "");
  button.classList.add("is-copied");
  window.setTimeout(() => button.classList.remove("is-copied"), 1500);
}

startTheme();
startHtmx(land);
startKeys();
startDrafts();
document.addEventListener("submit", confirmFirst, true);
document.addEventListener("change", submitOnChange);
document.addEventListener("click", (event) => void copyText(event));
void land(document);
