// The page: the address decides what is fetched; each answer goes to the part that shows it.

import { Alerts } from "./alerts.js";
import { appForApi, Apps } from "./apps.js";
import { startBar } from "./bar.js";
import { NoAnswer, Poller, resolved } from "./client.js";
import { knowCodes } from "./columns.js";
import { Compare } from "./compare.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import { showEmpty, startEmpty } from "./empty.js";
import { BigFigures } from "./figures.js";
import * as format from "./format.js";
import { Loading } from "./loading.js";
import { MemoryView } from "./memory.js";
import { showMissingApp, showMissingRoute } from "./missing.js";
import { NamesPanel } from "./names.js";
import { goTo, hashOf, readNavigation, WINDOWS, windowSince } from "./navigation.js";
import { OverviewView } from "./overview.js";
import { Plots } from "./plots.js";
import { ReplayView } from "./replay.js";
import { RouteView } from "./route.js";
import { RoutesTable } from "./table.js";
import { startTheme } from "./theme.js";
import { startTips } from "./tip.js";

let nav = readNavigation();
let health = null;
let lastAtMs = 0;
let isRouteMissing = false;

const figures = new BigFigures(byId("figures"));
const plots = new Plots(byId("plots"));
const apps = new Apps();
const overview = new OverviewView(byId("apps-table"), (row) => hashOf({ ...nav, app: row.app }));
const dynos = new NamesPanel(byId("names"), "dynos");
const hosts = new NamesPanel(byId("names"), "hosts");
const table = new RoutesTable(byId("table"), (row) => hashOf({ ...nav, app: row.app || nav.app, digest: row.digest }));
const routeView = new RouteView(byId("route-view"));
const alerts = new Alerts(byId("alerts"));
const compare = new Compare([...document.querySelectorAll(".compare-place")], (earlier) => goTo({ ...nav, compare: earlier }));
const memory = new MemoryView(byId("memory"), () => poller.now());
const replay = new ReplayView(byId("replay"), (run) => hashOf({ ...nav, digest: "", view: "replay", run }), routeOfRun);
const loading = new Loading({
  routes: [byId("figures"), byId("table")],
  route: [byId("figures"), byId("route-view")],
  series: [byId("plots")],
  overview: [byId("apps-table")],
  dynos: [dynos.panel],
  hosts: [hosts.panel],
});
const poller = new Poller(wanted, found, state);

function query(further = {}) {
  const parameters = new URLSearchParams({ window: nav.window, ...further });
  if (appForApi(nav)) parameters.set("app", appForApi(nav));
  return parameters;
}

/** The address of a route's view that reaches back to a run's own time, in the run's app where it has one. */
function routeOfRun(digest, { app = "", from = "" }) {
  return hashOf({ view: "traffic", run: "", digest, app, window: windowSince(Date.parse(from) / 1_000, nav.window) });
}

/** What the table of routes shows, also as CSV. */
function routesQuery() {
  const further = nav.compare && nav.window !== "all" ? { compare: nav.compare } : {};
  return query(apps.isOverview(nav) ? { ...further, by: "app" } : further);
}

/** The addresses of everything this view shows. */
function wanted() {
  const always = { health: "api/health", apps: "api/apps" };
  if (nav.view === "replay") return { ...always, ...replay.wanted(nav) };
  if (apps.isUnknown(nav) || (!apps.isKnown && !nav.app && !nav.digest)) return always;
  const compared = nav.compare && nav.window !== "all" ? { compare: nav.compare } : {};
  const shown = {};
  if (apps.isOverview(nav)) {
    Object.assign(shown, { overview: `api/overview?${query(compared)}`, routes: `api/routes?${routesQuery()}` });
  } else if (nav.digest) {
    const route = { route: nav.digest };
    Object.assign(shown, { route: `api/routes/${nav.digest}?${query(compared)}`, samples: `api/samples?${query(route)}` });
    if (nav.window !== "all") shown.series = `api/series?${query(route)}`;
  } else {
    Object.assign(shown, { routes: `api/routes?${routesQuery()}`, dynos: `api/dynos?${query()}`, hosts: `api/hosts?${query()}` });
    if (nav.window !== "all") shown.series = `api/series?${query()}`;
  }
  if (memory.isOpen && !nav.digest) shown.memory = "api/memory";
  return { ...always, ...shown };
}

function found(name, answer) {
  lastAtMs = Math.max(lastAtMs, answer.at_ms ?? 0);
  loading.found(name, wanted()[name]);
  const take = {
    memory: (answer) => memory.show(answer),
    health: takeHealth,
    apps: takeApps,
    overview: (answer) => overview.show(answer),
    routes: takeRoutes,
    route: takeRoute,
    samples: (answer) => routeView.showSamples(answer),
    series: takeSeries,
    dynos: (answer) => dynos.show(answer, keptNote()),
    hosts: (answer) => hosts.show(answer, keptNote()),
  };
  if (take[name]) take[name](answer);
  else replay.take(name, answer);
}

function takeHealth(answer) {
  health = answer.health;
  memory.showSum(health.memory);
  alerts.show(answer.alerts, appForApi(nav));
  showParts();
}

function takeApps(answer) {
  apps.take(answer);
  apps.drawChooser(nav);
  showParts();
}

/** Dynos and hosts are kept for a day: of a longer span they show what is left. */
const keptNote = () => (["7d", "30d", "all"].includes(nav.window) ? "last 24 h" : "");

function takeRoutes(answer) {
  figures.show(answer.total, answer.total_changes, answer.before);
  table.show(answer);
  footnote(answer);
}

function takeRoute(answer) {
  isRouteMissing = false;
  const name = format.visible(answer.route);
  setText(byId("route-name"), name);
  document.title = `${name} · Tailrace`;
  figures.show(answer.figures, answer.changes, answer.before);
  routeView.show(answer);
  footnote(answer);
}

function takeSeries(answer) {
  plots.show(answer);
  figures.showNow(answer);
}

function footnote({ from_s: from, to_s: to }) {
  const [, , words] = WINDOWS.find(([name]) => name === nav.window);
  const when = from === null ? words : `${words}: ${format.dayAndClock(from)} to ${format.clock(to)}`;
  setText(byId("footnote"), when[0].toUpperCase() + when.slice(1));
}

function state(kind, { waitMs, fault }) {
  // A route that is not there is no outage: it has a view of its own.
  isRouteMissing = kind === "missing" && fault.answer === "route";
  if (isRouteMissing) kind = "live";
  const live = byId("live");
  const words = {
    redis: fault?.reason || "Redis is unreachable",
    network: "The server does not answer",
    login: "Not signed in",
    missing: "No such replay; replays are kept for 30 days",
    fault: "The server returned an error",
  };
  const isLive = kind === "live";
  setAttribute(live, "data-state", isLive ? "live" : "offline");
  setText(live.lastElementChild, isLive ? "live" : "offline");
  const outage = byId("outage");
  outage.hidden = isLive;
  if (!isLive) {
    const since = lastAtMs && kind !== "missing" ? ` Showing figures from ${format.clock(lastAtMs / 1_000)}.` : "";
    const next = kind === "missing" ? "" : kind === "login" ? "Reload the page to sign in." : `Retrying every ${Math.max(2, Math.round(waitMs / 1_000))} s.`;
    setText(outage, `${words[kind] ?? words.fault}.${since} ${next}`.trimEnd());
    if (!(fault instanceof NoAnswer)) console.error(fault);
  }
  showParts();
}

/** Shows and hides the parts of the page. */
function showParts() {
  const isReplay = nav.view === "replay";
  const isEmpty = !isReplay && health !== null && health.requests === 0;
  const isOverview = apps.isOverview(nav);
  const isAppMissing = apps.isUnknown(nav);
  const isMissing = !isReplay && !isEmpty && (isAppMissing || (isRouteMissing && Boolean(nav.digest)));
  const isUndecided = !apps.isKnown && !nav.app && !nav.digest;
  byId("empty").hidden = !isEmpty;
  byId("missing").hidden = !isMissing;
  byId("traffic").hidden = isReplay || isEmpty || isMissing || isUndecided || health === null;
  byId("replay").hidden = !isReplay;
  byId("overview").hidden = !isOverview;
  byId("figures").hidden = isOverview;
  byId("names").hidden = isOverview || Boolean(nav.digest);
  byId("all-routes").hidden = isOverview || Boolean(nav.digest);
  byId("route-head").hidden = !nav.digest;
  byId("route-view").hidden = !nav.digest;
  byId("routes").hidden = Boolean(nav.digest);
  byId("memory").hidden = Boolean(nav.digest);
  byId("plots").hidden = isOverview || nav.window === "all";
  byId("csv").href = `api/routes.csv?${routesQuery()}`;
  compare.show(nav.compare, nav.window !== "all");
  byId("table").dataset.window = nav.window;
  byId("footnote").hidden = isReplay || isEmpty || isMissing;
  setAttribute(byId("to-traffic"), "aria-current", isReplay ? null : "page");
  setAttribute(byId("to-replay"), "aria-current", isReplay ? "page" : null);
  byId("choosers").hidden = isReplay;
  if (isEmpty) showEmpty(health);
  if (isMissing && isAppMissing) showMissingApp(nav, apps.names);
  else if (isMissing) showMissingRoute(nav, appForApi(nav));
  if (isMissing) document.title = `${byId("missing-title").textContent} · Tailrace`;
  else if (!nav.digest) document.title = isReplay ? "Replay · Tailrace" : appForApi(nav) ? `${nav.app} · Tailrace` : "Tailrace";
  loading.wanted(wanted());
}

/** Nothing of what was shown before is taken for what is asked for now. */
function clearViews() {
  for (const part of [overview, figures, table, dynos, hosts]) part.clear();
  routeView.clear(`api/breakdown?${query(nav.digest ? { route: nav.digest } : {})}`);
  if (!nav.digest) return;
  setText(byId("route-name"), "\u00a0");
  document.title = "Tailrace";
}

function move() {
  const before = nav;
  nav = readNavigation();
  byId("back").href = hashOf({ ...nav, digest: "" });
  for (const id of ["to-traffic", "to-replay"]) byId(id).href = hashOf({ ...nav, digest: "", run: "", view: id.slice(3) });
  apps.moved();
  apps.drawChooser(nav);
  for (const input of byId("windows").querySelectorAll("input")) input.checked = input.value === nav.window;
  if (!nav.run) replay.leave();
  if (["app", "digest", "view"].some((name) => before[name] !== nav[name])) {
    isRouteMissing = false;
    clearViews();
  } else {
    routeView.breakdown.of(`api/breakdown?${query({ route: nav.digest })}`);
  }
  if (before.digest !== nav.digest || before.run !== nav.run) scrollTo(0, 0);
  showParts();
  poller.now();
}

function startChoosers() {
  for (const [name, label, words] of WINDOWS) {
    const input = make("input", { type: "radio", name: "window", value: name, "aria-label": words });
    input.addEventListener("change", () => goTo({ ...nav, window: name }));
    byId("windows").append(make("label", {}, input, label));
  }
  byId("app").addEventListener("change", (event) => {
    const before = location.hash;
    goTo({ ...nav, digest: "", app: event.target.value });
    // The overview has the address of what was there before there was a second app.
    if (location.hash === before) move();
  });
}

startBar(document.querySelector(".bar"));
startChoosers();
startEmpty();
startTips();
startTheme(byId("theme"), () => {
  plots.redraw();
  replay.redraw();
});
addEventListener("hashchange", move);
fetch(resolved("api/codes")).then((answer) => (answer.ok ? answer.json() : {})).then(knowCodes, () => {});
move();
