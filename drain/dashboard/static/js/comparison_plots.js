// The figures over both spans of a comparison and the time between them: the spans are shaded, and the releases
// are marked.

import { make } from "./dom.js";
import { Plots } from "./plots.js";
import { ReleaseGroup } from "./release_group.js";
import { zoneName } from "./zone.js";

const LONGEST_GAP = 4; // Spans that are further apart, in lengths of both, would be slivers in a long plot.

export class ComparisonPlots {
  constructor() {
    this.element = make("div", { class: "plots", hidden: true });
    this.plots = new Plots(this.element, null);
    this.group = new ReleaseGroup(null);
  }

  /** The address of the figures, once it is known which times they are of. */
  wanted(nav, answer) {
    const span = spanOf(answer);
    if (!span) return {};
    const app = answer.app ? { app: answer.app } : {};
    return { around: `api/series?${new URLSearchParams({ ...app, ...span })}` };
  }

  /** `answer`: the comparison. */
  show(series, answer, releases, addressOf) {
    if (!spanOf(answer)) return;
    this.element.hidden = false;
    const { before, after } = answer;
    const opened = (group, label) => this.group.open(group, label, false, addressOf);
    this.plots.show(series, "");
    this.plots.mark({
      releases: releases.filter((release) => release.app === answer.app || !answer.app),
      isOfMany: false,
      addressOf,
      opened,
      zone: zoneName(),
      bands: [before, after].map(({ from_s: from, to_s: to }) => ({ from, to })),
    });
  }

  clear() {
    this.element.hidden = true;
  }

  redraw() {
    this.plots.redraw();
  }
}

function spanOf(answer) {
  const { before, after } = answer ?? {};
  if (!before || !after || after.to_s <= after.from_s) return null;
  const [from, to] = [Math.min(before.from_s, after.from_s), Math.max(before.to_s, after.to_s)];
  const lengths = before.to_s - before.from_s + after.to_s - after.from_s;
  return to - from <= LONGEST_GAP * lengths ? { from, to } : null;
}
