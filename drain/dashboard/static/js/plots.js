// Requests, errors and service times over time: which plots there are, and what they have in common.

import * as format from "./format.js";
import { Panel } from "./panel.js";

const PANELS = [
  {
    title: "Requests per second",
    series: [
      { name: "all", column: "requests_per_s", colour: "--p95", fill: true },
      { name: "errors", column: "errors_per_s", colour: "--server" },
    ],
    show: format.rate,
    lowestTop: 0.05,
    isCount: true, // Zero is nothing, and not a share of something.
  },
  {
    title: "Service time",
    series: [
      { name: "p50", column: "service_p50", colour: "--p50" },
      { name: "p95", column: "service_p95", colour: "--p95" },
      { name: "p99", column: "service_p99", colour: "--p99" },
    ],
    show: format.time,
    isLogarithmic: true,
  },
  {
    title: "Error rate",
    series: [{ name: "errors", column: "error_rate", colour: "--server", fill: true }],
    show: format.percent,
    lowestTop: 0.01,
  },
];

export class Plots {
  /** `travel`: the ways through time (travel.js). */
  constructor(container, travel) {
    this.panels = PANELS.map((panel) => new Panel(container, panel, travel));
  }

  /** `csv`: where the same series is had as CSV. */
  show(series, csv) {
    for (const panel of this.panels) panel.show(series, csv);
  }

  /** `found`: the releases to mark; see PlotMarks. */
  mark(found) {
    for (const panel of this.panels) panel.mark(found);
  }

  /** `found`: the incidents to mark; see IncidentMarks. */
  markIncidents(found) {
    for (const panel of this.panels) panel.markIncidents(found);
  }

  redraw() {
    for (const panel of this.panels) panel.redraw();
  }
}
