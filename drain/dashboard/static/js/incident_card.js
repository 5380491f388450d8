// One open incident: how bad, what, since when, why, the requests to begin with, and what to do.

import { copyFrom } from "./clipboard.js";
import { keepingPlace, make, setAttribute, setText, withCode } from "./dom.js";
import * as format from "./format.js";
import { incidentTitle, moment, ownSilences, rulesOf, severityOf, silencedUntil, ticking } from "./alert_words.js";
import { findingAddress, incidentAddress, releaseAddress, requestAddress } from "./incident_addresses.js";
import { SilenceControl } from "./silence.js";

export class IncidentCard {
  /** `current()` gives what is shown (navigation.js); `taken(silences)` is told of a change of silences. */
  constructor(id, current, taken) {
    this.current = current;
    this.isChosen = false; // Whether the reader has opened or closed it.
    this.drawn = "";
    this.badge = make("span", { class: "severity" });
    this.title = make("strong", { class: "incident-title" });
    this.since = make("span", { class: "incident-since" });
    this.body = make("div", { class: "incident-body" });
    this.details = make("details", { "data-key": id }, make("summary", {}, this.badge, this.title, this.since), this.body);
    this.link = make("a", { class: "button" }, "Show that moment");
    this.silence = new SilenceControl(taken);
    this.actions = make("div", { class: "incident-actions" }, this.link, this.silence.element);
    this.element = make("li", { class: "incident", "data-incident": id }, this.details, this.actions);
    this.details.firstChild.addEventListener("click", () => { this.isChosen = true; });
  }

  /** `isOpen`: whether it is unfolded, as long as the reader has not chosen. */
  show(alarm, silences, nowS, isOpen) {
    const { incident, message } = alarm;
    this.alarm = alarm;
    const { sign, word } = severityOf(alarm);
    const until = silencedUntil(alarm, silences, nowS);
    setAttribute(this.element, "data-severity", incident.severity);
    setAttribute(this.element, "data-silenced", until === null ? null : "");
    setText(this.badge, `${sign} ${word}`);
    setText(this.title, incidentTitle(alarm));
    setAttribute(this.link, "href", incidentAddress(alarm, nowS));
    setAttribute(this.link, "aria-label", `Show that moment: ${incidentTitle(alarm)}`);
    const pairs = rulesOf(alarm).map((rule) => [rule, incident.app]);
    // Requests without an app's name cannot be silenced by themselves: no name stands for all of them.
    const isOfAll = !incident.app && !incident.alerts.some(({ subject }) => subject.part);
    const whose = incident.app ? ` of ${incident.app}` : isOfAll ? " of every app" : "";
    this.silence.show({ name: `${pairs.map(([rule]) => rule).join(", ")}${whose}`, isOfAll, pairs, until, ending: ownSilences(pairs, silences) });
    if (!this.isChosen) this.details.open = isOpen;
    this.tick(nowS);
    const drawn = JSON.stringify([message, moment(incident.began_s), releaseAddress(alarm, this.current())]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    keepingPlace(this.body, () => this.body.replaceChildren(...this.children(alarm, nowS)));
  }

  /** The time goes on. */
  tick(nowS) {
    const { began_s: began } = this.alarm.incident;
    setText(this.since, `for ${ticking(nowS - began)}, since ${moment(began)}`);
  }

  children(alarm, nowS) {
    const { message } = alarm;
    const findings = message.findings.map((finding) => findingItem(alarm, finding, nowS));
    if (message.more_findings) findings.push(make("li", { class: "fine" }, `and ${format.count(message.more_findings)} more`));
    return [
      make("ul", { class: "findings" }, ...findings),
      fact("Dyno", message.dyno && [format.visible(message.dyno)]),
      fact("Release", message.release && this.release(alarm)),
      message.requests.length ? fact("Requests", [make("ul", { class: "incident-requests" }, ...message.requests.map((request) => requestItem(alarm, request, nowS)))]) : null,
      fact("What to do", message.action && withCode(format.visible(message.action))),
    ].filter(Boolean);
  }

  release(alarm) {
    const address = releaseAddress(alarm, this.current());
    const text = format.visible(alarm.message.release);
    return address ? [`${text} `, make("a", { href: address, "data-key": "release" }, "Before and after")] : [text];
  }
}

const fact = (name, children) => (children ? make("div", { class: "incident-fact" }, make("b", {}, name), make("div", {}, ...children)) : null);

function findingItem(alarm, finding, nowS) {
  const address = findingAddress(alarm, finding, nowS);
  const route = finding.route && format.visible(finding.route);
  const where = route ? [address ? make("a", { href: address, class: "route-link", "data-key": `finding ${finding.rule} ${finding.route}` }, route) : make("code", {}, route), " "] : [];
  const usual = finding.usual ? make("span", { class: "usual" }, ` Usual: ${format.visible(finding.usual)}.`) : null;
  const over = finding.is_firing ? null : make("span", { class: "over" }, "✓ Resolved: ");
  return make("li", { "data-over": finding.is_firing ? null : "" }, over, ...where, sentence(format.visible(finding.text)), usual, make("span", { class: "fine" }, ` Rule ${format.visible(finding.rule)}`));
}

const sentence = (text) => (/[.!?]$/.test(text) ? text : `${text}.`);

function requestItem(alarm, request, nowS) {
  const id = make("code", { class: "cut" }, format.visible(request.request_id));
  const link = make("a", { href: requestAddress(alarm, request, nowS), "data-key": `request ${request.request_id}`, "data-tip": "Show the requests of its route at that time" }, id);
  const button = make("button", { type: "button", "aria-label": `Copy request id ${request.request_id}`, "data-key": `copy ${request.request_id}` }, "Copy");
  button.addEventListener("click", () => copyFrom(id, button));
  const words = [format.clock(request.at_ms / 1_000), request.method, request.path, request.status, request.code, request.dyno, request.service_ms === null ? "" : format.time(request.service_ms)];
  return make("li", {}, make("span", { class: "id" }, link, button), make("span", { class: "request-words" }, words.filter(Boolean).map((word) => format.visible(String(word))).join(" ")));
}
