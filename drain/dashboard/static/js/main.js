// The page: the address decides what is fetched; each answer goes to the part that shows it.

import { breakdownOf, dynoAddresses, routesCsv, seriesCsv, trafficAddresses } from "./addresses.js";
import { Alerting } from "./alerting.js";
import { Alerts } from "./alerts.js";
import { appForApi, Apps } from "./apps.js";
import { startBar } from "./bar.js";
import { startChoosers } from "./choosers.js";
import { NoAnswer, Poller, resolved } from "./client.js";
import { knowCodes } from "./columns.js";
import { Compare } from "./compare.js";
import { ComparisonView } from "./comparison.js";
import { byId, setAttribute, setText } from "./dom.js";
import { DynosView } from "./dynos.js";
import { showEmpty, startEmpty } from "./empty.js";
import { BigFigures } from "./figures.js";
import * as format from "./format.js";
import { Loading } from "./loading.js";
import { MemoryView } from "./memory.js";
import { showMissingApp, showMissingRoute } from "./missing.js";
import { NamesPanel } from "./names.js";
import { goTo, hashOf, isAllTime, isPast, readNavigation, routeOfRun, secondsOf, stay, takeQuery } from "./navigation.js";
import { showState } from "./outage.js";
import { OverviewView } from "./overview.js";
import { PlatformEvents } from "./platform_events.js";
import { Plots } from "./plots.js";
import { ReplayView } from "./replay.js";
import { RouteView } from "./route.js";
import { setTitle } from "./tab.js";
import { RoutesTable } from "./table.js";
import { startTheme } from "./theme.js";
import { TimeBar } from "./timebar.js";
import { startTips } from "./tip.js";
import { titleOf } from "./titles.js";
import { Travel } from "./travel.js";
import { startZone } from "./zone.js";

const LATE_LINES_S = 600;
const VIEWS = ["traffic", "dynos", "alerts", "comparison", "replay"];

/** Those of the span that the bar of time names. */
const VIEWS_OF_TIME = ["traffic", "dynos", "alerts"];

/** A span that is not longer is read out of the log without being asked for. */
const SHORT_S = 900;

takeQuery();
let nav = readNavigation();
let health = null;
let lastAtMs = 0;
let isRouteMissing = false;

const figures = new BigFigures(byId("figures"));
const travel = new Travel(() => nav, goTo);
const plots = new Plots(byId("plots"), travel);
const apps = new Apps();
const overview = new OverviewView(byId("apps-table"), (row) => hashOf({ ...nav, app: row.app }));
const dynos = new NamesPanel(byId("names"), "dynos");
const hosts = new NamesPanel(byId("names"), "hosts");
const table = new RoutesTable(byId("table"), (row) => hashOf({ ...nav, app: row.app || nav.app, digest: row.digest }), choose);
const dynosView = new DynosView(byId("dynos"), travel, choose);
const events = new PlatformEvents(byId("events"), { plots, overview, dynosView, apps }, () => nav, zoomTo);
const comparison = new ComparisonView(byId("comparison"), goTo, choose);
const timeBar = new TimeBar(byId("moment"), () => nav, travel, () => (nav.view === "dynos" ? dynosView : table).choices());
const routeView = new RouteView(byId("route-view"));
const alerts = new Alerts(byId("alerts"));
const alerting = new Alerting({ plots, overview, warnings: alerts, apps }, () => nav);
const compare = new Compare([...document.querySelectorAll(".compare-place")], (earlier) => goTo({ ...nav, compare: earlier }));
const memory = new MemoryView(byId("memory"), () => poller.now());
const replay = new ReplayView(byId("replay"), (run) => hashOf({ ...nav, digest: "", view: "replay", run }), (digest, info) => routeOfRun(digest, info, nav));
const loading = new Loading({
  routes: [byId("figures"), byId("table")],
  route: [byId("figures"), byId("route-view")],
  series: [byId("plots")],
  overview: [byId("apps-table")],
  dynos: [dynos.panel],
  hosts: [hosts.panel],
  events: [byId("events"), dynosView.detail.events],
  dynoTable: [dynosView.list, dynosView.detail.element],
  addons: [dynosView.addons.element],
});
const poller = new Poller(wanted, found, state, isFinal);

/** Shows a time closer, at the plots, as far as it is over. */
function zoomTo({ from, to }) {
  travel.zoomTo({ from, to: Math.min(to, Date.now() / 1_000) });
  scrollTo(0, 0);
}

/** The addresses of everything this view shows. */
function wanted() {
  const always = { health: "api/health", apps: "api/apps" };
  if (nav.view === "replay") return { ...always, ...replay.wanted(nav) };
  if (nav.view === "alerts") return always;
  if (nav.view === "comparison") return { ...always, ...(apps.isUnknown(nav) ? {} : comparison.wanted(nav)) };
  if (nav.view === "dynos") return { ...always, ...dynoAddresses(nav) };
  const further = memory.isOpen && !nav.digest ? { memory: "api/memory" } : {};
  return { ...always, ...trafficAddresses(nav, apps), ...further };
}

/** A span of the past whose last lines have come in: also those that waited for a worker. */
function isFinal(address, answer) {
  return nav.view !== "comparison" && address.includes("from=") && answer.at_ms / 1_000 > nav.to + LATE_LINES_S;
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
    dynos: (answer) => dynos.show(answer, nav),
    hosts: (answer) => hosts.show(answer, nav),
    events: (answer) => events.show(answer),
    releases: (answer) => comparison.showReleases(answer),
    comparison: (answer) => comparison.show(answer),
    around: (answer) => comparison.showSeries(answer),
    dynoTable: takeDynos,
    addons: (answer) => dynosView.showAddons(answer),
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
  events.show();
  showParts();
}

function takeRoutes(answer) {
  figures.show(answer.total, answer.total_changes, answer.before);
  table.show(answer);
  timeBar.answered(answer);
}

function takeRoute(answer) {
  isRouteMissing = false;
  const name = format.visible(answer.route);
  setText(byId("route-name"), name);
  setTitle(`${name} · Tailrace`);
  alerting.routeIs(answer.route);
  figures.show(answer.figures, answer.changes, answer.before);
  routeView.show(answer);
  timeBar.answered(answer);
}

function takeSeries(answer) {
  plots.show(answer, seriesCsv(nav));
  timeBar.stepIs(answer.step_s);
  figures.showNow(isPast(nav) ? null : answer);
}

function takeDynos(answer) {
  dynosView.show(answer, nav);
  timeBar.answered(answer);
  timeBar.stepIs(nav.dyno ? answer.step_s : 0);
  showParts();
}

function state(kind, details) {
  // A route that is not there is no outage: it has a view of its own.
  isRouteMissing = kind === "missing" && details.fault.answer === "route";
  showState(isRouteMissing ? "live" : kind, details, { isPast: isPast(nav) && VIEWS_OF_TIME.includes(nav.view), lastAtMs });
  if (kind !== "live" && !isRouteMissing && !(details.fault instanceof NoAnswer)) console.error(details.fault);
  showParts();
}

/** Shows and hides the parts of the page. */
function showParts() {
  const isReplay = nav.view === "replay";
  const isComparison = nav.view === "comparison";
  const isDynos = nav.view === "dynos";
  const isTraffic = nav.view === "traffic";
  // Dynos that serve no requests are there, too.
  const isKnown = isDynos && dynosView.hasRows;
  const isEmpty = (isTraffic || (isDynos && !isKnown)) && health !== null && health.requests === 0;
  const isOverview = apps.isOverview(nav);
  const isAppMissing = apps.isUnknown(nav) && !isKnown;
  const isMissing = !isReplay && !isEmpty && (isAppMissing || (isRouteMissing && Boolean(nav.digest)));
  const isUndecided = apps.isUndecided(nav);
  byId("empty").hidden = !isEmpty;
  byId("missing").hidden = !isMissing;
  byId("dynos").hidden = !isDynos || isEmpty || isMissing || health === null;
  byId("traffic").hidden = !isTraffic || isEmpty || isMissing || isUndecided || health === null;
  byId("replay").hidden = !isReplay;
  byId("alerts-view").hidden = nav.view !== "alerts" || isMissing;
  byId("comparison").hidden = !isComparison || isMissing;
  byId("overview").hidden = !isOverview;
  byId("figures").hidden = isOverview;
  byId("names").hidden = isOverview || Boolean(nav.digest);
  byId("all-routes").hidden = isOverview || Boolean(nav.digest);
  byId("route-head").hidden = !nav.digest;
  byId("route-view").hidden = !nav.digest;
  byId("routes").hidden = Boolean(nav.digest);
  byId("memory").hidden = Boolean(nav.digest);
  byId("moment").hidden = !VIEWS_OF_TIME.includes(nav.view) || isEmpty || isMissing || isUndecided || health === null;
  byId("plots").hidden = isOverview || isAllTime(nav);
  byId("table").dataset.window = nav.window;
  byId("csv").href = routesCsv(nav, apps);
  compare.show(nav.compare, !isAllTime(nav));
  for (const view of VIEWS) setAttribute(byId(`to-${view}`), "aria-current", nav.view === view ? "page" : null);
  byId("choosers").hidden = isReplay;
  byId("windows").hidden = isComparison;
  if (isEmpty) showEmpty(health);
  if (isMissing && isAppMissing) showMissingApp(nav, apps.names);
  else if (isMissing) showMissingRoute(nav, appForApi(nav));
  setTitle(titleOf(nav, isMissing ? byId("missing-title").textContent : ""));
  loading.wanted(wanted());
  alerting.moved();
}

/** Nothing of what was shown before is taken for what is asked for now. */
function clearViews() {
  for (const part of [overview, figures, table, dynos, hosts, events]) part.clear();
  routeView.clear();
  if (!nav.digest) return;
  setText(byId("route-name"), "…");
  setTitle("Tailrace");
}

function move() {
  const before = nav;
  nav = readNavigation();
  if (isPast(nav)) stay(nav); // In full: an end that was left out would move on.
  travel.arrived();
  apps.moved();
  apps.drawChooser(nav);
  links();
  for (const input of byId("windows").querySelectorAll("input")) input.checked = input.value === nav.window;
  if (!nav.run) replay.leave();
  if (["app", "digest", "view"].some((name) => before[name] !== nav[name])) {
    isRouteMissing = false;
    clearViews();
  }
  table.choose(nav);
  routeView.breakdown.of(breakdownOf(nav), Boolean(nav.digest) && secondsOf(nav) <= SHORT_S);
  if (nav.view === "comparison") comparison.moved(nav);
  dynosView.of(nav);
  if (["digest", "dyno", "run", "view"].some((name) => before[name] !== nav[name])) scrollTo(0, 0);
  timeBar.moved();
  if (nav.view === "dynos" && dynosView.isOf(nav)) takeDynos(dynosView.answer); // From all of them to one, nothing new is asked for.
  showParts();
  poller.now();
}

/** The addresses that follow from what is shown. */
function links() {
  byId("back").href = hashOf({ ...nav, digest: "" });
  for (const view of VIEWS) {
    // Dynos have other columns than routes, and other names.
    const own = [view, nav.view].includes("dynos") && view !== nav.view ? { sort: "", filter: "" } : {};
    byId(`to-${view}`).href = hashOf({ ...nav, digest: "", dyno: "", run: "", version: 0, other: null, view, ...own });
  }
}

/** Sort or filter have been chosen: nothing new is fetched for them. */
function choose(choice) {
  nav = { ...nav, ...choice };
  stay(nav);
  links();
}

/** In other colours, or in another time zone. */
function redraw() {
  plots.redraw();
  replay.redraw();
  comparison.redraw();
  dynosView.redraw();
  alerting.draw();
}

startBar(document.querySelector(".bar"));
startChoosers(() => nav, move);
startEmpty();
startTips();
startTheme(byId("theme"), redraw);
startZone(byId("zone"), () => {
  redraw();
  timeBar.draw();
  poller.anew();
});
addEventListener("hashchange", move);
fetch(resolved("api/codes")).then((answer) => (answer.ok ? answer.json() : {})).then(knowCodes, () => {});
move();
