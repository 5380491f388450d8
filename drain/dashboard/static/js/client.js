// Polls the API: each address when a new answer is due, nothing while the page is hidden, and less often
// while there is no answer.

const TICK_MS = 2_000;
const LONGEST_WAIT_MS = 20_000;
const TIMEOUT_MS = 15_000;

export class NoAnswer extends Error {
  /** `kind`: `redis`, `login`, `missing`, `network` or `fault`; `reason`: the server's own words. */
  constructor(kind, reason = "") {
    super(kind);
    this.kind = kind;
    this.reason = reason;
  }
}

// A page that was opened as https://USER:PASSWORD@HOST/ has these in its base address, and fetch
// refuses an address with a password; the browser sends them by itself.
export const resolved = (address) => new URL(address, location.origin + location.pathname);

/** The answer, parsed. Raises NoAnswer, and what `fetch` raises where `signal` is aborted. */
export async function ask(address, signal) {
  let response;
  try {
    response = await fetch(resolved(address), { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  } catch (fault) {
    if (signal.aborted) throw fault;
    throw new NoAnswer("network");
  }
  if (response.ok) return response.json();
  const kinds = { 401: "login", 404: "missing", 503: "redis" };
  const { error = "" } = await response.json().catch(() => ({}));
  throw new NoAnswer(kinds[response.status] || "fault", error);
}

/**
 * Keeps a set of addresses fresh. `wanted()` gives {name: address}; `found(name, answer)` takes what
 * came, never older than what it took before; `state(kind, details)` is told `live` or what is wrong, and the
 * fault's `answer` is the name of what did not come. Of what `isFinal(address, answer)` holds, nothing new is
 * to come.
 */
export class Poller {
  constructor(wanted, found, state, isFinal) {
    this.isFinal = isFinal;
    this.wanted = wanted;
    this.found = found;
    this.state = state;
    this.latest = new Map();
    this.failures = 0;
    this.timer = 0;
    this.asking = new AbortController();
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.now()));
    addEventListener("online", () => this.now());
  }

  /** Asks at once, whatever was in flight: the address has changed, or the page is visible again. */
  now() {
    this.pause();
    if (!document.hidden) this.round();
  }

  /** Asks for everything again: what is shown is to be written anew. */
  anew() {
    this.latest.clear();
    this.now();
  }

  pause() {
    clearTimeout(this.timer);
    this.asking.abort();
    this.asking = new AbortController();
  }

  async round() {
    const { signal } = this.asking;
    const wanted = this.wanted();
    // What is not shown any more may have been cleared: it is asked for as soon as it is shown again.
    for (const name of this.latest.keys()) if (!(name in wanted)) this.latest.delete(name);
    const due = Object.entries(wanted).filter(([name, address]) => this.isDue(name, address));
    const outcomes = await Promise.allSettled(due.map(([name, address]) => this.askOne(name, address, signal)));
    if (signal.aborted) return;
    const faults = outcomes.filter((outcome) => outcome.status === "rejected");
    // Where more than one thing is wrong, what is merely not there matters least.
    const failed = faults.find(({ reason }) => reason.kind !== "missing") ?? faults[0];
    this.failures = failed ? this.failures + 1 : 0;
    // What came may have told what to ask for next: which replay is the latest.
    const isNew = Object.entries(this.wanted()).some(([name, address]) => this.latest.get(name)?.address !== address);
    const wait = failed ? this.backoff() : isNew ? 0 : TICK_MS;
    if (failed) this.state(failed.reason.kind || "fault", { waitMs: wait, fault: failed.reason });
    else this.state("live", {});
    this.timer = setTimeout(() => this.round(), wait);
  }

  backoff() {
    const wait = Math.min(LONGEST_WAIT_MS, TICK_MS * 1.6 ** this.failures);
    return wait * (0.8 + 0.4 * Math.random());
  }

  isDue(name, address) {
    const last = this.latest.get(name);
    return !last || last.address !== address || performance.now() >= last.dueAt;
  }

  async askOne(name, address, signal) {
    const answer = await ask(address, signal).catch((fault) => {
      fault.answer = name;
      throw fault;
    });
    if (signal.aborted) return;
    const last = this.latest.get(name);
    const isOlder = last && last.address === address && answer.at_ms < last.atMs;
    // Half a tick earlier: a round that comes just before is the right one.
    const dueAt = this.isFinal(address, answer) ? Infinity : performance.now() + (answer.refresh_s ?? 2) * 1_000 - TICK_MS / 2;
    if (isOlder) {
      // Each process of the server keeps answers of its own.
      last.dueAt = performance.now();
      return;
    }
    this.latest.set(name, { address, atMs: answer.at_ms ?? 0, dueAt });
    this.found(name, answer);
  }
}
