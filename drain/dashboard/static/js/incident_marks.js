// Incidents on a plot: hatched from when one began to when it was resolved, with a label above the plot that
// leads to that moment. A solid edge is its beginning, a dashed one its end. The labels are elements beside the
// plot, as those of releases are (plot_marks.js), and they have a row of their own.

import { keepingPlace, make } from "./dom.js";
import * as format from "./format.js";
import { incidentTitle, lengthOf, moment, rulesOf, severityOf } from "./alert_words.js";

const NARROWEST_PX = 30;
const WIDEST_PX = 180;
const TIP_SHOWN = 6;

export class IncidentMarks {
  /** `isMain`: whether it is the one of several plots whose marks the keyboard reaches. */
  constructor(isMain = true) {
    this.isMain = isMain;
    this.element = make("ul", { class: "incident-marks", "aria-label": "Alerts", "aria-hidden": isMain ? null : "true", hidden: true });
    this.found = { alarms: [] };
    this.drawn = "";
  }

  /** `found`: {alarms, addressOf(alarm), addressOfAll(alarms), zone}; alarms in any order. */
  show(found) {
    const alarms = [...found.alarms].sort((one, other) => one.incident.began_s - other.incident.began_s);
    this.found = { ...found, alarms };
    if (this.plot) this.place(this.plot);
  }

  /** What was or is wrong from `fromS` to before `toS`, in words. */
  within(fromS, toS) {
    return this.found.alarms.filter(({ incident }) => incident.began_s < toS && endOf(incident) > fromS).map(incidentTitle);
  }

  /** The plot has been drawn, perhaps with other times or another size. */
  place(plot) {
    this.plot = plot;
    const { over } = plot;
    const { clientWidth: width } = over;
    const { min, max } = plot.scales.x;
    const inside = this.found.alarms.filter(({ incident }) => incident.began_s < max + ON_THE_WAY_S && endOf(incident) > min);
    const xOf = (at) => Math.round(Math.min(Math.max(plot.valToPos(at, "x"), 0), width));
    const placed = inside.map((alarm) => ({ alarm, x: xOf(alarm.incident.began_s), end: alarm.incident.resolved_s === null ? width : xOf(alarm.incident.resolved_s) }));
    const groups = grouped(placed, width);
    this.element.hidden = !placed.length;
    this.element.style.left = `${over.offsetLeft}px`;
    this.element.style.width = `${width}px`;
    this.element.style.bottom = `${plot.root.clientHeight - over.offsetTop - over.clientHeight}px`;
    const lengths = inside.map((alarm) => tipLine(alarm));
    const drawn = JSON.stringify([groups.map(({ x, room, alarms }) => [x, room, alarms.map(({ incident }) => incident.id)]), placed.map(({ x, end }) => [x, end]), lengths, this.found.zone]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    keepingPlace(this.element, () => this.element.replaceChildren(...placed.map(spanOf), ...groups.map((group) => this.label(group))));
  }

  label({ x, room, alarms, isBefore }) {
    const worst = alarms.find(({ incident }) => incident.severity === "critical") ?? alarms[0];
    const name = alarms.length === 1 ? rulesOf(worst).map(format.visible).join(", ") : `×${alarms.length}`;
    const href = alarms.length === 1 ? this.found.addressOf(worst) : this.found.addressOfAll(alarms);
    const label = make("a", { href, "data-key": alarms.map(({ incident }) => incident.id).join(" "), "data-tip": tip(alarms) }, make("span", { class: "incident-label", "aria-hidden": "true" }, `${severityOf(worst).sign} ${name}`));
    label.append(make("span", { class: "unseen" }, alarms.length === 1 ? `${severityOf(worst).word} alert: ${tipLine(worst)}: show that moment` : `${alarms.length} alerts: show them`));
    label.style.maxWidth = `${room}px`;
    if (!this.isMain) label.tabIndex = -1;
    const own = make("li", { class: isBefore ? "incident-mark before" : "incident-mark", "data-severity": worst.incident.severity }, label);
    own.style.left = `${x}px`;
    return own;
  }
}

/** Figures of the newest steps are still on the way: what began in them stands at the right edge. */
const ON_THE_WAY_S = 60;

const endOf = ({ resolved_s: resolved }) => resolved ?? Infinity;

function spanOf({ alarm, x, end }) {
  const { severity, resolved_s: resolved } = alarm.incident;
  const own = make("li", { class: "incident-span", "aria-hidden": "true", "data-severity": severity, "data-open": resolved === null ? "" : null });
  own.style.left = `${x}px`;
  own.style.width = `${Math.max(2, end - x)}px`;
  return own;
}

/** {x, room, alarms, isBefore} of those that share a label, because they begin so close to one another. */
function grouped(placed, width) {
  const groups = [];
  for (const { alarm, x } of placed) {
    const last = groups.at(-1);
    if (last && x - last.x < NARROWEST_PX) last.alarms.push(alarm);
    else groups.push({ x, alarms: [alarm] });
  }
  return groups.map((group, at) => {
    const after = (groups[at + 1]?.x ?? width) - group.x;
    // At the right edge it is in front of its line.
    const isBefore = at === groups.length - 1 && after < NARROWEST_PX * 2 && group.x - (groups[at - 1]?.x ?? 0) > NARROWEST_PX * 2;
    const room = isBefore ? group.x - (groups[at - 1]?.x ?? 0) - NARROWEST_PX : Math.max(after, NARROWEST_PX);
    return { ...group, isBefore, room: Math.min(WIDEST_PX, Math.max(NARROWEST_PX, room)) };
  });
}

/** `shop: 20 % of requests fail, 26 Nov 14:01:10 UTC, for 12 min` */
export function tipLine(alarm) {
  const { incident } = alarm;
  const long = incident.resolved_s === null ? "still firing" : `for ${lengthOf(alarm, incident.resolved_s)}`;
  return `${incidentTitle(alarm)}, ${moment(incident.began_s)}, ${long}`;
}

function tip(alarms) {
  const lines = alarms.slice(-TIP_SHOWN).reverse().map((alarm) => `${severityOf(alarm).sign} ${tipLine(alarm)}`);
  if (alarms.length > TIP_SHOWN) lines.push(`and ${alarms.length - TIP_SHOWN} more`);
  lines.push(alarms.length === 1 ? "Click: show that moment" : "Click: list them");
  return lines.join("\n");
}
