// The phase board: a card is dragged to another column, or its button is pressed; either way a dialog asks for the reason.
// <div data-island="board"> holds [data-columns] with section[data-phase] > article[data-lead], and the <dialog>.
export default function board(element: HTMLElement): void {
  const dialog = element.querySelector("dialog")!;
  const form = dialog.querySelector<HTMLFormElement>("[data-move]")!;
  const phase = form.querySelector<HTMLSelectElement>("select[name=phase]")!;
  const columns = element.querySelector<HTMLElement>("[data-columns]")!;
  let dragged: HTMLElement | null = null;

  const ask = (card: HTMLElement, to: string): void => {
    form.action = card.querySelector<HTMLAnchorElement>("[data-open]")!.href;
    form.querySelector<HTMLInputElement>("input[name=lead_id]")!.value = card.dataset.lead ?? "";
    form.querySelector("[data-name]")!.textContent = card.dataset.name ?? "";
    phase.value = to;
    dialog.showModal();
    form.querySelector<HTMLInputElement>("input[name=reason]")?.focus();
  };
  const column = (event: Event): HTMLElement | null => (event.target as HTMLElement).closest("[data-phase]");
  const mark = (over: HTMLElement | null): void => {
    for (const one of columns.querySelectorAll("[data-phase]")) one.classList.toggle("is-over", one === over);
  };

  columns.addEventListener("click", (event) => {
    const open = (event.target as HTMLElement).closest("[data-open]");
    const card = open?.closest<HTMLElement>("[data-lead]");
    if (!card) return;
    event.preventDefault();
    const here = card.closest<HTMLElement>("[data-phase]");
    ask(card, ((here?.nextElementSibling as HTMLElement | null) ?? here)?.dataset.phase ?? "");
  });
  columns.addEventListener("dragstart", (event) => {
    dragged = (event.target as HTMLElement).closest<HTMLElement>("[data-lead]");
    event.dataTransfer?.setData("text/plain", dragged?.dataset.lead ?? "");
  });
  columns.addEventListener("dragover", (event) => {
    if (!dragged) return;
    event.preventDefault();
    mark(column(event));
  });
  columns.addEventListener("dragend", () => {
    dragged = null;
    mark(null);
  });
  columns.addEventListener("drop", (event) => {
    event.preventDefault();
    const to = column(event)?.dataset.phase;
    const from = dragged?.closest<HTMLElement>("[data-phase]")?.dataset.phase;
    if (dragged && to && to !== from) ask(dragged, to);
    dragged = null;
    mark(null);
  });
  dialog.querySelector("[data-close]")?.addEventListener("click", () => dialog.close());
  // while a card is in the hand, the columns stay as they are
  columns.addEventListener("htmx:beforeRequest", (event) => {
    if (dragged || dialog.open || document.hidden) event.preventDefault();
  });
}
