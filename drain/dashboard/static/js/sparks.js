// Small drawings of a trend in a table's cell.

import { makeSvg, setAttribute } from "./dom.js";
import * as format from "./format.js";

const WIDTH = 96;
const HEIGHT = 24;
/** An error share that fills the drawing at least: one error in ten thousand requests must not look like an outage. */
const LOWEST_TOP = 0.05;

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

/** Errors per second by themselves. */
export function fillErrorTrend(cell, requests, errors) {
  if (!errors.length) return cell.replaceChildren();
  const drawing = cell.firstChild ?? cell.appendChild(drawn("errors"));
  const [area, , line] = drawing.children;
  const highest = Math.max(...errors);
  const path = pathOf(errors, Math.max(highest, LOWEST_TOP * Math.max(...requests), 1e-9));
  setAttribute(line, "d", path);
  setAttribute(area, "d", closed(path));
  say(drawing, [`Errors: last ${format.rate(errors.at(-1))}/s, highest ${format.rate(highest)}/s`]);
}

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
  const points = values.map((value, at) => `${(at * step).toFixed(1)},${(HEIGHT - 2 - (value / highest) * (HEIGHT - 4)).toFixed(1)}`);
  return `M${points.join("L")}`;
}

const closed = (path) => `${path}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`;
