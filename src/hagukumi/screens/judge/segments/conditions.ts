// The condition builder: nested groups of conditions, edited as small lines, read back by the server as one sentence.
//
// <div data-island="conditions" data-preview="/conditions/preview/">
//   <script type="application/json">catalogue (ui/conditions.py)</script>
//   <input type="hidden" name="tree" value="{...}">   the document that the form posts
//   <div data-builder></div> <div data-answer></div>  where we build, and where the server's answer goes
// </div>
type Value = string | number | boolean | null | Value[] | { [key: string]: Value };
type Tree = { [key: string]: Value } & { type: string };
type Option = [Value, string];
type Control = {
  name: string;
  control: "select" | "number" | "oku" | "multi" | "texts" | "bool" | "check" | "objects";
  label: string;
  options?: Option[];
  optional?: boolean;
  after?: boolean;
  number?: boolean;
  min?: number;
  by?: string;
  options_by?: Record<string, Option[]>;
  tables?: Record<string, Option[]>;
  kinds?: Record<string, string>;
};
type Leaf = { type: string; label: string; fresh: Tree; controls: Control[] };
type Column = { key: string; label: string; type: string; choices: Option[] };
type Catalog = {
  columns: Column[];
  operators: Record<string, string[]>;
  operator_words: Record<string, string>;
  leaves: Leaf[];
  words: Record<string, string>;
};

const OKU = 100_000_000;
const TYPING_PAUSE = 350;

function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className = "",
  text = "",
  attributes: Record<string, string> = {},
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function select(options: Option[], value: Value, label: string, changed: (value: Value) => void): HTMLSelectElement {
  const named = label || options.map(([, name]) => name).join(" / ");
  const element = make("select", "form-select form-select-sm w-auto", "", { "aria-label": named });
  for (const [key, name] of options) element.append(new Option(name, String(key), false, String(key) === String(value)));
  element.addEventListener("change", () => changed(options[element.selectedIndex]?.[0] ?? null));
  return element;
}

function input(type: string, value: Value, label: string, changed: (text: string) => void): HTMLInputElement {
  const element = make("input", "form-control form-control-sm", "", { type, "aria-label": label });
  element.value = value === null || value === undefined ? "" : String(value);
  element.addEventListener("input", () => changed(element.value));
  return element;
}

// A list of ticks behind a summary that names what is chosen.
function multi(
  control: Control,
  options: Option[],
  chosen: Value[],
  words: Catalog["words"],
  changed: (value: Value[]) => void,
): HTMLElement {
  const details = make("details", "condition-multi");
  const summary = make("summary", "form-select form-select-sm w-auto");
  const list = make("div", "condition-options");
  const now = new Set(chosen.map(String));
  const say = (): void => {
    const names = options.filter(([key]) => now.has(String(key))).map(([, name]) => name);
    summary.textContent = [control.label, names.join("・") || "—"].filter(Boolean).join(": ");
  };
  for (const [key, name] of options) {
    const label = make("label", "form-check mb-1");
    const box = make("input", "form-check-input", "", { type: "checkbox" });
    box.checked = now.has(String(key));
    box.addEventListener("change", () => {
      if (box.checked) now.add(String(key));
      else now.delete(String(key));
      say();
      changed(options.filter(([other]) => now.has(String(other))).map(([other]) => other));
    });
    label.append(box, make("span", "form-check-label", name));
    list.append(label);
  }
  if (!options.length) list.append(make("span", "text-secondary small", words.none));
  say();
  details.append(summary, list);
  return details;
}

class Builder {
  private pause = 0;
  private asked = 0;
  private tree: Tree;
  private readonly catalog: Catalog;
  private readonly hidden: HTMLInputElement;
  private readonly place: HTMLElement;
  private readonly answer: HTMLElement;

  constructor(private readonly root: HTMLElement) {
    this.catalog = JSON.parse(root.querySelector("script")?.textContent ?? "{}") as Catalog;
    this.hidden = root.querySelector<HTMLInputElement>("input[type=hidden]")!;
    this.place = root.querySelector<HTMLElement>("[data-builder]")!;
    this.answer = root.querySelector<HTMLElement>("[data-answer]")!;
    this.tree = this.grouped(JSON.parse(this.hidden.value || "{}") as Tree);
    this.draw();
  }

  // The outermost node is always a group, so that there is a place to add to.
  private grouped(tree: Tree): Tree {
    if (tree.type === "all" || tree.type === "any") return tree;
    const { schema: _schema, ...leaf } = tree;
    return { type: "all", items: leaf.type ? [leaf as Tree] : [] };
  }

  private words(key: string): string {
    return this.catalog.words[key] ?? key;
  }

  private changed(redraw = false): void {
    this.hidden.value = JSON.stringify({ ...this.tree, schema: 1 });
    this.hidden.dispatchEvent(new Event("change", { bubbles: true }));
    if (redraw) this.draw();
    window.clearTimeout(this.pause);
    this.pause = window.setTimeout(() => void this.ask(), TYPING_PAUSE);
  }

  private async ask(): Promise<void> {
    const turn = ++this.asked;
    const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content ?? "";
    const body = new URLSearchParams({ tree: this.hidden.value });
    try {
      const found = await fetch(this.root.dataset.preview ?? "", { method: "POST", body, headers: { "X-CSRFToken": token } });
      const html = await found.text();
      if (found.ok && turn === this.asked) this.answer.innerHTML = html; // our own template, escaped by the server
    } catch {
      this.answer.replaceChildren(make("span", "text-danger", document.body.dataset.sayOffline));
    }
  }

  private draw(): void {
    this.place.replaceChildren(this.group(this.tree));
  }

  private group(node: Tree): HTMLElement {
    const items = node.items as Tree[];
    const box = make("div", "condition-group");
    const head = make("div", "condition-line");
    const modes: Option[] = [["all", this.words("all")], ["any", this.words("any")]];
    const mode = select(modes, node.type, this.words("of"), (value) => {
      node.type = String(value);
      this.changed();
    });
    head.append(mode, make("span", "text-secondary", this.words("of")));
    box.append(head);
    items.forEach((item, at) => box.append(this.item(items, item, at)));
    if (!items.length) box.append(make("p", "text-secondary small mb-2", this.words("everyone")));
    box.append(this.adder(items));
    return box;
  }

  private item(items: Tree[], item: Tree, at: number): HTMLElement {
    const negated = item.type === "not";
    const inner = negated ? (item.item as Tree) : item;
    const row = make("div", "condition-item");
    const body = "items" in inner && inner.items ? this.group(inner) : this.leaf(inner);
    const tools = make("div", "condition-tools");
    const flip = make("label", "form-check form-check-inline m-0");
    const box = make("input", "form-check-input", "", { type: "checkbox" });
    box.checked = negated;
    box.addEventListener("change", () => {
      items[at] = box.checked ? { type: "not", item: inner } : inner;
      this.changed(true);
    });
    flip.append(box, make("span", "form-check-label small", this.words("not")));
    const remove = make("button", "btn-close", "", { type: "button", "aria-label": this.words("remove") });
    remove.addEventListener("click", () => {
      items.splice(at, 1);
      this.changed(true);
    });
    tools.append(flip, remove);
    row.append(body, tools);
    return row;
  }

  private adder(items: Tree[]): HTMLElement {
    const add = make("select", "form-select form-select-sm w-auto condition-add", "", { "aria-label": this.words("add") });
    add.append(new Option(`＋ ${this.words("add")}`, ""));
    for (const leaf of this.catalog.leaves) add.append(new Option(leaf.label, leaf.type));
    add.append(new Option(this.words("group"), "group"));
    add.addEventListener("change", () => {
      const leaf = this.catalog.leaves.find((one) => one.type === add.value);
      items.push(leaf ? structuredClone(leaf.fresh) : { type: "any", items: [] });
      this.changed(true);
    });
    return add;
  }

  private leaf(node: Tree): HTMLElement {
    const line = make("div", "condition-line");
    const leaf = this.catalog.leaves.find((one) => one.type === node.type);
    line.append(make("span", "condition-name", leaf?.label ?? node.type));
    if (node.type === "field") this.field(line, node);
    for (const control of leaf?.controls ?? []) line.append(...this.control(control, node));
    return line;
  }

  private field(line: HTMLElement, node: Tree): void {
    const columns = this.catalog.columns;
    const column = columns.find((one) => one.key === node.field) ?? columns[0]!;
    const reset = (key: string): void => {
      const next = columns.find((one) => one.key === key) ?? columns[0]!;
      const op = this.operators(next)[0]?.[0] ?? "is";
      Object.assign(node, { field: next.key, op, value: next.choices[0]?.[0] ?? "", values: [] });
      this.changed(true);
    };
    const names: Option[] = columns.map((one) => [one.key, one.label]);
    line.append(select(names, column.key, this.words("column"), (value) => reset(String(value))));
    const operators = this.operators(column);
    line.append(
      select(operators, node.op ?? null, this.words("operator"), (value) => {
        node.op = value;
        this.changed(true);
      }),
    );
    if (node.op === "empty" || node.op === "filled") {
      node.value = null;
    } else if (node.op === "in") {
      line.append(this.texts("", column.choices, (node.values as Value[]) ?? [], (values) => (node.values = values)));
    } else if (column.choices.length) {
      if (!column.choices.some(([key]) => key === node.value)) node.value = column.choices[0]?.[0] ?? null;
      line.append(
        select(column.choices, node.value ?? null, column.label, (value) => {
          node.value = value;
          this.changed();
        }),
      );
    } else {
      const type = column.type === "number" || column.type === "date" ? column.type : "text";
      line.append(
        input(type, node.value ?? null, column.label, (text) => {
          node.value = type === "number" && text !== "" ? Number(text) : text;
          this.changed();
        }),
      );
    }
  }

  private operators(column: Column): Option[] {
    return (this.catalog.operators[column.type] ?? []).map((op) => [op, this.catalog.operator_words[op] ?? op]);
  }

  private texts(label: string, options: Option[], values: Value[], changed: (values: Value[]) => void): HTMLElement {
    if (options.some(([key, name]) => key !== name)) {
      return multi({ name: "", control: "multi", label }, options, values, this.catalog.words, (next) => {
        changed(next);
        this.changed();
      });
    }
    const element = input("text", values.join(", "), label, (text) => {
      changed(text.split(/[,、，]/).map((part) => part.trim()).filter(Boolean));
      this.changed();
    });
    element.placeholder = this.words("comma");
    if (options.length) {
      const list = make("datalist", "", "", { id: `options-${Math.random().toString(36).slice(2)}` });
      for (const [key] of options) list.append(new Option(String(key), String(key)));
      element.setAttribute("list", list.id);
      const both = make("span", "d-inline-flex");
      both.append(element, list);
      return both;
    }
    return element;
  }

  private control(control: Control, node: Tree): HTMLElement[] {
    const set = (value: Value, redraw = false): void => {
      if (value === null || (Array.isArray(value) && !value.length)) delete node[control.name];
      else node[control.name] = value;
      this.changed(redraw);
    };
    const word = control.label ? [make("span", "text-secondary small", control.label)] : [];
    const value = node[control.name] ?? null;
    switch (control.control) {
      case "number":
      case "oku": {
        const unit = control.control === "oku" ? OKU : 1;
        const element = input("number", typeof value === "number" ? value / unit : null, control.label, (text) => {
          if (text !== "" && Number.isFinite(Number(text))) set(Math.round(Number(text) * unit));
          else if (control.optional) set(null);
        });
        element.classList.add("condition-number");
        if (control.min !== undefined) element.min = String(control.min);
        return control.after ? [element, ...word] : [...word, element];
      }
      case "select":
      case "bool":
        return [
          ...word,
          select(control.options ?? [], value, control.label, (next) => {
            if (control.name === "model") delete node.phases;
            set(next, control.name === "model");
          }),
        ];
      case "check": {
        const label = make("label", "form-check form-check-inline m-0");
        const box = make("input", "form-check-input", "", { type: "checkbox" });
        box.checked = value === true;
        box.addEventListener("change", () => {
          if (box.checked) for (const other of ["gte", "lte"]) delete node[other];
          set(box.checked ? true : null, true);
        });
        label.append(box, make("span", "form-check-label", control.label));
        return [label];
      }
      case "texts":
        return [
          ...word,
          this.texts(control.label, control.options ?? [], (value as Value[]) ?? [], (values) => {
            node[control.name] = values;
          }),
        ];
      case "objects": {
        const table = control.kinds?.[String((node.kinds as Value[] | undefined)?.[0] ?? "")] ?? "";
        const options = control.tables?.[table] ?? [];
        if (!options.length) return [];
        return [multi(control, options, (value as Value[]) ?? [], this.catalog.words, (next) => set(next))];
      }
      case "multi": {
        const options = control.by ? (control.options_by?.[String(node[control.by])] ?? []) : (control.options ?? []);
        if (!this.only(control.name, node)) return [];
        const shape = this.shape(node);
        return [
          multi(control, options, (value as Value[]) ?? [], this.catalog.words, (next) => {
            if (control.name === "kinds") {
              for (const other of ["objects", "page_categories", "form_kinds"]) delete node[other];
            }
            node[control.name] = next;
            this.changed(control.name === "kinds" && this.shape(node) !== shape);
          }),
        ];
      }
    }
  }

  // What the chosen kinds let one narrow down; when it changes, the line is drawn anew.
  private shape(node: Tree): string {
    const kinds = (node.kinds as Value[] | undefined) ?? [];
    return ["page_categories", "form_kinds"].map((name) => this.only(name, node)).join() + String(kinds[0] ?? "");
  }

  // Page categories only make sense for page acts, form kinds for forms.
  private only(name: string, node: Tree): boolean {
    const kinds = (node.kinds as Value[] | undefined) ?? [];
    if (name === "page_categories") return kinds.includes("page_view") || kinds.includes("download");
    if (name === "form_kinds") return kinds.includes("form_submitted");
    return true;
  }
}

export default function conditions(element: HTMLElement): void {
  new Builder(element);
}
