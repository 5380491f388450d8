// Warnings in plain words. A dismissed one comes back when its count grows. Those of other apps, and on a
// phone all, take one line before the figures.

import { keepingPlace, make, setAttribute, withCode } from "./dom.js";
import * as format from "./format.js";
import { load, save } from "./storage.js";

const KEY = "tailrace.dismissed";
const SHOWN = 2;
const PHONE = matchMedia("(max-width: 720px)");

export class Alerts {
  constructor(list) {
    this.list = list;
    this.drawn = "";
    this.all = [];
    this.app = "";
    this.dismissed = readDismissed();
    this.isOpen = false;
    this.told = new Set();
    PHONE.addEventListener("change", () => this.draw());
  }

  /** `app`: whose view it is; "": that of all apps. */
  show(alerts, app) {
    this.all = alerts;
    this.app = app;
    this.draw();
  }

  /** `codes` of those that are shown as incidents. */
  except(codes) {
    this.told = codes;
    this.draw();
  }

  draw() {
    const shown = this.all.filter((alert) => !(this.dismissed[alert.code] >= alert.count) && !this.told.has(alert.code));
    const drawn = JSON.stringify([shown, this.app, this.isOpen, PHONE.matches]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const own = shown.filter((alert) => this.concerns(alert));
    const others = shown.filter((alert) => !this.concerns(alert));
    // One to spare: the line takes as much room as the warning it would hide.
    const most = PHONE.matches ? 0 : own.length > SHOWN + (others.length ? 0 : 1) ? SHOWN : own.length;
    const rest = [...own.slice(most), ...others];
    const line = rest.length ? [this.line(own, own.slice(most), others)] : [];
    const items = [...own.slice(0, most), ...(this.isOpen ? rest : [])].map((alert) => this.item(alert));
    keepingPlace(this.list, () => this.list.replaceChildren(...(PHONE.matches ? [...line, ...items] : [...items, ...line])));
    this.list.hidden = shown.length === 0;
  }

  concerns(alert) {
    return !this.app || !alert.app || alert.app === this.app;
  }

  /** The line in place of what is folded, which unfolds it. */
  line(own, folded, others) {
    const words = [];
    if (PHONE.matches && own.length) words.push(own.length + others.length === 1 ? own[0].title : `${counted(own)}: ${own[0].title}`);
    else if (folded.length) words.push(`${format.plural(folded.length, "more warning")}`);
    if (others.length) words.push(`${counted(others)} of other apps`);
    const text = this.isOpen ? "Show fewer warnings" : words.join("; ");
    const button = make("button", { type: "button", "aria-expanded": String(this.isOpen), "data-key": "fold" }, text);
    button.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.draw();
    });
    const line = make("li", { class: "fold" }, button);
    if (PHONE.matches && own.length && !this.isOpen) setAttribute(line, "data-severity", own[0].severity);
    return line;
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
      const button = make("button", { type: "button", "aria-label": `Dismiss: ${alert.title}`, "data-key": `dismiss ${alert.code}` }, "Dismiss");
      button.addEventListener("click", () => this.dismiss(alert));
      item.append(button);
    }
    return item;
  }

  dismiss(alert) {
    this.dismissed[alert.code] = alert.count;
    save(KEY, JSON.stringify(this.dismissed));
    this.draw();
  }
}

/** `1 alarm, 2 warnings`. */
function counted(alerts) {
  return ["alarm", "warning", "note"]
    .map((severity) => [severity, alerts.filter((alert) => alert.severity === severity).length])
    .filter(([, count]) => count)
    .map(([severity, count]) => format.plural(count, severity))
    .join(", ");
}

function readDismissed() {
  try {
    const found = JSON.parse(load(KEY));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}
