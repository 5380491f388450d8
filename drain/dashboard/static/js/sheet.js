// A table whose rows change in place while figures come in, so that focus and selection stay where they
// are. It is sorted by its heads' buttons, and gives up columns where there is no room for all.

import { make, setAttribute, setText } from "./dom.js";

/**
 * A column: `key`; `name`; `fill(cell, row, context)`, which changes only what differs; and where they apply
 * `of(row)`, by which it is sorted; `rank(row)`, which goes before that in both directions; `text`: left
 * aligned, A to Z first; `isHead`: it names its row; `ifAny`: hidden while no row has anything in it.
 */
export class Sheet {
  /** `yielding`: the keys of columns that may be hidden, the first of them first. `sort`: {key, descends}, or
      null for the order in which the rows come. */
  constructor(container, { label, columns, keyOf, sort = null, context = null, yielding = [], sorted = () => {}, cards = "" }) {
    Object.assign(this, { columns, keyOf, sort, context, yielding, sorted });
    this.rows = [];
    this.lines = new Map();
    this.heads = new Map();
    this.titles = new Map();
    this.body = make("tbody");
    this.nothing = make("p", { class: "none", hidden: true });
    const titles = columns.map((column) => this.head(column));
    columns.forEach((column, at) => this.titles.set(column.key, titles[at]));
    const head = make("thead", {}, make("tr", {}, ...titles));
    this.table = make("table", { "aria-label": label }, head, this.body);
    this.element = make("div", { class: `sheet ${cards}` }, this.table, this.nothing);
    container.append(this.element);
    this.width = 0;
    new ResizeObserver(() => this.resized()).observe(this.element);
  }

  head(column) {
    const attributes = { scope: "col", class: classOf(column), "data-tip": column.tip };
    if (!column.of || !this.sort) return make("th", attributes, make("span", {}, column.name));
    const button = make("button", { type: "button" }, column.name);
    button.addEventListener("click", () => {
      const again = this.sort.key === column.key;
      this.sortBy(column.key, again ? !this.sort.descends : descendsFirst(column));
    });
    const head = make("th", attributes, button);
    this.heads.set(column.key, head);
    return head;
  }

  sortBy(key, descends = descendsFirst(this.column(key))) {
    this.sort = { key, descends };
    this.show(this.rows);
    this.sorted(this.sort);
  }

  column(key) {
    return this.columns.find((column) => column.key === key);
  }

  /** `nothing`: what is said where there are no rows. `all`: rows that decide which columns there are, where
      only some of them are shown. */
  show(rows, { nothing = "none", all = rows } = {}) {
    this.rows = rows;
    this.fill(this.ordered(rows));
    this.hideEmptyColumns(all);
    for (const [key, head] of this.heads) {
      setAttribute(head, "aria-sort", key === this.sort.key ? (this.sort.descends ? "descending" : "ascending") : null);
    }
    this.nothing.hidden = rows.length > 0;
    setText(this.nothing, nothing);
    this.fit();
  }

  /** The rows in the order that is chosen. */
  ordered(rows) {
    return this.sort ? [...rows].sort(comparison(this.column(this.sort.key), this.sort.descends)) : rows;
  }

  hideEmptyColumns(rows) {
    const hidden = this.columns.filter((column) => column.ifAny && !rows.some((row) => column.ifAny(row)));
    const drawn = hidden.map((column) => column.key).join(" ");
    if (this.hidden === drawn) return;
    this.hidden = drawn;
    for (const column of this.columns.filter((one) => one.ifAny)) {
      this.element.classList.toggle(`empty-${column.key}`, hidden.includes(column));
    }
    this.giveRoom();
  }

  resized() {
    if (this.element.clientWidth === this.width) return;
    this.width = this.element.clientWidth;
    this.giveRoom();
    this.fit();
  }

  /** All columns again, before it is seen which of them fit. */
  giveRoom() {
    for (const key of this.yielding) this.element.classList.remove(`without-${key}`);
    this.element.classList.remove("scrolls");
  }

  /** Hides columns until the table is no wider than its place; where that is not enough, it scrolls. */
  fit() {
    const excess = () => this.table.offsetWidth - this.element.clientWidth;
    let over = excess();
    if (over > 0) {
      // All widths are read before anything is hidden: each look after a change lays out every row anew.
      const widths = this.yielding.map((key) => this.titles.get(key).offsetWidth);
      this.yielding.forEach((key, at) => {
        if (over > 0 && widths[at]) this.element.classList.add(`without-${key}`);
        over -= over > 0 ? widths[at] : 0;
      });
      for (const key of this.yielding) {
        if (excess() <= 0) break;
        this.element.classList.add(`without-${key}`);
      }
      if (excess() > 0) this.element.classList.add("scrolls");
    }
    setAttribute(this.element, "tabindex", this.element.classList.contains("scrolls") ? "0" : null);
  }

  fill(rows) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const wanted = new Set(rows.map(this.keyOf));
    for (const [key, line] of this.lines) {
      if (!wanted.has(key)) {
        line.remove();
        this.lines.delete(key);
      }
    }
    rows.forEach((row, at) => {
      const key = this.keyOf(row);
      const line = this.lines.get(key) ?? this.line(key);
      this.columns.forEach((column, index) => column.fill(line.cells[index], row, this.context));
      if (this.body.children[at] !== line) this.body.insertBefore(line, this.body.children[at] ?? null);
    });
    // Moving an element takes its focus away.
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  }

  line(key) {
    const cells = this.columns.map((column) =>
      make(column.isHead ? "th" : "td", {
        scope: column.isHead ? "row" : null,
        class: classOf(column),
        "data-name": column.isHead || column.key === "route" ? null : column.name,
      }),
    );
    const line = make("tr", {}, ...cells);
    this.lines.set(key, line);
    return line;
  }

  clear() {
    this.rows = [];
    this.lines.clear();
    this.body.replaceChildren();
    this.nothing.hidden = true;
  }
}

const classOf = (column) => `${column.key === "route" ? "route " : ""}col-${column.key}${column.text ? " text" : ""}`;
export const descendsFirst = (column) => !column.text || Boolean(column.descendsFirst);

function comparison(column, descends) {
  const { of, rank = () => 0 } = column;
  const sign = descends ? -1 : 1;
  return (one, other) => {
    const [a, b] = [of(one), of(other)];
    const order = typeof a === "string" ? a.localeCompare(b) : a === b ? 0 : a - b;
    return rank(one) - rank(other) || order * sign || countOf(other) - countOf(one) || nameOf(one).localeCompare(nameOf(other));
  };
}

const countOf = (row) => row.figures?.count ?? row.count ?? 0;
const nameOf = (row) => row.route ?? row.name ?? row.app ?? "";
