// Add-ons by what they log of themselves: a small table of each, with the measures that matter most.

import { byImportance, exact, human } from "./addon_values.js";
import { plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import { moment } from "./dyno_words.js";
import * as format from "./format.js";
import { Sheet } from "./sheet.js";
import { fillGauge } from "./sparks.js";

/** heroku-postgres and heroku-redis log about once a minute; what is older than this is pale. */
const FRESH_S = 900;

/** Their measures are kept in windows of five minutes. */
const HELD_S = 300;

export class AddonsView {
  constructor(container) {
    this.note = make("p", { class: "fine" });
    this.panels = make("div", { class: "addons" });
    this.element = make("section", { "aria-label": "Add-ons", hidden: true }, make("div", { class: "toolbar" }, make("h2", {}, "Add-ons"), this.note), this.panels);
    this.shown = new Map();
    container.append(this.element);
  }

  show({ rows, left_out: leftOut, to_s: to, step_s: step }) {
    const isOfMany = new Set(rows.map((row) => row.app)).size > 1;
    const wanted = new Set(rows.map(keyOf));
    for (const [key, panel] of this.shown) {
      if (wanted.has(key)) continue;
      panel.element.remove();
      this.shown.delete(key);
    }
    for (const row of rows) {
      const panel = this.shown.get(keyOf(row)) ?? this.add(row);
      panel.show(row, { to, step, isOfMany });
    }
    this.element.hidden = !rows.length;
    setText(this.note, leftOut ? `${format.plural(leftOut, "more is", "more are")} left out` : "");
  }

  add(row) {
    const panel = new AddonPanel(row);
    this.shown.set(keyOf(row), panel);
    this.panels.append(panel.element);
    return panel;
  }

  clear() {
    this.shown.clear();
    this.panels.replaceChildren();
    this.element.hidden = true;
  }
}

const keyOf = (row) => JSON.stringify([row.app, row.kind, row.source, row.addon]);

class AddonPanel {
  constructor({ kind, source, addon }) {
    const title = [kind, source].filter(Boolean).map(format.visible).join(" · ");
    this.isOpen = false;
    this.note = make("p", { class: "fine" });
    this.addon = format.visible(addon);
    this.more = make("button", { type: "button", class: "more", hidden: true }, make("span"), make("span", { class: "unseen" }, ` measures of ${title}`));
    this.more.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.draw();
    });
    this.element = make("section", { class: "panel addon", "aria-label": title }, make("div", { class: "panel-head" }, make("h3", {}, title), this.note));
    this.sheet = new Sheet(this.element, { label: title, columns: COLUMNS, keyOf: (value) => value.name, yielding: ["trend", "highest"] });
    this.element.append(this.more);
  }

  show(row, { to, step, isOfMany }) {
    const omitted = row.values_left_out ? `${format.plural(row.values_left_out, "measure")} not kept` : "";
    setText(this.note, [isOfMany && row.app, this.addon, omitted].filter(Boolean).join(" · "));
    this.values = row.values.map((value) => ({ ...value, step, isLate: to - value.latest_ms / 1_000 > FRESH_S }));
    this.draw();
  }

  draw() {
    const [first, others] = byImportance(this.values);
    this.sheet.show(this.isOpen ? [...first, ...others] : first, { nothing: "No measure in this window." });
    this.more.hidden = !others.length;
    setAttribute(this.more, "aria-expanded", String(this.isOpen));
    setText(this.more.firstChild, this.isOpen ? `Show ${format.count(first.length)}` : `Show all ${format.count(this.values.length)}`);
  }
}

const COLUMNS = [
  { key: "measure", name: "Measure", text: true, isHead: true, fill: fillName },
  { key: "latest", name: "Latest", fill: fillLatest },
  { key: "trend", name: "Trend", fill: fillTrend },
  { key: "highest", name: "Highest", tip: "In this window", fill: plain((value) => human(value.highest, value)) },
];

function fillName(cell, value) {
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "cut" }));
  setText(part, format.visible(value.name));
  setAttribute(part, "title", format.visible(value.name));
}

function fillLatest(cell, value) {
  setText(cell, human(value.latest, value));
  setAttribute(cell, "data-tone", value.isLate ? "zero" : null);
  const spread = value.average === null ? "" : `\nIn this window: ${human(value.lowest, value)} to ${human(value.highest, value)}, average ${human(value.average, value)}`;
  setAttribute(cell, "data-tip", `${exact(value.latest, value)}\n${moment(value.latest_ms / 1_000)}${spread}`);
}

function fillTrend(cell, value) {
  fillGauge(cell, value.spark, { name: format.visible(value.name), show: (number) => human(number, value), step: value.step, heldS: HELD_S });
}
