// The routes table: sorted by its heads' buttons, filtered as one types, changed in place while the
// figures come in, so that focus and selection stay where they are.

import { COLUMNS } from "./columns.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { load, save } from "./storage.js";

const SORT = "tailrace.sort";

export class RoutesTable {
  /** `addressOf(row)` gives the address of a route's own view; `chosen({sort, filter})` is told what the reader
      chooses. */
  constructor(container, addressOf, chosen) {
    this.addressOf = addressOf;
    this.chosen = chosen;
    this.rows = new Map();
    this.table = null;
    this.filter = byId("filter");
    this.sort = readSort();
    this.heads = new Map();
    this.body = make("tbody");
    this.nothing = make("p", { class: "none", hidden: true });
    const head = make("thead", {}, make("tr", {}, ...COLUMNS.map((column) => this.head(column))));
    this.sheet = make("div", { class: "sheet cards" }, make("table", { "aria-label": "Routes" }, head, this.body), this.nothing);
    container.append(this.sheet);
    this.filter.addEventListener("input", () => this.changed());
    document.addEventListener("keydown", (event) => this.key(event));
    this.startSelect(byId("sort"));
  }

  head(column) {
    const attributes = { scope: "col", class: `col-${column.key}${column.text ? " text" : ""}` };
    if (!column.of) return make("th", attributes, make("span", {}, column.name));
    const button = make("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      const again = this.sort.key === column.key;
      this.sortBy(column.key, again ? !this.sort.descends : descendsFirst(column));
    });
    const head = make("th", attributes, button);
    this.heads.set(column.key, head);
    return head;
  }

  startSelect(select) {
    select.append(...COLUMNS.filter((column) => column.of).map((column) => make("option", { value: column.key }, `by ${column.name}`)));
    select.addEventListener("change", () => this.sortBy(select.value, descendsFirst(columnOf(select.value))));
    this.select = select;
  }

  sortBy(key, descends) {
    this.sort = { key, descends };
    save(SORT, JSON.stringify(this.sort));
    this.changed();
  }

  /** Sort and filter as an address has them. */
  choices() {
    return { sort: `${this.sort.descends ? "-" : ""}${this.sort.key}`, filter: this.filter.value };
  }

  /** Takes them from an address; without a sort there the one that was chosen last. */
  choose({ sort, filter }) {
    this.sort = named(sort) ?? readSort();
    if (this.filter.value !== filter) this.filter.value = filter;
    this.draw();
  }

  changed() {
    this.chosen(this.choices());
    this.draw();
  }

  key(event) {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && this.filter.offsetParent) {
      event.preventDefault();
      this.filter.focus();
      this.filter.select();
    } else if (event.key === "Escape" && event.target === this.filter && this.filter.value) {
      this.filter.value = "";
      this.changed();
    }
  }

  show(table) {
    this.table = table;
    this.draw();
  }

  draw() {
    if (!this.table) return;
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = this.table.routes.filter((row) => matches(row, words)).sort(comparison(this.sort));
    this.fill(rows);
    for (const column of COLUMNS.filter((one) => one.ifAny)) {
      this.sheet.classList.toggle(`without-${column.key}`, !this.table.routes.some((row) => column.of(row)));
    }
    for (const [key, head] of this.heads) {
      setAttribute(head, "aria-sort", key === this.sort.key ? (this.sort.descends ? "descending" : "ascending") : null);
    }
    this.select.value = this.sort.key;
    this.nothing.hidden = rows.length > 0;
    setText(this.nothing, words.length ? "No route matches the filter." : "No requests in this window.");
    setText(byId("routes-count"), this.sentence(rows.length, words.length > 0));
  }

  sentence(shown, isFiltered) {
    const all = this.table.routes.length;
    const text = isFiltered ? `${format.count(shown)} of ${format.plural(all, "route")}` : format.plural(all, "route");
    const { left_out: leftOut } = this.table;
    return leftOut ? `${text}; ${format.plural(leftOut, "least-used route")} omitted` : text;
  }

  fill(rows) {
    const wanted = new Set(rows.map((row) => row.digest));
    for (const [digest, line] of this.rows) {
      if (!wanted.has(digest)) {
        line.remove();
        this.rows.delete(digest);
      }
    }
    rows.forEach((row, at) => {
      const line = this.rows.get(row.digest) ?? this.line(row);
      COLUMNS.forEach((column, index) => column.fill(line.cells[index], row, this.addressOf));
      // Moving an element takes its focus away, so only what is out of place is moved.
      if (this.body.children[at] !== line) this.body.insertBefore(line, this.body.children[at] ?? null);
    });
  }

  line(row) {
    const cells = COLUMNS.map((column) =>
      make("td", {
        class: column.key === "route" ? "route" : `col-${column.key}${column.text ? " text" : ""}`,
        "data-name": column.key === "route" ? null : column.name,
      }),
    );
    const line = make("tr", {}, ...cells);
    this.rows.set(row.digest, line);
    return line;
  }

  /** Another app or window: rows of the old one must not be taken for the new one's. */
  clear() {
    this.table = null;
    this.rows.clear();
    this.body.replaceChildren();
    setText(byId("routes-count"), "");
  }
}

const columnOf = (key) => COLUMNS.find((column) => column.key === key);
const descendsFirst = (column) => !column.text || Boolean(column.descendsFirst);

/** `-p95` is by p95, descending; null for what no column has. */
function named(sort) {
  const key = sort.replace(/^-/, "");
  return columnOf(key)?.of ? { key, descends: sort !== key } : null;
}

function readSort() {
  try {
    const found = JSON.parse(load(SORT));
    if (columnOf(found.key)?.of) return { key: found.key, descends: Boolean(found.descends) };
  } catch { /* nothing kept, or nothing that fits */ }
  return { key: "count", descends: true };
}

/** Every word must be in the route, or be one of its H-codes or statuses. */
function matches(row, words) {
  const route = row.route.toLowerCase();
  return words.every(
    (word) => route.includes(word) || word.toUpperCase() in row.figures.codes || word in row.figures.statuses || word in row.figures.classes,
  );
}

function comparison({ key, descends }) {
  const { of } = columnOf(key);
  const sign = descends ? -1 : 1;
  return (one, other) => {
    const [a, b] = [of(one), of(other)];
    const order = typeof a === "string" ? a.localeCompare(b) : a - b;
    return order * sign || other.figures.count - one.figures.count || one.route.localeCompare(other.route);
  };
}
