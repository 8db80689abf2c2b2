// Bulk choice of a list: `<form data-island="bulk">` with one `[data-check-all]` and boxes named `ids`.
// Without JavaScript the boxes still work one by one.
export default function bulk(form: HTMLElement): void {
  const all = form.querySelector<HTMLInputElement>("[data-check-all]");
  const boxes = [...form.querySelectorAll<HTMLInputElement>('input[name="ids"]')];
  if (!all) return;
  const follow = (): void => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) box.addEventListener("change", follow);
}
