// The columns of the routes table: what each shows, and by what it is sorted.

import { fillChange, rankOf, sizeOf } from "./changes.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { fillTrend } from "./sparks.js";

const BAD_FROM = 0.01;
const CLASSES = ["2xx", "3xx", "4xx", "5xx", "1xx", "other"];

/** A path is cut in front of its last characters: what tells long ones apart is often their end. */
const TAIL = 14;
const CUT_FROM = 40;

/** As in Sheet. */
export const COLUMNS = [
  { key: "route", name: "Route", text: true, of: (row) => row.route, fill: fillRoute },
  { key: "app", name: "App", text: true, of: (row) => row.app, ifAny: (row) => row.app, fill: plain((row) => row.app || "–") },
  { key: "count", name: "Requests", of: (row) => row.figures.count, fill: plain((row) => format.shortCount(row.figures.count)) },
  { key: "rate", name: "Per s", of: (row) => row.figures.rate ?? 0, fill: plain((row) => format.rate(row.figures.rate)) },
  change("rate", "Δ per s"),
  { key: "trend", name: "Trend", tip: "Requests per second, and in red the share of errors", fill: (cell, row) => fillTrend(cell, row.spark, row.errors_spark) },
  { key: "mix", name: "Status", of: (row) => share(row, "4xx") + share(row, "5xx"), fill: fillMix },
  { key: "errors", name: "Errors", of: (row) => row.figures.error_rate, fill: fillErrors },
  change("error_rate", "Δ errors"),
  { key: "aborted", name: "Aborted", of: (row) => row.figures.aborted, ifAny: (row) => row.figures.aborted, fill: fillAborted },
  { key: "codes", name: "H-codes", text: true, of: (row) => total(row.figures.codes), descendsFirst: true, fill: fillCodes },
  { key: "connections", name: "Connections", of: (row) => row.figures.connections, ifAny: (row) => row.figures.connections, fill: fillConnections },
  { key: "p50", name: "Median", of: (row) => row.figures.service.p50 ?? -1, fill: plain((row) => format.time(row.figures.service.p50)) },
  change("p50", "Δ median"),
  { key: "p95", name: "p95", of: (row) => row.figures.service.p95 ?? -1, fill: plain((row) => format.time(row.figures.service.p95)) },
  change("p95", "Δ p95"),
  { key: "p99", name: "p99", of: (row) => row.figures.service.p99 ?? -1, fill: plain((row) => format.time(row.figures.service.p99)) },
  change("p99", "Δ p99"),
  { key: "max", name: "Longest", of: (row) => row.figures.service.max ?? -1, fill: plain((row) => format.time(row.figures.service.max)) },
];

/** Those that are hidden where there is no room for all, the first of them first. */
export const YIELDING = ["change-p50", "mix", "connections", "p50", "max", "change-rate", "rate", "aborted", "trend", "p99", "change-p99", "codes", "app"];

/** How a figure has changed against an earlier span; there only while one is compared with. */
export function change(name, title) {
  return {
    key: `change-${name}`,
    name: title,
    of: (row) => sizeOf(name, row.changes?.[name]) ?? 0,
    rank: (row) => rankOf(name, row.changes?.[name]),
    ifAny: (row) => row.changes?.[name],
    fill: fillChange(name),
  };
}

let meanings = {};

/** What H-codes mean, once the API has answered. */
export function knowCodes(found) {
  meanings = found;
}

export const meaningOf = (code) => meanings[code] ?? "unknown code";

const total = (counts) => Object.values(counts).reduce((sum, value) => sum + value, 0);
const share = (row, name) => (row.figures.classes[name] ?? 0) / Math.max(1, row.figures.count);

export function plain(text) {
  return (cell, row) => setText(cell, text(row));
}

function fillRoute(cell, row, addressOf) {
  const link = cell.firstChild ?? cell.appendChild(make("a", {}, make("span", { class: "front" }), make("span", { class: "end" })));
  const name = format.visible(row.route);
  const at = name.length < CUT_FROM ? name.length : name.length - TAIL;
  setText(link.firstChild, name.slice(0, at));
  setText(link.lastChild, name.slice(at));
  setAttribute(link, "href", addressOf(row));
  setAttribute(link, "title", name);
}

/** The share of failed requests, with the counts on hover. */
export function fillErrors(cell, row) {
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
