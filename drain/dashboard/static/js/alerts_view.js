// The view of alerts: incidents of the span that is shown, rules, silences, targets, and budgets of objectives.

import { Part, make, setAttribute, withCode } from "./dom.js";
import * as format from "./format.js";
import { budgetItem } from "./budgets.js";
import { INCIDENT_COLUMNS, TARGET_COLUMNS, ruleColumns } from "./alert_columns.js";
import { shortMoment, standing } from "./alert_words.js";
import { concerns } from "./incidents.js";
import { isPast, secondsOf } from "./navigation.js";
import { Sheet } from "./sheet.js";
import { SilenceControl } from "./silence.js";

const RULES_HELP = "Rules are written under `alerts:` in the file of `TAILRACE_CONFIG`, such as `alerts: [{name: slow, when: p95 > 800ms, for: 2m}]`. docs/alerts.md lists all conditions.";
const TARGETS_HELP = "Nobody is told of alerts: set `ALERT_SLACK_URL`, `ALERT_WEBHOOK_URL`, `ALERT_PAGERDUTY_KEY`, `ALERT_TEAMS_URL` or `ALERT_SMTP_URL`, or write `targets:` in the file of `TAILRACE_CONFIG`. docs/alerts.md describes each. `python -m app alerts test NAME` sends a first message.";
const BUDGETS_HELP = "No objective is set. Write one as a rule: `alerts: [{name: checkout, slo: {objective: 99.9%, of: /checkout faster than 500ms, over: 30d}}]`. docs/alerts.md tells more.";
const SILENCES_HELP = "Nothing is silenced.";

export class AlertsView {
  /** `taken(silences)` is told of a change of silences; `notifier` has the button for notifications (notifier.js). */
  constructor(container, taken, notifier) {
    this.taken = taken;
    this.state = make("p", { class: "fine alerts-standing" });
    container.append(make("div", { class: "toolbar" }, make("h1", {}, "Alerts"), this.state, notifier.element));
    this.incidents = this.sheet(container, "Incidents", INCIDENT_COLUMNS, ({ alarm }) => alarm.incident.id, { yielding: ["rules"] });
    this.rules = this.sheet(container, "Rules", ruleColumns(taken), ({ rule }) => rule.name, { sort: { key: "alert-state", descends: false }, yielding: ["for", "to", "scope"] });
    this.rulesHelp = help(container, RULES_HELP);
    const [silences, targets] = [make("section", { class: "alerts-part" }), make("section", { class: "alerts-part" })];
    container.append(make("div", { class: "alerts-pair" }, targets, silences));
    silences.append(make("h2", {}, "Silences"));
    this.silences = new Part("ul", { class: "panel silences", "aria-label": "Silences" });
    silences.append(this.silences.element);
    this.silencesHelp = help(silences, SILENCES_HELP);
    this.targets = this.sheet(targets, "Targets", TARGET_COLUMNS, ({ target }) => target.name);
    this.targetsHelp = help(targets, TARGETS_HELP);
    const budgets = make("section", { class: "alerts-part" }, make("h2", {}, "Budgets of objectives"));
    this.budgets = new Part("ul", { class: "panel budgets", "aria-label": "Budgets of objectives" });
    budgets.append(this.budgets.element);
    this.budgetsHelp = help(budgets, BUDGETS_HELP);
    container.append(budgets);
  }

  sheet(container, title, columns, keyOf, further = {}) {
    container.append(make("h2", {}, title));
    return new Sheet(container, { label: title, columns, keyOf, cards: "alert-cards", ...further });
  }

  /** `feed`: {view, fault} (alert_feed.js); `nav`: what is shown (navigation.js); `app`: whose alerts, "": of all. */
  show({ view, fault }, nav, app, nowS) {
    this.showState(standing(view, fault, nowS), view, nowS);
    if (!view) return;
    const { silences } = view;
    const from = isPast(nav) ? nav.from : nowS - secondsOf(nav);
    const past = view.history.filter(({ incident }) => incident.resolved_s === null || incident.resolved_s >= from);
    const alarms = [...view.open, ...past].filter((alarm) => concerns(alarm, app));
    this.incidents.show(alarms.map((alarm) => ({ alarm, silences })), { nothing: `No incident ${isPast(nav) ? "in this time" : "in this window"}.` });
    const isOf = (one) => !app || !one.app || one.app === app;
    this.rules.show(view.rules.filter(isOf).map((rule) => ({ rule, silences })), { nothing: "No rule is in force." });
    this.targets.show(view.targets.map((target) => ({ target })), { nothing: "No target is set." });
    this.targetsHelp.hidden = view.targets.length > 0;
    this.showSilences(silences.filter((one) => one.until_s > nowS));
    const budgets = view.budgets.filter(isOf);
    this.budgets.show([budgets, Math.floor(nowS / 60)], () => budgets.map((budget) => budgetItem(budget, { isOfMany: true }, nowS)));
    this.budgetsHelp.hidden = budgets.length > 0;
  }

  showState({ state, reason, fix }, view, nowS) {
    setAttribute(this.state, "data-state", state);
    const judged = view?.evaluated_s ? `Judged ${format.duration(Math.max(0, nowS - view.evaluated_s))} ago by ${format.visible(view.evaluated_by)}.` : "";
    const firing = view ? `${format.plural(view.open.length, "alert")} ${view.open.length === 1 ? "fires" : "fire"}.` : "";
    const words = { starting: "…", unknown: `Not known, because ${format.visible(reason)}. ${fix}`, firing: `${firing} ${judged}`, ok: `${view?.open.length ? firing : "Nothing fires."} ${judged}`, off: "No rule is in force: nothing is judged." };
    if (this.state.dataset.drawn === words[state]) return;
    this.state.dataset.drawn = words[state];
    this.state.replaceChildren(...withCode(words[state].trim()));
  }

  showSilences(silences) {
    const keys = silences.map(({ rule, app, until_s: until }) => JSON.stringify([rule, app, until, shortMoment(until)]));
    this.silences.show(keys, () => silences.map((one) => this.silence(one)));
    this.silencesHelp.hidden = silences.length > 0;
  }

  silence({ rule, app, until_s: until }) {
    const name = `${rule ? `the rule ${format.visible(rule)}` : "every rule"}${app ? ` of ${format.visible(app)}` : ""}`;
    const control = new SilenceControl(this.taken);
    control.show({ name, pairs: [[rule, app]], until, ending: [{ rule, app }] });
    return make("li", {}, make("span", {}, format.capital(name)), control.element);
  }
}

function help(container, text) {
  const own = make("p", { class: "fine alerts-help" }, ...withCode(text));
  container.append(own);
  return own;
}
