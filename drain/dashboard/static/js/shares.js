// What part of all errors and requests each dyno or host has, and whether one of them stands out by it.

import { make, setAttribute, setText } from "./dom.js";

/** One name has "most" of the errors with this share of at least so many, if it has a smaller share of the requests. */
const MOST = 0.5;
const FEWEST_ERRORS = 5;

/** The rows with `error_share` and `request_share`, and `is_of_many`: whether they are of several apps. */
export function withShares(rows) {
  const errors = rows.reduce((sum, row) => sum + row.figures.errors, 0);
  const requests = rows.reduce((sum, row) => sum + row.figures.count, 0);
  // One app's own view need not name it in each row.
  const isOfMany = new Set(rows.map((row) => row.app)).size > 1;
  return rows.map((row) => ({
    ...row,
    is_of_many: isOfMany,
    error_share: errors ? row.figures.errors / errors : 0,
    request_share: requests ? row.figures.count / requests : 0,
  }));
}

/** The row that has most of the errors without having most of the requests; null where there is none. */
export function mostErrors(rows) {
  const errors = rows.reduce((sum, row) => sum + row.figures.errors, 0);
  if (rows.length < 2 || errors < FEWEST_ERRORS) return null;
  const worst = rows.reduce((one, other) => (other.error_share > one.error_share ? other : one));
  return worst.error_share < MOST || worst.request_share >= worst.error_share * 0.75 ? null : worst;
}

/** `99 % of the errors, with 33 % of the requests`. */
export const sharesOf = (row) => `${whole(row.error_share)} of the errors, with ${whole(row.request_share)} of the requests`;

/** 99.7 % is not all of them. */
export function whole(share) {
  if (share < 0.01) return "<1 %";
  return `${share === 1 ? 100 : Math.min(99, Math.round(100 * share))} %`;
}

/** A bar and its number. */
export function fillShare(cell, row) {
  const share = row.error_share;
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "share" }, make("span", { class: "track" }, make("i")), make("b")));
  const width = `${100 * share}%`;
  const bar = part.firstChild.firstChild;
  if (bar.style.width !== width) bar.style.width = width;
  setText(part.lastChild, share ? whole(share) : "0");
  setAttribute(cell, "data-tone", share ? null : "zero");
}
