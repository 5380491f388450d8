// The columns of dynos and of process types: what the platform says of them beside their requests.

import { fillErrors, plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import { loadTip, megabytes, memoryTip, moment, nameOf, percentOf, toneOf } from "./dyno_words.js";
import * as format from "./format.js";
import { hashOf } from "./navigation.js";
import { fillShare } from "./shares.js";
import { fillGauge } from "./sparks.js";

/** What the platform's errors about memory mean. */
const MEMORY_ERRORS = { r15: "R15: Memory quota vastly exceeded", r14: "R14: Memory quota exceeded" };

const NONE = "–";

/** How a state stands out; those that are not here do not. */
const TONES = { up: "good", crashed: "bad", starting: "busy", created: "busy", provisioning: "busy", down: "off", idle: "off", silent: "off" };

export const STATE = { key: "state", name: "State", text: true, of: (row) => row.state?.name ?? "", ifAny: (row) => row.state, fill: fillState };

export const MEMORY = {
  key: "memory",
  name: "Memory",
  tip: "The latest, as a share of the dyno's quota",
  // What is shown: in the order of the rest of the digits, rows would change places all the time.
  of: (row) => (row.memory?.share == null ? -1 : Math.round(100 * row.memory.share)),
  ifAny: (row) => row.memory,
  fill: fillMemory,
};

/** As in Sheet; rows are those of `read` (dyno_words.js) with shares. */
export const DYNO_COLUMNS = [
  { key: "name", name: "Dyno", text: true, isHead: true, of: sortName, fill: fillDyno },
  { key: "app", name: "App", text: true, of: (row) => row.app, ifAny: (row) => row.app && row.is_of_many, fill: plain((row) => row.app || "–") },
  STATE,
  MEMORY,
  { key: "memory-trend", name: "Memory trend", tip: "The dashed line is the quota", ifAny: (row) => row.memory, fill: fillMemoryTrend },
  { key: "load", name: "Load", tip: "The load average of a minute", of: (row) => row.load?.value ?? -1, ifAny: (row) => row.load, fill: fillLoad },
  { key: "load-trend", name: "Load trend", ifAny: (row) => row.load, fill: fillLoadTrend },
  { key: "restarts", name: "Restarts", tip: "How often it started in this window, and how often it crashed", of: (row) => row.runtime.restarts + row.runtime.crashes / 1e6, fill: fillRestarts },
  { key: "memory-errors", name: "R14, R15", text: true, descendsFirst: true, of: weightOf, ifAny: weightOf, fill: fillMemoryErrors },
  { key: "own-count", name: "Requests", of: (row) => row.figures.count, fill: fillCount },
  { key: "own-errors", name: "Errors", of: (row) => row.figures.error_rate, fill: ifServes(fillErrors) },
  { key: "share", name: "Of all errors", of: (row) => row.error_share, fill: ifServes(fillShare) },
  { key: "own-p95", name: "p95", of: (row) => row.figures.service.p95 ?? -1, fill: plain((row) => format.time(row.figures.service.p95)) },
];

/** Those that are hidden where there is no room for all, the first of them first. */
export const DYNO_YIELDING = ["load-trend", "memory-trend", "own-errors", "app", "own-count", "restarts", "memory-errors"];

/** Of all dynos of one process type together. */
export const PROCESS_COLUMNS = [
  { key: "name", name: "Process type", text: true, isHead: true, fill: (cell, row) => setText(cell, format.visible(row.process) || "(none)") },
  { key: "app", name: "App", text: true, ifAny: (row) => row.app && row.is_of_many, fill: plain((row) => row.app || "–") },
  { key: "dynos", name: "Dynos", fill: fillUp },
  { key: "average", name: "Memory, average", tip: "Of a dyno, in this window", ifAny: (row) => row.memory_average_mb !== null, fill: plain((row) => megabytes(row.memory_average_mb)) },
  { key: "memory", name: "Memory, highest", tip: "Of a dyno in this window, as a share of its quota", ifAny: (row) => row.memory, fill: fillMemory },
  { key: "memory-trend", name: "Memory trend", tip: "The average of a dyno; the dashed line is the quota", ifAny: (row) => row.memory, fill: fillMemoryTrend },
  { key: "load", name: "Load, average", ifAny: (row) => row.load_average !== null, fill: plain((row) => format.rate(row.load_average)) },
  { key: "load-highest", name: "Load, highest", ifAny: (row) => row.load_highest !== null, fill: plain((row) => format.rate(row.load_highest)) },
  { key: "load-trend", name: "Load trend", tip: "The average of a dyno", ifAny: (row) => row.load_average !== null, fill: fillLoadTrend },
  { key: "restarts", name: "Restarts", fill: fillRestarts },
  { key: "memory-errors", name: "R14, R15", text: true, ifAny: weightOf, fill: fillMemoryErrors },
];

export const PROCESS_YIELDING = ["load-trend", "memory-trend", "load-highest", "average", "load"];

/** The address of a dyno's own view; `nav` gives the rest of it. */
export const addressOf = (row, nav) => hashOf({ ...nav, view: "dynos", digest: "", dyno: row.name, app: row.app || nav.app });

/** web.10 comes after web.9. */
function sortName(row) {
  return row.name.replace(/\d+/g, (digits) => digits.padStart(12, "0"));
}

/** The name, as a link to the dyno's own view; requests without a dyno have none. */
export function fillDyno(cell, row, addressOfRow) {
  const name = nameOf(row);
  const part = cell.firstChild ?? cell.appendChild(make(row.name ? "a" : "span", { class: "cut" }));
  setText(part, name);
  setAttribute(part, "title", name);
  if (row.name) setAttribute(part, "href", addressOfRow(row));
}

function fillState(cell, row) {
  const { state } = row;
  if (!state) return fillNone(cell);
  const part = cell.querySelector(".dyno-state") ?? make("span", { class: "dyno-state" }, make("i"), make("b"), make("span"));
  if (part.parentElement !== cell) cell.replaceChildren(part);
  setAttribute(cell, "data-tone", null);
  setAttribute(part, "data-tone", TONES[state.name] ?? null);
  setText(part.children[1], format.visible(state.name));
  setText(part.lastChild, state.since_s === null ? "" : ` ${format.duration(Math.max(0, row.to_s - state.since_s))}`);
  setAttribute(part, "data-tip", state.since_s === null ? null : `Since ${moment(state.since_s)}`);
}

/** A bar against the quota with its percentage, which says more than the bar where it is over 100 %. */
export function fillMemory(cell, row) {
  const { memory } = row;
  if (!memory) return fillNone(cell);
  const part = cell.querySelector(".against") ?? make(
    "span", { class: "against" }, make("span", { class: "highest" }), make("span", { class: "track" }, make("i")), make("b"), make("span", { class: "unseen" }), make("span", { class: "of" }),
  );
  if (part.parentElement !== cell) cell.replaceChildren(part);
  const [highest, track, number, over, of] = part.children;
  const tone = toneOf(memory);
  const isShare = memory.share !== null;
  setText(highest, memory.isLatest ? "" : "max ");
  track.hidden = !isShare;
  const width = isShare ? `${Math.min(100, 100 * memory.share)}%` : "0";
  if (track.firstChild.style.width !== width) track.firstChild.style.width = width;
  setText(number, isShare ? percentOf(memory.share) : megabytes(memory.mb));
  setText(over, tone === "bad" ? " over the quota, " : " ");
  setText(of, isShare && memory.quota !== null ? `of ${megabytes(memory.quota)}` : "");
  setAttribute(cell, "data-tone", null);
  setAttribute(part, "data-tone", tone);
  setAttribute(part, "data-late", memory.isLatest ? null : "");
  setAttribute(part, "data-tip", memoryTip(row));
}

function fillMemoryTrend(cell, row) {
  const { memory_spark: values, quota_mb: limit } = row.runtime ?? row;
  fillGauge(cell, values, { name: "Memory", show: megabytes, step: row.step_s, limit });
}

function fillLoad(cell, row) {
  const { load } = row;
  setText(cell, load ? `${load.isLatest ? "" : "max "}${format.rate(load.value)}` : "–");
  setAttribute(cell, "data-tone", load?.isLatest ? null : "zero");
  setAttribute(cell, "data-tip", load ? loadTip(row) : null);
}

function fillLoadTrend(cell, row) {
  fillGauge(cell, (row.runtime ?? row).load_spark, { name: "Load", show: format.rate, step: row.step_s });
}

function fillRestarts(cell, row) {
  const { restarts, crashes = 0 } = row.runtime ?? row;
  setText(cell, crashes ? `${format.count(restarts)}, ${format.plural(crashes, "crash", "crashes")}` : format.count(restarts));
  setAttribute(cell, "data-tone", crashes ? "bad" : restarts ? null : "zero");
}

/** R15 is the worse one, however many R14 there are. */
function weightOf(row) {
  const { r14, r15 } = row.runtime ?? row;
  return r15 * 1e9 + r14;
}

function fillMemoryErrors(cell, row) {
  const found = row.runtime ?? row;
  const there = Object.keys(MEMORY_ERRORS).filter((name) => found[name]);
  const label = there.map((name) => `${name} ${found[name]}`).join(" ");
  if (cell.dataset.drawn === label) return;
  cell.dataset.drawn = label;
  cell.replaceChildren(...there.map((name) => {
    const tip = `${MEMORY_ERRORS[name]}\n${format.plural(found[name], "time")} in this window`;
    return make("span", { class: "code", "data-code": name, tabindex: "0", "data-tip": tip }, name.toUpperCase(), make("b", {}, format.shortCount(found[name])));
  }));
}

/** A dyno of another process type than `web` gets no requests from the router. */
const serves = (row) => row.figures.count > 0 || row.process === "web";

function fillCount(cell, row) {
  setText(cell, serves(row) ? format.shortCount(row.figures.count) : "–");
  setAttribute(cell, "data-tone", row.figures.count ? null : "zero");
}

function ifServes(fill) {
  return (cell, row) => {
    if (!row.figures.count) return fillNone(cell);
    if (cell.textContent === NONE) cell.replaceChildren();
    return fill(cell, row);
  };
}

function fillNone(cell) {
  if (cell.textContent !== NONE) cell.replaceChildren(NONE);
  setAttribute(cell, "data-tone", "zero");
  setAttribute(cell, "data-tip", null);
}

function fillUp(cell, row) {
  const isAll = row.up === row.dynos;
  setText(cell, !row.dynos ? NONE : isAll ? format.count(row.dynos) : `${format.count(row.dynos)}, ${format.count(row.up)} up`);
  setAttribute(cell, "data-tone", row.up === row.dynos ? null : "off");
}
