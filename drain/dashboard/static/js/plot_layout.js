// How uPlot draws a panel: scales, axes, lines, and what it does on a drag.

import * as format from "./format.js";
import { colour } from "./theme.js";
import * as zone from "./zone.js";

const SMALLEST_MS = 0.5; // A logarithm knows no zero; the router's own resolution is 1 ms.
const SHORTEST_DRAG_PX = 6; // Less is a click.

// Between ticks.
const MINUTES_S = [1, 2, 5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1_440, 2_880, 7_200, 10_080, 14_400].map((minutes) => 60 * minutes);
const SECONDS_S = [1, 2, 5, 10, 15, 30];

/** `on`: {canZoom, moved(plot), drawn(plot), dragged(low, high), doubleClicked()}. */
export function layout(options, step, place, on) {
  const axis = { stroke: colour("--faint"), font: "11px system-ui, sans-serif", ticks: { show: false }, gap: 4 };
  const grid = { stroke: colour("--line"), width: 1 };
  const { isLogarithmic, isCount, lowestTop, show, isElapsed, sync = "tailrace" } = options;
  return {
    width: place.clientWidth,
    height: place.clientHeight,
    padding: [6, 14, 0, 0],
    legend: { show: false },
    tzDate: zone.zonedDate,
    cursor: {
      // A drag and a double click belong to the plot under the mouse alone.
      sync: { key: sync, filters: { pub: (type) => type === "mousemove" || type === "mouseleave" } },
      y: false,
      drag: { x: on.canZoom, y: false, setScale: false, dist: SHORTEST_DRAG_PX },
      bind: { dblclick: () => () => on.doubleClicked() },
      points: { size: 6 },
    },
    scales: {
      x: { time: !isElapsed },
      y: isLogarithmic
        ? { distr: 3, range: (_, low, high) => logRange(low, high) }
        : { range: (_, low, high) => [0, high || !isCount ? Math.max(high ?? 0, lowestTop) * 1.08 : 1] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, gap: 6, incrs: isElapsed || step < 60 ? [...SECONDS_S, ...MINUTES_S] : MINUTES_S, space: step >= 3_600 || step < 60 ? 64 : 52, values: (_, ticks) => names(ticks, step, isElapsed) },
      { ...axis, grid, size: 52, space: 34, ...(isLogarithmic ? { splits: powersOfTen } : {}), values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : format.short(show(tick)))) },
    ],
    series: [{}, ...options.series.map(line)],
    hooks: { setCursor: [on.moved], draw: [on.drawn], setSelect: [(plot) => take(plot, on)] },
  };
}

/** What has been dragged across, in the plot's own time. */
function take(plot, on) {
  const { left, width } = plot.select;
  if (width < SHORTEST_DRAG_PX) return;
  plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
  on.dragged(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
}

function names(ticks, step, isElapsed) {
  if (isElapsed) return ticks.map(format.duration);
  if (step >= 3_600) return ticks.map((tick) => (zone.isMidnight(tick) ? zone.day(tick) : zone.clockShort(tick)));
  const isFine = ticks.some((tick) => tick % 60 !== 0);
  return ticks.map(isFine ? zone.clock : zone.clockShort);
}

function line(own) {
  const stroke = colour(own.colour);
  return {
    stroke,
    width: 1.6,
    dash: own.isDashed ? [6, 4] : undefined,
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

export const atLeast = (value) => (value === null ? null : Math.max(SMALLEST_MS, value));

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
