// All apps side by side: how much each gets, what fails, how long it takes, and which of them are silent.

import { change, fillErrors, plain } from "./columns.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { tipLine as tipLineOf } from "./incident_marks.js";
import { tipLine } from "./release_words.js";
import { Sheet } from "./sheet.js";
import { fillErrorTrend, fillTrend } from "./sparks.js";
import { load, save } from "./storage.js";

const SORT = "tailrace.sort-apps";
const BAD_FROM = 0.01;

/** From here on a silence is said; figures are a few seconds late in any case. */
const SAID_FROM_S = 60;
/** From here on it stands out. */
const LONG_FROM_S = 120;

/** Figures of the newest steps are still on the way. */
const ON_THE_WAY_S = 60;

const COLUMNS = [
  { key: "name", name: "App", text: true, isHead: true, of: (row) => row.app, fill: fillName },
  { key: "app-rate", name: "Requests/s", of: (row) => row.figures.rate ?? 0, fill: plain((row) => format.rate(row.figures.rate)) },
  change("rate", "Δ requests/s"),
  { key: "app-now", name: "Now/s", tip: "Over the last whole minute", of: (row) => row.now_requests_per_s, fill: fillNow },
  { key: "app-trend", name: "Requests", fill: (cell, row) => fillTrend(cell, row.requests_spark, [], row.marks) },
  { key: "app-errors", name: "Errors", of: (row) => row.figures.error_rate, fill: fillErrors },
  change("error_rate", "Δ errors"),
  { key: "errors-now", name: "Errors now", tip: "Over the last whole minute", of: (row) => row.now_error_rate ?? 0, fill: fillErrorsNow },
  { key: "errors-trend", name: "Errors/s", fill: (cell, row) => fillErrorTrend(cell, row.requests_spark, row.errors_spark, row.incidents) },
  { key: "app-p50", name: "Median", of: (row) => row.figures.service.p50 ?? -1, fill: plain((row) => format.time(row.figures.service.p50)) },
  { key: "app-p95", name: "p95", of: (row) => row.figures.service.p95 ?? -1, fill: plain((row) => format.time(row.figures.service.p95)) },
  change("p95", "Δ p95"),
  { key: "last", name: "Last request", text: true, descendsFirst: true, of: (row) => row.silent_s, fill: fillLast },
];

const YIELDING = ["app-p50", "change-rate", "errors-trend", "app-trend", "errors-now", "change-error_rate", "change-p95", "app-rate"];

export class OverviewView {
  /** `addressOf(row)` gives the address of an app's own view. */
  constructor(container, addressOf) {
    this.answer = null;
    this.releases = [];
    this.alarms = [];
    this.note = byId("overview-note");
    this.sheet = new Sheet(container, {
      label: "Apps",
      columns: COLUMNS,
      keyOf: (row) => row.app,
      sort: readSort(),
      context: addressOf,
      yielding: YIELDING,
      sorted: (sort) => save(SORT, JSON.stringify(sort)),
      cards: "app-cards",
    });
  }

  show(answer) {
    this.answer = answer;
    const { apps, left_out: leftOut, at_ms: atMs } = answer;
    const rows = apps.map((row) => ({ ...row, marks: this.marksOf(row.app), incidents: this.incidentsOf(row.app), silent_s: row.last_s === null ? Infinity : Math.max(0, atMs / 1_000 - row.last_s - 10) }));
    this.sheet.show(rows, { nothing: "No app has sent a request yet." });
    setText(this.note, this.sentence(rows, leftOut));
  }

  /** `releases`: those of all apps, which are marked in the trends. */
  mark(releases) {
    this.releases = releases;
    if (this.answer) this.show(this.answer);
  }

  /** `alarms`: incidents of all apps, which are marked in the trends of errors. */
  markIncidents(alarms) {
    this.alarms = alarms;
    if (this.answer) this.show(this.answer);
  }

  /** {from, to, text} of an app's incidents, as far as they are in the span: from 0, its beginning, to 1. */
  incidentsOf(app) {
    const { from_s: from, to_s: to } = this.answer;
    const shareOf = (at) => Math.min(1, Math.max(0, (at - from) / Math.max(1, to - from)));
    return this.alarms
      .filter(({ incident }) => incident.app === app && (incident.resolved_s ?? Infinity) > from && incident.began_s < to + ON_THE_WAY_S)
      .map((alarm) => ({ from: shareOf(alarm.incident.began_s), to: shareOf(alarm.incident.resolved_s ?? Infinity), text: `Alert: ${tipLineOf(alarm)}` }));
  }

  /** {at, text} of an app's releases; `at`: from 0, the beginning of the span, to 1. */
  marksOf(app) {
    const { from_s: from, to_s: to } = this.answer;
    const own = this.releases.filter((release) => release.app === app);
    return own
      .map((release) => ({ at: (release.at_ms / 1_000 - from) / Math.max(1, to - from), text: tipLine(release) }))
      .filter(({ at }) => at >= 0)
      .map(({ at, text }) => ({ at: Math.min(1, at), text }));
  }

  sentence(rows, leftOut) {
    const silent = rows.filter((row) => row.silent_s >= LONG_FROM_S).length;
    const parts = [format.plural(rows.length, "app")];
    if (silent) parts.push(`${format.count(silent)} silent`);
    if (leftOut) parts.push(leftOut === 1 ? "the least used is left out" : `the ${format.count(leftOut)} least used are left out`);
    return parts.join("; ");
  }

  clear() {
    this.answer = null;
    this.releases = [];
    this.sheet.clear();
    setText(this.note, "");
  }
}

function fillName(cell, row, addressOf) {
  // Requests without an app's name have no view of their own.
  if (!row.app) return setText(cell, "(without a name)");
  const link = cell.firstChild ?? cell.appendChild(make("a"));
  setText(link, row.app);
  setAttribute(link, "href", addressOf(row));
}

function fillNow(cell, row) {
  setText(cell, format.rate(row.now_requests_per_s));
  setAttribute(cell, "data-tone", row.now_requests_per_s ? null : "zero");
}

function fillErrorsNow(cell, row) {
  const rate = row.now_error_rate;
  setText(cell, row.now_requests_per_s ? (rate ? format.percent(rate) : "0") : "–");
  setAttribute(cell, "data-tone", rate >= BAD_FROM ? "bad" : rate ? null : "zero");
}

function fillLast(cell, row) {
  setText(cell, silence(row.silent_s));
  setAttribute(cell, "data-tone", row.silent_s >= LONG_FROM_S ? "silent" : null);
}

function silence(seconds) {
  if (seconds === Infinity) return "no request kept";
  return seconds < SAID_FROM_S ? "just now" : `no request for ${format.duration(seconds)}`;
}

function readSort() {
  try {
    const found = JSON.parse(load(SORT));
    if (COLUMNS.find((column) => column.key === found.key)?.of) return { key: found.key, descends: Boolean(found.descends) };
  } catch { /* nothing kept, or nothing that fits */ }
  return { key: "app-rate", descends: true };
}
