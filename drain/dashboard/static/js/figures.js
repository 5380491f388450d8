// The big figures: what whoever is on call wants to know first. Below each: what it is now, and what it was
// before where an earlier span is compared with.

import { changeText, earlierWords, isDoubtful, isWorse, sizeOf } from "./changes.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";

const ERRORS_ARE_BAD_FROM = 0.01;

/** Tile -> the name of its change, and how its value is written. */
const COMPARED = {
  rate: ["rate", format.rate],
  errors: ["error_rate", format.percent],
  p50: ["p50", format.time],
  p95: ["p95", format.time],
  p99: ["p99", format.time],
};

/** Tile -> its figure in the series, over the last whole minute. */
const NOW = {
  rate: "now_requests_per_s",
  errors: "now_error_rate",
  p50: "now_service_p50",
  p95: "now_service_p95",
  p99: "now_service_p99",
};

export class BigFigures {
  constructor(list) {
    this.tiles = {
      rate: tile(list, "Requests per second"),
      errors: tile(list, "Errors", "Answered with 5xx, or failed by the router (at=error). A client that went away (499, H27, H28) is no error: it counts as aborted."),
      p50: tile(list, "Median", "Service time: half of all requests took no longer. Below: the same for connect time."),
      p95: tile(list, "p95", "Service time: 95 % of requests took no longer. Below: the same for connect time."),
      p99: tile(list, "p99", "Service time: 99 % of requests took no longer"),
    };
  }

  /** What it is now, from the series: over the last whole minute, whatever the window; null: it is not shown. */
  showNow(series) {
    for (const [name, own] of Object.entries(this.tiles)) {
      const value = series?.[NOW[name]];
      const text = value === null || value === undefined ? "" : `now ${COMPARED[name][1](value)}`;
      setText(own.now, text);
      setAttribute(own.now, "data-tone", name === "errors" && value >= ERRORS_ARE_BAD_FROM ? "bad" : null);
      own.now.hidden = !text;
    }
  }

  /** `before`: what it is compared with, and by how much it has changed; null: nothing. */
  show(figures, changes = {}, before = null) {
    const { rate, errors, p50, p95, p99 } = this.tiles;
    const isCount = figures.rate === null;
    value(rate, isCount ? format.shortCount(figures.count) : format.rate(figures.rate));
    setText(rate.name, isCount ? "Requests" : "Requests per second");
    setText(rate.sub, isCount ? "since the first request" : `${format.shortCount(figures.count)} total`);
    value(errors, format.percent(figures.error_rate).replace(" %", ""), "%");
    const aborted = figures.aborted ? ` · ${format.shortCount(figures.aborted)} aborted` : "";
    setText(errors.sub, `${format.count(figures.errors)} of ${format.shortCount(figures.count)}${aborted}`);
    setAttribute(errors.value, "data-tone", figures.error_rate >= ERRORS_ARE_BAD_FROM ? "bad" : null);
    for (const [own, share] of [[p50, "p50"], [p95, "p95"], [p99, "p99"]]) value(own, ...format.timeParts(figures.service[share]));
    setText(p50.sub, `connect ${format.time(figures.connect.p50)}`);
    setText(p95.sub, `connect ${format.time(figures.connect.p95)}`);
    setText(p99.sub, `longest ${format.time(figures.service.max)}`);
    for (const [name, own] of Object.entries(this.tiles)) compare(own, ...COMPARED[name], changes, before);
  }

  /** Without the figures of what was shown before. */
  clear() {
    for (const own of Object.values(this.tiles)) {
      value(own, "–");
      setText(own.sub, "\u00a0");
      own.now.hidden = own.before.hidden = true;
      setText(own.now, "");
      setAttribute(own.value, "data-tone", null);
    }
  }
}

/** `yesterday 120 ms, +41 %`; or why it cannot be said. */
function compare(own, name, show, changes, before) {
  own.before.hidden = !before;
  if (!before) return;
  const change = changes[name];
  const when = earlierWords(before.earlier);
  const size = sizeOf(name, change);
  if (size === null) {
    setText(own.before, `${when}: nothing to compare with`);
    setAttribute(own.before, "data-shown", "no");
    return;
  }
  const doubt = isDoubtful(name, change);
  setText(own.before, `${when} ${show(change.before)}, ${changeText(name, change)}${doubt ? " (too few to say)" : ""}`);
  setAttribute(own.before, "data-shown", doubt ? "no" : "yes");
  setAttribute(own.before, "data-tone", change.is_shown && isWorse(name, change) ? "bad" : null);
}

function tile(list, name, tip) {
  const own = {
    name: make("dt", tip ? { "data-tip": tip, tabindex: "0" } : {}, name),
    number: document.createTextNode("–"),
    unit: make("small"),
    now: make("span", { class: "now", hidden: true }),
    sub: make("span", {}, "\u00a0"),
    before: make("dd", { class: "sub before", hidden: true }),
  };
  own.value = make("dd", {}, own.number, own.unit);
  list.append(make("div", {}, own.name, own.value, make("dd", { class: "sub" }, own.now, own.sub), own.before));
  return own;
}

function value(own, number, unit = "") {
  if (own.number.data !== number) own.number.data = number;
  setText(own.unit, unit);
}
