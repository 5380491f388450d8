// Alerts on the page, all that there is of them: one answer of the API goes to each part that shows it.

import { AlertFeed } from "./alert_feed.js";
import { AlertsView } from "./alerts_view.js";
import { incidentTitle, isSilenced } from "./alert_words.js";
import { appForApi } from "./apps.js";
import { BudgetLines } from "./budgets.js";
import { byId, setAttribute, setText } from "./dom.js";
import { incidentAddress } from "./incident_addresses.js";
import { concerns, Incidents } from "./incidents.js";
import { hashOf } from "./navigation.js";
import { Notifier } from "./notifier.js";
import { setAlarm } from "./tab.js";
import { zoneName } from "./zone.js";

const TICK_MS = 1_000;
const MARGIN_S = 300;

/** The code of the warning that no rule is judged. */
const STOPPED = "alerts_stopped";

export class Alerting {
  /**
   * `parts`: {plots, overview, warnings, apps}: what shows incidents beside its own; `current()` gives what is shown
   * (navigation.js).
   */
  constructor(parts, current) {
    Object.assign(this, parts, { current });
    this.route = "";
    this.shown = "";
    this.feed = new AlertFeed(current, () => this.take());
    const taken = (silences) => this.feed.silencesAre(silences);
    this.incidents = new Incidents(byId("incidents"), current, taken, () => this.address());
    this.notifier = new Notifier((alarm) => { location.hash = incidentAddress(alarm, Date.now() / 1_000); });
    this.view = new AlertsView(byId("alerts-view"), taken, this.notifier);
    this.lines = new BudgetLines(byId("budget-lines"));
    this.counter = byId("alerts-count");
    setInterval(() => !document.hidden && this.incidents.tick(Date.now() / 1_000), TICK_MS);
  }

  /** The address may have changed, or more may be known of the apps. */
  moved() {
    const nav = this.current();
    const shown = JSON.stringify([nav, this.apps.areMany]);
    if (shown === this.shown) return;
    this.shown = shown;
    if (!nav.digest) this.route = "";
    this.feed.moved();
    this.draw();
  }

  /** The name of the route that is shown. */
  routeIs(route) {
    this.route = route;
    this.draw();
  }

  take() {
    this.draw();
    if (this.feed.view && !this.feed.fault) this.notifier.show(this.feed.view, Date.now() / 1_000);
  }

  /** Again: in another time zone, of another app, or with a new answer. */
  draw() {
    const nav = this.current();
    const app = appForApi(nav);
    const nowS = Date.now() / 1_000;
    const { view } = this.feed;
    this.incidents.show(this.feed, app, nowS);
    if (nav.view === "alerts") this.view.show(this.feed, nav, app, nowS);
    this.showTab(nowS);
    if (!view) return;
    const alarms = [...view.open, ...view.history];
    const own = alarms.filter((alarm) => concerns(alarm, app) && this.isOfRoute(alarm, nav.digest));
    this.plots.markIncidents({ alarms: own, addressOf: (alarm) => incidentAddress(alarm, nowS), addressOfAll: (some) => this.addressOfAll(some), zone: zoneName() });
    this.overview.markIncidents(alarms);
    // What an incident or the line above it tells is not told twice.
    const told = view.open.flatMap(({ incident }) => incident.alerts.map(({ subject }) => subject.part)).filter(Boolean);
    this.warnings.except(new Set(this.incidents.state === "unknown" ? [...told, STOPPED] : told));
    const isOfMany = !app && this.apps.areMany;
    const isUnnamedRoute = Boolean(nav.digest) && !this.route;
    this.lines.show(isUnnamedRoute ? [] : view.budgets, { app, route: this.route, isOfMany, address: this.address() }, nowS);
  }

  isOfRoute({ incident }, digest) {
    return !digest || incident.alerts.some(({ subject }) => !subject.digest || subject.digest === digest);
  }

  showTab(nowS) {
    const { view } = this.feed;
    const titles = (view?.open ?? []).filter((alarm) => !isSilenced(alarm, view.silences, nowS)).map(incidentTitle);
    setAlarm(this.incidents.state, titles);
    this.counter.hidden = !titles.length && this.incidents.state !== "unknown";
    setText(this.counter.firstChild, titles.length ? String(titles.length) : "?");
    setText(this.counter.lastChild, titles.length ? " firing" : " not known");
    setAttribute(this.counter, "data-state", titles.length ? "firing" : "unknown");
  }

  /** Of the view of alerts, of the same app and time. */
  address() {
    return hashOf({ ...this.current(), view: "alerts", digest: "", dyno: "", run: "", version: 0, other: null, sort: "", filter: "" });
  }

  addressOfAll(alarms) {
    const began = alarms.map(({ incident }) => incident.began_s);
    const ended = alarms.map(({ incident }) => incident.resolved_s ?? incident.began_s);
    const span = { from: Math.min(...began) - MARGIN_S, to: Math.min(Math.max(...began, ...ended) + MARGIN_S, Date.now() / 1_000) };
    return hashOf({ view: "alerts", app: this.current().app, window: "", from: Math.floor(span.from), to: Math.floor(span.to) });
  }
}
