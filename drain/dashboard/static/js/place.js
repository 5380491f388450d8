// Where the reader is: view, route, app and window, all in the address after `#`, so that every
// view can be kept as a bookmark and sent to a colleague.

import { keep, kept } from "./storage.js";

export const WINDOWS = [
  ["5m", "5 min", "the last 5 minutes"],
  ["1h", "1 h", "the last hour"],
  ["24h", "24 h", "the last 24 hours"],
  ["7d", "7 d", "the last 7 days"],
  ["30d", "30 d", "the last 30 days"],
  ["ever", "ever", "all that was ever counted"],
];

const LAST = "tailrace.window";
const names = WINDOWS.map(([name]) => name);

/** {view: "traffic" | "replay", digest: "" | 64 hex digits, app, window} */
export function readPlace() {
  const [path, query = ""] = location.hash.replace(/^#/, "").split("?");
  const found = new URLSearchParams(query);
  const window = found.get("window") || kept(LAST);
  const digest = /^\/routes\/([0-9a-f]{64})$/.exec(path);
  return {
    view: path.startsWith("/replay") ? "replay" : "traffic",
    run: path.startsWith("/replay/") ? decodeURIComponent(path.slice(8)) : "",
    digest: digest ? digest[1] : "",
    app: found.get("app") || "",
    window: names.includes(window) ? window : "5m",
  };
}

export function hashOf(place) {
  const query = new URLSearchParams();
  if (place.app) query.set("app", place.app);
  query.set("window", place.window);
  let path = place.digest ? `/routes/${place.digest}` : "/";
  if (place.view === "replay") path = place.run ? `/replay/${encodeURIComponent(place.run)}` : "/replay";
  return `#${path}?${query}`;
}

export function goTo(place) {
  keep(LAST, place.window);
  location.hash = hashOf(place);
}
