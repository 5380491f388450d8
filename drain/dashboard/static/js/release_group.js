// The releases behind one label of a plot, listed: each leads to its comparison, and all together to a closer
// look at their time. It closes by Escape or a click elsewhere.

import { make, setText } from "./dom.js";
import * as format from "./format.js";
import { tipLine } from "./release_words.js";

const SHOWN = 20;
const GAP_PX = 4;
const MARGIN_S = 120; // On both sides, where one zooms in to a group.

export class ReleaseGroup {
  /** `zoomTo({from, to})` shows that time; null where there is nothing to zoom in to. */
  constructor(zoomTo) {
    this.title = make("h3");
    this.list = make("ul");
    this.zoom = make("button", { type: "button", class: "button" }, "Zoom in");
    this.zoom.addEventListener("click", () => {
      this.element.hidePopover();
      zoomTo(this.span);
    });
    this.element = make("div", { class: "release-group", popover: "auto", role: "dialog", "aria-label": "Releases" }, this.title, this.list, zoomTo ? this.zoom : null);
    this.list.addEventListener("click", () => this.element.hidePopover());
    document.body.append(this.element);
  }

  /** Opens below `label`; `addressOf(release)` gives where each leads. */
  open(releases, label, isOfMany, addressOf) {
    const newestFirst = [...releases].reverse();
    setText(this.title, format.plural(releases.length, "release"));
    const items = newestFirst.slice(0, SHOWN).map((release) => make("li", {}, make("a", { href: addressOf(release) }, tipLine(release, isOfMany))));
    if (releases.length > SHOWN) items.push(make("li", { class: "fine" }, `and ${format.count(releases.length - SHOWN)} more`));
    this.list.replaceChildren(...items);
    const times = releases.map(({ at_ms: at }) => at / 1_000);
    this.span = { from: Math.min(...times) - MARGIN_S, to: Math.max(...times) + MARGIN_S };
    this.element.showPopover();
    const box = label.getBoundingClientRect();
    const { width, height } = this.element.getBoundingClientRect();
    const below = box.bottom + GAP_PX;
    this.element.style.left = `${Math.max(GAP_PX, Math.min(box.left, innerWidth - width - GAP_PX))}px`;
    this.element.style.top = `${below + height <= innerHeight ? below : Math.max(GAP_PX, box.top - height - GAP_PX)}px`;
    this.list.querySelector("a").focus();
  }
}
