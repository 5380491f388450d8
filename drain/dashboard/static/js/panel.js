// One plot with its legend, its cursor and the table behind it. uPlot draws; the legend is ours, and names
// the values under the cursor, or the last ones. By mouse a drag zooms and a double click goes back; by
// keyboard the plot is a slider whose value is a step of time.

/* global uPlot */

import { make, setAttribute, setText } from "./dom.js";
import { IncidentMarks } from "./incident_marks.js";
import { moments } from "./plot_times.js";
import { atLeast, layout } from "./plot_layout.js";
import { PlotMarks } from "./plot_marks.js";
import { PlotTable } from "./plot_table.js";
import { snapped } from "./moments.js";
import { colour } from "./theme.js";

const PAGE = 10; // Steps for the keys Page Up and Page Down.
const KEYS = "Enter Shift+ArrowLeft Shift+ArrowRight";

let made = 0;

/** `isElapsed`: times are seconds since a start, else Unix time. `sync`: plots whose cursors move together. */
export class Panel {
  /** `travel`: where a drag, a double click and Enter lead; without it they do nothing. */
  constructor(container, options, travel = null) {
    this.options = options;
    this.travel = travel;
    // The keyboard goes through the marks of the first plot alone: they are the same on all.
    this.marks = new PlotMarks(!container.childElementCount);
    this.incidents = new IncidentMarks(!container.childElementCount);
    this.at = null; // The time to which the keyboard has moved the cursor.
    made += 1;
    this.keys = options.series.map((own) => ({ mark: make("i"), value: make("b"), own }));
    this.sum = make("p", { class: "unseen", id: `plot-sum-${made}` });
    this.place = make("div", {
      class: "plot",
      role: "slider",
      tabindex: "0",
      "aria-label": options.title,
      "aria-describedby": this.sum.id,
      "aria-valuemin": "0",
      "aria-keyshortcuts": travel ? KEYS : null,
    });
    const legend = make("p", { class: "keys" }, ...this.keys.map((key) => make("span", {}, key.mark, `${key.own.name} `, key.value)));
    this.nothing = make("p", { class: "plot-empty", hidden: true }, make("span", {}, options.nothing ?? "no requests in this window"));
    this.time = make("span", { class: "plot-time", hidden: true });
    this.place.append(this.nothing);
    this.table = new PlotTable(options);
    container.append(
      make("figure", { class: "panel" }, make("div", { class: "panel-head" }, make("h2", {}, options.title), legend), make("div", { class: "plot-place" }, this.incidents.element, this.marks.element, this.place), this.sum, this.table.element),
    );
    new ResizeObserver(() => this.resize()).observe(this.place);
    this.place.addEventListener("keydown", (event) => this.key(event));
    this.place.addEventListener("focus", () => this.place.matches(":focus-visible") && this.moveTo(this.index ?? this.last));
    this.place.addEventListener("blur", () => this.leave());
    this.place.addEventListener("mousemove", () => { this.at = null; });
  }

  show(series, csv = "") {
    this.series = series;
    this.times = moments(series, this.options.isElapsed);
    const columns = this.options.series.map((own) => series[own.column]);
    this.data = [series.times, ...columns.map((column) => (this.options.isLogarithmic ? column.map(atLeast) : column))];
    const isSomething = (value) => value !== null && !(this.options.isCount && value === 0);
    this.nothing.hidden = columns.some((column) => column.some(isSomething));
    this.label(null);
    setText(this.sum, this.sentence(columns));
    this.describe(this.index ?? this.last);
    this.table.show(series, this.times, csv);
    if (this.plot && this.step === series.step_s) this.plot.setData(this.data);
    else this.build();
  }

  sentence(columns) {
    const parts = this.options.series.map((own, at) => {
      const values = columns[at].filter((value) => value !== null);
      if (!values.length) return `${own.name}: none`;
      return `${own.name}: last ${this.options.show(values.at(-1))}, highest ${this.options.show(Math.max(...values))}`;
    });
    return `${this.times.span}. ${parts.join("; ")}.`;
  }

  label(at) {
    for (const { own, mark, value } of this.keys) {
      const column = this.series[own.column];
      setText(value, this.options.show(at === null ? lastOf(column) : column[at]));
      mark.style.background = colour(own.colour);
    }
    this.time.hidden = at === null;
    if (at === null || !this.plot) return;
    setText(this.time, this.times.full(this.series.times[at]));
    const x = this.plot.valToPos(this.series.times[at], "x");
    this.time.classList.toggle("before", x > this.plot.over.clientWidth / 2);
    this.time.style.left = `${x}px`;
  }

  /** What a screen reader says of the step. */
  describe(at) {
    setAttribute(this.place, "aria-valuemax", String(this.last));
    setAttribute(this.place, "aria-valuenow", String(at));
    const values = this.options.series.map((own) => `${own.name} ${this.said(this.series[own.column][at])}`);
    const { times } = this.series;
    const released = this.marks.within(times[at], times[at + 1] ?? Infinity).map((name) => `; ${name} released`);
    const wrong = this.incidents.within(times[at], times[at + 1] ?? Infinity).map((title) => `; alert: ${title}`);
    setAttribute(this.place, "aria-valuetext", `${this.times.full(times[at])}: ${values.join(", ")}${released.join("")}${wrong.join("")}`);
  }

  /** `found`: the releases to mark; see PlotMarks. */
  mark(found) {
    this.marks.show(found);
    if (this.series) this.describe(this.index ?? this.last);
  }

  /** `found`: the incidents to mark; see IncidentMarks. */
  markIncidents(found) {
    this.incidents.show(found);
    if (this.series) this.describe(this.index ?? this.last);
  }

  said(value) {
    return value === null || value === undefined ? "none" : this.options.show(value);
  }

  get last() {
    return this.series.times.length - 1;
  }

  /** Where the keyboard's cursor is; null while it is nowhere. As new figures come, it stays at its time. */
  get index() {
    if (this.at === null) return null;
    return Math.max(0, this.series.times.findLastIndex((time) => time <= this.at));
  }

  key(event) {
    if (!this.series || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const at = this.index ?? this.last;
    const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: this.last, PageUp: at + PAGE, PageDown: at - PAGE };
    if (event.key in moves) this.moveTo(moves[event.key]);
    else if (event.key === "Enter" && this.travel) this.travel.zoomAround(this.series.times[at], { from: this.series.from_s, to: this.series.to_s });
    else return;
    event.preventDefault();
  }

  moveTo(index) {
    if (!this.plot) return;
    const at = Math.min(Math.max(0, index), this.last);
    this.at = this.series.times[at];
    this.describe(at);
    this.setCursor();
  }

  setCursor() {
    if (this.at !== null) this.plot.setCursor({ left: this.plot.valToPos(this.series.times[this.index], "x"), top: 1 }, true, true);
  }

  leave() {
    if (this.at === null) return;
    this.at = null;
    this.plot?.setCursor({ left: -10, top: -10 }, true, true);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (this.plot && width) this.plot.setSize({ width, height });
    else if (this.data && width) this.build();
  }

  /** In other colours, or in another time zone. */
  redraw() {
    if (!this.data) return;
    this.times = moments(this.series, this.options.isElapsed);
    this.describe(this.index ?? this.last);
    this.table.redraw(this.times);
    this.build();
  }

  /** Anew: uPlot takes colours and scales only once. */
  build() {
    if (!this.data || !this.place.clientWidth) return;
    this.plot?.destroy();
    this.step = this.series.step_s;
    this.label(null);
    this.plot = new uPlot(layout(this.options, this.step, this.place, this.handlers()), this.data, this.place);
    this.plot.over.append(this.time);
  }

  handlers() {
    const { travel } = this;
    return {
      canZoom: travel !== null,
      moved: (plot) => this.label(plot.cursor.idx ?? null),
      drawn: (plot) => {
        this.marks.place(plot, this.step);
        this.incidents.place(plot);
        if (this.plot) this.setCursor();
      },
      dragged: (low, high) => travel.zoomTo(snapped(low, high, this.series)),
      doubleClicked: () => travel?.back(),
    };
  }
}

function lastOf(column) {
  for (let at = column.length - 1; at >= 0; at -= 1) if (column[at] !== null) return column[at];
  return null;
}
