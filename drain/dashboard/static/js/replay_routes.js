// A run's figures: the large ones, and route by route, original (or baseline) against replayed, worst first.

import { make, makeSvg, setText } from "./dom.js";
import * as format from "./format.js";
import { badge } from "./replay_verdict.js";
import { changeText } from "./replay_words.js";

const BAR = { width: 190, height: 22, thickness: 8 };
const WIDEST = 4; // times as slow, or as fast: the bar's ends
const BAD_FROM = 0.01;
const CLASSES = { Route: "text", Result: "text", Median: "col-median" };
const STATES = ["crossed", "inconclusive", "not-judged", "met"];

export function legend({ total, reencoded, left_out: leftOut }, { before, after }) {
  const again = reencoded ? `, ${format.count(reencoded)} of them percent-encoded again (Router 2.0 logs the path decoded)` : "";
  const omitted = leftOut.routes ? ` ${format.plural(leftOut.routes, "least-used route")} omitted.` : "";
  return `${format.plural(total.sent, "request")} sent${again}. Figures are ${before} → ${after}, service times from sent to answered. Bars to the right are slower, to the left faster; pale bars are inconclusive: too few samples.${omitted}`;
}

/** A stream is answered, but never ends: it has no time. */
const answeredAtAll = (row) => row.answered + (row.outcomes.stream ?? 0);

const lines = (counts) => format.largestFirst(counts).map(([name, count]) => `${name}: ${format.count(count)}`);

export function tiles({ total, skipped, late }, words) {
  const left = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  const unanswered = total.sent - answeredAtAll(total);
  const outcomes = lines(total.outcomes);
  const changedShare = total.answered ? total.status_changed / total.answered : 0;
  const isLateKnown = total.response.count > 0;
  return [
    tile("Sent", format.shortCount(total.sent), left ? `${format.shortCount(left)} skipped` : "none skipped", lines(skipped).join("\n")),
    tile(words.differs, format.percent(changedShare), `${format.count(total.status_changed)} of ${format.shortCount(total.answered)} answers`, "", changedShare >= BAD_FROM),
    tile("No answer", format.shortCount(unanswered), outcomes[0] ?? "all answered", outcomes.join("\n"), unanswered / Math.max(1, total.sent) >= BAD_FROM),
    tile("p95", format.time(total.replayed.p95), `${words.was} ${format.time(total.original.p95)}, ${changeText(total.p95_change)}`, "Service time: from sent to answered", isWorse(total.p95_change)),
    isLateKnown
      ? tile("Response p95", format.time(total.response.p95), `sent late: p99 ${format.time(late.p99)}`, "Response time: from when a request was due until it was answered")
      : tile("Late, p99", format.time(late.p99), `median ${format.time(late.p50)}`, "How long after their due time requests were sent"),
  ];
}

function tile(name, value, sub, tip, isBad) {
  return make("div", {}, make("dt", tip ? { "data-tip": tip, tabindex: "0", "data-key": name } : {}, name), make("dd", { "data-tone": isBad ? "bad" : null }, value), make("dd", { class: "sub" }, sub));
}

const isWorse = (change) => change.is_sure && change.share > 0;

/** What the gate judged worst first; then sure regressions, the worst in front; then by status changes, then by requests. */
function order(one, other) {
  const judged = (row) => (row.state === "crossed" ? 1 : 0);
  const rank = (row) => (isWorse(row.p95_change) ? row.p95_change.share : 0) + (10 * row.status_changed) / Math.max(1, row.answered);
  return judged(other) - judged(one) || rank(other) - rank(one) || other.sent - one.sent;
}

/** `routeLink(route, key)` gives an element that leads to a route. */
export function routesTable(routes, words, routeLink) {
  const has = { state: routes.some((row) => row.state), bodies: routes.some((row) => row.bodies.compared) };
  const heads = ["Route", has.state && "Result", "Sent", words.differs, has.bodies && "Body differs", "No answer", "Median", "p95", "p99", "p95 change", "faster | slower"].filter(Boolean);
  const head = make("tr", {}, ...heads.map((name) => make("th", { scope: "col", class: CLASSES[name] ?? null }, make("span", {}, name))));
  const rows = [...routes].sort(order).map((row) => line(row, words, has, routeLink));
  return make("div", { class: "sheet" }, make("table", { class: has.state || has.bodies ? "replayed judged" : "replayed", "aria-label": `Routes, ${words.before} and ${words.after}` }, make("thead", {}, head), make("tbody", {}, ...rows)));
}

function line(row, words, has, routeLink) {
  const changes = row.status_changes.map((one) => `${one.original || "none"} → ${one.replayed}: ${format.count(one.count)}`).join("\n");
  const share = row.answered ? row.status_changed / row.answered : 0;
  const unanswered = row.sent - answeredAtAll(row);
  const tone = row.p95_change.is_sure ? (row.p95_change.share > 0 ? "bad" : "good") : null;
  const cell = (name, text, tip, ownTone) => tableCell(row, name, text, tip, ownTone);
  const response = row.response.count ? `response time, from due to answered: ${format.time(row.response.p95)}` : "";
  return make(
    "tr",
    {},
    make("td", { class: "route" }, routeLink(row.route, `row ${row.digest}`)),
    has.state ? make("td", { class: "text", "data-name": "Result" }, STATES.includes(row.state) ? badge(row.state) : "–") : null,
    cell("Sent", format.shortCount(row.sent)),
    cell(words.differs, row.status_changed ? format.percent(share) : "0", changes, toneOf(share)),
    has.bodies ? bodiesCell(row) : null,
    cell("No answer", format.shortCount(unanswered), lines(row.outcomes).join("\n"), toneOf(unanswered / Math.max(1, row.sent))),
    withClass("col-median", cell("Median", `${format.time(row.original.p50)} → ${format.time(row.replayed.p50)}`)),
    cell("p95", `${format.time(row.original.p95)} → ${format.time(row.replayed.p95)}`, response),
    cell("p99", `${format.time(row.original.p99)} → ${format.time(row.replayed.p99)}`),
    cell("p95 change", changeText(row.p95_change), `from ${format.count(row.original.count)} ${words.from} and ${format.count(row.replayed.count)} ${words.to} samples`, tone),
    make("td", { class: "col-bar" }, bar(row.p95_change, tone)),
  );
}

function bodiesCell({ digest, bodies }) {
  if (!bodies.compared) return tableCell({ digest }, "Body differs", "–");
  const share = bodies.changed / bodies.compared;
  const keys = format.largestFirst(bodies.keys).map(([name, count]) => `${format.visible(name)}: ${format.count(count)}`);
  const tip = [`${format.count(bodies.changed)} of ${format.count(bodies.compared)} answers`, ...keys].join("\n");
  return tableCell({ digest }, "Body differs", bodies.changed ? format.percent(share) : "0", tip, toneOf(share));
}

/** Where answers differ, by which keys: names alone, never values. */
export function bodies({ routes, total }, routeLink) {
  const compared = routes.filter((row) => row.bodies.compared);
  const uncompared = lines(total.bodies.uncompared).map(format.visible);
  if (!compared.length && !uncompared.length) return [];
  const shareOf = (row) => row.bodies.changed / row.bodies.compared;
  const changed = compared.filter((row) => row.bodies.changed).sort((one, other) => shareOf(other) - shareOf(one));
  const all = (name) => compared.reduce((sum, row) => sum + row.bodies[name], 0);
  const differ = `${format.count(all("changed"))} of ${format.count(all("compared"))} answers differ beyond what differs between two answers of the baseline (noise: ${format.percent(all("noisy") / all("compared"))}).`;
  const cut = all("cut") ? ` Of ${format.count(all("cut"))}, only the first part was compared.` : "";
  const sentence = `${compared.length ? differ : "No answers were compared."}${cut}${uncompared.length ? ` Not compared: ${uncompared.join(", ")}.` : ""}`;
  return [
    make("div", { class: "toolbar" }, make("h2", {}, "Answers compared"), make("p", { class: "fine" }, sentence)),
    changed.length ? make("ul", { class: "sheet bodies" }, ...changed.slice(0, 10).map((row) => difference(row, shareOf(row), routeLink))) : null,
  ].filter(Boolean);
}

function difference(row, share, routeLink) {
  const keys = format.largestFirst(row.bodies.keys).map(([name, count]) => make("code", {}, format.visible(name), make("b", {}, format.shortCount(count))));
  const noise = `${format.percent(share)} differ, noise ${format.percent(row.bodies.noisy / row.bodies.compared)}`;
  return make("li", {}, routeLink(row.route, `body ${row.digest}`), make("span", { class: "fine" }, noise), make("span", { class: "keys-differing" }, ...keys));
}

function withClass(name, element) {
  element.classList.add(name);
  return element;
}

const toneOf = (share) => (share >= BAD_FROM ? "bad" : share ? null : "zero");

function tableCell({ digest }, name, text, tip, tone) {
  const own = make("td", { "data-name": name, "data-tone": tone ?? null, "data-tip": tip || null, tabindex: tip ? "0" : null, "data-key": tip ? `${digest} ${name}` : null });
  setText(own, text.replace(/(\d) (?=ms|s|min)/g, "$1\u00a0")); // No line ends between a number and its unit.
  return own;
}

/** From the middle, which is "no change": twice as slow and twice as fast are equally far. */
function bar(change, tone) {
  const middle = BAR.width / 2;
  const drawing = makeSvg(
    "svg",
    { class: "change", viewBox: `0 0 ${BAR.width} ${BAR.height}`, role: "img", "data-tone": tone, "aria-label": changeText(change) },
    makeSvg("line", { class: "rail", x1: 0, x2: BAR.width, y1: BAR.height / 2, y2: BAR.height / 2 }),
  );
  if (change.share !== null) {
    const far = Math.log(Math.max(1e-9, 1 + change.share)) / Math.log(WIDEST);
    const length = Math.min(1, Math.abs(far)) * middle;
    const x = far < 0 ? middle - length : middle;
    drawing.append(makeSvg("rect", { class: "way", x, y: (BAR.height - BAR.thickness) / 2, width: length, height: BAR.thickness, rx: 2 }));
  }
  drawing.append(makeSvg("line", { class: "middle", x1: middle, x2: middle, y1: 3, y2: BAR.height - 3 }));
  return drawing;
}
