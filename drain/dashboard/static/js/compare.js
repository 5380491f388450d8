// The chooser of what figures are compared with. It stands beside whatever heads a view, and is the same
// everywhere.

import { EARLIER } from "./changes.js";
import { make } from "./dom.js";

export class Compare {
  /** `places`: where it stands; `chosen(earlier)` is told `hour`, `day`, `week`, or an empty text for nothing. */
  constructor(places, chosen) {
    this.places = places;
    this.selects = places.map((place) => {
      const select = make("select", { class: "compare-with" });
      select.append(...[["", "nothing"], ...EARLIER].map(([value, words]) => new Option(words, value)));
      select.addEventListener("change", () => chosen(select.value));
      place.replaceChildren(make("label", { class: "compare" }, make("span", {}, "Compared with"), select));
      return select;
    });
  }

  show(earlier, isPossible) {
    for (const select of this.selects) select.value = earlier;
    for (const place of this.places) place.hidden = !isPossible;
  }
}
