// What the platform said in the span that is shown, in each place that shows it: the list, the marks on the
// plots, and those in the trends of apps.

import { eventsCsv } from "./addresses.js";
import { appForApi } from "./apps.js";
import { releaseComparison } from "./comparison_addresses.js";
import { EventsPanel } from "./events.js";
import { hashOf } from "./navigation.js";
import { ReleaseGroup } from "./release_group.js";
import { zoneName } from "./zone.js";

const NONE = { releases: [], isOfMany: false };

export class PlatformEvents {
  /**
   * `parts`: {plots, overview, dynosView, apps}; `current()` gives what is shown (navigation.js), `zoomTo(span)` shows
   * a time closer.
   */
  constructor(section, parts, current, zoomTo) {
    Object.assign(this, parts, { current });
    this.addressOf = (release) => hashOf(releaseComparison(current(), release));
    this.list = new EventsPanel(section, this.addressOf, (span) => hashOf({ ...current(), window: "", ...span }), zoomTo);
    this.group = new ReleaseGroup(zoomTo);
    this.answer = null;
  }

  /** `answer`: that of /api/events, by default the last one: more may be known of the apps by now. */
  show(answer = this.answer) {
    if (!answer) return;
    this.answer = answer;
    this.list.show(answer, this.isOfMany, eventsCsv(this.current()));
    this.overview.mark(answer.releases);
    const marks = this.marks(answer);
    this.plots.mark(marks);
    this.dynosView.showEvents(answer, marks);
  }

  /** The releases of an answer, as a plot takes them; see PlotMarks. */
  marks({ releases }) {
    const { isOfMany, addressOf } = this;
    const opened = (group, label) => this.group.open(group, label, isOfMany, addressOf);
    return { releases, isOfMany, addressOf, opened, zone: zoneName() };
  }

  /** Where there are several apps, each event says whose it is. */
  get isOfMany() {
    return !appForApi(this.current()) && this.apps.areMany;
  }

  clear() {
    this.answer = null;
    this.list.clear();
    this.plots.mark(NONE);
  }
}
