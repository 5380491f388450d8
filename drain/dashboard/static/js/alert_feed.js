// Asks for alerts, apart from the figures: also while the page is hidden, because its title, its icon and
// notifications are for who looks elsewhere; and a failure of this takes nothing else down.

import { ask } from "./client.js";
import { isPast, spanParameters } from "./navigation.js";

const SEEN_MS = 10_000;
const HIDDEN_MS = 30_000;
const FAULTS = { network: "the server does not answer", redis: "Redis is unreachable", login: "not signed in" };

/** A server's process keeps an answer for so long: one that comes sooner may not know of a silence. */
const STALE_MS = 4_000;

export class AlertFeed {
  /** `current()` gives what is shown (navigation.js); `changed()` is called after each answer, and each failure. */
  constructor(current, changed) {
    Object.assign(this, { current, changed });
    this.view = null;
    this.fault = "";
    this.address = "";
    this.silencedAt = -Infinity;
    this.timer = 0;
    this.asking = new AbortController();
    document.addEventListener("visibilitychange", () => (document.hidden ? this.later() : this.now()));
    addEventListener("online", () => this.now());
  }

  /** Another span may be shown by now. */
  moved() {
    if (this.address !== this.wanted()) this.now();
  }

  /** What ended in the last quarter of an hour is always asked for. */
  wanted() {
    const nav = this.current();
    const span = !isPast(nav) && nav.window === "5m" ? { window: "1h" } : spanParameters(nav);
    return `api/alerts?${new URLSearchParams(span)}`;
  }

  now() {
    this.asking.abort();
    this.asking = new AbortController();
    this.round(this.asking.signal);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.now(), document.hidden ? HIDDEN_MS : SEEN_MS);
  }

  async round(signal) {
    clearTimeout(this.timer);
    this.address = this.wanted();
    try {
      const { address } = this;
      const view = { ...(await ask(address, signal)), received_ms: Date.now() };
      const isStale = performance.now() < this.silencedAt + STALE_MS && this.view;
      this.view = isStale ? { ...view, silences: this.view.silences } : view;
      this.fault = "";
    } catch (fault) {
      if (signal.aborted) return;
      this.fault = FAULTS[fault.kind] ?? "the server returned an error";
    }
    this.changed();
    this.later();
  }

  /** Somebody has silenced a rule here, or ended that. */
  silencesAre(silences) {
    this.silencedAt = performance.now();
    if (this.view) this.view = { ...this.view, silences };
    this.changed();
  }
}
