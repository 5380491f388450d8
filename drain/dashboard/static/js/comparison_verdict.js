// The head of a comparison: what to know in two seconds, which spans it is about, and what may mislead.

import { badge } from "./comparison_table.js";
import { changeText, findingWords, headline, intervalText, others, plainVerdict, beforeAfter } from "./comparison_words.js";
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
  const lines = [others(comparison, found.route), totalText(comparison, found.route)].filter(Boolean);
  return [
    make("p", { class: "verdict-word" }, badge(found.word)),
    make(
      "div",
      { class: "verdict-text" },
      make("p", { class: "verdict-sentence" }, ...sentence),
      ...lines.map((text) => make("p", {}, `${format.capital(text)}.`)),
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

/** Which spans, with their requests; `addressOf(side)` gives the figures of one. */
export function sides({ before, after, release }, addressOf) {
  const parts = [["Before", before], ["After", after]].filter(([, side]) => side).flatMap(([name, side]) => [
    make("dt", {}, name),
    make("dd", {}, make("a", { href: addressOf(side) }, zone.span(side.from_s, side.to_s)), ` · ${format.plural(side.requests, "request")} (${format.rate(side.rate)}/s)`),
  ]);
  const between = before && after ? after.from_s - before.to_s : 0;
  if (release && between > 0) parts.push(make("dt", {}, "Left out"), make("dd", {}, `the ${format.duration(between)} in between, with the switch-over to new dynos`));
  return parts;
}

export const warnings = (texts) => texts.map((text) => make("li", {}, ...withCode(sentence(text))));

/** The server's words, as a sentence of its own. */
export const sentence = (text) => `${format.capital(format.visible(text))}${/[.?!]$/.test(text) ? "" : "."}`;
