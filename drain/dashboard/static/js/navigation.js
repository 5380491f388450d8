// What the page shows (view, route, app and window) is all in the address after `#`, so every view can
// be bookmarked and shared.

import { load, save } from "./storage.js";

export const WINDOWS = [
  ["5m", "5 min", "the last 5 minutes"],
  ["1h", "1 h", "the last hour"],
  ["24h", "24 h", "the last 24 hours"],
  ["7d", "7 d", "the last 7 days"],
  ["30d", "30 d", "the last 30 days"],
  ["all", "all", "all time"],
];

const SPANS_S = { "5m": 300, "1h": 3_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000, all: Infinity };

const LAST = "tailrace.window";
const COMPARED = ["hour", "day", "week"];
const OLD_NAMES = { ever: "all" };
const names = WINDOWS.map(([name]) => name);

/** {view: "traffic" | "replay", digest: "" | 64 hex digits, app, window, compare: "" | "hour" | "day" | "week"} */
export function readNavigation() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const found = new URLSearchParams(query);
  const asked = found.get("window") || load(LAST);
  const window = OLD_NAMES[asked] ?? asked;
  const digest = /^\/routes\/([0-9a-f]{64})$/.exec(path);
  return {
    view: path.startsWith("/replay") ? "replay" : "traffic",
    run: path.startsWith("/replay/") ? decoded(path.slice(8)) : "",
    digest: digest ? digest[1] : "",
    app: found.get("app") || "",
    window: names.includes(window) ? window : "5m",
    compare: COMPARED.includes(found.get("compare")) ? found.get("compare") : "",
  };
}

/** Without the escapes of a URL; as it is where they are not valid. */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function hashOf(nav) {
  const query = new URLSearchParams();
  if (nav.app) query.set("app", nav.app);
  query.set("window", nav.window);
  if (nav.compare) query.set("compare", nav.compare);
  let path = nav.digest ? `/routes/${nav.digest}` : "/";
  if (nav.view === "replay") path = nav.run ? `/replay/${encodeURIComponent(nav.run)}` : "/replay";
  return `#${path}?${query}`;
}

export function goTo(nav) {
  save(LAST, nav.window);
  location.hash = hashOf(nav);
}

/** The window `chosen`, or the next longer one that reaches back to a moment (Unix s, may be NaN). */
export function windowSince(moment, chosen) {
  const age = Date.now() / 1_000 - moment;
  return names.slice(names.indexOf(chosen)).find((name) => !(age > SPANS_S[name])) ?? "all";
}
