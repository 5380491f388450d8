// Open incidents on top of every view: those of the app that is shown, and in one line those of others; what
// was resolved lately; and that nothing is known, where that is so.

import { keepingPlace, make, setAttribute, setText, withCode } from "./dom.js";
import * as format from "./format.js";
import { incidentTitle, isSilenced, lengthOf, moment, severityOf, standing } from "./alert_words.js";
import { incidentAddress } from "./incident_addresses.js";
import { IncidentCard } from "./incident_card.js";

const SHOWN = 3;
const ON_PHONE = 1;
const LATELY_S = 900;
const PHONE = matchMedia("(max-width: 720px)");

/** Whether it is of the app that is shown; what has no app concerns all of them. */
export const concerns = ({ incident }, app) => !app || !incident.app || incident.app === app;

export class Incidents {
  /** `current()` gives what is shown (navigation.js); `taken(silences)` is told of a change of silences; `address()`
      gives that of the view of alerts. */
  constructor(section, current, taken, address) {
    Object.assign(this, { section, current, taken, address });
    this.cards = new Map();
    this.isOpen = false;
    this.told = null;
    this.state = "starting";
    this.said = make("p", { class: "unseen", role: "alert" });
    this.unknown = make("p", { class: "alerts-unknown", hidden: true });
    this.list = make("ul", { class: "incident-list", "aria-label": "Alerts that fire" });
    this.fold = make("button", { type: "button", class: "incident-fold", hidden: true });
    this.lately = make("p", { class: "lately", hidden: true });
    this.fold.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.again();
    });
    section.append(this.said, this.unknown, this.list, this.fold, this.lately);
    PHONE.addEventListener("change", () => this.again());
  }

  /** `feed`: {view, fault} (alert_feed.js); `app`: whose view it is, "": that of all apps. */
  show(feed, app, nowS) {
    this.shown = [feed, app];
    const { view, fault } = feed;
    const known = standing(view, fault, nowS);
    this.state = known.state;
    this.showUnknown(known, view);
    const open = view?.open ?? [];
    const silences = view?.silences ?? [];
    const own = byUrgency(open.filter((alarm) => concerns(alarm, app)), silences, nowS);
    const others = open.filter((alarm) => !concerns(alarm, app));
    const most = own.length > this.most ? this.most : own.length;
    if (own.length === most && !others.length) this.isOpen = false;
    const cards = this.isOpen ? [...own, ...others] : own.slice(0, most);
    this.showCards(cards, silences, nowS);
    this.showFold(own, own.slice(most), others);
    this.showLately((view?.history ?? []).filter((alarm) => concerns(alarm, app)), nowS);
    if (view) this.say(open);
    setAttribute(this.section, "hidden", open.length || !this.unknown.hidden || !this.lately.hidden ? null : "");
  }

  get most() {
    return PHONE.matches ? ON_PHONE : SHOWN;
  }

  again() {
    if (this.shown) this.show(...this.shown, Date.now() / 1_000);
  }

  showUnknown({ state, reason, fix }, view) {
    this.unknown.hidden = state !== "unknown";
    if (this.unknown.hidden) return;
    const isLast = view?.open.length && view.evaluated_s;
    const last = isLast ? `What follows was last known at ${moment(view.evaluated_s)}.` : "";
    const drawn = `${reason} ${fix} ${last}`;
    if (this.unknown.dataset.drawn === drawn) return;
    this.unknown.dataset.drawn = drawn;
    this.unknown.replaceChildren(make("b", {}, "? Alerts: not known"), `, because `, ...withCode([`${format.visible(reason)}.`, fix, last].filter(Boolean).join(" ")));
  }

  showCards(alarms, silences, nowS) {
    const wanted = new Set(alarms.map(({ incident }) => incident.id));
    for (const [id, card] of this.cards) {
      if (wanted.has(id)) continue;
      card.element.remove();
      this.cards.delete(id);
    }
    const focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    alarms.forEach((alarm, at) => {
      const { id } = alarm.incident;
      if (!this.cards.has(id)) this.cards.set(id, new IncidentCard(id, this.current, this.taken));
      const card = this.cards.get(id);
      card.show(alarm, silences, nowS, at === 0 && !isSilenced(alarm, silences, nowS));
      if (this.list.children[at] !== card.element) this.list.insertBefore(card.element, this.list.children[at] ?? null);
    });
    // Moving an element takes its focus away.
    if (focused?.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
    this.list.hidden = alarms.length === 0;
  }

  /** Those that are folded, in one line. */
  showFold(own, folded, others) {
    const words = [];
    if (folded.length) words.push(`${format.plural(folded.length, "more alert")}`);
    if (others.length) words.push(`${format.plural(others.length, "alert")} of other apps: ${incidentTitle(others[0])}${others.length > 1 ? " …" : ""}`);
    this.fold.hidden = !words.length;
    setText(this.fold, this.isOpen ? "Show fewer alerts" : words.join("; "));
    setAttribute(this.fold, "aria-expanded", String(this.isOpen));
  }

  showLately(history, nowS) {
    const lately = history.filter(({ incident }) => incident.resolved_s !== null && incident.resolved_s > nowS - LATELY_S);
    this.lately.hidden = !lately.length;
    if (!lately.length) return;
    const [newest] = lately;
    const ago = format.duration(Math.max(0, nowS - newest.incident.resolved_s));
    const drawn = JSON.stringify([incidentTitle(newest), ago, lately.length, this.address(), moment(newest.incident.began_s)]);
    if (this.lately.dataset.drawn === drawn) return;
    this.lately.dataset.drawn = drawn;
    const rest = lately.length > 1 ? [", and ", make("a", { href: this.address(), "data-key": "rest" }, `${format.count(lately.length - 1)} more`)] : [];
    keepingPlace(this.lately, () =>
      this.lately.replaceChildren(
        `✓ Resolved ${ago} ago after ${lengthOf(newest, nowS)}: `,
        make("a", { href: incidentAddress(newest, nowS), "data-key": "lately" }, incidentTitle(newest)),
        ...rest,
      ),
    );
  }

  /** Tells a screen reader what is new and what is over, once. */
  say(open) {
    const before = this.told;
    this.told = new Map(open.map((alarm) => [alarm.incident.id, incidentTitle(alarm)]));
    const began = open.filter(({ incident }) => !before?.has(incident.id)).map((alarm) => `${severityOf(alarm).word} alert: ${incidentTitle(alarm)}.`);
    const ended = [...(before ?? [])].filter(([id]) => !this.told.has(id)).map(([, title]) => `Resolved: ${title}.`);
    if (began.length || ended.length) setText(this.said, [...began, ...ended].join(" "));
  }

  tick(nowS) {
    for (const card of this.cards.values()) card.tick(nowS);
  }
}

/** Those that somebody has silenced come last; otherwise as they are: critical ones first, then the newest. */
function byUrgency(alarms, silences, nowS) {
  return [...alarms].sort((one, other) => isSilenced(one, silences, nowS) - isSilenced(other, silences, nowS));
}
