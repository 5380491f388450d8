// The page: where the reader is decides what is asked for; what comes is handed to its part.

import { Alerts } from "./alerts.js";
import { NoAnswer, Poller, beside } from "./client.js";
import { knowCodes } from "./columns.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import { showEmpty, startEmpty } from "./empty.js";
import { BigFigures } from "./figures.js";
import * as format from "./format.js";
import { goTo, hashOf, readPlace, WINDOWS } from "./place.js";
import { MemoryView } from "./memory.js";
import { Plots } from "./plots.js";
import { ReplayView } from "./replay.js";
import { RouteView } from "./route.js";
import { RoutesTable } from "./table.js";
import { startTheme } from "./theme.js";
import { startTips } from "./tip.js";

let place = readPlace();
let health = null;
let lastAtMs = 0;

const figures = new BigFigures(byId("figures"));
const plots = new Plots(byId("plots"));
const table = new RoutesTable(byId("table"), (row) => hashOf({ ...place, digest: row.digest }));
const routeView = new RouteView(byId("route-view"));
const alerts = new Alerts(byId("alerts"));
const memory = new MemoryView(byId("memory"), () => poller.now());
const replay = new ReplayView(byId("replay"), (run) => hashOf({ ...place, view: "replay", run }));
const poller = new Poller(wanted, found, state);

function query(further = {}) {
  const asked = new URLSearchParams({ window: place.window, ...further });
  if (place.app) asked.set("app", place.app);
  return asked;
}

/** The addresses of all that this place shows. */
function wanted() {
  const always = { health: "api/health", apps: "api/apps" };
  if (place.view === "replay") return { ...always, ...replay.wanted(place) };
  const shown = place.digest ? { route: `api/routes/${place.digest}?${query()}` } : { routes: `api/routes?${query()}` };
  if (place.window !== "ever") shown.series = `api/series?${query(place.digest ? { route: place.digest } : {})}`;
  if (memory.isOpen && !place.digest) shown.memory = "api/memory";
  return { ...always, ...shown };
}

function found(name, answer) {
  lastAtMs = Math.max(lastAtMs, answer.at_ms ?? 0);
  const take = { memory: (said) => memory.show(said), health: takeHealth, apps: takeApps, routes: takeRoutes, route: takeRoute, series: takeSeries };
  if (take[name]) take[name](answer);
  else replay.take(name, answer);
}

function takeHealth(answer) {
  health = answer.health;
  memory.showSum(health.memory);
  alerts.show(answer.alerts);
  showParts();
}

function takeApps({ apps, unnamed }) {
  const chooser = byId("app");
  const names = apps.map((app) => app.name);
  if (place.app && !names.includes(place.app)) names.push(place.app);
  const said = JSON.stringify(names);
  if (chooser.dataset.said !== said) {
    chooser.dataset.said = said;
    chooser.replaceChildren(make("option", { value: "" }, "all apps"), ...names.map((name) => make("option", { value: name }, name)));
  }
  chooser.value = place.app;
  // One app that is all there is leaves nothing to choose.
  byId("app-chooser").hidden = names.length + (unnamed ? 1 : 0) < 2 && !place.app;
}

function takeRoutes(answer) {
  figures.show(answer.total);
  table.show(answer);
  footnote(answer);
}

function takeRoute(answer) {
  const name = format.visible(answer.route);
  setText(byId("route-name"), name);
  document.title = `${name} · Tailrace`;
  figures.show(answer.figures);
  routeView.show(answer);
  footnote(answer);
}

function takeSeries(answer) {
  plots.show(answer);
  figures.showNow(answer.now_requests_per_s);
}

function footnote({ from_s: from, to_s: to }) {
  const [, , words] = WINDOWS.find(([name]) => name === place.window);
  const when = from === null ? words : `${words}, counted from ${format.dayAndClock(from)} to ${format.clock(to)}`;
  setText(byId("footnote"), when[0].toUpperCase() + when.slice(1));
}

function state(kind, { waitMs, fault }) {
  const live = byId("live");
  const words = {
    redis: fault?.said || "Redis is unreachable",
    network: "No answer from the server",
    login: "Not signed in",
    missing: place.view === "replay" ? "There is no such replay; each is kept for 30 days" : "There is no such route in this app",
    fault: "The server could not answer",
  };
  const isLive = kind === "live";
  setAttribute(live, "data-state", isLive ? "live" : "away");
  setText(live.lastElementChild, isLive ? "live" : "waiting");
  const outage = byId("outage");
  outage.hidden = isLive;
  if (!isLive) {
    const since = lastAtMs && kind !== "missing" ? ` The figures below are those of ${format.clock(lastAtMs / 1_000)}.` : "";
    const next = kind === "missing" ? "" : kind === "login" ? "Load the page again to sign in." : `Trying again every ${Math.max(2, Math.round(waitMs / 1_000))} s; it comes back by itself.`;
    setText(outage, `${words[kind] ?? words.fault}.${since} ${next}`.trimEnd());
    if (!(fault instanceof NoAnswer)) console.error(fault);
  }
  showParts();
}

/** Which parts of the page are there. */
function showParts() {
  const isReplay = place.view === "replay";
  const isEmpty = !isReplay && health !== null && health.requests === 0;
  byId("empty").hidden = !isEmpty;
  byId("traffic").hidden = isReplay || isEmpty || health === null;
  byId("replay").hidden = !isReplay;
  byId("all-routes").hidden = Boolean(place.digest);
  byId("route-head").hidden = !place.digest;
  byId("route-view").hidden = !place.digest;
  byId("routes").hidden = Boolean(place.digest);
  byId("memory").hidden = Boolean(place.digest);
  byId("plots").hidden = place.window === "ever";
  byId("table").dataset.window = place.window;
  byId("footnote").hidden = isReplay || isEmpty;
  setAttribute(byId("to-traffic"), "aria-current", isReplay ? null : "page");
  setAttribute(byId("to-replay"), "aria-current", isReplay ? "page" : null);
  byId("choosers").hidden = isReplay;
  if (isEmpty) showEmpty(health);
}

function move() {
  const before = place;
  place = readPlace();
  if (!place.digest) document.title = place.view === "replay" ? "Replay · Tailrace" : "Tailrace";
  byId("back").href = hashOf({ ...place, digest: "" });
  for (const id of ["to-traffic", "to-replay"]) byId(id).href = hashOf({ ...place, digest: "", run: "", view: id.slice(3) });
  byId("csv").href = `api/routes.csv?${query()}`;
  byId("app").value = place.app;
  for (const input of byId("windows").querySelectorAll("input")) input.checked = input.value === place.window;
  if (!place.run) replay.leave();
  if (before.app !== place.app) table.clear();
  if (before.digest !== place.digest) {
    routeView.clear();
    setText(byId("route-name"), "\u00a0");
    scrollTo(0, 0);
  }
  showParts();
  poller.now();
}

function startChoosers() {
  for (const [name, label, words] of WINDOWS) {
    const input = make("input", { type: "radio", name: "window", value: name, "aria-label": words });
    input.addEventListener("change", () => goTo({ ...place, window: name }));
    byId("windows").append(make("label", {}, input, label));
  }
  byId("app").addEventListener("change", (event) => goTo({ ...place, digest: "", app: event.target.value }));
}

startChoosers();
startEmpty();
startTips();
startTheme(byId("theme"), () => plots.redraw());
addEventListener("hashchange", move);
fetch(beside("api/codes")).then((answer) => (answer.ok ? answer.json() : {})).then(knowCodes, () => {});
move();
