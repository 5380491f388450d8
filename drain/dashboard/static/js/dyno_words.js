// What the platform says of dynos, as a person reads it: state, memory against the quota, and which dyno stands
// out. Pure.

import * as format from "./format.js";
import { mostErrors, sharesOf } from "./shares.js";
import { zoneName } from "./zone.js";

/** Heroku samples a dyno every 20 s; what is older than this is not said to be so now. */
const FRESH_S = 180;
const CLOCKS_DIFFER_S = 60;

const NEARLY_FULL = 0.9;

/** So many dynos of a kind are named in sentences of their own. */
const NAMED = 3;

/** A dyno that is up again is said to have crashed from so many times on. */
const OFTEN = 3;

const list = new Intl.ListFormat("en", { type: "conjunction" });

export const nameOf = (row) => (row.name ? format.visible(row.name) : "(no dyno)");

/** Whether memory and load were measured at the end of the span {to_s}. */
function isFresh({ sampled_ms: sampled }, { to_s: to }) {
  const age = sampled === null ? Infinity : to - sampled / 1_000;
  return age >= -CLOCKS_DIFFER_S && age <= FRESH_S;
}

/**
 * {mb, share, quota, isLatest}: the memory at the end of the span or, where nothing was measured then, the
 * highest in it; `share` and `quota` may be null. Null: none was measured.
 */
export function memoryOf(runtime, span) {
  const { memory_mb: latest, memory_highest_mb: highest, memory_share: share, quota_mb: quota } = runtime;
  if (latest !== null && isFresh(runtime, span)) return { mb: latest, share: share ?? ratio(latest, quota), quota, isLatest: true };
  return highest === null ? null : { mb: highest, share: ratio(highest, quota), quota, isLatest: false };
}

const ratio = (value, of) => (of ? value / of : null);

/** {value, isLatest}, as with memory; null: none was measured. */
export function loadOf(runtime, span) {
  const { load_1m: latest, load_highest: highest } = runtime;
  if (latest !== null && isFresh(runtime, span)) return { value: latest, isLatest: true };
  return highest === null ? null : { value: highest, isLatest: false };
}

/** {name, since_s}; null where it is not known, or only of a time after the span. */
export function stateOf({ state, state_since_ms: since }, { to_s: to }) {
  if (!state || (since !== null && since / 1_000 > to + CLOCKS_DIFFER_S)) return null;
  return { name: state, since_s: since === null ? null : since / 1_000 };
}

/** `bad` over the quota, `near` close below it. */
export function toneOf(memory) {
  if (!memory || memory.share === null) return null;
  return memory.share > 1 ? "bad" : memory.share >= NEARLY_FULL ? "near" : null;
}

/** `180 %`; what is over the quota is never written as 100 %. */
export function percentOf(share) {
  const whole = Math.round(100 * share);
  return `${format.count(share > 1 ? Math.max(101, whole) : Math.min(100, whole))} %`;
}

/** `921 MB`: in MB however many, because the quotas have their names from it. */
export function megabytes(mb) {
  if (mb === null || mb === undefined) return "–";
  return `${mb >= 99.5 ? format.count(Math.round(mb)) : format.rate(mb)} MB`;
}

/** `26 Nov 10:42 UTC` */
export const moment = (seconds) => `${format.dayAndClock(seconds)} ${zoneName(seconds)}`;

/** A row of `/api/dynos` with what is read from it: `memory`, `load`, `state`; and the span's `to_s` and `step_s`. */
export function read(row, span) {
  const { to_s, step_s } = span;
  return { ...row, to_s, step_s, memory: memoryOf(row.runtime, span), load: loadOf(row.runtime, span), state: stateOf(row.runtime, span) };
}

/** A process type with its highest memory against the quota. */
export function readProcess(row, { step_s }) {
  const { memory_highest_mb: mb, quota_mb: quota } = row;
  return { ...row, step_s, memory: mb === null ? null : { mb, share: ratio(mb, quota), quota, isLatest: true } };
}

/** The figures behind a bar of memory, a line each. */
export function memoryTip({ memory, runtime, memory_average_mb: average }) {
  const of = memory.quota === null ? "" : ` of ${megabytes(memory.quota)}`;
  if (!runtime) return lines(`Highest: ${megabytes(memory.mb)}${of}`, average !== null && `Average: ${megabytes(average)}`);
  const { rss_mb: rss, swap_mb: swap, memory_highest_mb: highest, memory_average_mb: mean, sampled_ms: sampled } = runtime;
  return lines(
    memory.isLatest ? `${megabytes(memory.mb)}${of}` : `Highest in this window: ${megabytes(memory.mb)}${of}`,
    memory.isLatest && rss !== null && `RSS ${megabytes(rss)}${swap === null ? "" : `, swap ${megabytes(swap)}`}`,
    highest !== null && `In this window: highest ${megabytes(highest)}, average ${megabytes(mean)}`,
    sampled !== null && `Last measured ${moment(sampled / 1_000)}`,
  );
}

export function loadTip({ load, runtime }) {
  const { load_5m: five, load_15m: fifteen, load_highest: highest, load_average: mean } = runtime;
  return lines(
    load.isLatest && five !== null && `5 min: ${format.rate(five)}, 15 min: ${format.rate(fifteen)}`,
    highest !== null && `In this window: highest ${format.rate(highest)}, average ${format.rate(mean)}`,
  );
}

const lines = (...parts) => parts.filter(Boolean).join("\n");

/**
 * What stands out, worst first: [{row, text}] with a sentence that goes on after the dyno's name, or without a
 * row a sentence about further ones. `rows` are read and have their shares; `isPast`: the span is not now.
 */
export function findings(rows, isPast) {
  const clauses = new Map();
  const add = (row, clause) => clauses.set(row, [...(clauses.get(row) ?? []), clause]);
  const crashed = rows.filter((row) => row.state?.name === "crashed");
  const over = overQuota(rows, isPast);
  for (const row of crashed.slice(0, NAMED)) add(row, crashClause(row));
  for (const row of over.slice(0, NAMED)) add(row, memoryClause(row, isPast));
  const worst = mostErrors(rows);
  if (worst) add(worst, `${worst.name ? "has" : "have"} ${sharesOf(worst)}`);
  for (const row of rows.filter((one) => one.runtime.crashes >= OFTEN && !crashed.includes(one)).slice(0, NAMED)) {
    add(row, `crashed ${format.count(row.runtime.crashes)} times`);
  }
  const found = [...clauses].map(([row, parts]) => ({ row, text: `${list.format(parts)}.` }));
  const further = [
    [crashed.length - NAMED, "has crashed", "have crashed"],
    [over.length - NAMED, isPast ? "was over its memory quota" : "is over its memory quota", isPast ? "were over their memory quota" : "are over their memory quota"],
  ];
  for (const [more, one, many] of further) {
    if (more > 0) found.push({ row: null, text: `${format.plural(more, "more dyno")} ${more === 1 ? one : many}.` });
  }
  return found;
}

function overQuota(rows, isPast) {
  const over = rows.filter(({ memory }) => memory?.share > 1 && (memory.isLatest || isPast));
  return over.sort((one, other) => other.memory.share - one.memory.share);
}

function memoryClause({ memory }, isPast) {
  const verb = !isPast ? "is at" : memory.isLatest ? "was at" : "was at up to";
  return `${verb} ${percentOf(memory.share)} of its memory`;
}

const crashClause = ({ state }) => (state.since_s === null ? "has crashed" : `crashed on ${moment(state.since_s)}`);

/** The name with which a finding begins. */
export const subjectOf = (row) => (row.name ? format.visible(row.name) : "Requests without a dyno");
