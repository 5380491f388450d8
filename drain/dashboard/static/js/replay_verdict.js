// The verdict of a run: its word, its reasons, and each threshold with what was found, the gravest first.

import { make, makeSvg } from "./dom.js";
import * as format from "./format.js";
import { SYMBOLS, signedPercent, standing } from "./replay_words.js";

const REASONS_SHOWN = 6;
const ROUTES_SHOWN = 5;
const NOTES = {
  failed: "At least one threshold was crossed.",
  inconclusive: "It cannot be told whether the thresholds hold.",
  passed: "No threshold was crossed.",
  stopped: "The live worker has stopped.",
};
const DRAWING = { width: 150, height: 18, edge: 5 };

/** `✗ failed`, with colour, word and symbol. */
export function badge(state, word = state.replace("-", " ")) {
  return make("b", { class: "state", "data-state": state }, make("span", { "aria-hidden": "true" }, SYMBOLS[state]), ` ${word}`);
}

/** The banner's parts. */
export function verdict(run) {
  const { kind, detail } = standing(run, run.at_ms);
  const { result } = run;
  const isOver = kind !== "running";
  const lines = [detail || noteOn(run, kind)];
  if (isOver && result) {
    if (kind === "interrupted") lines.push(`By then: ${result.verdict}.`);
    if (result.is_strict && kind === "failed") lines.push("With --strict, what is inconclusive fails.");
    if (kind === "passed" && !result.thresholds.length && !result.reasons.length) lines.push("No thresholds were set, so only pace and coverage were judged.");
  }
  return [
    make("p", { class: "verdict-word" }, badge(kind)),
    make("div", { class: "verdict-text" }, make("p", {}, lines.filter(Boolean).join(" ")), isOver && result ? reasons(result.reasons, run.left_out.reasons) : null),
  ];
}

function noteOn({ id, result }, kind) {
  if (id === "live" && kind === "running") return "Live traffic is compared as it comes in. For a verdict, replay a window with thresholds (--fail-if).";
  if (kind === "finished") return "The run has no verdict.";
  if (kind === "failed" && result && !result.findings.some((found) => found.state === "crossed")) return "";
  return NOTES[kind] ?? "";
}

function reasons(texts, leftOut) {
  if (!texts.length) return null;
  const item = (text) => make("li", {}, format.visible(text));
  const further = texts.slice(REASONS_SHOWN);
  const list = make("ul", { class: "reasons", "aria-label": "Reasons" }, ...texts.slice(0, REASONS_SHOWN).map(item));
  if (!further.length) return list;
  const notListed = leftOut ? [make("li", {}, `${format.plural(leftOut, "further reason")} not listed`)] : [];
  return make("div", {}, list, fold("reasons", format.plural(further.length + leftOut, "more reason"), make("ul", { class: "reasons" }, ...further.map(item), ...notListed)));
}

function fold(key, summary, ...content) {
  return make("details", { class: "more", "data-key": key }, make("summary", { "data-key": `${key}?` }, summary), ...content);
}

/** `routeLink(route)` gives an element that leads to a route. */
export function thresholds(run, routeLink) {
  const { judged, result, left_out: leftOut } = run;
  if (!result || !judged.length) return [];
  const cards = judged.map((one) => threshold(one, result.findings.filter((found) => found.threshold === one.threshold), routeLink));
  const note = [
    leftOut.thresholds ? `${format.plural(leftOut.thresholds, "further threshold")} not shown here; a report has all (--report report.json).` : "",
    result.findings_left_out ? `${format.plural(result.findings_left_out, "less grave finding")} not kept.` : "",
  ].filter(Boolean).map((text) => make("p", { class: "fine" }, text));
  return [make("div", { class: "toolbar" }, make("h2", {}, "Thresholds")), ...cards, ...note];
}

function threshold(judged, findings, routeLink) {
  const total = findings.find((found) => !found.route);
  const routes = findings.filter((found) => found.route);
  const isGrave = (found) => found.state === "crossed" || found.state === "inconclusive";
  const shown = routes.filter(isGrave).slice(0, ROUTES_SHOWN);
  const further = routes.filter((found) => !shown.includes(found));
  const notListed = Object.values(judged.left_out).reduce((sum, count) => sum + count, 0);
  return make(
    "section",
    { class: "panel threshold", "data-state": judged.state, "aria-label": `Threshold ${format.visible(judged.threshold)}` },
    make("div", { class: "threshold-head" }, badge(judged.state), make("h3", {}, make("code", {}, format.visible(judged.threshold))), total ? allRequests(total) : make("p", { class: "fine" }, findings.length ? "" : "Nothing was measured.")),
    shown.length ? table(shown, routeLink, judged.threshold) : null,
    further.length || notListed ? fold(judged.threshold, furtherText(further, judged.left_out), further.length ? table(further, routeLink, judged.threshold) : null, notListed ? make("p", { class: "fine" }, `${format.count(notListed)} more not listed here; a report has all (--report report.json).`) : null) : null,
  );
}

function furtherText(further, leftOut) {
  const counts = new Map();
  for (const found of further) counts.set(found.state, (counts.get(found.state) ?? 0) + 1);
  for (const [state, count] of Object.entries(leftOut)) counts.set(state, (counts.get(state) ?? 0) + count);
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const parts = [...counts].map(([state, count]) => `${format.count(count)} ${state.replace("-", " ")}`);
  return `${format.plural(all, "route")}: ${parts.join(", ")}`;
}

/** `all requests: 334 ms → 478 ms, +43 % (95 % interval +17 % to +66 %), limit +20 %, 3,726 samples`. */
function allRequests(found) {
  const interval = intervalText(found);
  const parts = [
    [beforeAfter(found), estimateText(found)].filter(Boolean).join(", ") + (interval ? ` (95 % interval ${interval})` : ""),
    `limit ${valueText(found, found.limit)}`,
    samplesText(found),
  ];
  const state = make("span", { class: "state", "data-state": found.state }, found.state.replace("-", " "));
  return make("p", { class: "all-requests" }, "All requests: ", state, ` · ${parts.filter(Boolean).join(" · ")}`);
}

function table(findings, routeLink, name) {
  const heads = ["Route", "Result", "Before → after", "Estimate", "95 % interval", "Limit", "Samples"];
  const head = make("tr", {}, ...heads.map((text, at) => make("th", { scope: "col", class: at < 2 ? "text" : null }, make("span", {}, text))));
  const body = make("tbody", {}, ...findings.map((found) => line(found, routeLink)));
  return make("div", { class: "sheet" }, make("table", { class: "findings", "aria-label": `Routes, ${format.visible(name)}` }, make("thead", {}, head), body));
}

function line(found, routeLink) {
  const cell = (name, ...content) => make("td", { "data-name": name }, ...content);
  return make(
    "tr",
    { "data-state": found.state },
    make("td", { class: "route" }, routeLink(found.route, `${found.threshold} ${found.route}`)),
    make("td", { class: "text", "data-name": "Result" }, badge(found.state)),
    cell("Before → after", beforeAfter(found) || "–"),
    cell("Estimate", estimateText(found) || "–"),
    cell("95 % interval", intervalText(found) || "–", drawing(found)),
    cell("Limit", valueText(found, found.limit)),
    cell("Samples", samplesText(found, "")),
  );
}

const isTimed = (threshold) => /^\s*(p\d|late)/.test(threshold);
const isChange = ({ threshold, unit }) => threshold.includes("+") || (isTimed(threshold) && unit === "share");
const measured = (found, value) => (isTimed(found.threshold) ? format.time(value) : format.percent(value));

/** What is compared with the limit: a time or a share; with its sign where it is a change. */
function valueText(found, value) {
  if (value === null) return "–";
  const sign = isChange(found);
  if (found.unit === "ms") return sign ? `${value < 0 ? "−" : "+"}${format.time(Math.abs(value))}` : format.time(value);
  return sign ? signedPercent(value) : format.percent(value);
}

function beforeAfter(found) {
  if (found.before !== null && found.after !== null) return `${measured(found, found.before)} → ${measured(found, found.after)}`;
  // A value that is compared with the limit as it is stands there already.
  return found.after !== null && isChange(found) ? measured(found, found.after) : "";
}

const estimateText = (found) => (found.estimate === null ? "nothing measured" : valueText(found, found.estimate));

function intervalText(found) {
  const { low, high } = found;
  if (low === null && high === null) return "";
  if (high === null) return `from ${valueText(found, low)}`;
  return low === null ? `up to ${valueText(found, high)}` : `${valueText(found, low)} to ${valueText(found, high)}`;
}

function samplesText({ samples, samples_missing: missing }, word = "sample") {
  const known = word ? format.plural(samples, word) : format.count(samples);
  return missing ? `${known}, about ${format.count(missing)} more would decide` : known;
}

/** The interval as a bar, the estimate as a dot, the limit as an upright line. */
function drawing({ low, high, estimate, limit, state }) {
  if (estimate === null || (low === null && high === null)) return null;
  const values = [low, high, estimate, limit, 0].filter((value) => value !== null);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const x = (value) => DRAWING.edge + ((value - least) / (most - least || 1)) * (DRAWING.width - 2 * DRAWING.edge);
  const middle = DRAWING.height / 2;
  const [from, to] = [low === null ? 0 : x(low), high === null ? DRAWING.width : x(high)];
  return makeSvg(
    "svg",
    { class: "interval", viewBox: `0 0 ${DRAWING.width} ${DRAWING.height}`, "aria-hidden": "true", "data-state": state },
    makeSvg("line", { class: "reach", x1: from, x2: to, y1: middle, y2: middle }),
    makeSvg("line", { class: "limit", x1: x(limit), x2: x(limit), y1: 1, y2: DRAWING.height - 1 }),
    makeSvg("circle", { class: "estimate", cx: x(estimate), cy: middle, r: 3.5 }),
  );
}
