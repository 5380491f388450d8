// The ways through time: into a plot, back to where one was, to the span before or after, and to now.

import { around, neighbour, whole } from "./moments.js";
import { isPast, liveWindow, SPANS_S } from "./navigation.js";

const KEY = "tailrace.spans";
const MOST = 20;

const spanOf = ({ window, from, to }) => ({ window, from, to });
const isSame = (one, other) => JSON.stringify(spanOf(one)) === JSON.stringify(spanOf(other));

export class Travel {
  /** `current()` gives what is shown (navigation.js), `go(nav)` shows something else. */
  constructor(current, go) {
    this.current = current;
    this.go = go;
    // Where one came from; a reload keeps it.
    ({ shown: this.shown, before: this.before } = kept() ?? { shown: spanOf(current()), before: [] });
    this.arrived();
  }

  /** The address has changed, in whatever way. */
  arrived() {
    const nav = this.current();
    if (isSame(nav, this.shown)) return;
    const at = this.before.findIndex((span) => isSame(span, nav));
    this.remember(nav, at < 0 ? [] : this.before.slice(0, at));
  }

  remember(shown, before) {
    this.shown = spanOf(shown);
    this.before = before.slice(-MOST);
    try {
      sessionStorage.setItem(KEY, JSON.stringify({ shown: this.shown, before: this.before }));
    } catch { /* not remembered */ }
  }

  /** The span to which `back` returns; null where there is none. */
  get last() {
    return this.before.at(-1) ?? null;
  }

  zoomTo(span) {
    if (!span) return;
    const closer = { window: "", ...whole(span.from, span.to) };
    if (!isSame(closer, this.shown)) this.move(closer, [...this.before, this.shown]);
  }

  /** Closer, around a moment; `covered`: {from, to} of what is shown. */
  zoomAround(at, covered) {
    this.zoomTo(around(at, covered));
  }

  back() {
    if (this.last) this.move(this.last, this.before.slice(0, -1));
  }

  live() {
    this.move(liveWindow(), []);
  }

  /** To the span before (-1) or after (1). */
  step(direction, nowS = Date.now() / 1_000) {
    const next = this.neighbour(direction, nowS);
    if (next) this.move({ window: "", ...next }, this.before);
  }

  neighbour(direction, nowS = Date.now() / 1_000) {
    const nav = this.current();
    if (isPast(nav)) return neighbour(nav, direction, nowS);
    const to = Math.floor(nowS / 10) * 10;
    return direction > 0 || nav.window === "all" ? null : neighbour({ from: to - SPANS_S[nav.window], to }, direction, nowS);
  }

  move(span, before) {
    this.remember(span, before);
    this.go({ ...this.current(), ...span });
  }
}

function kept() {
  try {
    const found = JSON.parse(sessionStorage.getItem(KEY));
    return found && Array.isArray(found.before) && found.shown ? found : null;
  } catch {
    return null;
  }
}
