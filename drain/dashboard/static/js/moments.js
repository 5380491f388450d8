// Moments and spans as people write them, and the arithmetic on spans. All in Unix seconds.

import { dateParts, isUtc, wallTime } from "./zone.js";

const FINE_S = 10; // The shortest windows that are kept.
export const KEPT_S = 31 * 86_400; // What the longest windows are kept for.

const UNITS_S = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 };
const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

const RELATIVE = /^-?(\d{1,7}) ?([smhdw])(?: ago)?$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/;
const DATED = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?$/;
const NAMED = /^(\d{1,2}) ([a-z]{3})[a-z]*(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?$/i;
const OFFSET = /\d[+-]\d{2}:?\d{2}$/;

export const EXAMPLES = "09:50, 2026-11-25 09:50, 25 Nov 09:50, 2h (ago) or now";

/**
 * {from, to} of two texts, whole steps of ten seconds, or {fault: what is wrong with them}. Without a zone of
 * its own a time is in the page's, or in UTC where `inUtc` says so.
 */
export function readSpan(fromText, toText, nowS = Date.now() / 1_000, inUtc = isUtc()) {
  const from = readMoment(fromText, nowS, inUtc);
  if (from === null) return { fault: notATime(fromText) };
  const end = readMoment(toText || "now", nowS, inUtc, from);
  if (end === null) return { fault: notATime(toText) };
  if (from >= nowS) return { fault: "The start is in the future." };
  if (end <= from) return { fault: "The end must be after the start." };
  if (from < nowS - KEPT_S) return { fault: "The start is too long ago: figures are kept for 31 days." };
  return whole(from, Math.min(end, nowS));
}

const notATime = (text) => `“${text.slice(0, 40)}” is not a time. Write ${EXAMPLES}.`;

/** Widened to whole steps, and no longer than the API takes. */
export function whole(from, to) {
  const start = Math.floor(from / FINE_S) * FINE_S;
  return { from: start, to: Math.min(start + KEPT_S, Math.max(start + FINE_S, Math.ceil(to / FINE_S) * FINE_S)) };
}

/** Unix s, or null. A clock alone is the latest such time, or with `after` the first one after that. */
export function readMoment(text, nowS, inUtc, after = null) {
  const written = text.trim();
  if (written === "now") return nowS;
  if (/^\d{9,11}$/.test(written)) return Number(written);
  const relative = RELATIVE.exec(written);
  if (relative) return nowS - Number(relative[1]) * UNITS_S[relative[2]];
  if (OFFSET.test(written) && DATED.test(written.replace(/[+-]\d{2}:?\d{2}$/, ""))) return parsed(written.replace(" ", "T"));
  const bare = written.replace(/(?<=\d)Z$| UTC$/, "");
  const isOwnUtc = inUtc || bare !== written;
  const clock = CLOCK.exec(bare);
  if (clock) return nearest(clock.slice(1), nowS, isOwnUtc, after);
  const dated = DATED.exec(bare);
  if (dated) return wallTime(...numbers(dated.slice(1)), isOwnUtc);
  return named(NAMED.exec(bare), nowS, isOwnUtc);
}

const numbers = (texts) => texts.map((text) => Number(text ?? 0));

function parsed(text) {
  const moment = Date.parse(text) / 1_000;
  return Number.isNaN(moment) ? null : moment;
}

function nearest(clock, nowS, inUtc, after) {
  const [year, month, date] = dateParts(after ?? nowS, inUtc);
  const first = wallTime(year, month, date, ...numbers(clock), inUtc);
  if (first === null) return null;
  const [isWrong, days] = after === null ? [first > nowS, -1] : [first <= after, 1];
  if (!isWrong) return first;
  return wallTime(...dateParts(noonOf(first, inUtc) + days * 86_400, inUtc), ...numbers(clock), inUtc);
}

/** Away from the hours in which clocks change. */
const noonOf = (seconds, inUtc) => wallTime(...dateParts(seconds, inUtc), 12, 0, 0, inUtc);

/** `25 Nov 09:50`, as the page itself writes times: of this year, or of the last one. */
function named(found, nowS, inUtc) {
  const month = found ? MONTHS.indexOf(found[2].toLowerCase()) + 1 : 0;
  if (!month) return null;
  const [year] = dateParts(nowS, inUtc);
  const ofYear = (one) => wallTime(one, month, Number(found[1]), ...numbers(found.slice(3)), inUtc);
  const own = ofYear(year);
  return own !== null && own > nowS + 86_400 ? ofYear(year - 1) : own;
}

/** The span as long as this one that ends where it begins, or begins where it ends; null past what is kept. */
export function neighbour({ from, to }, direction, nowS = Date.now() / 1_000) {
  const length = to - from;
  const latest = Math.floor(nowS / FINE_S) * FINE_S;
  if (direction < 0) return from - length < nowS - KEPT_S ? null : { from: from - length, to: from };
  if (to >= latest) return null;
  const end = Math.min(to + length, latest);
  return { from: end - length, to: end };
}

/** A fifth of the span, around a moment, in whole steps; null where nothing finer is kept. */
export function around(at, { from, to }) {
  const length = Math.max(6 * FINE_S, Math.round((to - from) / 5 / FINE_S) * FINE_S);
  if (length >= to - from) return null;
  const start = Math.min(Math.max(from, Math.floor((at - length / 2) / FINE_S) * FINE_S), to - length);
  return { from: start, to: start + length };
}

/** From the start of the step in which `low` lies to the end of that in which `high` does. */
export function snapped(low, high, { times, from_s: from, to_s: to }) {
  const start = times.findLast((time) => time <= low) ?? from;
  const end = times.find((time) => time > high) ?? to;
  return { from: start, to: Math.max(end, start + FINE_S) };
}
