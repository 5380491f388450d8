// Budgets of objectives: in the view of alerts as bars, and on the page of an app or a route in a line each.

import { Part, make } from "./dom.js";
import * as format from "./format.js";
import { budgetWords } from "./alert_words.js";

const LINES = 3;

/** Whether a pattern of a rule, such as `/users/:id` or `/api/*rest`, is the route or one with it. */
export function matches(pattern, route) {
  if (pattern === route) return true;
  const parts = pattern.split("/");
  const own = route.split("/");
  const rest = parts.findIndex((part) => part.startsWith("*"));
  if (rest >= 0 ? own.length < rest : own.length !== parts.length) return false;
  return parts.slice(0, rest >= 0 ? rest : undefined).every((part, at) => part === own[at] || (part.startsWith(":") && own[at] !== ""));
}

/** Whether it is of the app and the route that are shown; `route` "": of the app as a whole. */
export const isBudgetOf = ({ app, route }, shown) => (!shown.app || !app || app === shown.app) && (shown.route ? Boolean(route) && matches(route, shown.route) : true);

/** `checkout, shop: 99.9 % over 30 d` */
function nameOf({ rule, app, route }, { isOfMany }) {
  const where = [isOfMany ? app : "", route].filter(Boolean).map(format.visible).join(" ");
  return [format.visible(rule), where].filter(Boolean).join(", ");
}

export class BudgetLines {
  constructor(list) {
    this.list = list;
    this.part = new Part("ul", { class: "budget-lines", "aria-label": "Budgets of objectives" });
    list.replaceWith(this.part.element);
  }

  /** `shown`: {app, route, isOfMany, address}: what is shown, and where the view of alerts is. */
  show(budgets, shown, nowS) {
    const all = budgets.filter((budget) => isBudgetOf(budget, shown)).map((budget) => ({ name: nameOf(budget, shown), ...budgetWords(budget, nowS) }));
    // Of many apps only those that run out.
    const own = all.filter(({ tone }) => tone !== "off" && !(shown.isOfMany && tone === "good"));
    const lines = own.slice(0, LINES);
    const more = own.length - lines.length;
    this.part.show([lines, more, shown.address], () => [
      ...lines.map(({ name, goal, tone, short, text }) => make("li", { "data-tone": tone }, make("span", {}, `Objective ${name}, ${goal}: `), make("a", { href: shown.address, "data-tip": text, "data-key": name }, make("b", {}, tone === "bad" ? `▲ ${short}` : short)))),
      ...(more > 0 ? [make("li", { class: "fine" }, `and ${format.count(more)} more`)] : []),
    ]);
  }
}

/** One budget with its bar; what is left of it is filled. */
export function budgetItem(budget, shown, nowS) {
  const { goal, left, tone, short, text } = budgetWords(budget, nowS);
  const bar = make("i");
  bar.style.width = `${100 * Math.min(1, Math.max(0, left ?? 0))}%`;
  return make(
    "li",
    { class: "budget", "data-tone": tone },
    make("div", { class: "budget-head" }, make("b", {}, nameOf(budget, shown)), make("span", { class: "fine" }, goal), make("strong", {}, tone === "bad" ? `▲ ${short}` : short)),
    make("span", { class: "track", "aria-hidden": "true" }, bar),
    make("p", { class: "fine" }, text),
  );
}
