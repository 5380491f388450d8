// The view of dynos: what the platform says of each beside its requests, so that the one that leaks, crashes or
// fails is seen at once.

import { AddonsView } from "./addons.js";
import { appForApi } from "./apps.js";
import { make, Part, setAttribute, setText } from "./dom.js";
import { addressOf, DYNO_COLUMNS, DYNO_YIELDING, PROCESS_COLUMNS, PROCESS_YIELDING } from "./dyno_columns.js";
import { DynoDetail } from "./dyno_detail.js";
import { findings, read, readProcess, subjectOf } from "./dyno_words.js";
import { listenForFilter } from "./filter_key.js";
import * as format from "./format.js";
import { isPast } from "./navigation.js";
import { KEPT_S, noteOf } from "./names.js";
import { RuntimeMetricsHint } from "./runtime_metrics.js";
import { withShares } from "./shares.js";
import { Sheet } from "./sheet.js";

/** So many rows are drawn until all are asked for. */
const SHOWN = 50;

const GONE = "Single dynos are kept for 24 hours; of this time only their process types are known.";

const SORT = { key: "memory", descends: true };
const SORTABLE = DYNO_COLUMNS.filter((column) => column.of);

export class DynosView {
  /** `chosen({sort, filter})` is told what the reader chooses. */
  constructor(container, travel, chosen) {
    this.chosen = chosen;
    this.nav = null;
    this.answer = null;
    this.isOpen = false;
    this.list = make("div", { class: "dynos-list" });
    container.append(this.list);
    this.addToolbar();
    this.findings = new Part("ul", { class: "dyno-findings", "aria-label": "What stands out" });
    this.list.append(this.findings.element);
    this.processes = make("section", { class: "processes", "aria-label": "Process types" });
    this.processSheet = new Sheet(this.processes, { label: "Process types", columns: PROCESS_COLUMNS, keyOf: (row) => `${row.app} ${row.process}`, yielding: PROCESS_YIELDING, cards: "dyno-cards" });
    this.list.append(this.processes);
    this.sheet = new Sheet(this.list, {
      label: "Dynos",
      columns: DYNO_COLUMNS,
      keyOf: (row) => `${row.app} ${row.name}`,
      sort: SORT,
      context: (row) => addressOf(row, this.nav),
      yielding: DYNO_YIELDING,
      sorted: () => this.changed(),
      cards: "dyno-cards",
    });
    this.more = make("button", { type: "button", class: "more", hidden: true });
    this.more.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.draw();
    });
    this.list.append(this.more);
    this.hint = new RuntimeMetricsHint(this.list);
    this.addons = new AddonsView(this.list);
    this.detail = new DynoDetail(container, travel);
  }

  addToolbar() {
    this.note = make("p", { class: "fine" });
    this.filter = make("input", { id: "dynos-filter", type: "search", placeholder: "Filter dynos", autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/" });
    this.select = make("select", { id: "dynos-sort" }, ...SORTABLE.map((column) => make("option", { value: column.key }, `by ${column.name}`)));
    this.filter.addEventListener("input", () => this.changed());
    this.select.addEventListener("change", () => this.sheet.sortBy(this.select.value));
    listenForFilter(this.filter, () => this.changed());
    const filter = make("label", { class: "filter" }, make("span", { class: "unseen" }, "Filter dynos"), this.filter, make("kbd", { "aria-hidden": "true" }, "/"));
    const sort = make("label", { class: "sort-on-phone" }, make("span", { class: "unseen" }, "Sort by"), this.select);
    this.list.append(make("div", { class: "toolbar" }, make("h1", {}, "Dynos"), this.note, filter, sort));
  }

  /** Where one is (navigation.js). */
  of(nav) {
    if (this.nav?.app !== nav.app) this.clear();
    this.nav = nav;
    if (nav.view !== "dynos") return;
    this.sheet.sort = named(nav.sort) ?? SORT;
    if (this.filter.value !== nav.filter) this.filter.value = nav.filter;
    this.list.hidden = Boolean(nav.dyno);
    this.detail.element.hidden = !nav.dyno;
    this.draw();
  }

  /** Sort and filter as an address has them. */
  choices() {
    const { key, descends } = this.sheet.sort;
    const isUsual = key === SORT.key && descends === SORT.descends;
    return { sort: isUsual ? "" : `${descends ? "-" : ""}${key}`, filter: this.filter.value };
  }

  changed() {
    this.nav = { ...this.nav, ...this.choices() };
    this.chosen(this.choices());
    this.draw();
  }

  /** Whether the platform or requests have told of any dyno. */
  get hasRows() {
    return Boolean(this.answer?.rows.length);
  }

  show(answer, nav) {
    this.answer = answer;
    this.isGone = isPast(nav) && answer.at_ms / 1_000 - nav.to > KEPT_S;
    this.span = spanOf(nav);
    this.draw();
  }

  /** Whether what is shown is of this very app and span. */
  isOf(nav) {
    return Boolean(this.answer) && this.span === spanOf(nav);
  }

  showAddons(answer) {
    this.addons.show(answer);
  }

  /** `marks`: the releases of the same answer, for the plots. */
  showEvents(answer, marks) {
    this.events = answer;
    this.detail.mark(marks);
    this.drawEvents();
  }

  draw() {
    if (!this.answer) return;
    const rows = withShares(this.answer.rows).map((row) => read(row, this.answer));
    const found = findings(rows, isPast(this.nav));
    if (this.nav.dyno) this.drawDetail(rows, found);
    else this.drawList(rows, found);
  }

  drawDetail(rows, found) {
    const app = appForApi(this.nav);
    const alike = rows.filter((row) => row.name === this.nav.dyno && (!app || row.app === app));
    // Of several apps' dynos of this name: a link to one that has an app names it.
    const row = alike.find((one) => one.app === app) ?? alike[0] ?? null;
    this.detail.show(row, found.find((one) => one.row && one.row === row), this.answer, this.nav);
    this.drawEvents();
  }

  drawEvents() {
    if (!this.events || !this.nav.dyno) return;
    const app = appForApi(this.nav);
    this.detail.showEvents(this.events.rows.filter((row) => row.dyno === this.nav.dyno && (!app || row.app === app)), this.events.kept_from_ms);
  }

  drawList(rows, found) {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = rows.filter((row) => matches(row, words));
    const isLong = matching.length > SHOWN;
    const shown = isLong && !this.isOpen ? this.sheet.ordered(matching).slice(0, SHOWN) : matching;
    this.sheet.show(shown, { nothing: words.length ? "No dyno matches the filter." : this.isGone ? GONE : "Nothing is known of any dyno in this window.", all: rows });
    this.select.value = this.sheet.sort.key;
    setText(this.note, this.sentence(matching.length, words.length > 0));
    this.more.hidden = !isLong;
    setAttribute(this.more, "aria-expanded", String(this.isOpen));
    setText(this.more, this.isOpen ? `Show ${SHOWN}` : `Show all ${format.count(matching.length)}`);
    this.findings.show(found.map(({ row, text }) => [row && subjectOf(row), row?.name ? addressOf(row, this.nav) : "", text]), () => found.map((one) => this.findingOf(one)));
    this.drawProcesses();
    this.hint.show(this.answer.without_metrics);
  }

  /** `web.3 is at 180 % of its memory.`, with the name as a link. */
  findingOf({ row, text }) {
    if (!row) return make("li", {}, text);
    const name = row.name ? make("a", { href: addressOf(row, this.nav), "data-key": row.name }, subjectOf(row)) : subjectOf(row);
    return make("li", {}, name, row.is_of_many && row.app ? ` of ${row.app} ${text}` : ` ${text}`);
  }

  drawProcesses() {
    const { processes } = this.answer;
    const isOfMany = new Set(processes.map((row) => row.app)).size > 1;
    // Of a single dyno they say the same again; of a time of which dynos are not kept any more they are all there is.
    this.processes.hidden = !processes.length || (processes.length === 1 && this.answer.rows.length === 1);
    this.processSheet.show(processes.map((row) => ({ ...readProcess(row, this.answer), is_of_many: isOfMany })));
  }

  sentence(shown, isFiltered) {
    const all = this.answer.rows.length;
    const count = isFiltered ? `${format.count(shown)} of ${format.plural(all, "dyno")}` : format.plural(all, "dyno");
    return [count, noteOf(this.answer, this.nav)].filter(Boolean).join("; ");
  }

  /** Dynos of another app are not this one's. */
  clear() {
    this.answer = this.events = null;
    this.isOpen = false;
    for (const part of [this.sheet, this.processSheet, this.addons, this.detail]) part.clear();
    this.findings.show([], () => []);
    this.processes.hidden = this.more.hidden = true;
    this.hint.show([]);
    setText(this.note, "");
  }

  redraw() {
    this.detail.redraw();
  }
}

const spanOf = ({ app, window, from, to }) => JSON.stringify([app, window, from, to]);

/** `-memory` is by memory, descending; null for what no column has. */
function named(sort) {
  const key = sort.replace(/^-/, "");
  return SORTABLE.some((column) => column.key === key) ? { key, descends: sort !== key } : null;
}

/** Every word must be in the dyno's name, its app's or its state. */
function matches(row, words) {
  const name = `${row.app} ${row.name} ${row.state?.name ?? ""}`.toLowerCase();
  return words.every((word) => name.includes(word));
}
