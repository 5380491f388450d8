// The choosers in the bar: of a window that ends now, and of an app.

import { byId, make } from "./dom.js";
import { goTo, WINDOWS } from "./navigation.js";

/** `current()` gives what is shown (navigation.js); `again()` shows it anew, where the address is the same. */
export function startChoosers(current, again) {
  for (const [name, label, words] of WINDOWS) {
    const input = make("input", { type: "radio", name: "window", value: name, "aria-label": words });
    input.addEventListener("change", () => goTo({ ...current(), window: name, from: null, to: null }));
    byId("windows").append(make("label", {}, input, label));
  }
  byId("app").addEventListener("change", (event) => {
    const before = location.hash;
    goTo({ ...current(), digest: "", dyno: "", version: 0, app: event.target.value });
    // The overview has the address of what was there before there was a second app.
    if (location.hash === before) again();
  });
}
