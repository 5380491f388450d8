// The routes table: sorted by its heads, filtered as one types, compared with an earlier span where one is
// chosen.

import { COLUMNS, YIELDING } from "./columns.js";
import { byId, setText } from "./dom.js";
import { listenForFilter } from "./filter_key.js";
import * as format from "./format.js";
import { Sheet } from "./sheet.js";
import { load, save } from "./storage.js";

const SORT = "tailrace.sort";

export class RoutesTable {
  /** `addressOf(row)` gives the address of a route's own view; `chosen({sort, filter})` is told what the reader
      chooses. */
  constructor(container, addressOf, chosen) {
    this.chosen = chosen;
    this.table = null;
    this.filter = byId("filter");
    this.select = byId("sort");
    this.sheet = new Sheet(container, {
      label: "Routes",
      columns: COLUMNS,
      keyOf: (row) => `${row.app} ${row.digest}`,
      sort: readSort(),
      context: addressOf,
      yielding: YIELDING,
      sorted: (sort) => this.sorted(sort),
      cards: "cards",
    });
    this.filter.addEventListener("input", () => this.changed());
    listenForFilter(this.filter, () => this.changed());
    this.select.addEventListener("change", () => this.sheet.sortBy(this.select.value));
  }

  sorted(sort) {
    save(SORT, JSON.stringify(sort));
    this.changed();
  }

  /** Sort and filter as an address has them. */
  choices() {
    const { key, descends } = this.sheet.sort;
    return { sort: `${descends ? "-" : ""}${key}`, filter: this.filter.value };
  }

  /** Takes them from an address; without a sort there the one that was chosen last. */
  choose({ sort, filter }) {
    this.sheet.sort = named(sort) ?? readSort();
    if (this.filter.value !== filter) this.filter.value = filter;
    this.draw();
  }

  changed() {
    this.chosen(this.choices());
    this.draw();
  }

  show(table) {
    this.table = table;
    this.draw();
  }

  draw() {
    if (!this.table) return;
    const all = this.table.routes;
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = all.filter((row) => matches(row, words));
    this.sheet.show(rows, { nothing: words.length ? "No route matches the filter." : "No requests in this window.", all });
    setText(byId("routes-count"), this.sentence(rows.length, words.length > 0));
    this.drawSelect();
  }

  /** On a phone there are no heads: what can be sorted by is in a list. */
  drawSelect() {
    const hidden = this.sheet.hidden.split(" ");
    const there = COLUMNS.filter((column) => column.of && !hidden.includes(column.key));
    const drawn = there.map((column) => column.key).join(" ");
    if (this.select.dataset.drawn !== drawn) {
      this.select.dataset.drawn = drawn;
      this.select.replaceChildren(...there.map((column) => new Option(`by ${column.name}`, column.key)));
    }
    this.select.value = this.sheet.sort.key;
  }

  sentence(shown, isFiltered) {
    const { routes, left_out: leftOut } = this.table;
    const all = routes.length;
    const text = isFiltered ? `${format.count(shown)} of ${format.plural(all, "route")}` : format.plural(all, "route");
    if (!leftOut) return text;
    const omitted = leftOut === 1 ? "the least used is left out" : `the ${format.count(leftOut)} least used are left out`;
    return isFiltered ? `${text}; ${omitted}` : `${format.count(all)} of ${format.plural(all + leftOut, "route")}; ${omitted}`;
  }

  /** Another app or window: rows of the old one must not be taken for the new one's. */
  clear() {
    this.table = null;
    this.sheet.clear();
    setText(byId("routes-count"), "");
  }
}

const isSortable = (key) => Boolean(COLUMNS.find((column) => column.key === key)?.of);

/** `-p95` is by p95, descending; null for what no column has. */
function named(sort) {
  const key = sort.replace(/^-/, "");
  return isSortable(key) ? { key, descends: sort !== key } : null;
}

function readSort() {
  try {
    const found = JSON.parse(load(SORT));
    if (isSortable(found.key)) return { key: found.key, descends: Boolean(found.descends) };
  } catch { /* nothing kept, or nothing that fits */ }
  return { key: "count", descends: true };
}

/** Every word must be in the route or its app's name, or be one of its H-codes or statuses. */
function matches(row, words) {
  const name = `${row.app ?? ""} ${row.route}`.toLowerCase();
  return words.every(
    (word) => name.includes(word) || word.toUpperCase() in row.figures.codes || word in row.figures.statuses || word in row.figures.classes,
  );
}
