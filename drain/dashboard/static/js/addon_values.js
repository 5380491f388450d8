// The measures of an add-on: which of them matter most, and how a value in its unit is written. Pure.

import * as format from "./format.js";

/** Names of heroku-postgres and heroku-redis first, then what any add-on may call the same. */
const IMPORTANT = [
  /^active-connections$/,
  /^waiting-connections$/,
  /connections?-percentage-used$/,
  /^load-avg-1m$/,
  /^memory-(?!total|free|cached)/,
  /^memory-total$/,
  /^db.?size$/,
  /hit-rate$/,
  /^connections$|^load$|^memory$|^size$/,
];

/** Where none of its measures is known, so many are shown. */
const SHOWN = 6;

/** Bytes in a unit, as logs name it. */
const BYTES = { b: 1, byte: 1, bytes: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };

/** Sent without a unit, but in bytes. */
const IN_BYTES = /^(db.?size|tmp-disk-(used|available))$/;

/** Sent as a share from 0 to 1. */
const SHARES = /(percentage-used|hit-rate)$/;

/** What has more digits than this says nothing in full. */
const LARGEST = 1e15;

/** [those that matter most, the others], each in the order in which they are shown. */
export function byImportance(values) {
  const rank = ({ name }) => IMPORTANT.findIndex((pattern) => pattern.test(name));
  const byName = [...values].sort((one, other) => one.name.localeCompare(other.name));
  const first = byName.filter((value) => rank(value) >= 0).sort((one, other) => rank(one) - rank(other));
  const others = byName.filter((value) => rank(value) < 0);
  return first.length ? [first, others] : [others.slice(0, SHOWN), others.slice(SHOWN)];
}

/** `3.94 GB` of 3944484 kB. Null, what was not measured, is a dash. */
export function human(number, { name, unit }) {
  if (number === null || number === undefined) return "–";
  if (Math.abs(number) >= LARGEST) return `${number.toExponential(2)} ${format.visible(unit)}`.trimEnd();
  const factor = BYTES[unit.toLowerCase()] ?? (!unit && IN_BYTES.test(name) ? 1 : 0);
  if (factor) return number < 0 ? `−${format.bytes(-number * factor)}` : format.bytes(number * factor);
  if (!unit && SHARES.test(name) && number >= 0 && number <= 1) return format.percent(number);
  const text = Number.isInteger(number) && number >= 0 ? format.shortCount(number) : format.rate(number);
  return unit ? `${text} ${format.visible(unit)}` : text;
}

/** As it was sent: `3944484kB`. */
export const exact = (number, { unit }) => `${number}${format.visible(unit)}`;
