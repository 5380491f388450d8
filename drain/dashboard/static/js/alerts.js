// Warnings in plain words. A dismissed one comes back when its count grows.

import { make } from "./dom.js";
import { load, save } from "./storage.js";

const KEY = "tailrace.dismissed";
const SHOWN = 2;

export class Alerts {
  constructor(list) {
    this.list = list;
    this.drawn = "";
    this.dismissed = readDismissed();
    this.isOpen = false;
  }

  show(alerts) {
    this.all = alerts;
    const shown = alerts.filter((alert) => !(this.dismissed[alert.code] >= alert.count));
    const drawn = JSON.stringify(shown);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const items = shown.map((alert) => this.item(alert));
    this.list.replaceChildren(...items);
    this.list.hidden = shown.length === 0;
    // One to spare: the button takes as much room as the warning it would hide.
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
    // Frozen figures must stay in sight; what has already happened may be dismissed.
    if (alert.severity !== "alarm") {
      const button = make("button", { type: "button", "aria-label": `Dismiss: ${alert.title}` }, "Dismiss");
      button.addEventListener("click", () => this.dismiss(alert));
      item.append(button);
    }
    return item;
  }

  dismiss(alert) {
    this.dismissed[alert.code] = alert.count;
    save(KEY, JSON.stringify(this.dismissed));
    this.show(this.all);
  }
}

function readDismissed() {
  try {
    const found = JSON.parse(load(KEY));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

/** Text whose parts in backticks are commands or settings. */
function withCode(text) {
  return text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));
}
