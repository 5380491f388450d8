// Dynos and hosts in the span that is looked at: one that has most of the errors must be seen at once.

import { fillErrors, plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import { addressOf, fillDyno, MEMORY, STATE } from "./dyno_columns.js";
import { findings, read, subjectOf } from "./dyno_words.js";
import * as format from "./format.js";
import { hashOf, isPast, SPANS_S } from "./navigation.js";
import { fillShare, mostErrors, sharesOf, withShares } from "./shares.js";
import { Sheet } from "./sheet.js";

const SHOWN = 6;

/** How long dynos and hosts are kept, and from which beginning on, later than asked for, that is said. */
export const KEPT_S = 86_400;
const LATE_S = 600;

const ONE = { dynos: "Dyno", hosts: "Host" };

export class NamesPanel {
  /** `kind`: `dynos` or `hosts`. */
  constructor(container, kind) {
    this.kind = kind;
    this.isOpen = false;
    this.note = make("p", { class: "fine" });
    this.finding = make("p", { class: "finding", hidden: true });
    this.link = kind === "dynos" ? make("a", { class: "fine" }, "Memory, load and restarts") : null;
    this.more = make("button", { type: "button", class: "more", hidden: true });
    this.more.addEventListener("click", () => this.toggle());
    this.panel = make(
      "section",
      { class: "panel names", "aria-label": `${ONE[kind]}s` },
      make("div", { class: "panel-head" }, make("h2", {}, `${ONE[kind]}s`), this.note, this.link),
      this.finding,
    );
    this.sheet = new Sheet(this.panel, {
      label: `${ONE[kind]}s`,
      columns: columns(kind),
      keyOf: (row) => `${row.app} ${row.name}`,
      sort: { key: "share", descends: true },
      context: (row) => addressOf(row, { ...this.nav, sort: "", filter: "" }),
      yielding: ["own-p50", "own-errors", "own-count", "own-p95"],
      sorted: () => this.draw(),
    });
    this.panel.append(this.more);
    container.append(this.panel);
  }

  /** `nav`: which time was asked for (navigation.js). */
  show(table, nav) {
    this.found = table;
    this.nav = nav;
    if (this.link) setAttribute(this.link, "href", hashOf({ ...nav, view: "dynos", sort: "", filter: "" }));
    this.isGone = isPast(nav) && table.at_ms / 1_000 - nav.to > KEPT_S;
    setText(this.note, noteOf(table, nav));
    this.draw();
  }

  draw() {
    if (!this.found) return;
    const rows = withShares(this.found.rows).map((row) => (this.link ? read(row, this.found) : row));
    const shown = this.isOpen ? rows : this.first(rows);
    this.sheet.show(shown, { nothing: this.isGone ? "Kept for 24 hours." : "No requests in this window.", all: rows });
    setText(this.finding, this.link ? dynosSentence(rows, this.nav) : hostsSentence(rows));
    this.finding.hidden = !this.finding.textContent;
    this.more.hidden = rows.length <= SHOWN;
    setAttribute(this.more, "aria-expanded", String(this.isOpen));
    setText(this.more, this.isOpen ? `Show ${SHOWN}` : `Show all ${format.count(rows.length)}`);
  }

  /** The first rows in the order that is chosen. */
  first(rows) {
    return rows.length <= SHOWN ? rows : this.sheet.ordered(rows).slice(0, SHOWN);
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
export function noteOf({ from_s: from, left_out: leftOut = 0 }, nav) {
  const parts = [];
  if (isPast(nav) ? from - nav.from >= LATE_S && from < nav.to : SPANS_S[nav.window] > KEPT_S) {
    parts.push(isPast(nav) ? `from ${format.dayAndClock(from)}` : "last 24 h");
  }
  if (leftOut) parts.push(leftOut === 1 ? "the least used is left out" : `the ${format.count(leftOut)} least used are left out`);
  return parts.join("; ");
}

function columns(kind) {
  return [
    { key: "name", name: ONE[kind], text: true, isHead: true, of: (row) => row.name, fill: kind === "dynos" ? fillDyno : fillHost },
    { key: "app", name: "App", text: true, of: (row) => row.app, ifAny: (row) => row.app && row.is_of_many, fill: plain((row) => row.app) },
    // Of the summary only what is not as usual.
    ...(kind === "dynos" ? [{ ...STATE, ifAny: (row) => row.state && row.state.name !== "up" }, MEMORY] : []),
    { key: "own-count", name: "Requests", of: (row) => row.figures.count, fill: plain((row) => format.shortCount(row.figures.count)) },
    { key: "own-errors", name: "Errors", of: (row) => row.figures.error_rate, fill: fillErrors },
    { key: "share", name: "Of all errors", of: (row) => row.error_share, fill: fillShare },
    { key: "own-p50", name: "Median", of: (row) => row.figures.service.p50 ?? -1, fill: plain((row) => format.time(row.figures.service.p50)) },
    { key: "own-p95", name: "p95", of: (row) => row.figures.service.p95 ?? -1, fill: plain((row) => format.time(row.figures.service.p95)) },
  ];
}

function fillHost(cell, row) {
  const name = row.name ? format.visible(row.name) : "(no host)";
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "cut" }));
  setText(part, name);
  setAttribute(part, "title", name);
}

/** `web.3 has 99 % of the errors, with 33 % of the requests.` */
function hostsSentence(rows) {
  const worst = mostErrors(rows);
  if (!worst) return "";
  return worst.name ? `${format.visible(worst.name)} has ${sharesOf(worst)}.` : `Requests without a host have ${sharesOf(worst)}.`;
}

/** The same, and what the platform says: `web.3 is at 180 % of its memory and has 99 % of the errors, ...` */
function dynosSentence(rows, nav) {
  return findings(rows, isPast(nav)).map(({ row, text }) => (row ? `${subjectOf(row)} ${text}` : text)).join(" ");
}
