// The routes of a comparison, worse ones first: each figure before and after, and below it how it has changed,
// with the interval. On a phone a route becomes a card.

import { WORDS, FIGURES, beforeAfter, changeText, intervalText } from "./comparison_words.js";
import { make } from "./dom.js";
import * as format from "./format.js";

const NO_WORD = "not judged";

/** `✗ worse`, with colour, word and symbol. */
export function badge(word) {
  const [state, symbol] = WORDS[word] ?? ["finished", "–"];
  return make("b", { class: "state", "data-state": state }, make("span", { "aria-hidden": "true" }, symbol), ` ${word ?? NO_WORD}`);
}

/** `links(route)` gives elements that lead to the route in both spans. */
export function comparisonTable(comparison, links, label) {
  const { total, routes } = comparison;
  // Clients that go away are rare: most apps have nothing in that column.
  const names = Object.keys(FIGURES).filter((name) => name !== "aborted" || [total, ...routes].some(hasAborted));
  const heads = ["Route", "Result", ...names.map((name) => FIGURES[name][0])].map((title, at) => make("th", { scope: "col", class: at < 2 ? "text" : null }, make("span", {}, title)));
  const rows = [...(total ? [line(total, names, links, true)] : []), ...routes.map((route) => line(route, names, links, false))];
  const table = make("table", { class: "compared", "aria-label": label }, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows));
  // What scrolls must be reached by keyboard, too.
  return make("div", { class: "sheet compared-sheet", role: "region", "aria-label": `Table: ${label}`, tabindex: "0" }, table);
}

const hasAborted = (route) => Boolean(route?.figures.some(({ figure, before, after }) => figure === "aborted" && (before || after)));

function line(route, names, links, isTotal) {
  const figures = new Map(route.figures.map((figure) => [figure.figure, figure]));
  const cells = names.map((name) => figureCell(name, figures.get(name), route));
  const name = isTotal ? "All routes" : format.visible(route.route);
  const head = make("th", { scope: "row", class: "compared-route" }, make("span", { class: isTotal ? null : "compared-name", title: isTotal ? null : name }, name), make("span", { class: "compared-links" }, ...links(route)));
  return make("tr", { class: isTotal ? "total" : null, "data-word": route.word }, head, make("td", { class: "text compared-word" }, badge(route.word)), ...cells);
}

function figureCell(name, figure, route) {
  const cell = make("td", { "data-name": FIGURES[name][0], "data-figure": name });
  if (!figure) {
    cell.append("–");
    return cell;
  }
  if (figure.word === "worse") cell.dataset.tone = "bad";
  else if (figure.word === "better") cell.dataset.tone = "good";
  const isAbsent = figure.before === null && figure.after === null;
  cell.append(make("span", { class: "compared-values" }, isAbsent ? "–" : beforeAfter(figure)));
  if (name === "requests") cell.append(make("span", { class: "compared-change" }, `${format.shortCount(route.requests_before)} → ${format.shortCount(route.requests_after)}`));
  else if (!isAbsent) cell.append(make("span", { class: "compared-change" }, changeWords(figure)));
  return cell;
}

/** `+35 % (+28 to +44)`, and in words what the colour says. */
function changeWords(figure) {
  if (figure.word === "too few") return "too few";
  const change = changeText(figure);
  const interval = intervalText(figure, { unit: "" });
  const text = [change, interval && `(${interval})`].filter(Boolean).join(" ");
  if (!text) return "";
  return make("span", {}, text, figure.word === "worse" || figure.word === "better" ? make("span", { class: "unseen" }, `, ${figure.word}`) : null);
}
