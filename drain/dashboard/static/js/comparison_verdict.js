// The head of a comparison: what to know in two seconds, which spans it is about, and what may mislead.

import { badge } from "./comparison_table.js";
import { changeText, findingWords, headline, intervalText, others, plainVerdict, beforeAfter, FIGURES } from "./comparison_words.js";
import { make, withCode } from "./dom.js";
import * as format from "./format.js";
import * as zone from "./zone.js";

/** `subject`: `v42`, or empty; `length`: how long each span is; `routeLink(route)` gives a link to a route. */
export function verdict(comparison, subject, length, routeLink) {
  const { before, after } = comparison;
  const waiting = waitingText(comparison, length);
  if (!before || !after) {
    return [make("p", { class: "verdict-word" }, "Nothing to compare yet"), make("div", { class: "verdict-text" }, make("p", {}, waiting || "There are no figures of one of the two spans."))];
  }
  const found = headline(comparison);
  const sentence = found.route ? findingSentence(found, subject, routeLink) : [plainVerdict(found.word, comparison, subject)];
  const lines = [others(comparison, found.route), totalText(comparison, found.route), yesterdayText(comparison, found)].filter(Boolean);
  return [
    make("p", { class: "verdict-word" }, badge(found.word)),
    make(
      "div",
      { class: "verdict-text" },
      make("p", { class: "verdict-sentence" }, ...sentence),
      ...lines.map((text) => make("p", {}, `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`)),
      waiting ? make("p", { class: "waiting" }, waiting) : null,
    ),
  ];
}

function findingSentence({ route, figure }, subject, routeLink) {
  const [start, end] = findingWords(figure, subject);
  return [start, route.route ? make("span", { class: "verdict-route" }, routeLink(route)) : "all routes together", `${end}.`];
}

/** `Complete in 6 min; so far 9 min after the release are compared.` */
function waitingText({ ready_s: readyS, after, at_ms: atMs }, length) {
  const left = readyS ? readyS - atMs / 1_000 : 0;
  if (left <= 0) return "";
  const soFar = after && after.to_s > after.from_s ? `; so far ${format.duration(after.to_s - after.from_s)} of ${length} after it` : "";
  return `Complete in ${format.duration(Math.max(1, left))}${soFar}. This page goes on by itself.`;
}

/** `all routes together: p95 28 ms → 38 ms, +35 % (+28 to +44 %)` */
function totalText({ total, routes }, shown) {
  if (!total || shown === total || routes.length < 2) return "";
  const figure = total.figures.find((one) => one.figure === "p95");
  if (!figure || figure.before === null || figure.after === null) return "";
  const interval = intervalText(figure);
  const change = figure.word === "too few" ? "too few requests to tell" : `${changeText(figure)}${interval ? ` (${interval})` : ""}`;
  return `all routes together: p95 ${beforeAfter(figure)}, ${change}`;
}

/** How the same figure of the same route changed a day earlier, without this release. */
function yesterdayText({ yesterday }, { route, figure }) {
  if (!yesterday || yesterday.refused || !route) return "";
  const own = route.route ? yesterday.routes.find((one) => one.digest === route.digest) : yesterday.total;
  const same = own?.figures.find((one) => one.figure === figure.figure);
  const name = FIGURES[figure.figure][0];
  if (!same || same.before === null || same.after === null) return "";
  const interval = intervalText(same);
  return `at the same times a day earlier: ${name} ${beforeAfter(same)}, ${same.word === "too few" || !changeText(same) ? "too few requests to tell" : `${changeText(same)}${interval ? ` (${interval})` : ""}, ${same.word}`}`;
}

/** Which spans, with their requests; `addressOf(side)` gives the figures of one. */
export function sides({ before, after, release }, addressOf) {
  const parts = [["Before", before], ["After", after]].filter(([, side]) => side).flatMap(([name, side]) => [
    make("dt", {}, name),
    make("dd", {}, make("a", { href: addressOf(side) }, zone.span(side.from_s, side.to_s)), ` · ${format.plural(side.requests, "request")} (${format.rate(side.rate)}/s)`),
  ]);
  const switched = release?.up_ms ? (release.up_ms - release.at_ms) / 1_000 : null;
  if (switched !== null) parts.push(make("dt", {}, "Left out"), make("dd", {}, `the ${format.duration(Math.max(1, switched))} in which the dynos were replaced`));
  else if (release) parts.push(make("dt", {}, "Dynos"), make("dd", {}, "no message says when the new ones were up"));
  return parts;
}

export const warnings = (texts) => texts.map((text) => make("li", {}, ...withCode(format.visible(text))));
