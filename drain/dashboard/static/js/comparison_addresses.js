// What a comparison asks the API for, and where its parts lead. Pure.

import { appForApi } from "./apps.js";
import { LONGEST_WINDOW } from "./navigation.js";

const SPAN_S = 900;

/** {releases, comparison}: the second once it is known what is compared. */
export function comparisonAddresses(nav) {
  const app = appForApi(nav);
  const own = app ? { app } : {};
  const releases = `api/events?${new URLSearchParams({ window: LONGEST_WINDOW, ...own })}`;
  const asked = nav.other
    ? { from: nav.from, to: nav.to, with_from: nav.other.from, with_to: nav.other.to }
    : nav.version
      ? { release: nav.version, window: nav.length }
      : null;
  return { releases, ...(asked ? { comparison: `api/compare?${new URLSearchParams({ ...own, ...asked })}` } : {}) };
}

/** A route, or without a digest all of them, in one of the two spans (navigation.js). */
export const routeInSpan = (nav, { digest, route }, { from_s: from, to_s: to }) => ({
  ...nav,
  view: "traffic",
  digest: route ? digest : "",
  window: "",
  from,
  to,
  other: null,
  version: 0,
});

/** The comparison of a release, from any view. Its own app is in the address: versions are an app's own. One whose
    version no message says has only its time: the quarters of an hour before and after it. */
export function releaseComparison(nav, { app, version, at_ms: atMs, up_ms: upMs }) {
  const own = { ...nav, view: "comparison", digest: "", run: "", app, version, other: null };
  if (version) return own;
  const [at, up] = [Math.floor(atMs / 1_000), Math.ceil((upMs ?? atMs) / 1_000)];
  return { ...own, window: "", from: at - SPAN_S, to: at, other: { from: up, to: up + SPAN_S } };
}
