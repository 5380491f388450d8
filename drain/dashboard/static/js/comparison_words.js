// A comparison of two spans in words: each figure before and after, how it changed and how sure that is, and
// the one sentence that whoever is on call reads first. Pure.

import * as format from "./format.js";

/** Word -> how it is drawn: a state for the colour, and a symbol, because colour alone would not do. */
export const WORDS = {
  worse: ["failed", "✗"],
  better: ["passed", "✓"],
  "no difference shown": ["finished", "–"],
  "too few": ["inconclusive", "?"],
};

const isKnown = (value) => value !== null && value !== undefined;
const rate = (value) => (isKnown(value) ? `${format.rate(value)}/s` : format.rate(value));

/** Figure -> [name, how a value is written, whether it is a share, whose changes are differences]. */
export const FIGURES = {
  requests: ["Requests", rate, false],
  errors: ["Errors", format.percent, true],
  aborted: ["Aborted", format.percent, true],
  p50: ["Median", format.time, false],
  p95: ["p95", format.time, false],
  p99: ["p99", format.time, false],
};

/** Which of several changes of a route is told: the gravest. */
const GRAVEST_FIRST = ["errors", "p95", "p99", "p50", "aborted"];

/** What a figure is called in a sentence. */
const IN_SENTENCE = { errors: "the error rate", aborted: "the share of aborted requests", p50: "the median", p95: "p95", p99: "p99" };

const isShare = (figure) => FIGURES[figure.figure]?.[2] ?? false;

export function valueText({ figure }, value) {
  return FIGURES[figure][1](value);
}

/** `28 ms → 38 ms` */
export const beforeAfter = (figure) => `${valueText(figure, figure.before)} → ${valueText(figure, figure.after)}`;

/** Three digits at most, and a sign of its own: `+35`, `−0.41`. */
function number(value, isSigned) {
  const size = Math.abs(value);
  const text = size.toFixed(size >= 9.95 ? 0 : size >= 0.995 ? 1 : 2);
  if (Number(text) === 0) return "0";
  const short = format.short(text);
  return isSigned ? `${value < 0 ? "−" : "+"}${short}` : short;
}

const unitOf = (figure) => (isShare(figure) ? "pts" : "%");

/** `+35 %`, `+2.1 pts`; empty where there is no change to tell. */
export function changeText(figure) {
  if (!isKnown(figure.change)) return "";
  return `${number(figure.change * 100, true)} ${unitOf(figure)}`;
}

/** `+28 to +44 %`, `at least +28 %`; empty without an interval. `unit`: what is written behind the numbers. */
export function intervalText(figure, { isSigned = true, unit = ` ${unitOf(figure)}` } = {}) {
  const { low, high } = figure;
  if (!isKnown(low) && !isKnown(high)) return "";
  const write = (value) => number(value * 100, isSigned);
  if (!isKnown(high)) return `at least ${write(low)}${unit}`;
  if (!isKnown(low)) return `at most ${write(high)}${unit}`;
  const [first, last] = !isSigned && Math.abs(low) > Math.abs(high) ? [high, low] : [low, high];
  return `${write(first)} to ${write(last)}${unit}`;
}

/** The sizes of both ends, where both are on the same side of nothing. */
function sizes(figure) {
  const { low, high } = figure;
  const isOneSided = isKnown(low) && isKnown(high) && low * high > 0;
  const text = intervalText(figure, { isSigned: !isOneSided });
  return text ? ` (${text})` : "";
}

/** The gravest figure of a route with this word. */
export const findingOf = (route, word) => GRAVEST_FIRST.map((name) => route.figures.find(({ figure }) => figure === name)).find((figure) => figure?.word === word) ?? null;

/**
 * [before the route's name, after it]: `v42 made p95 of `, ` 35 % worse (28 to 44 %)`; of a share from what to what
 * it has changed. `subject`: `v42`, or empty for spans without a release.
 */
export function findingWords(figure, subject) {
  const isWorse = figure.word === "worse";
  const name = IN_SENTENCE[figure.figure];
  const size = `${number(figure.change * 100, false)} %`;
  if (isShare(figure) || !isKnown(figure.change)) {
    const verb = isWorse ? "raised" : "lowered";
    const fromTo = `from ${valueText(figure, figure.before)} to ${valueText(figure, figure.after)}${sizes(figure)}`;
    return subject ? [`${subject} ${verb} ${name} of `, ` ${fromTo}`] : [`${format.capital(name)} of `, ` went ${isWorse ? "up" : "down"} ${fromTo}`];
  }
  const rest = `${size} ${figure.word}${sizes(figure)}`;
  return subject ? [`${subject} made ${name} of `, ` ${rest}`] : [`${format.capital(name)} of `, ` got ${rest}`];
}

/** The word of the whole: worse if any route is, else better if any is. */
export function wordOf({ total, routes }) {
  const words = [total?.word, ...routes.map((route) => route.word)];
  return ["worse", "better", "no difference shown"].find((word) => words.includes(word)) ?? "too few";
}

/** {word, route, figure}: what is said first; `route` is null where nothing differs. */
export function headline(comparison) {
  const word = wordOf(comparison);
  const isSuch = (route) => route?.word === word && findingOf(route, word);
  const route = word === "worse" || word === "better" ? (comparison.routes.find(isSuch) ?? (isSuch(comparison.total) ? comparison.total : null)) : null;
  return { word, route, figure: route && findingOf(route, word) };
}

/** What is said where nothing differs, or nothing can be told. */
export function plainVerdict(word, comparison, subject) {
  const { total, routes, before, after } = comparison;
  const counted = `${format.plural(total?.requests_before ?? before?.requests ?? 0, "request")} before, ${format.count(total?.requests_after ?? after?.requests ?? 0)} after`;
  if (word === "too few") return `Too few requests to tell what ${subject || "has"} changed: ${counted}.`;
  const where = routes.length === 1 ? "the one route that was compared" : `any of ${format.plural(routes.length, "route")}`;
  return `${subject ? `${subject} shows no difference` : "No difference is shown"} in ${where}: ${counted}.`;
}

/** `2 more routes are worse, 1 is better`; empty where there is no other. */
export function others(comparison, shown) {
  const rest = comparison.routes.filter((route) => route !== shown);
  const parts = ["worse", "better"].map((word) => [word, rest.filter((route) => route.word === word).length]).filter(([, count]) => count);
  return parts.map(([word, count], at) => `${format.count(count)} ${at ? "" : `${shown?.route ? "other " : ""}${count === 1 ? "route" : "routes"} `}${count === 1 ? "is" : "are"} ${word}`).join(", ");
}
