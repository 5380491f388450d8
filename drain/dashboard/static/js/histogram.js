// A latency histogram with its percentiles marked. Bars are steps that a person can name (1, 2, ...,
// 8, 10, 12, 15 ms ...), so their widths grow with the time, and a slow tail stays in sight.

import { make, makeSvg } from "./dom.js";
import * as format from "./format.js";

const HEIGHT = 236;
const TOP = 26;
const BOTTOM = 22;
const LABEL_WIDTH = 46;
const WIDEST = 56;

export function histogram(title, bars, latency, width) {
  const panel = make("figure", { class: "panel" }, make("div", { class: "panel-head" }, make("h2", {}, title)));
  if (!bars.length) {
    panel.append(make("p", { class: "none" }, "no times measured"));
    return panel;
  }
  panel.append(draw(bars, latency, Math.max(240, width)));
  return panel;
}

function draw(bars, latency, width) {
  const all = bars.reduce((sum, bar) => sum + bar.count, 0);
  const highest = Math.max(...bars.map((bar) => bar.count));
  const step = Math.min(WIDEST, width / bars.length);
  const floor = HEIGHT - BOTTOM;
  const drawing = makeSvg("svg", { class: "histogram", viewBox: `0 0 ${width} ${HEIGHT}`, role: "group", "aria-label": sentence(all, latency) });
  const every = Math.ceil(LABEL_WIDTH / step);
  let passed = 0;
  bars.forEach((bar, at) => {
    passed += bar.count;
    const size = bar.count ? Math.max(1.5, (bar.count / highest) * (floor - TOP)) : 0;
    const isSlow = latency.p95 !== null && bar.from_ms >= latency.p95;
    const gap = Math.min(2, step * 0.15);
    drawing.append(
      makeSvg("rect", { class: isSlow ? "bar-shape slow" : "bar-shape", x: at * step + gap / 2, y: floor - size, width: step - gap, height: size, rx: Math.min(2, step / 4) }),
      makeSvg("rect", { class: "bar-hit", x: at * step, y: TOP - 4, width: step, height: floor - TOP + 4, tabindex: "0", role: "img", "aria-label": tip(bar, all, passed), "data-tip": tip(bar, all, passed) }),
    );
    if (at % every === 0) drawing.append(makeSvg("text", { x: (at + 0.5) * step, y: HEIGHT - 6, "text-anchor": "middle" }, name(bar)));
  });
  drawing.append(makeSvg("line", { class: "base", x1: 0, x2: width, y1: floor + 0.5, y2: floor + 0.5 }));
  drawing.append(...marks(bars, latency, step).flatMap(({ x, names }) => [
    makeSvg("line", { class: "mark", x1: x, x2: x, y1: TOP - 8, y2: floor }),
    makeSvg("text", { class: "mark-name", x: Math.min(Math.max(x, 12), width - 12 * names.length), y: TOP - 12, "text-anchor": "middle" }, names.join(", ")),
  ]));
  return drawing;
}

/** A bar is named by its upper end: the router's times are whole milliseconds. */
const name = (bar) => (bar.to_ms === null ? "more" : format.short(format.time(bar.to_ms)));

/** The percentiles; those that would run into each other share one name. */
function marks(bars, latency, step) {
  const found = [];
  for (const name of ["p50", "p95", "p99"]) {
    const x = placeOf(latency[name], bars) * step;
    const last = found.at(-1);
    if (last && x - last.x < 30) last.names.push(name);
    else found.push({ x, names: [name] });
  }
  return found;
}

/** Where a time lies among the bars: 2.5 is the middle of the third one. */
function placeOf(ms, bars) {
  for (const [at, bar] of bars.entries()) {
    if (bar.to_ms === null || ms <= bar.to_ms * 1.01) {
      const width = (bar.to_ms ?? bar.from_ms * 2) - bar.from_ms;
      return at + Math.min(1, Math.max(0, (ms - bar.from_ms) / (width || 1)));
    }
  }
  return bars.length;
}

function tip(bar, all, passed) {
  const range = bar.to_ms === null ? `more than ${format.time(bar.from_ms)}` : bar.to_ms === 0 ? "0 ms" : `${format.time(bar.from_ms)} to ${format.time(bar.to_ms)}`;
  return `${range}\n${format.plural(bar.count, "request")} (${format.percent(bar.count / all)})\n${format.percent(passed / all)} took no longer`;
}

function sentence(all, latency) {
  return `${format.plural(all, "request")}: median ${format.time(latency.p50)}, p95 ${format.time(latency.p95)}, p99 ${format.time(latency.p99)}`;
}
