// Figures beside those of an earlier span: how a change is written, how large it is, and how it is marked
// where the counts are too small to say that there is one.

import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";

/** [value in the address, in a sentence, for a label]. */
export const EARLIER = [
  ["hour", "the hour before", "hour before"],
  ["day", "yesterday", "yesterday"],
  ["week", "a week ago", "week ago"],
];

const SHOWS = { rate: (value) => `${format.rate(value)}/s`, error_rate: format.percent, p50: format.time, p95: format.time, p99: format.time };

const TOO_FEW = "too few requests to say that it changed";

export const earlierWords = (earlier) => EARLIER.find(([name]) => name === earlier)?.[2] ?? "before";

const isKnown = (value) => value !== null && value !== undefined;
const isThere = (change) => Boolean(change) && isKnown(change.before) && isKnown(change.after);

/** How large a change is: of shares in points (0 to 1), of all else relative; null where there is none. */
export function sizeOf(name, change) {
  if (!isThere(change)) return null;
  if (name === "error_rate") return change.after - change.before;
  if (isKnown(change.change)) return change.change;
  return change.after > change.before ? Infinity : 0;
}

/** What is shown goes first, then what is too few to say, then what there is not, whichever way it is sorted. */
export function rankOf(name, change) {
  if (sizeOf(name, change) === null) return 2;
  return change.is_shown ? 0 : 1;
}

/** `+41 %`, `×12`, `+7.9 pts`, `new`. */
export function changeText(name, change) {
  const size = sizeOf(name, change);
  if (size === null) return "–";
  if (size === Infinity) return "new";
  if (size === 0) return "no change";
  if (name === "error_rate") return `${signed(size * 100, 2)} pts`;
  return size >= 9.995 ? `×${format.short((1 + size).toFixed(size >= 99 ? 0 : 1))}` : `${signed(size * 100)} %`;
}

function signed(value, most = 1) {
  const size = Math.abs(value);
  const digits = size >= 9.95 ? 0 : size >= 0.995 ? 1 : most;
  const text = size.toFixed(digits);
  if (Number(text) === 0) return "±0";
  return `${value < 0 ? "\u2212" : "+"}${text}`;
}

/** `before 120 ms, now 334 ms`, and whether that is enough to say. */
export function changeSentence(name, change) {
  const show = SHOWS[name];
  const text = `${show(change.before)} before, ${show(change.after)} after`;
  return isDoubtful(name, change) ? `${text}\n${TOO_FEW}` : text;
}

/** Whether there is a change that the counts are too small to show. */
export const isDoubtful = (name, change) => !change.is_shown && sizeOf(name, change) !== 0;

/** A cell of a table: what is too few to say is pale, has a question mark, and says so in words. */
export function fillChange(name) {
  return (cell, row) => {
    const change = row.changes?.[name];
    const text = changeText(name, change);
    if (!isThere(change)) {
      if (cell.textContent !== text) cell.replaceChildren(text);
      setAttribute(cell, "data-tone", "zero");
      return;
    }
    const part = cell.querySelector(".delta") ?? make("span", { class: "delta" }, make("span"), make("span", { class: "unseen" }));
    if (part.parentElement !== cell) cell.replaceChildren(part);
    const doubt = isDoubtful(name, change);
    setText(part.firstChild, doubt ? `${text} ?` : text);
    setText(part.lastChild, doubt ? ` ${TOO_FEW}` : "");
    setAttribute(part, "data-tip", changeSentence(name, change));
    setAttribute(part, "tabindex", doubt ? "0" : null);
    setAttribute(part, "data-shown", doubt ? "no" : "yes");
    const tone = change.is_shown && isWorse(name, change) ? "bad" : sizeOf(name, change) === 0 ? "zero" : null;
    setAttribute(cell, "data-tone", tone);
  };
}

/** More errors and longer times are worse; more requests are only more. */
export const isWorse = (name, change) => name !== "rate" && change.after > change.before;
