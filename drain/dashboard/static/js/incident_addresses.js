// Where an incident and its parts lead: to the page at that moment. Pure.

import { KEPT_S, whole } from "./moments.js";
import { hashOf } from "./navigation.js";

const BEFORE_S = 600;
const AFTER_S = 300;
const LONGEST_S = 3_600; // Of one that goes on for days, its beginning is the moment.
const AROUND_S = 300;

/** {from, to} around an incident, from before it began, as far as figures are kept. */
export function spanOfIncident({ began_s: began, resolved_s: resolved }, nowS) {
  const end = Math.min((resolved ?? nowS) + AFTER_S, began + LONGEST_S, nowS);
  const from = Math.max(began - BEFORE_S, nowS - KEPT_S + 60);
  return whole(from, Math.max(end, from + AFTER_S));
}

/** The digest of the only route that it is about; "" for an app as a whole, or several routes. */
export function digestOf({ alerts }) {
  const digests = new Set(alerts.map(({ subject }) => subject.digest));
  return digests.size === 1 ? [...digests][0] : "";
}

const place = (app, digest, span) => hashOf({ view: "traffic", app, digest, window: "", ...span });

/** The page at the moment of an incident: of memory, or of a dyno that crashed, the view of dynos. */
export function incidentAddress({ incident }, nowS) {
  const span = spanOfIncident(incident, nowS);
  const [worst] = incident.alerts;
  if (worst?.family === "memory" || worst?.judgement.dyno) return hashOf({ view: "dynos", app: incident.app, dyno: worst.judgement.dyno, window: "", ...span });
  return place(incident.app, digestOf(incident), span);
}

/** The view of a finding's route at that moment; "" where it is about no route. */
export function findingAddress({ incident }, { app, route }, nowS) {
  const subject = incident.alerts.map((alert) => alert.subject).find((one) => one.route === route && one.app === app);
  return route && subject?.digest ? place(app, subject.digest, spanOfIncident(incident, nowS)) : "";
}

/** Where a request is shown: among the samples of its route, or else in its app's view, in the minutes around it. */
export function requestAddress({ incident }, request, nowS) {
  const at = Math.floor(request.at_ms / 1_000);
  const own = incident.alerts.find(({ subject }) => subject.route && subject.route === request.path);
  const digest = request.digest || own?.subject.digest || digestOf(incident);
  return place(incident.app, digest, whole(at - AROUND_S, Math.min(at + AROUND_S, Math.max(at + 10, nowS))));
}

/** The comparison of the release that a message names; "" where it names none by its number. */
export function releaseAddress({ incident, message }, nav) {
  const version = /\bafter v(\d{1,9})\b/.exec(message.release);
  return version ? hashOf({ ...nav, view: "comparison", digest: "", app: incident.app, version: Number(version[1]), other: null }) : "";
}
