// The columns of the view of alerts: incidents, rules and targets.

import { plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { coveringSilences, incidentTitle, lengthOf, moment, ownSilences, ruleState, scopeWords, severityOf, silencedUntil, targetWords, toWords } from "./alert_words.js";
import { incidentAddress } from "./incident_addresses.js";
import { SilenceControl } from "./silence.js";

const nowS = () => Date.now() / 1_000;

/** A symbol and a word, so that no colour is needed to tell. */
function fillState(cell, { tone, sign, word }) {
  const part = cell.firstChild ?? cell.appendChild(make("span", { class: "alert-state" }, make("i", { "aria-hidden": "true" }), make("span")));
  setAttribute(part, "data-tone", tone);
  setText(part.firstChild, sign);
  setText(part.lastChild, word);
}

/** Rows: {alarm, silences}. */
export const INCIDENT_COLUMNS = [
  { key: "alert-state", name: "State", text: true, fill: fillIncidentState },
  { key: "began", name: "Began", text: true, fill: plain(({ alarm }) => moment(alarm.incident.began_s)) },
  { key: "length", name: "Duration", fill: plain(({ alarm }) => lengthOf(alarm, nowS())) },
  { key: "incident", name: "What", text: true, isHead: true, fill: fillIncident },
  { key: "rules", name: "Rules", text: true, fill: plain(({ alarm }) => [...new Set(alarm.incident.alerts.map(({ rule }) => rule))].map(format.visible).join(", ")) },
];

function fillIncidentState(cell, { alarm, silences }) {
  const { resolved_s: resolved } = alarm.incident;
  const { sign, word } = severityOf(alarm);
  const until = resolved === null ? silencedUntil(alarm, silences, nowS()) : null;
  if (resolved !== null) fillState(cell, { tone: "off", sign: "✓", word: `${word.toLowerCase()}, resolved` });
  else fillState(cell, { tone: alarm.incident.severity === "critical" ? "bad" : "near", sign, word: `${word.toLowerCase()}, ${until === null ? "firing" : "silenced"}` });
}

function fillIncident(cell, { alarm }) {
  const link = cell.firstChild ?? cell.appendChild(make("a", { "data-tip": "Show that moment" }));
  setText(link, incidentTitle(alarm));
  setAttribute(link, "href", incidentAddress(alarm, nowS()));
}

/** Rows: {rule, silences}; `taken(silences)` is told of a change. */
export function ruleColumns(taken) {
  const controls = new WeakMap();
  return [
    { key: "alert-state", name: "State", text: true, of: ({ rule }) => ruleState(rule).rank, fill: fillRuleState },
    { key: "rule", name: "Rule", text: true, isHead: true, of: ({ rule }) => rule.name, fill: fillRule },
    { key: "when", name: "Fires when", text: true, fill: fillWhen },
    { key: "scope", name: "Of", text: true, of: ({ rule }) => scopeWords(rule), fill: plain(({ rule }) => scopeWords(rule)) },
    { key: "for", name: "For", of: ({ rule }) => rule.for_s, fill: plain(({ rule }) => (rule.for_s ? format.duration(rule.for_s) : "at once")) },
    { key: "to", name: "Tells", text: true, fill: plain(({ rule }) => toWords(rule.to)) },
    { key: "silence", name: "Silence", text: true, fill: (cell, row) => fillSilence(cell, row, controls, taken) },
  ];
}

const TONES = { firing: "bad", pending: "near", unknown: "unknown", ok: "good" };

function fillRuleState(cell, { rule }) {
  const { sign, word } = ruleState(rule);
  const count = rule.subjects > 1 ? ` (${format.count(rule.subjects)})` : "";
  fillState(cell, { tone: TONES[rule.state] ?? "unknown", sign, word: `${word}${count}` });
}

function fillRule(cell, { rule }) {
  const parts = cell.firstChild ? [...cell.children] : [cell.appendChild(make("span")), cell.appendChild(make("span", { class: "fine" }))];
  setText(parts[0], format.visible(rule.name));
  setText(parts[1], rule.is_default ? " on by default" : "");
}

function fillWhen(cell, { rule }) {
  setText(cell.firstChild ?? cell.appendChild(make("code")), format.visible(rule.when));
}

function fillSilence(cell, { rule, silences }, controls, taken) {
  if (!controls.has(cell)) {
    const control = new SilenceControl(taken);
    controls.set(cell, control);
    cell.append(control.element);
  }
  const covering = coveringSilences(rule.name, rule.app, silences).filter((one) => one.until_s > nowS());
  const until = covering.length ? Math.max(...covering.map((one) => one.until_s)) : null;
  const pairs = [[rule.name, rule.app]];
  controls.get(cell).show({ name: `the rule ${rule.name}`, pairs, until, ending: ownSilences(pairs, covering) });
}

/** Rows: {target}. */
export const TARGET_COLUMNS = [
  { key: "alert-state", name: "State", text: true, fill: (cell, { target }) => fillState(cell, targetWords(target, nowS())) },
  { key: "target", name: "Target", text: true, isHead: true, fill: plain(({ target }) => format.visible(target.name)) },
  { key: "trouble", name: "Messages", text: true, fill: plain(({ target }) => targetWords(target, nowS()).detail || "–") },
];
