// What the tab is called, by what is shown. Pure.

import { appForApi } from "./apps.js";
import * as format from "./format.js";

/** `missing`: what is not there, in words. null: who shows it names it itself. */
export function titleOf(nav, missing) {
  const title = (...parts) => [...parts, "Tailrace"].filter(Boolean).join(" · ");
  if (missing) return title(missing);
  if (nav.view === "dynos") return title(nav.dyno ? format.visible(nav.dyno) : "Dynos", appForApi(nav));
  if (nav.view === "alerts") return title("Alerts", appForApi(nav));
  if (nav.digest || nav.view === "comparison") return null;
  return nav.view === "replay" ? title("Replay") : title(appForApi(nav));
}
