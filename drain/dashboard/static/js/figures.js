// The big figures: what whoever is on call wants to know first.

import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";

const ERRORS_ARE_BAD_FROM = 0.01;

export class BigFigures {
  constructor(list) {
    this.tiles = {
      rate: tile(list, "Requests per second"),
      errors: tile(list, "Errors", "Answered with 5xx, or failed by the router (at=error). A client that went away (499, H27, H28) is no error: it counts as aborted."),
      p50: tile(list, "Median", "Service time: half of all requests took no longer. Below: the same for connect time."),
      p95: tile(list, "p95", "Service time: 95 % of requests took no longer. Below: the same for connect time."),
      p99: tile(list, "p99", "Service time: 99 % of requests took no longer"),
    };
    this.now = null;
  }

  /** The current rate, from the series; shown beside the window's own figures. */
  showNow(perSecond) {
    this.now = perSecond;
    setText(this.tiles.rate.sub, this.rateSub());
  }

  show(figures) {
    const { rate, errors, p50, p95, p99 } = this.tiles;
    this.count = figures.count;
    value(rate, figures.rate === null ? format.shortCount(figures.count) : format.rate(figures.rate));
    setText(rate.name, figures.rate === null ? "Requests" : "Requests per second");
    this.isCount = figures.rate === null;
    setText(rate.sub, this.rateSub());
    value(errors, format.percent(figures.error_rate).replace(" %", ""), "%");
    const aborted = figures.aborted ? ` · ${format.shortCount(figures.aborted)} aborted` : "";
    setText(errors.sub, `${format.count(figures.errors)} of ${format.shortCount(figures.count)}${aborted}`);
    setAttribute(errors.value, "data-tone", figures.error_rate >= ERRORS_ARE_BAD_FROM ? "bad" : null);
    for (const [own, share] of [[p50, "p50"], [p95, "p95"], [p99, "p99"]]) value(own, ...format.timeParts(figures.service[share]));
    setText(p50.sub, `connect ${format.time(figures.connect.p50)}`);
    setText(p95.sub, `connect ${format.time(figures.connect.p95)}`);
    setText(p99.sub, `longest ${format.time(figures.service.max)}`);
  }

  rateSub() {
    const all = `${format.shortCount(this.count ?? 0)} total`;
    if (this.isCount) return "since the first request";
    return this.now === null ? all : `now ${format.rate(this.now)} · ${all}`;
  }
}

function tile(list, name, tip) {
  const own = {
    name: make("dt", tip ? { "data-tip": tip, tabindex: "0" } : {}, name),
    number: document.createTextNode("–"),
    unit: make("small"),
    sub: make("dd", { class: "sub" }, "\u00a0"),
  };
  own.value = make("dd", {}, own.number, own.unit);
  list.append(make("div", {}, own.name, own.value, own.sub));
  return own;
}

function value(own, number, unit = "") {
  if (own.number.data !== number) own.number.data = number;
  setText(own.unit, unit);
}
