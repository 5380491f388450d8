// Numbers as a person reads them. All take what the API gives: ms, shares, bytes, Unix seconds.

export { clock, clockShort, dayAndClock } from "./zone.js";

const whole = new Intl.NumberFormat("en");
const NONE = "–";

export const count = (value) => whole.format(value);

/** `12,400` in full below ten thousand, then `12.4 k`, `3.2 M`. */
export function shortCount(value) {
  if (value < 10_000) return whole.format(value);
  if (value < 999_500) return `${digits(value / 1_000)} k`;
  return value < 999_500_000 ? `${digits(value / 1e6)} M` : `${digits(value / 1e9)} G`;
}

/** Three significant digits; no more than a person can compare. */
function digits(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  return value.toFixed(size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2);
}

export function rate(value) {
  if (value === null || value === undefined) return NONE;
  if (value > 0 && value < 0.01) return "<0.01";
  return value >= 1_000 ? whole.format(Math.round(value)) : digits(value);
}

export function percent(share) {
  if (share === null || share === undefined) return NONE;
  if (share === 0) return "0 %";
  const value = share * 100;
  if (value < 0.01) return "<0.01 %";
  return value > 99.95 ? "100 %" : `${value.toFixed(value >= 9.95 ? 1 : 2)} %`;
}

/** [`1.04`, `s`]: the number and its unit. */
export function timeParts(ms) {
  if (ms === null || ms === undefined) return [NONE, ""];
  if (ms < 9.95) return [ms === 0 ? "0" : ms >= 0.95 && Math.abs(ms - Math.round(ms)) < 0.05 ? String(Math.round(ms)) : ms.toFixed(1), "ms"];
  if (ms < 999.5) return [String(Math.round(ms)), "ms"];
  if (ms < 119_500) return [digits(ms / 1_000), "s"];
  return [digits(ms / 60_000), "min"];
}

export const time = (ms) => timeParts(ms).filter(Boolean).join(" ");

/** For axes: without zeros that say nothing. */
export const short = (text) => text.replace(/(\.\d*?)0+(?=\D|$)/, "$1").replace(/\.(?=\D|$)/, "");

const UNSEEN = /[\u0000-\u001f\u007f-\u00a0\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/g;

/** Text from a log line with what cannot be seen made visible: `\u202e` would turn the rest around. */
export const visible = (text) => text.replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** Names and counts, largest first; an object itself would put whole numbers in front. */
export const largestFirst = (counts) => Object.entries(counts).sort(([, one], [, other]) => other - one);

export function bytes(value) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let size = value;
  let at = 0;
  while (size >= 999.5 && at < units.length - 1) {
    size /= 1_000;
    at += 1;
  }
  return `${at ? digits(size) : size} ${units[at]}`;
}

/** `40 s`, `25 min`, `3 h 10 min`, `6 d`. */
export function duration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
}

export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** As the beginning of a sentence; what a release is called stays as it is. */
export const capital = (text) => (/^v\d/.test(text) ? text : text.slice(0, 1).toUpperCase() + text.slice(1));
