// Requests, errors and service times over time. uPlot draws; the legend is ours, and names the
// values under the cursor, or the last ones.

/* global uPlot */

import { make, setText } from "./dom.js";
import * as format from "./format.js";
import { colour } from "./theme.js";

const SMALLEST_MS = 0.5; // A logarithm knows no zero; the router's own resolution is 1 ms.

// Between ticks: they are named by the minute.
const WHOLE_MINUTES_S = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1_440, 2_880, 7_200, 10_080, 14_400].map((minutes) => 60 * minutes);

const ELAPSED_S = [1, 2, 5, 10, 15, 30, ...WHOLE_MINUTES_S];

const PANELS = [
  {
    title: "Requests per second",
    series: [
      { name: "all", column: "requests_per_s", colour: "--p95", fill: true },
      { name: "errors", column: "errors_per_s", colour: "--server" },
    ],
    show: format.rate,
    lowestTop: 0.05,
    isCount: true, // Zero is nothing, and not a share of something.
  },
  {
    title: "Service time",
    series: [
      { name: "p50", column: "service_p50", colour: "--p50" },
      { name: "p95", column: "service_p95", colour: "--p95" },
      { name: "p99", column: "service_p99", colour: "--p99" },
    ],
    show: format.time,
    isLogarithmic: true,
  },
  {
    title: "Error rate",
    series: [{ name: "errors", column: "error_rate", colour: "--server", fill: true }],
    show: format.percent,
    lowestTop: 0.01,
  },
];

export class Plots {
  constructor(container) {
    this.panels = PANELS.map((panel) => new Panel(container, panel));
  }

  show(series) {
    for (const panel of this.panels) panel.show(series);
  }

  redraw() {
    for (const panel of this.panels) panel.build();
  }
}

/** `isElapsed`: times are seconds since a start, else Unix time. `sync`: plots whose cursors move together. */
export class Panel {
  constructor(container, options) {
    this.options = options;
    this.keys = options.series.map((own) => ({ mark: make("i"), value: make("b") }));
    this.place = make("div", { class: "plot", role: "img" });
    const legend = make(
      "p",
      { class: "keys" },
      ...this.keys.map((key, at) => make("span", {}, key.mark, `${options.series[at].name} `, key.value)),
    );
    this.nothing = make("p", { class: "plot-empty", hidden: true }, make("span", {}, "no requests in this window"));
    this.place.append(this.nothing);
    container.append(make("figure", { class: "panel" }, make("div", { class: "panel-head" }, make("h2", {}, options.title), legend), this.place));
    new ResizeObserver(() => this.resize()).observe(this.place);
  }

  show(series) {
    this.series = series;
    const columns = this.options.series.map((own) => series[own.column]);
    this.data = [series.times, ...columns.map((column) => (this.options.isLogarithmic ? column.map(atLeast) : column))];
    const isSomething = (value) => value !== null && !(this.options.isCount && value === 0);
    this.nothing.hidden = columns.some((column) => column.some(isSomething));
    this.label(null);
    this.place.setAttribute("aria-label", this.sentence(columns));
    if (this.plot && this.step === series.step_s) this.plot.setData(this.data);
    else this.build();
  }

  sentence(columns) {
    const parts = this.options.series.map((own, at) => {
      const values = columns[at].filter((value) => value !== null);
      if (!values.length) return `${own.name}: none`;
      return `${own.name}: last ${this.options.show(values.at(-1))}, highest ${this.options.show(Math.max(...values))}`;
    });
    return `${this.options.title}. ${parts.join("; ")}.`;
  }

  label(at) {
    this.options.series.forEach((own, index) => {
      const column = this.series[own.column];
      setText(this.keys[index].value, this.options.show(at === null ? lastOf(column) : column[at]));
      this.keys[index].mark.style.background = colour(own.colour);
    });
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.place;
    if (this.plot && width) this.plot.setSize({ width, height });
    else if (this.data && width) this.build();
  }

  /** Anew: uPlot takes colours and scales only once. */
  build() {
    if (!this.data || !this.place.clientWidth) return;
    this.plot?.destroy();
    this.step = this.series.step_s;
    this.label(null);
    this.plot = new uPlot(this.layout(), this.data, this.place);
  }

  layout() {
    const axis = { stroke: colour("--faint"), font: "11px system-ui, sans-serif", ticks: { show: false }, gap: 4 };
    const grid = { stroke: colour("--line"), width: 1 };
    const { isLogarithmic, isCount, lowestTop, show, isElapsed, sync = "tailrace" } = this.options;
    const isLong = this.step >= 3_600;
    return {
      width: this.place.clientWidth,
      height: this.place.clientHeight,
      padding: [6, 14, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: sync }, y: false, drag: { x: false, y: false }, points: { size: 6 } },
      scales: {
        x: { time: !isElapsed },
        y: isLogarithmic
          ? { distr: 3, range: (_, low, high) => logRange(low, high) }
          : { range: (_, low, high) => [0, high || !isCount ? Math.max(high ?? 0, lowestTop) * 1.08 : 1] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 24, gap: 6, incrs: isElapsed ? ELAPSED_S : WHOLE_MINUTES_S, space: isLong ? 64 : 52, values: (_, ticks) => ticks.map(isElapsed ? format.duration : isLong ? dayOrClock : format.clockShort) },
        { ...axis, grid, size: 52, space: 34, ...(isLogarithmic ? { splits: powersOfTen } : {}), values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : format.short(show(tick)))) },
      ],
      series: [{}, ...this.options.series.map(line)],
      hooks: { setCursor: [(plot) => this.label(plot.cursor.idx ?? null)] },
    };
  }
}

function line(own) {
  const stroke = colour(own.colour);
  return {
    stroke,
    width: 1.6,
    fill: own.fill ? `color-mix(in srgb, ${stroke} 14%, transparent)` : undefined,
    // A value without a neighbour has no line: it is drawn as a point.
    points: { show: true, size: 4, width: 0, fill: stroke, filter: (plot, at) => lonely(plot.data[at]) },
    spanGaps: false,
  };
}

function lonely(column) {
  const isThere = (value) => value !== null && value !== undefined;
  return column.flatMap((value, at) => (isThere(value) && !isThere(column[at - 1]) && !isThere(column[at + 1]) ? [at] : []));
}

const atLeast = (value) => (value === null ? null : Math.max(SMALLEST_MS, value));

function lastOf(column) {
  for (let at = column.length - 1; at >= 0; at -= 1) if (column[at] !== null) return column[at];
  return null;
}

/** Whole powers of ten around the values, at least from 1 ms to 100 ms. */
function logRange(low, high) {
  const from = Math.max(SMALLEST_MS, 10 ** Math.floor(Math.log10(Math.max(low ?? 1, SMALLEST_MS))));
  return [Math.min(from, 10), Math.max(100, 10 ** Math.ceil(Math.log10((high ?? 100) * 1.05)))];
}

function powersOfTen(plot) {
  const { min, max } = plot.scales.y;
  const ticks = [];
  for (let tick = 10 ** Math.ceil(Math.log10(min)); tick <= max; tick *= 10) ticks.push(tick);
  return ticks;
}

function dayOrClock(seconds) {
  const day = new Date(seconds * 1_000);
  const isMidnight = day.getHours() === 0 && day.getMinutes() === 0;
  return isMidnight ? day.toLocaleDateString("en-GB", { day: "numeric", month: "short" }) : format.clockShort(seconds);
}
