// How fast a run went and how much of its window it sent; the speeds that `--find-limit` tried.

import { make } from "./dom.js";
import * as format from "./format.js";
import { badge } from "./replay_verdict.js";
import { reasonText } from "./replay_words.js";

const KEPT_FROM = 0.95; // Below this share of the speed asked for, a run is inconclusive.
const SHOWN = 6;
const FAULTS = {
  target: "The target was slower than what was asked for.",
  concurrency: "The limit on concurrent requests was too low.",
  machine: "The machine that ran the replay was too slow.",
};

export function pace({ result, info }) {
  if (!result) return [];
  const { pace: own } = result;
  const isSlow = own.fault !== "" || (own.share_reached ?? 1) < KEPT_FROM;
  const note = own.explanation || FAULTS[own.fault] || "";
  return [
    panel("Pace", isSlow ? badge("inconclusive", "not kept") : badge("met", "kept"), [
      note ? make("p", { class: "note" }, format.visible(note)) : null,
      facts([
        ["Asked for", [format.visible(own.asked), own.rate_asked !== null && !own.asked.includes("/s") ? `${format.rate(own.rate_asked)} requests/s` : ""]],
        ["Reached", [own.speed_reached === null ? "" : `${format.rate(own.speed_reached)}x`, `${format.rate(own.rate_reached)} requests/s`, own.share_reached === null ? "" : `${format.percent(own.share_reached)} of what was asked for`]],
        ["Sent late, p99", [format.time(own.late.p99), own.late.p50 === null ? "" : `median ${format.time(own.late.p50)}, largest ${format.time(own.late.max)}`]],
        ["Requests at once", [`${format.count(own.concurrency)} of at most ${format.count(own.concurrency_max)}`]],
        ["Took", [format.duration(own.duration_s)]],
        ["Window, UTC", [info.from && info.until ? `${format.visible(info.from)} to ${format.visible(info.until)}` : ""]],
      ]),
    ]),
    coverage(result.coverage),
  ];
}

/** `rows`: [name, [parts]]; those without any part are left out. */
function facts(rows) {
  const found = rows.map(([name, parts]) => [name, parts.filter(Boolean).join(" · ")]).filter(([, text]) => text);
  return make("dl", { class: "facts" }, ...found.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)]));
}

function panel(title, state, content) {
  return make("section", { class: "panel", "aria-label": title }, make("div", { class: "panel-head" }, make("h2", {}, title), state), ...content.filter(Boolean));
}

function coverage(own) {
  const share = own.asked ? own.sent / own.asked : null;
  return panel("Coverage", share === null ? "" : make("span", { class: "fine" }, `${format.percent(share)} sent`), [
    facts([
      ["Asked for", [`${format.count(own.asked)} of ${format.plural(own.in_window, "request")} in the window`]],
      ["Sent", [format.count(own.sent), `${format.count(own.answered)} answered`]],
      ["Not in the log", [own.missing_s ? `${format.duration(own.missing_s)} of ${format.duration(own.window_s)}` : ""]],
    ]),
    counts("Left out", own.left_out),
    counts("Not asked for", own.not_asked),
    counts("Sent, but the original cannot be compared", own.uncomparable),
    list("Routes left out wholly or mostly", (own.routes_left_out ?? []).map(routeLeftOut), own.more_routes_left_out),
  ]);
}

function routeLeftOut({ route, sent, left_out: leftOut, reasons }) {
  const why = format.largestFirst(reasons).map(([reason]) => reasonText(reason)).join(", ");
  return [`${format.visible(route)}: ${why}`, sent ? `${format.count(leftOut)}, ${format.count(sent)} sent` : `all ${format.count(leftOut)}`];
}

function counts(title, values) {
  return list(title, format.largestFirst(values).map(([name, count]) => [reasonText(name), format.count(count)]));
}

/** `more`: how many further rows there are that the answer leaves out. */
function list(title, rows, more = 0) {
  if (!rows.length) return null;
  const item = ([name, count]) => make("li", {}, make("span", {}, name), make("span", { class: "of" }, count));
  const further = [...rows.slice(SHOWN), ...(more ? [["not listed here", format.count(more)]] : [])];
  return make(
    "div",
    { class: "counts" },
    make("h3", {}, title),
    make("ul", { class: "shares" }, ...rows.slice(0, SHOWN).map(item)),
    further.length ? make("details", { class: "more", "data-key": title }, make("summary", { "data-key": `${title}?` }, `${format.count(Math.max(0, rows.length - SHOWN) + more)} more`), make("ul", { class: "shares" }, ...further.map(item))) : null,
  );
}

/** The speeds that `--find-limit` tried. */
export function steps({ result }) {
  if (!result?.steps.length) return [];
  const held = result.steps.filter((step) => step.held).map((step) => step.speed);
  const sentence = held.length ? `The highest speed that held is ${format.rate(Math.max(...held))}x.` : "No speed held.";
  const heads = ["Speed", "Result", "Requests/s", "p95", "Errors", "Why"];
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col", class: name === "Result" || name === "Why" ? "text" : null }, make("span", {}, name))));
  return [
    make("div", { class: "toolbar" }, make("h2", {}, "Speeds tried"), make("p", { class: "fine" }, sentence)),
    make("div", { class: "sheet" }, make("table", { class: "steps", "aria-label": "Speeds tried" }, make("thead", {}, head), make("tbody", {}, ...result.steps.map(step)))),
  ];
}

function step(own) {
  const cell = (name, text) => make("td", { "data-name": name }, text);
  return make(
    "tr",
    {},
    cell("Speed", `${format.rate(own.speed)}x`),
    make("td", { class: "text", "data-name": "Result" }, own.held ? badge("met", "held") : badge("crossed", "broke")),
    cell("Requests/s", format.rate(own.rate)),
    cell("p95", format.time(own.p95_ms)),
    cell("Errors", format.percent(own.error_share)),
    make("td", { class: "text reason", "data-name": "Why" }, format.visible(own.reason)),
  );
}
