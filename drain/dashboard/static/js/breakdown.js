// A route broken down by dyno, method, status and code, out of the kept log. That costs a scan, so a short span is
// read once, when its view is opened, and a long one when it is asked for.

import { NoAnswer, ask } from "./client.js";
import { meaningOf, plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { Sheet } from "./sheet.js";
import { zoneName } from "./zone.js";

const KINDS = [["dyno", "Dyno"], ["method", "Method"], ["status", "Status"], ["code", "H-code"]];
const BAD_FROM = 0.01;

export class BreakdownView {
  /** `onRead(found)` is given what was read, and null once it is of another view. */
  constructor(container, onRead) {
    this.onRead = onRead;
    this.address = "";
    this.asking = null;
    this.button = make("button", { type: "button", class: "button" }, "Read the log");
    this.note = make("p", { class: "fine", role: "status" });
    this.tables = make("div", { class: "breakdown-tables", hidden: true });
    this.sheets = KINDS.map(([kind, name]) => ({ kind, sheet: new Sheet(this.tables, options(kind, name)) }));
    const head = make("div", { class: "panel-head" }, make("h2", {}, "By dyno, method, status and code"), this.button);
    container.append(make("section", { class: "panel breakdown", "aria-label": "Breakdown" }, head, this.note, this.tables));
    this.button.addEventListener("click", () => this.read());
    this.idle();
  }

  /** What is to be read for the view that is shown, at once if its span is short; what was read for another one goes. */
  of(address, isShort) {
    if (address === this.address) return;
    this.address = address;
    this.idle();
    if (isShort) this.read();
  }

  idle() {
    this.asking?.abort();
    this.onRead(null);
    this.tables.hidden = true;
    for (const { sheet } of this.sheets) sheet.clear();
    this.wait(false);
    setText(this.button, "Read the log");
    setText(this.note, "So long a span is counted from the lines of the kept log when you ask for it.");
  }

  wait(isReading) {
    setAttribute(this.button, "aria-disabled", isReading ? "true" : null);
    if (isReading) setText(this.note, "Reading the log …");
  }

  async read() {
    if (this.button.getAttribute("aria-disabled")) return;
    const asking = new AbortController();
    this.asking = asking;
    this.wait(true);
    try {
      const found = await ask(this.address, asking.signal);
      if (!asking.signal.aborted) this.show(found);
    } catch (fault) {
      if (!asking.signal.aborted) this.fail(fault);
    }
    if (this.asking === asking) this.wait(false);
  }

  show(found) {
    setText(this.button, "Read again");
    setText(this.note, sentence(found));
    this.onRead(found);
    this.tables.hidden = !found.requests;
    for (const { kind, sheet } of this.sheets) {
      const groups = found.groups[kind] ?? [];
      // A route without H-codes has one group of them: all that have none.
      const isThere = groups.some((group) => group.name);
      sheet.element.hidden = !isThere;
      if (isThere) sheet.show(groups);
    }
  }

  fail(fault) {
    const why = {
      missing: "The log has no request of this route in this time.",
      network: "The server does not answer.",
      login: "Not signed in. Reload the page to sign in.",
      redis: "The log cannot be read now.",
    };
    const own = fault instanceof NoAnswer ? fault.reason : "";
    this.tables.hidden = true;
    setText(this.note, own ? `${format.capital(own).replace(/\.$/, "")}.` : why[fault.kind] ?? "The server returned an error.");
  }
}

/** `From the log: 12,345 lines, all of the window.` */
function sentence({ lines_read: lines, is_whole: isWhole, requests, from_s: from, to_s: to, read_from_s: readFrom, at_ms: atMs }) {
  const part = isWhole ? "all of the window" : `its newest ${format.duration(Math.max(1, to - readFrom))} of ${format.duration(to - from)}`;
  const at = atMs ? `, read at ${format.clock(atMs / 1_000)} ${zoneName()}` : "";
  return `From the log: ${format.plural(lines, "line")}, ${part}; ${format.plural(requests, "request")} of this route${at}.`;
}

function options(kind, name) {
  return {
    label: `By ${kind === "code" ? "H-code" : kind}`,
    columns: [
      { key: "name", name, text: true, isHead: true, of: (row) => row.name, fill: (cell, row) => fillName(cell, row, kind) },
      { key: "own-count", name: "Requests", of: (row) => row.count, fill: plain((row) => format.shortCount(row.count)) },
      { key: "own-errors", name: "Errors", of: (row) => row.errors, fill: fillErrors },
      { key: "own-p50", name: "Median", of: (row) => row.p50 ?? -1, fill: plain((row) => format.time(row.p50)) },
      { key: "own-p95", name: "p95", of: (row) => row.p95 ?? -1, fill: plain((row) => format.time(row.p95)) },
    ],
    keyOf: (row) => row.name,
    sort: { key: "own-count", descends: true },
    yielding: ["own-p50"],
  };
}

function fillName(cell, row, kind) {
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "cut" }));
  setText(part, row.name ? format.visible(row.name) : "(none)");
  setAttribute(part, "data-tip", kind === "code" && row.name ? meaningOf(row.name) : null);
}

function fillErrors(cell, row) {
  const rate = row.count ? row.errors / row.count : 0;
  setText(cell, row.errors ? `${format.shortCount(row.errors)} · ${format.percent(rate)}` : "0");
  setAttribute(cell, "data-tone", rate >= BAD_FROM ? "bad" : row.errors ? null : "zero");
}
