// The table behind a plot: the same times and values as text. It is built only while it is open.

import { make, setAttribute } from "./dom.js";

export class PlotTable {
  constructor({ title, series, show, isElapsed }) {
    this.columns = series;
    this.write = show;
    this.head = make("th", { scope: "col", class: "text" }, make("span", {}, isElapsed ? "After" : "Time"));
    this.body = make("tbody");
    this.csv = make("a", { class: "button", download: true, hidden: true }, "CSV");
    const heads = series.map((own) => make("th", { scope: "col" }, make("span", {}, own.name)));
    const table = make("table", { "aria-label": title }, make("thead", {}, make("tr", {}, this.head, ...heads)), this.body);
    // What scrolls must be reached by keyboard, too.
    const sheet = make("div", { class: "data-sheet", role: "region", tabindex: "0", "aria-label": `Data: ${title}` }, table);
    this.element = make("details", { class: "plot-data" }, make("summary", {}, "Data", make("span", { class: "unseen" }, `: ${title}`)), this.csv, sheet);
    this.element.addEventListener("toggle", () => this.draw());
    this.drawn = "";
  }

  show(series, times, csv) {
    this.series = series;
    this.csv.hidden = !csv;
    if (csv) setAttribute(this.csv, "href", csv);
    this.redraw(times);
  }

  redraw(times) {
    this.times = times;
    this.draw();
  }

  draw() {
    if (!this.element.open || !this.series) return;
    const columns = this.columns.map((own) => this.series[own.column]);
    const names = this.series.times.map(this.times.short);
    const drawn = JSON.stringify([names, columns, this.times.zone]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    if (this.times.zone) this.head.firstChild.textContent = `Time (${this.times.zone})`;
    const rows = names.map((name, at) =>
      make("tr", {}, make("th", { scope: "row", class: "text" }, name), ...columns.map((column) => make("td", {}, this.write(column[at])))),
    );
    this.body.replaceChildren(...rows.reverse()); // What came last is wanted first.
  }
}
