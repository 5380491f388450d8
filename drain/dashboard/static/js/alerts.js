// Warnings in plain words. One that was put away comes back when there is more of it.

import { make } from "./dom.js";
import { keep, kept } from "./storage.js";

const KEY = "tailrace.put-away";
const SHOWN = 2;

export class Alerts {
  constructor(list) {
    this.list = list;
    this.said = "";
    this.putAway = readPutAway();
    this.isOpen = false;
  }

  show(alerts) {
    this.all = alerts;
    const shown = alerts.filter((alert) => !(this.putAway[alert.code] >= alert.count));
    const said = JSON.stringify(shown);
    if (said === this.said) return;
    this.said = said;
    const items = shown.map((alert) => this.item(alert));
    this.list.replaceChildren(...items);
    this.list.hidden = shown.length === 0;
    // One to spare: a button takes as much room as the warning behind it.
    if (!this.isOpen && items.length > SHOWN + 1) this.fold(items.slice(SHOWN));
  }

  fold(items) {
    for (const item of items) item.hidden = true;
    const button = make("button", { type: "button", "aria-expanded": "false" }, `${items.length} more warnings`);
    const fold = make("li", { class: "fold" }, button);
    button.addEventListener("click", () => {
      this.isOpen = true;
      fold.remove();
      for (const item of items) item.hidden = false;
      items[0].querySelector("button")?.focus();
    });
    this.list.append(fold);
  }

  item(alert) {
    const item = make(
      "li",
      { "data-severity": alert.severity, "data-code": alert.code },
      make("p", {}, make("span", { class: "title" }, alert.title), ". ", alert.text),
      alert.action ? make("p", { class: "action" }, ...withCode(alert.action)) : null,
    );
    // What stands still now must not be put away; what has happened may.
    if (alert.severity !== "alarm") {
      const button = make("button", { type: "button", "aria-label": `Put away: ${alert.title}` }, "Put away");
      button.addEventListener("click", () => this.away(alert));
      item.append(button);
    }
    return item;
  }

  away(alert) {
    this.putAway[alert.code] = alert.count;
    keep(KEY, JSON.stringify(this.putAway));
    this.show(this.all);
  }
}

function readPutAway() {
  try {
    const found = JSON.parse(kept(KEY));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

/** Text whose parts in backticks are commands or settings. */
function withCode(text) {
  return text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}
