// Alerts in words: what is known of them as a whole, of an incident, of a rule and of a target. Pure.

import * as format from "./format.js";
import * as zone from "./zone.js";

/** A step is judged every ten seconds, a few seconds late; without one for so long, nothing is known. */
const JUDGED_WITHIN_S = 60;

export const SEVERITIES = { critical: { sign: "▲", word: "Critical" }, warning: { sign: "◆", word: "Warning" } };

const RULE_STATES = {
  firing: { sign: "▲", word: "firing", rank: 0 },
  pending: { sign: "◔", word: "pending", rank: 1 },
  unknown: { sign: "?", word: "not known", rank: 2 },
  ok: { sign: "✓", word: "fine", rank: 3 },
};

const NO_PROCESS = {
  reason: "no process judges the rules",
  fix: "Start `metrics`, which judges them, too, or a process of its own: `heroku ps:scale alerts=1`.",
};

export const severityOf = ({ incident }) => SEVERITIES[incident.severity] ?? SEVERITIES.warning;
export const ruleState = ({ state }) => RULE_STATES[state] ?? RULE_STATES.unknown;

/** Whether it says nothing to anybody at a moment (Unix s). */
export const isSilenced = (alarm, silences, nowS) => silencedUntil(alarm, silences, nowS) !== null;

/** Unix s; null: somebody is told of at least one of its rules. */
export function silencedUntil(alarm, silences, nowS) {
  const ends = rulesOf(alarm).map((rule) => Math.max(0, ...coveringSilences(rule, alarm.incident.app, silences).map(({ until_s: until }) => until)));
  const end = ends.length ? Math.min(...ends) : 0;
  return end > nowS ? end : null;
}

/** Those that hold for a rule in an app. */
export const coveringSilences = (rule, app, silences) => silences.filter((one) => (!one.rule || one.rule === rule) && (!one.app || one.app === app));

/** Those of these very [rule, app], which a button ends: not of every rule, or every app, which others rely on. */
export const ownSilences = (pairs, silences) => silences.filter((one) => pairs.some(([rule, app]) => one.rule === rule && one.app === app));

/** Names of the rules whose alerts an incident is made of. */
export const rulesOf = ({ incident }) => [...new Set(incident.alerts.map(({ rule }) => rule))];

/**
 * {state, reason, fix} of everything: `starting`; `unknown`, which always has a reason; `firing`; `ok`; or `off`
 * where there is no rule. `view`: the last answer or null; `fault`: why there is none now, or "".
 */
export function standing(view, fault, nowS) {
  if (!view && !fault) return { state: "starting", reason: "", fix: "" };
  const unknown = unknownOf(view, fault, nowS);
  if (unknown) return { state: "unknown", fix: "", ...unknown };
  const isFiring = view.open.some((alarm) => !isSilenced(alarm, view.silences, nowS));
  const isOff = !view.rules.length && !view.open.length;
  return { state: isFiring ? "firing" : isOff ? "off" : "ok", reason: "", fix: "" };
}

function unknownOf(view, fault, nowS) {
  if (fault) return { reason: `they cannot be read (${fault})` };
  if (!view.rules.length && !view.open.length) return null;
  if (view.incomplete) return { reason: view.incomplete };
  // From one process to the next there may be a moment in which none has the lease.
  if (view.evaluated_s && nowS - aheadS(view) - view.evaluated_s <= JUDGED_WITHIN_S) return null;
  if (!view.evaluated_by) return NO_PROCESS;
  return { reason: view.evaluated_s ? `the rules were last judged at ${moment(view.evaluated_s)}` : `${view.evaluated_by} has judged no rule yet` };
}

/** How much this machine's clock is ahead of the server's: a wrong clock makes nothing unknown. */
const aheadS = ({ received_ms: received, at_ms: at }) => (received && at ? (received - at) / 1_000 : 0);

/** What an incident is called, whichever of its messages was the last. */
export const incidentTitle = ({ message }) => format.visible(message.title.replace(/^(?:resolved after|still, for) [\w ]+: |^more: /, ""));

/** `14:01:10 UTC`, with the date where it is another day. */
export function moment(seconds) {
  const date = zone.isSameDay(seconds, Date.now() / 1_000) ? "" : `${zone.day(seconds)} `;
  return `${date}${zone.clock(seconds)} ${zone.zoneName(seconds)}`;
}

/** `14:05`, with the date where it is another day. */
export const shortMoment = (seconds) => (zone.isSameDay(seconds, Date.now() / 1_000) ? zone.clockShort(seconds) : zone.dayAndClock(seconds));

/** `4 min 12 s` within the first hour: it ticks. */
export function ticking(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60 || whole >= 3_600) return format.duration(whole);
  return `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** How long an incident was, or has been. */
export function lengthOf({ incident }, nowS) {
  return format.duration(Math.max(0, (incident.resolved_s ?? nowS) - incident.began_s));
}

/** Whom a rule is asked of: `each app`, `shop, route /checkout`. */
export function scopeWords({ app, route }) {
  const whose = app ? format.visible(app) : "each app";
  if (!route) return whose;
  return route === "each" ? `each route of ${whose}` : `${whose}, route ${format.visible(route)}`;
}

export const toWords = (to) => (to.length ? to.map(format.visible).join(", ") : "all targets");

/** {tone, sign, word, detail} of a target. */
export function targetWords(target, nowS) {
  const { waiting, delivered_s: delivered, failed_s: failed, reason, given_up: givenUp, given_up_s: givenUpAt } = target;
  const isFailing = failed !== null && failed > (delivered ?? 0);
  const lost = givenUp ? `${format.plural(givenUp, "message")} given up${givenUpAt ? `, the last at ${shortMoment(givenUpAt)}` : ""}` : "";
  const waits = waiting ? `${format.plural(waiting, "message")} waiting` : "";
  const last = delivered === null ? "" : `last delivered ${format.duration(Math.max(0, nowS - delivered))} ago`;
  const why = reason && format.visible(reason);
  if (isFailing) return { tone: "bad", sign: "▲", word: "failing", detail: [why, `since ${shortMoment(failed)}`, waits, lost, last].filter(Boolean).join("; ") };
  if (lost) return { tone: "near", sign: "◆", word: "works again", detail: [last, lost, waits].filter(Boolean).join("; ") };
  if (delivered !== null) return { tone: "good", sign: "✓", word: "works", detail: [last, waits].filter(Boolean).join("; ") };
  return { tone: why ? "near" : "off", sign: why ? "◆" : "○", word: "not used yet", detail: [why, waits].filter(Boolean).join("; ") };
}

/** {left, tone, text} of an objective's budget; `left`: the share of it, or null. */
export function budgetWords({ objective, over_s: overS, left, requests, bad, from_s: from }, nowS) {
  const goal = `${Number((objective * 100).toFixed(3))} % over ${format.duration(overS)}`;
  if (left === null) return { goal, left, tone: "off", short: "no requests yet", text: "No requests yet." };
  const pace = requests && objective < 1 ? bad / requests / (1 - objective) : 0;
  const short = left < 0 ? `overdrawn by ${format.percent(-left)}` : `${format.percent(left)} left`;
  const counted = nowS - from < overS - 3_600 ? ` since ${shortMoment(from)}` : "";
  const burn = `${pace < 10 ? Number(pace.toFixed(1)) : Math.round(pace)} times the pace that lasts for ${format.duration(overS)}`;
  const text = `${format.shortCount(bad)} of ${format.plural(requests, "request")} missed it${counted}: ${burn}.`;
  return { goal, left, tone: left < 0 ? "bad" : left < 0.25 ? "near" : "good", short, text };
}
