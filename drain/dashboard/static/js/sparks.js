// Small drawings of a trend in a table's cell.

import { makeSvg, setAttribute } from "./dom.js";
import * as format from "./format.js";

const WIDTH = 96;
const HEIGHT = 24;
/** An error share that fills the drawing at least: one error in ten thousand requests must not look like an outage. */
const LOWEST_TOP = 0.05;
/** Memory and load of dynos are kept in windows of a minute, and steps may be shorter. */
const HELD_S = 60;

const MARKS_SAID = 3;

/** Requests per second as a line, and below it in red the share of errors, each step by itself. `marks`: {at, text} of
    releases, newest first; `at` is from 0, the beginning, to 1. */
export function fillTrend(cell, requests, errors = [], marks = []) {
  if (!requests.length) return cell.replaceChildren();
  const drawing = cell.firstChild ?? cell.appendChild(drawn());
  const [area, failed, line, released] = drawing.children;
  const path = pathOf(requests, Math.max(...requests, 1e-9));
  setAttribute(line, "d", path);
  setAttribute(area, "d", closed(path));
  const shares = requests.map((value, at) => (value > 0 ? Math.min(1, (errors[at] ?? 0) / value) : 0));
  const worst = Math.max(...shares, 0);
  setAttribute(failed, "d", worst > 0 ? closed(pathOf(shares, Math.max(worst, LOWEST_TOP))) : "");
  const words = [`Requests: last ${format.rate(requests.at(-1))}/s, highest ${format.rate(Math.max(...requests))}/s`];
  if (worst > 0) words.push(`Errors: last ${format.percent(shares.at(-1))}, highest ${format.percent(worst)}`);
  setAttribute(released, "d", marks.map(({ at }) => `M${(at * WIDTH).toFixed(1)},0V${HEIGHT}`).join(""));
  words.push(...marks.slice(0, MARKS_SAID).map(({ text }) => text));
  if (marks.length > MARKS_SAID) words.push(`and ${format.plural(marks.length - MARKS_SAID, "older release")}`);
  say(drawing, words);
}

/** Errors per second by themselves. `incidents`: {from, to, text}, newest first; times are from 0 to 1. */
export function fillErrorTrend(cell, requests, errors, incidents = []) {
  if (!errors.length) return cell.replaceChildren();
  const drawing = cell.firstChild ?? cell.appendChild(drawn("errors"));
  const [area, alarmed, line] = drawing.children;
  const highest = Math.max(...errors);
  const path = pathOf(errors, Math.max(highest, LOWEST_TOP * Math.max(...requests), 1e-9));
  setAttribute(line, "d", path);
  setAttribute(area, "d", closed(path));
  setAttribute(alarmed, "d", incidents.map(({ from, to }) => `M${(from * WIDTH).toFixed(1)},0H${Math.max(to * WIDTH, from * WIDTH + 2).toFixed(1)}V3H${(from * WIDTH).toFixed(1)}Z`).join(""));
  const words = incidents.slice(0, MARKS_SAID).map(({ text }) => text);
  say(drawing, [`Errors: last ${format.rate(errors.at(-1))}/s, highest ${format.rate(highest)}/s`, ...words]);
}

/**
 * A gauge as a line with gaps where nothing was measured; `show` writes a value, `step` is in s, `limit` a value
 * that is drawn as a dashed line, and `heldS` for how long a value stands where none follows.
 */
export function fillGauge(cell, values, { name, show, step, limit = null, heldS = HELD_S }) {
  const there = values.filter((value) => value !== null);
  if (!there.length) return cell.replaceChildren();
  const drawing = cell.firstChild ?? cell.appendChild(drawn("gauge"));
  const [area, bound, line] = drawing.children;
  const highest = Math.max(...there);
  const top = Math.max(highest, limit ?? 0, 1e-9);
  const runs = runsOf(held(values, step, heldS), top);
  setAttribute(line, "d", runs.map(({ path }) => path).join(""));
  setAttribute(area, "d", runs.map(({ path, from, to }) => `${path}L${to},${HEIGHT}L${from},${HEIGHT}Z`).join(""));
  setAttribute(bound, "d", limit ? `M0,${heightOf(limit, top)}L${WIDTH},${heightOf(limit, top)}` : "");
  setAttribute(drawing, "data-over", limit && highest > limit ? "" : null);
  const words = [`${name}: last ${show(there.at(-1))}, highest ${show(highest)}`];
  if (limit) words.push(`Quota: ${show(limit)}`);
  say(drawing, words);
}

/** Values of a gauge with the last one held over steps in which none was measured. */
export function held(values, step, heldS = HELD_S) {
  const most = Math.ceil(heldS / Math.max(1, step));
  let last = -Infinity;
  return values.map((value, at) => {
    if (value !== null) last = at;
    return value ?? (at - last <= most ? values[last] : null);
  });
}

/** The parts of a line between its gaps: [{path, from, to}]. */
function runsOf(values, top) {
  const step = WIDTH / Math.max(1, values.length - 1);
  const runs = [];
  values.forEach((value, at) => {
    if (value === null) return;
    const x = (at * step).toFixed(1);
    const point = `${x},${heightOf(value, top)}`;
    const last = runs.at(-1);
    if (last && last.at === at - 1) Object.assign(last, { path: `${last.path}L${point}`, to: x, at });
    // A value without a neighbour would have no length.
    else runs.push({ path: `M${point}h0.1`, from: x, to: x, at });
  });
  return runs;
}

const heightOf = (value, top) => (HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1);

function drawn(kind = "") {
  const parts = ["area", "failed", "line", "released"].map((name) => makeSvg("path", { class: name }));
  return makeSvg("svg", { class: `spark ${kind}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img" }, ...parts);
}

function say(drawing, words) {
  setAttribute(drawing, "aria-label", words.join(". "));
  setAttribute(drawing, "data-tip", words.join("\n"));
}

function pathOf(values, highest) {
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${heightOf(value, highest)}`);
  return `M${points.join("L")}`;
}

const closed = (path) => `${path}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`;
