// Dynos and hosts in the span that is looked at: one that has most of the errors must be seen at once.

import { plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { isPast, SPANS_S } from "./navigation.js";
import { Sheet } from "./sheet.js";

const BAD_FROM = 0.01;
const SHOWN = 6;

/** How long dynos and hosts are kept, and from which beginning on, later than asked for, that is said. */
const KEPT_S = 86_400;
const LATE_S = 600;

/** One name has "most" of the errors with this share of at least so many, if it has a smaller share of the requests. */
const MOST = 0.5;
const FEWEST_ERRORS = 5;

const ONE = { dynos: "Dyno", hosts: "Host" };
const UNNAMED = { dynos: "(no dyno)", hosts: "(no host)" };

export class NamesPanel {
  /** `kind`: `dynos` or `hosts`. */
  constructor(container, kind) {
    this.kind = kind;
    this.isOpen = false;
    this.note = make("p", { class: "fine" });
    this.finding = make("p", { class: "finding", hidden: true });
    this.more = make("button", { type: "button", class: "more", hidden: true });
    this.more.addEventListener("click", () => this.toggle());
    this.panel = make(
      "section",
      { class: "panel names", "aria-label": `${ONE[kind]}s` },
      make("div", { class: "panel-head" }, make("h2", {}, `${ONE[kind]}s`), this.note),
      this.finding,
    );
    this.sheet = new Sheet(this.panel, {
      label: `${ONE[kind]}s`,
      columns: columns(kind),
      keyOf: (row) => `${row.app} ${row.name}`,
      sort: { key: "share", descends: true },
      yielding: ["own-p50", "own-errors", "own-count", "own-p95"],
      sorted: () => this.draw(),
    });
    this.panel.append(this.more);
    container.append(this.panel);
  }

  /** `nav`: which time was asked for (navigation.js). */
  show(table, nav) {
    this.found = table;
    this.isGone = isPast(nav) && table.at_ms / 1_000 - nav.to > KEPT_S;
    setText(this.note, noteOf(table, nav));
    this.draw();
  }

  draw() {
    if (!this.found) return;
    const rows = this.withShares(this.found.rows);
    const shown = this.isOpen ? rows : this.first(rows);
    this.sheet.show(shown, { nothing: this.isGone ? "Kept for 24 hours." : "No requests in this window.", all: rows });
    setText(this.finding, sentence(rows, this.kind));
    this.finding.hidden = !this.finding.textContent;
    this.more.hidden = rows.length <= SHOWN;
    setAttribute(this.more, "aria-expanded", String(this.isOpen));
    setText(this.more, this.isOpen ? `Show ${SHOWN}` : `Show all ${format.count(rows.length)}`);
  }

  /** The first rows in the order that is chosen. */
  first(rows) {
    return rows.length <= SHOWN ? rows : this.sheet.ordered(rows).slice(0, SHOWN);
  }

  withShares(rows) {
    const errors = rows.reduce((sum, row) => sum + row.figures.errors, 0);
    const requests = rows.reduce((sum, row) => sum + row.figures.count, 0);
    // One app's own view need not name it in each row.
    const isOfMany = new Set(rows.map((row) => row.app)).size > 1;
    return rows.map((row) => ({
      ...row,
      is_of_many: isOfMany,
      error_share: errors ? row.figures.errors / errors : 0,
      request_share: requests ? row.figures.count / requests : 0,
    }));
  }

  toggle() {
    this.isOpen = !this.isOpen;
    this.draw();
  }

  clear() {
    this.found = null;
    this.sheet.clear();
    this.finding.hidden = true;
    setText(this.note, "");
  }
}

/** Which time it is about, where that is not what the rest of the page shows; and what is left out. */
function noteOf({ from_s: from, left_out: leftOut = 0 }, nav) {
  const parts = [];
  if (isPast(nav) ? from - nav.from >= LATE_S && from < nav.to : SPANS_S[nav.window] > KEPT_S) {
    parts.push(isPast(nav) ? `from ${format.dayAndClock(from)}` : "last 24 h");
  }
  if (leftOut) parts.push(leftOut === 1 ? "the least used is left out" : `the ${format.count(leftOut)} least used are left out`);
  return parts.join("; ");
}

function columns(kind) {
  return [
    { key: "name", name: ONE[kind], text: true, isHead: true, of: (row) => row.name, fill: (cell, row) => fillName(cell, row, kind) },
    { key: "app", name: "App", text: true, of: (row) => row.app, ifAny: (row) => row.app && row.is_of_many, fill: plain((row) => row.app) },
    { key: "own-count", name: "Requests", of: (row) => row.figures.count, fill: plain((row) => format.shortCount(row.figures.count)) },
    { key: "own-errors", name: "Errors", of: (row) => row.figures.error_rate, fill: fillErrors },
    { key: "share", name: "Of all errors", of: (row) => row.error_share, fill: fillShare },
    { key: "own-p50", name: "Median", of: (row) => row.figures.service.p50 ?? -1, fill: plain((row) => format.time(row.figures.service.p50)) },
    { key: "own-p95", name: "p95", of: (row) => row.figures.service.p95 ?? -1, fill: plain((row) => format.time(row.figures.service.p95)) },
  ];
}

function fillName(cell, row, kind) {
  const name = row.name ? format.visible(row.name) : UNNAMED[kind];
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "cut" }));
  setText(part, name);
  setAttribute(part, "title", name);
}

function fillErrors(cell, row) {
  const { error_rate: rate, errors, count } = row.figures;
  setText(cell, errors ? format.percent(rate) : "0");
  setAttribute(cell, "data-tone", rate >= BAD_FROM ? "bad" : errors ? null : "zero");
  setAttribute(cell, "data-tip", errors ? `${format.count(errors)} of ${format.count(count)} requests` : null);
}

/** A bar and its number. */
function fillShare(cell, row) {
  const share = row.error_share;
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "share" }, make("span", { class: "track" }, make("i")), make("b")));
  const width = `${100 * share}%`;
  const bar = part.firstChild.firstChild;
  if (bar.style.width !== width) bar.style.width = width;
  setText(part.lastChild, share ? whole(share) : "0");
  setAttribute(cell, "data-tone", share ? null : "zero");
}

/** `web.3 has 99 % of the errors, with 33 % of the requests.` */
function sentence(rows, kind) {
  const errors = rows.reduce((sum, row) => sum + row.figures.errors, 0);
  if (rows.length < 2 || errors < FEWEST_ERRORS) return "";
  const worst = rows.reduce((one, other) => (other.error_share > one.error_share ? other : one));
  if (worst.error_share < MOST || worst.request_share >= worst.error_share * 0.75) return "";
  const name = worst.name ? format.visible(worst.name) : `Requests without a ${ONE[kind].toLowerCase()}`;
  const verb = worst.name ? "has" : "have";
  return `${name} ${verb} ${whole(worst.error_share)} of the errors, with ${whole(worst.request_share)} of the requests.`;
}

/** 99.7 % is not all of them. */
function whole(share) {
  if (share < 0.01) return "<1 %";
  return `${share === 1 ? 100 : Math.min(99, Math.round(100 * share))} %`;
}
