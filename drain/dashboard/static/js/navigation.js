// What the page shows (view, route, app, span of time, sort and filter) is all in the address after `#`, so
// every view can be bookmarked and shared.

import { KEPT_S, readSpan } from "./moments.js";
import { load, save } from "./storage.js";

export const WINDOWS = [
  ["5m", "5 min", "the last 5 minutes"],
  ["1h", "1 h", "the last hour"],
  ["24h", "24 h", "the last 24 hours"],
  ["7d", "7 d", "the last 7 days"],
  ["30d", "30 d", "the last 30 days"],
  ["all", "all", "all time"],
];

export const SPANS_S = { "5m": 300, "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000, all: Infinity };

/** For what is asked for as far back as it is kept. */
export const LONGEST_WINDOW = "30d";

const LAST = "tailrace.window";
const COMPARED = ["hour", "day", "week"];
const OLD_NAMES = { ever: "all" };
const names = WINDOWS.map(([name]) => name);

/** How long each of the two spans of a release's comparison is, where the address does not say it. */
const USUAL_LENGTH = "15m";
const LENGTH = /^[1-9]\d{0,6}[smhd]$/;
const [SHORTEST_S, LONGEST_S] = [10, KEPT_S];

const VIEW_OF_PATH = { replay: "replay", dynos: "dynos", compare: "comparison", alerts: "alerts" };
const viewOf = (path) => VIEW_OF_PATH[path.split("/")[1]] ?? "traffic";

/**
 * {view: "traffic" | "dynos" | "comparison" | "alerts" | "replay", run, dyno, digest: "" | 64 hex digits, app, window, from, to,
 * compare, sort, filter, fault, version, length, other}.
 * `window` is the name of a span that ends now, and empty where `from` and `to` (Unix s, else null) say which
 * one is meant. `compare`: `hour`, `day`, `week` or empty. `fault`: why the times of the address could not be used.
 * Of a comparison, `version` is the release's, 0 for none, and `length` how long its two spans are; `other`: {from, to}
 * of the span that `from` and `to` are compared with, or null.
 */
export function readNavigation() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const found = new URLSearchParams(query);
  const digest = /^\/routes\/([0-9a-f]{64})$/.exec(path);
  const version = /^\/compare\/v?(\d{1,9})$/.exec(path);
  const length = found.get("length") ?? "";
  const { other, fault } = otherOf(found);
  const time = timeOf(found);
  return {
    view: viewOf(path),
    run: path.startsWith("/replay/") ? decoded(path.slice(8)) : "",
    dyno: path.startsWith("/dynos/") ? decoded(path.slice(7)) : "",
    digest: digest ? digest[1] : "",
    app: found.get("app") || "",
    ...time,
    fault: time.fault || fault,
    sort: found.get("sort") || "",
    filter: found.get("filter") || "",
    compare: COMPARED.includes(found.get("compare")) ? found.get("compare") : "",
    version: version ? Number(version[1]) : 0,
    length: isLength(length) ? length : USUAL_LENGTH,
    other: time.from === null ? null : other,
  };
}

function timeOf(found) {
  const { from = null, to = null, fault = "" } = found.has("from") ? readSpan(found.get("from"), found.get("to"), undefined, true) : {};
  return { window: from === null ? known(found.get("window")) : "", from, to, fault };
}

function isLength(text) {
  const seconds = parseInt(text, 10) * ({ s: 1, m: 60, h: 3_600, d: 86_400 })[text.slice(-1)];
  return LENGTH.test(text) && seconds >= SHORTEST_S && seconds <= LONGEST_S;
}

function otherOf(found) {
  if (!found.has("with_from")) return { other: null, fault: "" };
  const { from, to, fault = "" } = readSpan(found.get("with_from"), found.get("with_to"), undefined, true);
  return { other: fault ? null : { from, to }, fault };
}

/** Takes `?compare=v42&app=shop`, which is easy to write for a script, for an address of this page. */
export function takeQuery() {
  const found = new URLSearchParams(location.search);
  const version = /^v?(\d{1,9})$/.exec(found.get("compare") ?? "");
  if (!version) return;
  const own = new URLSearchParams({ app: found.get("app") ?? "", length: found.get("window") ?? USUAL_LENGTH });
  history.replaceState(history.state, "", `${location.pathname}#/compare/v${version[1]}?${own}`);
}

/** What a window is called in a sentence. */
export const wordsOf = (window) => WINDOWS.find(([name]) => name === window)?.[2] ?? "";

/** The name of a window, by default that which was chosen last. */
function known(asked) {
  const [own] = [asked, load(LAST), "5m"].map((name) => OLD_NAMES[name] ?? name).filter((name) => names.includes(name));
  return own;
}

/** The live window to which one returns from the past. */
export const liveWindow = () => ({ window: known(null), from: null, to: null });

/** Without the escapes of a URL; as it is where they are not valid. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const isPast = (nav) => nav.from !== null;
export const isAllTime = (nav) => nav.window === "all";

/** How long the span is. */
export const secondsOf = (nav) => (isPast(nav) ? nav.to - nav.from : SPANS_S[nav.window]);

/** The span as the API takes it. */
export const spanParameters = (nav) => (isPast(nav) ? { from: nav.from, to: nav.to } : { window: nav.window });

const iso = (seconds) => new Date(seconds * 1_000).toISOString().replace(".000Z", "Z");

export function hashOf(nav) {
  const query = new URLSearchParams();
  if (nav.app) query.set("app", nav.app);
  if (isPast(nav)) {
    query.set("from", iso(nav.from));
    query.set("to", iso(nav.to));
  } else {
    query.set("window", nav.window);
  }
  for (const name of ["compare", "sort", "filter"]) if (nav[name]) query.set(name, nav[name]);
  if (nav.view === "comparison") {
    query.set("length", nav.length ?? USUAL_LENGTH);
    if (nav.other) {
      query.set("with_from", iso(nav.other.from));
      query.set("with_to", iso(nav.other.to));
    }
  }
  let path = nav.digest ? `/routes/${nav.digest}` : "/";
  if (nav.view === "comparison") path = nav.version ? `/compare/v${nav.version}` : "/compare";
  if (nav.view === "replay") path = nav.run ? `/replay/${encodeURIComponent(nav.run)}` : "/replay";
  if (nav.view === "dynos") path = nav.dyno ? `/dynos/${encodeURIComponent(nav.dyno)}` : "/dynos";
  if (nav.view === "alerts") path = "/alerts";
  // A colon needs no escape there, and a time is easier to read with it.
  return `#${path}?${query.toString().replaceAll("%3A", ":")}`;
}

/** The whole address of a view. */
export const linkTo = (nav) => `${location.origin}${location.pathname}${hashOf(nav)}`;

export function goTo(nav) {
  if (nav.window) save(LAST, nav.window);
  location.hash = hashOf(nav);
}

/** Puts choices that need no new figures into the address, without another step for Back. */
export function stay(nav) {
  history.replaceState(history.state, "", hashOf(nav));
}

/** The span of a run's own time, as far as figures of it are kept; that of `nav` for a run without times. */
function spanOfRun({ from, until }, nav) {
  const [start, end] = [from, until].map((moment) => Math.floor(Date.parse(moment) / 1_000));
  if (!(start < end)) return { window: nav.window, from: nav.from, to: nav.to };
  if (start < Date.now() / 1_000 - KEPT_S) return { window: "all", from: null, to: null };
  return { window: "", from: start, to: end };
}

/** The address of a route's view at a run's own time, in the run's app where it has one. */
export const routeOfRun = (digest, info, nav) => hashOf({ view: "traffic", digest, app: info.app ?? "", ...spanOfRun(info, nav) });
