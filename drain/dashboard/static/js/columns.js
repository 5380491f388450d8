// The columns of the routes table: what each shows, and by what it is sorted.

import { make, makeSvg, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";

const BAD_FROM = 0.01;
const CLASSES = ["2xx", "3xx", "4xx", "5xx", "1xx", "other"];
const SPARK = { width: 96, height: 24 };

/** `text`: left aligned, sorted A to Z first. `fill(cell, row)` changes only what differs. `ifAny`: the column
    is hidden while no row has anything to show in it. */
export const COLUMNS = [
  { key: "route", name: "Route", text: true, of: (row) => row.route, fill: fillRoute },
  { key: "count", name: "Requests", of: (row) => row.figures.count, fill: plain((row) => format.shortCount(row.figures.count)) },
  { key: "rate", name: "Per s", of: (row) => row.figures.rate ?? 0, fill: plain((row) => format.rate(row.figures.rate)) },
  { key: "trend", name: "Trend", fill: fillSpark },
  { key: "mix", name: "Status", of: (row) => share(row, "4xx") + share(row, "5xx"), fill: fillMix },
  { key: "errors", name: "Errors", of: (row) => row.figures.error_rate, fill: fillErrors },
  { key: "aborted", name: "Aborted", of: (row) => row.figures.aborted, ifAny: true, fill: fillAborted },
  { key: "codes", name: "H-codes", text: true, of: (row) => total(row.figures.codes), descendsFirst: true, fill: fillCodes },
  { key: "connections", name: "Connections", of: (row) => row.figures.connections, ifAny: true, fill: fillConnections },
  { key: "p50", name: "Median", of: (row) => row.figures.service.p50 ?? -1, fill: plain((row) => format.time(row.figures.service.p50)) },
  { key: "p95", name: "p95", of: (row) => row.figures.service.p95 ?? -1, fill: plain((row) => format.time(row.figures.service.p95)) },
  { key: "p99", name: "p99", of: (row) => row.figures.service.p99 ?? -1, fill: plain((row) => format.time(row.figures.service.p99)) },
  { key: "max", name: "Longest", of: (row) => row.figures.service.max ?? -1, fill: plain((row) => format.time(row.figures.service.max)) },
];

let meanings = {};

/** What H-codes mean, once the API has answered. */
export function knowCodes(found) {
  meanings = found;
}

export const meaningOf = (code) => meanings[code] ?? "unknown code";

const total = (counts) => Object.values(counts).reduce((sum, value) => sum + value, 0);
const share = (row, name) => (row.figures.classes[name] ?? 0) / Math.max(1, row.figures.count);

function plain(text) {
  return (cell, row) => setText(cell, text(row));
}

function fillRoute(cell, row, addressOf) {
  const link = cell.firstChild ?? cell.appendChild(make("a"));
  setText(link, format.visible(row.route));
  setAttribute(link, "href", addressOf(row));
  setAttribute(link, "title", format.visible(row.route));
}

function fillErrors(cell, row) {
  const { error_rate: rate, errors } = row.figures;
  setText(cell, errors ? format.percent(rate) : "0");
  setAttribute(cell, "data-tone", rate >= BAD_FROM ? "bad" : errors ? null : "zero");
  setAttribute(cell, "data-tip", errors ? `${format.count(errors)} of ${format.count(row.figures.count)} requests` : null);
}

function fillAborted(cell, row) {
  const { aborted, count } = row.figures;
  setText(cell, format.shortCount(aborted));
  setAttribute(cell, "data-tone", aborted ? null : "zero");
  setAttribute(cell, "data-tip", aborted ? `The client went away: ${format.count(aborted)} of ${format.count(count)} requests` : null);
}

function fillConnections(cell, row) {
  const { connections, lifetime } = row.figures;
  setText(cell, format.shortCount(connections));
  setAttribute(cell, "data-tone", connections ? null : "zero");
  setAttribute(cell, "data-tip", connections ? `Open for ${format.time(lifetime.p50)} (median), ${format.time(lifetime.p95)} (p95)` : null);
}

function fillCodes(cell, row) {
  const codes = format.largestFirst(row.figures.codes);
  const label = codes.map(([code, count]) => `${code} ${count}`).join(" ");
  if (cell.dataset.drawn === label) return;
  cell.dataset.drawn = label;
  cell.replaceChildren(...codes.map(([code, count]) => codeChip(code, count)));
}

/** `H12 3`, with its meaning on hover and focus. */
export function codeChip(code, count) {
  const tip = `${code}: ${meaningOf(code)}\n${format.plural(count, "request")}`;
  return make("span", { class: "code", tabindex: "0", "data-tip": tip }, code, make("b", {}, format.shortCount(count)));
}

function fillMix(cell, row) {
  const { classes, count, statuses } = row.figures;
  const parts = CLASSES.filter((name) => classes[name]);
  const label = parts.map((name) => `${name}: ${format.percent(classes[name] / count)}`).join(", ");
  const bar = cell.firstChild ?? cell.appendChild(make("span", { class: "mix", role: "img" }));
  if (bar.getAttribute("aria-label") === label) return;
  bar.setAttribute("aria-label", label);
  const most = format.largestFirst(statuses).slice(0, 8);
  bar.dataset.tip = most.map(([status, seen]) => `${status}: ${format.count(seen)} (${format.percent(seen / count)})`).join("\n");
  bar.replaceChildren(...parts.map((name) => {
    const part = make("i", { "data-class": name });
    part.style.flexGrow = classes[name] / count;
    return part;
  }));
}

function fillSpark(cell, row) {
  if (!row.spark.length) return;
  const { width, height } = SPARK;
  const highest = Math.max(...row.spark, 1e-9);
  const step = width / Math.max(1, row.spark.length - 1);
  const points = row.spark.map((value, at) => `${(at * step).toFixed(1)},${(height - 2 - (value / highest) * (height - 4)).toFixed(1)}`);
  const path = `M${points.join("L")}`;
  let drawing = cell.firstChild;
  if (!drawing) {
    drawing = makeSvg("svg", { class: "spark", viewBox: `0 0 ${width} ${height}`, role: "img" }, makeSvg("path", { class: "area" }), makeSvg("path", { class: "line" }));
    cell.append(drawing);
  }
  const [area, line] = drawing.children;
  setAttribute(line, "d", path);
  setAttribute(area, "d", `${path}L${width},${height}L0,${height}Z`);
  setAttribute(drawing, "aria-label", `requests per second: last ${format.rate(row.spark.at(-1))}, highest ${format.rate(highest)}`);
}
