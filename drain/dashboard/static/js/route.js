// One route by itself: how its times are spread, which requests were slow or failed, and who answered what.

import { BreakdownView } from "./breakdown.js";
import { meaningOf } from "./columns.js";
import { keepingPlace, make } from "./dom.js";
import * as format from "./format.js";
import { histogram } from "./histogram.js";
import { SamplesView } from "./samples.js";

const SHOWN = 8;
const PATHS_SHOWN = 20;

export class RouteView {
  constructor(container) {
    this.container = container;
    this.drawn = "";
    this.times = make("div", { class: "time-pair" });
    const samples = make("div", { class: "samples-pair" });
    const log = make("div");
    this.shares = make("div", { class: "breakdowns" });
    this.allTime = make("section", { class: "all-time", "aria-labelledby": "all-time-title" });
    container.append(this.times, samples, log, this.shares, this.allTime);
    this.samples = new SamplesView(samples);
    this.breakdown = new BreakdownView(log, (found) => this.samples.showRead(found));
    new ResizeObserver(() => this.draw()).observe(container);
  }

  show(detail) {
    this.detail = detail;
    this.draw();
  }

  showSamples(samples) {
    this.samples.show(samples);
  }

  clear() {
    this.detail = null;
    this.drawn = "";
    for (const part of [this.times, this.shares, this.allTime]) part.replaceChildren();
    this.samples.clear();
  }

  draw() {
    const width = this.container.clientWidth;
    if (!this.detail || !width) return;
    // Focus on a bar would be lost by drawing what is there already.
    const drawn = JSON.stringify([this.detail.figures, this.detail.dynos, this.detail.hosts, this.detail.paths, width]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const { figures, service_histogram: service, connect_histogram: connect, dynos, hosts, paths } = this.detail;
    const wide = width > 1_100 ? (width - 16) * (2 / 3) : width;
    const narrow = width > 1_100 ? (width - 16) / 3 : width;
    keepingPlace(this.times, () => this.times.replaceChildren(
      histogram("Service time", service, figures.service, wide - 30),
      histogram("Connect time", connect, figures.connect, narrow - 30),
    ));
    fill(this.shares, [
      shares("Statuses", figures.statuses, { classOf: (status) => `${status[0]}xx` }),
      Object.keys(figures.codes).length
        ? shares("H-codes", figures.codes, { nameOf: (code) => `${code} ${meaningOf(code)}`, classOf: () => "code", of: figures.count })
        : null,
      shares("Methods", figures.methods),
      facts(figures),
      figures.connections ? connections(figures) : null,
    ]);
    // A figure since the first request, beside those of a window, must say so.
    fill(this.allTime, [
      make("h2", { id: "all-time-title" }, "Since the first request"),
      make(
        "div",
        { class: "breakdowns" },
        ...[
          Object.keys(paths).length ? shares("Most frequent paths, all time", paths, { most: PATHS_SHOWN, isPart: true }) : null,
          shares("Dynos, all time", dynos),
          shares("Hosts, all time", hosts),
        ].filter(Boolean),
      ),
    ]);
  }
}

const fill = (part, children) => part.replaceChildren(...children.filter(Boolean));

/** `isPart`: the counts are some of many, so their shares say nothing. */
function shares(title, counts, { nameOf = format.visible, classOf = () => null, of = 0, most = SHOWN, isPart = false } = {}) {
  const entries = format.largestFirst(counts);
  const all = of || entries.reduce((sum, [, count]) => sum + count, 0);
  const list = make("ul", { class: "shares" });
  for (const [name, count] of entries.slice(0, most)) {
    const bar = make("i", { "data-class": classOf(name) });
    bar.style.width = `${(100 * count) / all}%`;
    list.append(
      make("li", {}, make("span", {}, nameOf(name)), make("span", { class: "of" }, isPart ? format.count(count) : `${format.shortCount(count)} · ${format.percent(count / all)}`), make("span", { class: "track" }, bar)),
    );
  }
  if (entries.length > most) list.append(make("li", {}, make("span", { class: "of" }, `and ${format.count(entries.length - most)} more`)));
  if (!entries.length) list.append(make("li", {}, make("span", { class: "of" }, "none")));
  return make("section", { class: "panel" }, make("h2", {}, title), list);
}

function facts(figures) {
  const each = figures.count ? figures.bytes / figures.count : 0;
  return named("Sizes and times", [
    ["Sent", format.bytes(figures.bytes)],
    ["Sent per request", format.bytes(Math.round(each))],
    ["Longest", format.time(figures.service.max)],
    ["p90", format.time(figures.service.p90)],
    ["Aborted by clients", format.shortCount(figures.aborted)],
  ]);
}

/** How long websockets and streams were open: they are in no figure of service time. */
function connections({ connections: count, lifetime }) {
  return named("Connections", [
    ["Opened", format.shortCount(count)],
    ["Median lifetime", format.time(lifetime.p50)],
    ["p90", format.time(lifetime.p90)],
    ["p95", format.time(lifetime.p95)],
    ["p99", format.time(lifetime.p99)],
    ["Longest", format.time(lifetime.max)],
  ]);
}

function named(title, rows) {
  const list = make("ul", { class: "shares" });
  for (const [name, value] of rows) list.append(make("li", {}, make("span", { class: "of" }, name), make("span", {}, value)));
  return make("section", { class: "panel" }, make("h2", {}, title), list);
}
