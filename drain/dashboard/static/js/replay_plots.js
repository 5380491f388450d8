// A run over its time: how many requests were sent, how late, and how long they took.

import { make } from "./dom.js";
import * as format from "./format.js";
import { Panel } from "./panel.js";

const PANELS = [
  {
    title: "Sent per second",
    series: [{ name: "sent", column: "sent_per_s", colour: "--p95", fill: true }],
    show: format.rate,
    lowestTop: 0.05,
    isCount: true,
  },
  {
    title: "Sent late, largest",
    series: [{ name: "late", column: "late_ms", colour: "--server", fill: true }],
    show: format.time,
    lowestTop: 20,
  },
  {
    title: "Service time, mean",
    series: [{ name: "mean", column: "service_ms", colour: "--p99" }],
    show: format.time,
    lowestTop: 20,
  },
].map((panel) => ({ ...panel, isElapsed: true, sync: "tailrace-replay" }));

export class ReplayPlots {
  constructor() {
    const heading = make("div", { class: "toolbar" }, make("h2", {}, "Over the run"));
    const plots = make("div", { class: "plots" });
    this.element = make("section", { "aria-label": "Over the run", hidden: true }, heading, plots);
    this.panels = PANELS.map((panel) => new Panel(plots, panel));
    this.drawn = "";
  }

  show(timeline) {
    this.element.hidden = timeline.length < 2;
    const drawn = JSON.stringify(timeline);
    if (this.element.hidden || drawn === this.drawn) return;
    this.drawn = drawn;
    const series = columns(timeline);
    for (const panel of this.panels) panel.show(series);
  }

  redraw() {
    for (const panel of this.panels) panel.redraw();
  }
}

function columns(timeline) {
  const times = timeline.map((point) => point.at_s);
  // The last step is as long as the one before it.
  const steps = times.map((at, index) => (times[index + 1] ?? 2 * at - times[index - 1]) - at);
  return {
    times,
    step_s: steps[0],
    sent_per_s: timeline.map((point, index) => (steps[index] > 0 ? point.sent / steps[index] : null)),
    late_ms: timeline.map((point) => point.late_ms),
    service_ms: timeline.map((point) => point.service_ms),
  };
}
