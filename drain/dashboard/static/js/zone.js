// The zone in which the page writes times, UTC or the reader's own, and every clock and date in it. This
// browser remembers the choice; no address carries it, so a link shows the same moment everywhere.

import { load, save } from "./storage.js";

const KEY = "tailrace.zone";
const CLOCK = { hour: "2-digit", minute: "2-digit" };
const DAY = { day: "numeric", month: "short" };

let utc = load(KEY) === "UTC";
const formats = new Map();

export const isUtc = () => utc;

/** Wires the button; `changed` is called after each change, for whatever shows times. */
export function startZone(button, changed) {
  const show = () => {
    const name = zoneName();
    button.textContent = name;
    button.setAttribute("aria-label", `${name}: ${utc ? "show your own time zone" : "show times in UTC"}`);
    button.dataset.tip = utc ? "Times are in UTC. Click for your own time zone." : `Times are in your own time zone, ${name}. Click for UTC.`;
  };
  button.addEventListener("click", () => {
    utc = !utc;
    save(KEY, utc ? "UTC" : null);
    show();
    changed();
  });
  show();
}

/** `UTC`, or how far from it the reader's clocks were at a moment (Unix s): `UTC+1`. */
export function zoneName(seconds = Date.now() / 1_000) {
  const parts = formatOf({ timeZoneName: "shortOffset" }).formatToParts(seconds * 1_000);
  return parts.find((part) => part.type === "timeZoneName").value.replace("GMT", "UTC").replace("+0", "");
}

/** `09:50:10` */
export const clock = (seconds) => write(seconds, { ...CLOCK, second: "2-digit" });

/** `09:50` */
export const clockShort = (seconds) => write(seconds, CLOCK);

/** `25 Nov` */
export const day = (seconds) => write(seconds, DAY);

/** `25 Nov 09:50` */
export const dayAndClock = (seconds) => `${day(seconds)} ${clockShort(seconds)}`;

/** `2026-11-25 09:50:10`: a form that can be typed in again. */
export function typed(seconds) {
  const { year, month, day: date } = Object.fromEntries(
    formatOf({ year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(seconds * 1_000).map((part) => [part.type, part.value]),
  );
  return `${year}-${month}-${date} ${clock(seconds)}`;
}

export const isSameDay = (one, other) => day(one) === day(other) && Math.abs(one - other) < 86_400 * 2;

export const isMidnight = (seconds) => clockShort(seconds) === "00:00";

/** `25 Nov 09:50:00 to 09:55:00 UTC`; seconds where they can matter. */
export function span(from, to) {
  const isFine = to - from <= 7_200 || from % 60 !== 0 || to % 60 !== 0;
  const name = isFine ? clock : clockShort;
  const end = isSameDay(from, to) ? name(to) : `${day(to)} ${name(to)}`;
  return `${day(from)} ${name(from)} to ${end} ${zoneName(to)}`;
}

/** A date whose local parts are those of the zone, as uPlot wants it for its axes. */
export const zonedDate = (seconds) => uPlotDate(new Date(seconds * 1_000));

function uPlotDate(date) {
  return utc ? new Date(date.getTime() + date.getTimezoneOffset() * 60_000) : date;
}

/** Unix s of a wall clock's parts in the zone; null where there is no such time. */
export function wallTime(year, month, date, hour, minute, second, inUtc = utc) {
  const made = inUtc ? new Date(Date.UTC(year, month - 1, date, hour, minute, second)) : new Date(year, month - 1, date, hour, minute, second);
  const [madeMonth, madeDate] = inUtc ? [made.getUTCMonth(), made.getUTCDate()] : [made.getMonth(), made.getDate()];
  if (madeMonth !== month - 1 || madeDate !== date || hour > 23 || minute > 59 || second > 59) return null;
  return made.getTime() / 1_000;
}

/** [year, month, date] of a moment in the zone. */
export function dateParts(seconds, inUtc = utc) {
  const date = new Date(seconds * 1_000);
  return inUtc ? [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()] : [date.getFullYear(), date.getMonth() + 1, date.getDate()];
}

const write = (seconds, options) => formatOf(options).format(seconds * 1_000);

function formatOf(options) {
  const key = JSON.stringify([utc, options]);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat("en-GB", { ...options, timeZone: utc ? "UTC" : undefined }));
  return formats.get(key);
}
