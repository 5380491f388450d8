// One dyno by itself: its figures, memory and load over the span, and what the platform said of it.

import { plain } from "./columns.js";
import { make, Part, setAttribute, setText } from "./dom.js";
import { megabytes, moment, percentOf, toneOf } from "./dyno_words.js";
import * as format from "./format.js";
import { hashOf } from "./navigation.js";
import { Panel } from "./panel.js";
import { Sheet } from "./sheet.js";
import { held } from "./sparks.js";
import { day, isSameDay } from "./zone.js";

const EVENTS_SHOWN = 20;
const BAD_FROM = 0.01;
const NO_MARKS = { releases: [], isOfMany: false };

const PLOTS = [
  {
    title: "Memory",
    series: [
      { name: "memory", column: "memory", colour: "--p95", fill: true },
      { name: "quota", column: "quota", colour: "--server", isDashed: true },
    ],
    show: megabytes,
    lowestTop: 16,
    nothing: "no memory was measured in this window",
  },
  {
    title: "Load",
    series: [{ name: "average of a minute", column: "load", colour: "--p95", fill: true }],
    show: format.rate,
    lowestTop: 0.5,
    nothing: "no load was measured in this window",
  },
  {
    title: "Requests per second",
    series: [{ name: "all", column: "requests", colour: "--p95", fill: true }],
    show: format.rate,
    lowestTop: 0.05,
    isCount: true,
  },
];

export class DynoDetail {
  constructor(container, travel) {
    this.back = make("a", {}, "All dynos");
    this.title = make("h1", {}, "…");
    this.finding = make("p", { class: "finding", hidden: true });
    this.missing = make("p", { class: "panel none", hidden: true });
    this.facts = new Part("dl", { class: "figures dyno-figures", "aria-label": "Figures" });
    this.travel = travel;
    this.plots = make("div", { class: "plots" });
    this.panels = [];
    this.marks = NO_MARKS;
    this.events = make("section", { class: "panel dyno-events", "aria-label": "Events" }, make("h2", {}, "Events of this dyno"));
    this.sheet = new Sheet(this.events, { label: "Events of this dyno", columns: EVENT_COLUMNS, keyOf: (row) => row.id });
    this.eventsNote = make("p", { class: "fine", hidden: true });
    this.events.append(this.eventsNote);
    this.found = make("div", {}, this.facts.element, this.plots);
    this.element = make("section", { class: "dyno-detail", hidden: true }, make("div", { class: "route-head" }, make("div", {}, this.back, this.title)), this.finding, this.missing, this.found, this.events);
    container.append(this.element);
  }

  /** `row`: the dyno, read and with shares, or null where the answer has none of this name; `finding`: what
      stands out of it; `nav`: where one is. */
  show(row, finding, answer, nav) {
    setText(this.title, format.visible(nav.dyno));
    setAttribute(this.back, "href", hashOf({ ...nav, dyno: "" }));
    setText(this.finding, finding ? `${format.visible(nav.dyno)} ${finding.text}` : "");
    this.finding.hidden = !finding;
    this.missing.hidden = Boolean(row);
    this.found.hidden = !row;
    if (!row) {
      setText(this.missing, `Nothing is known of a dyno with this name in this window.${answer.left_out ? " It may be one of those that are left out because there are many." : ""}`);
      return;
    }
    this.facts.show({ row }, () => factsOf(row));
    if (!this.panels.length) {
      this.panels = PLOTS.map((plot) => new Panel(this.plots, plot, this.travel));
      this.mark(this.marks);
    }
    const series = seriesOf(row, answer, nav);
    const [, , requests] = this.panels;
    requests.place.closest("figure").hidden = !row.figures.count;
    for (const panel of this.panels) panel.show(series);
    this.mark(this.marks);
  }

  /** `marks`: the releases to mark; see PlotMarks. */
  mark(marks) {
    this.marks = marks;
    for (const panel of this.panels) panel.mark(marks);
  }

  /** `rows`: events of this dyno, newest first. */
  showEvents(rows, keptFrom) {
    this.sheet.show(rows.slice(0, EVENTS_SHOWN), { nothing: "The platform said nothing of this dyno in this window." });
    const notes = [];
    if (rows.length > EVENTS_SHOWN) notes.push(`${format.plural(rows.length - EVENTS_SHOWN, "older one is", "older ones are")} not shown.`);
    if (keptFrom) notes.push(`Events before ${moment(keptFrom / 1_000)} were dropped because there were many.`);
    setText(this.eventsNote, notes.join(" "));
    this.eventsNote.hidden = !notes.length;
  }

  clear() {
    setText(this.title, "…");
    this.finding.hidden = true;
    this.missing.hidden = true;
    this.found.hidden = true;
    this.sheet.clear();
    this.mark(NO_MARKS);
  }

  redraw() {
    for (const panel of this.panels) panel.redraw();
  }
}

const EVENT_COLUMNS = [
  { key: "at", name: "Time", text: true, fill: fillTime },
  { key: "text", name: "Event", text: true, isHead: true, fill: plain((row) => format.visible(row.text)) },
  { key: "times", name: "Times", ifAny: (row) => row.count > 1, fill: plain((row) => format.count(row.count)) },
];

function fillTime(cell, row) {
  const part = cell.firstChild ?? cell.appendChild(make("time"));
  // Of several alike, the last: that is what the rows are ordered by.
  const at = row.until_ms / 1_000;
  setText(part, isSameDay(at, Date.now() / 1_000) ? format.clock(at) : `${day(at)} ${format.clock(at)}`);
  setAttribute(part, "datetime", new Date(row.until_ms).toISOString());
  setAttribute(part, "title", row.until_ms > row.at_ms ? `${moment(row.at_ms / 1_000)} to ${moment(at)}` : moment(at));
}

function factsOf(row) {
  const { state, memory, load, runtime, figures } = row;
  const since = state?.since_s == null ? "" : `since ${moment(state.since_s)}`;
  const crashes = runtime.crashes ? `, ${format.plural(runtime.crashes, "crash", "crashes")}` : "";
  const share = memory?.share ?? null;
  return [
    fact("State", state ? format.visible(state.name) : "–", [since], state?.name === "crashed"),
    fact("Restarts", format.count(runtime.restarts), [`in this window${crashes}`], runtime.crashes),
    fact("Memory", share === null ? megabytes(memory?.mb) : percentOf(share), memoryLines(row), toneOf(memory) === "bad"),
    fact("R14, R15", `${format.shortCount(runtime.r14)}, ${format.shortCount(runtime.r15)}`, ["memory quota exceeded, vastly exceeded"], runtime.r14 || runtime.r15),
    fact("Load", load ? format.rate(load.value) : "–", loadLines(row)),
    ...(figures.count ? requestFacts(row) : []),
  ];
}

function requestFacts({ figures, error_share: share }) {
  const { count, rate, errors, error_rate: errorRate, service } = figures;
  const all = share ? `${format.percent(share)} of all errors` : "";
  return [
    fact("Requests", format.shortCount(count), [rate === null ? "" : `${format.rate(rate)} per second`]),
    fact("Errors", format.percent(errorRate), [`${format.count(errors)} of ${format.shortCount(count)}`, all], errorRate >= BAD_FROM),
    fact("p95", format.time(service.p95), [`median ${format.time(service.p50)}`]),
  ];
}

function memoryLines({ memory, runtime }) {
  if (!memory) return ["not measured"];
  const of = memory.quota === null ? "" : ` of ${megabytes(memory.quota)}`;
  const swap = memory.isLatest && runtime.swap_mb ? `swap ${megabytes(runtime.swap_mb)}` : "";
  const highest = memory.isLatest ? runtime.memory_highest_mb : null;
  return [memory.isLatest ? `${megabytes(memory.mb)}${of}` : `highest: ${megabytes(memory.mb)}${of}`, swap, highest === null ? "" : `highest ${megabytes(highest)}`];
}

function loadLines({ load, runtime }) {
  if (!load) return ["not measured"];
  if (!load.isLatest) return ["highest in this window"];
  return [runtime.load_5m === null ? "" : `${format.rate(runtime.load_5m)} in 5 min`, runtime.load_15m === null ? "" : `${format.rate(runtime.load_15m)} in 15 min`];
}

function fact(name, value, lines, isBad = false) {
  const sub = lines.filter(Boolean).join(" · ");
  return make("div", {}, make("dt", {}, name), make("dd", { "data-tone": isBad ? "bad" : null }, value), make("dd", { class: "sub" }, sub || "\u00a0"));
}

/** The sparks as series with their times: whole steps, of which the last ends with the span. */
export function seriesOf(row, { to_s: to, step_s: step, from_s: from }, { to: end }) {
  const { memory_spark: memory, load_spark: load, quota_mb: quota } = row.runtime;
  const steps = Math.max(memory.length, load.length, row.spark.length);
  // The last seconds of a span that ends now are in no step yet: their lines are on the way.
  const settled = end === null ? Math.floor((to - 3) / 10) * 10 : to;
  const last = Math.floor((settled - 1) / step) * step;
  const times = Array.from({ length: steps }, (_, at) => last - (steps - 1 - at) * step);
  const padded = (values) => [...Array(steps - values.length).fill(null), ...values];
  return {
    times,
    from_s: times[0] ?? from,
    to_s: to,
    step_s: step,
    memory: held(padded(memory), step),
    quota: Array(steps).fill(memory.some((value) => value !== null) ? quota : null),
    load: held(padded(load), step),
    requests: padded(row.spark),
  };
}
