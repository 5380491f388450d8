// What is said while answers fail: in the bar whether figures are live, and above them why they are not.

import { byId, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { zoneName } from "./zone.js";

const WORDS = {
  network: "The server does not answer",
  login: "Not signed in",
  missing: "No such replay; replays are kept for 30 days",
  fault: "The server returned an error",
};

/**
 * `kind` as Poller tells it; `shown`: {isPast, lastAtMs}, whether a span of the past is shown, and when the latest
 * answer that is shown was read.
 */
export function showState(kind, { waitMs, fault }, { isPast, lastAtMs }) {
  const live = byId("live");
  const isLive = kind === "live";
  const now = !isLive ? "offline" : isPast ? "past" : "live";
  setAttribute(live, "data-state", now);
  setText(live.lastElementChild, now);
  const outage = byId("outage");
  outage.hidden = isLive;
  if (isLive) return;
  const words = kind === "redis" ? fault?.reason || "Redis is unreachable" : (WORDS[kind] ?? WORDS.fault);
  const since = lastAtMs && kind !== "missing" ? ` Showing figures from ${format.clock(lastAtMs / 1_000)} ${zoneName()}.` : "";
  const next = kind === "missing" ? "" : kind === "login" ? "Reload the page to sign in." : `Retrying every ${Math.max(2, Math.round(waitMs / 1_000))} s.`;
  setText(outage, `${words}.${since} ${next}`.trimEnd());
}
