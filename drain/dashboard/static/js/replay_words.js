// What a replay run is called, how it stands or ended, and what its figures are, in words.

import * as format from "./format.js";
import { isSameDay, zoneName } from "./zone.js";

const SILENT_S = 60; // A run that goes on writes every few seconds.

/** State -> the symbol beside its word: colour alone would not do. */
export const SYMBOLS = {
  passed: "✓",
  failed: "✗",
  inconclusive: "?",
  interrupted: "■",
  running: "▸",
  stopped: "■",
  finished: "–",
  crossed: "✗",
  met: "✓",
  "not-judged": "–",
};

const BROKEN_OFF = {
  interrupted: "It was stopped before the end of the window.",
  "target down": "The target stopped answering before the end of the window.",
  "log down": "The log became unreachable before the end of the window.",
  refused: "It was refused: the target is a host that the log's requests come from.",
};

/** {kind, detail} of a run: `passed`, `failed`, `inconclusive`, `interrupted`, `running`, `stopped` or `finished`. */
export function standing({ id, info, result }, atMs) {
  if (info.state === "running") {
    const updated = Number(info.updated_at);
    if (atMs / 1000 - updated > SILENT_S) return { kind: "interrupted", detail: `It has not written since ${format.dayAndClock(updated)}.` };
    return { kind: "running", detail: info.progress ? `${Math.round(info.progress * 100)} %` : "" };
  }
  if (id === "live") return { kind: "stopped", detail: "" };
  if (result?.is_interrupted || info.state in BROKEN_OFF) return { kind: "interrupted", detail: BROKEN_OFF[info.state] ?? BROKEN_OFF.interrupted };
  const verdict = result?.verdict ?? info.verdict;
  return { kind: ["passed", "failed", "inconclusive"].includes(verdict) ? verdict : "finished", detail: "" };
}

/** "23 Nov 10:00 to 11:00", in the page's zone; empty for a run that is not of a window. */
export function spanOf(info) {
  const [from, until] = [info.from, info.until].map((moment) => Date.parse(moment) / 1_000);
  if (Number.isNaN(from) || Number.isNaN(until)) return "";
  return `${format.dayAndClock(from)} to ${isSameDay(from, until) ? format.clockShort(until) : format.dayAndClock(until)}`;
}

export function when({ id, info }) {
  if (id === "live") return info.started_at ? `live, since ${format.dayAndClock(Number(info.started_at))}` : "live";
  const span = spanOf(info);
  if (span) return span;
  return info.started_at ? format.dayAndClock(Number(info.started_at)) : "";
}

/** The same with the zone of its times. */
export function zoned(run) {
  const time = when(run);
  const moment = Date.parse(run.info.from) / 1_000 || Number(run.info.started_at) || undefined;
  return time.includes(":") ? `${time} ${zoneName(moment)}` : time;
}

/** The address of a host without what is always the same. */
export const hostOf = (url = "") => format.visible(url.replace(/^https?:\/\//, ""));

/** What the two sides of a comparison are called. */
export function wordsOf({ info }) {
  if (info.baseline) return { before: "baseline", after: "target", was: "baseline", differs: "Status differs", from: "baseline", to: "target" };
  return { before: "original", after: "replayed", was: "was", differs: "Status changed", from: "original", to: "replayed" };
}

/** `+43 %`, `−12 %`. */
export function signedPercent(share) {
  const percent = Math.abs(share) * 100;
  // Near nothing left, a decimal: "−100 %" would be nothing at all.
  if (share <= -0.99) return `−${percent.toFixed(1)} %`;
  return `${share < 0 ? "−" : "+"}${format.count(Math.round(percent))} %`;
}

export function changeText(change) {
  if (change.share === null) return "no comparison";
  if (Math.abs(change.share) < 0.005) return "no change";
  const share = signedPercent(change.share);
  return change.is_sure ? share : `${share} (inconclusive)`;
}

const REASONS = {
  late: "too late to be sent",
  stopped: "the run was stopped before they were sent",
  fault: "a fault of the replay itself",
  "no-path": "the line has no path",
  "refused-path": "the path cannot be sent",
  "breaker-open": "the target did not answer, so sending was paused",
  replayed: "replayed requests",
  "forged-mark": "marked as replayed, but the signature is not valid",
  connection: "websockets and streams",
  method: "method not replayed",
  rule: "denied by a rule",
  sample: "not in the sample",
  route: "routes not chosen",
  app: "requests of other apps",
};

/** Why requests were not sent, for people; a reason that is not known is shown as it is. */
export function reasonText(reason) {
  if (reason.startsWith("method ")) return `${format.visible(reason.slice(7))} is not replayed`;
  return Object.hasOwn(REASONS, reason) ? REASONS[reason] : format.visible(reason);
}
