// The keyboard: `/` goes to the search, `j` and `k` move through the rows of `[data-list]`, Enter opens `data-href`.
const typing = "input, textarea, select, [contenteditable=true]";

function rows(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-list] [data-row]")];
}

function select(row: HTMLElement | undefined): void {
  if (!row) return;
  for (const other of rows()) other.classList.toggle("is-current", other === row);
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function address(row: HTMLElement | undefined): string | undefined {
  return row?.dataset.href || row?.querySelector<HTMLAnchorElement>("a[href]")?.href;
}

function move(step: number): void {
  const all = rows();
  const at = all.findIndex((row) => row.classList.contains("is-current"));
  select(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}

function onKey(event: KeyboardEvent): void {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || target.matches(typing)) return;
  if (event.key === "/") {
    const search = document.querySelector<HTMLInputElement>("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "Enter" && target.matches("[data-row]")) {
    const to = address(target);
    if (to) window.location.assign(to);
  }
}

function onClick(event: MouseEvent): void {
  const target = event.target as HTMLElement;
  const row = target.closest<HTMLElement>("[data-row]");
  if (!row || target.closest("a, button, input, select, textarea, label, summary")) return;
  if (window.getSelection()?.toString()) return;
  const to = address(row);
  if (to) window.location.assign(to);
}

export function startKeys(): void {
  document.addEventListener("keydown", onKey);
  document.addEventListener("click", onClick);
}
