// The page: the address decides what is fetched; each answer goes to the part that shows it.

import { Alerts } from "./alerts.js";
import { NoAnswer, Poller, resolved } from "./client.js";
import { knowCodes } from "./columns.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import { showEmpty, startEmpty } from "./empty.js";
import { BigFigures } from "./figures.js";
import * as format from "./format.js";
import { MemoryView } from "./memory.js";
import { goTo, hashOf, isAllTime, isPast, readNavigation, spanOfRun, spanParameters, stay, WINDOWS } from "./navigation.js";
import { Plots } from "./plots.js";
import { ReplayView } from "./replay.js";
import { RouteView } from "./route.js";
import { RoutesTable } from "./table.js";
import { startTheme } from "./theme.js";
import { TimeBar } from "./timebar.js";
import { startTips } from "./tip.js";
import { Travel } from "./travel.js";
import { startZone, zoneName } from "./zone.js";

const LATE_LINES_S = 600;

let nav = readNavigation();
let health = null;
let lastAtMs = 0;

const figures = new BigFigures(byId("figures"));
const travel = new Travel(() => nav, goTo);
const plots = new Plots(byId("plots"), travel);
const table = new RoutesTable(byId("table"), (row) => hashOf({ ...nav, digest: row.digest }), choose);
const timeBar = new TimeBar(byId("moment"), () => nav, travel, () => table.choices());
const routeView = new RouteView(byId("route-view"));
const alerts = new Alerts(byId("alerts"));
const memory = new MemoryView(byId("memory"), () => poller.now());
const replay = new ReplayView(byId("replay"), (run) => hashOf({ ...nav, digest: "", view: "replay", run }), routeOfRun);
const poller = new Poller(wanted, found, state, isFinal);

function query(further = {}) {
  const parameters = new URLSearchParams({ ...spanParameters(nav), ...further });
  if (nav.app) parameters.set("app", nav.app);
  return parameters;
}

/** The address of a route's view at a run's own time, in the run's app where it has one. */
function routeOfRun(digest, info) {
  return hashOf({ view: "traffic", digest, app: info.app ?? "", ...spanOfRun(info, nav) });
}

function seriesQuery() {
  return query(nav.digest ? { route: nav.digest } : {});
}

/** The addresses of everything this view shows. */
function wanted() {
  const always = { health: "api/health", apps: "api/apps" };
  if (nav.view === "replay") return { ...always, ...replay.wanted(nav) };
  const shown = nav.digest ? { route: `api/routes/${nav.digest}?${query()}` } : { routes: `api/routes?${query()}` };
  if (!isAllTime(nav)) shown.series = `api/series?${seriesQuery()}`;
  if (memory.isOpen && !nav.digest) shown.memory = "api/memory";
  return { ...always, ...shown };
}

/** A span of the past whose last lines have come in: also those that waited for a worker. */
function isFinal(address, answer) {
  return address.includes("from=") && answer.at_ms / 1_000 > nav.to + LATE_LINES_S;
}

function found(name, answer) {
  lastAtMs = Math.max(lastAtMs, answer.at_ms ?? 0);
  const take = { memory: (answer) => memory.show(answer), health: takeHealth, apps: takeApps, routes: takeRoutes, route: takeRoute, series: takeSeries };
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
  if (nav.app && !names.includes(nav.app)) names.push(nav.app);
  const drawn = JSON.stringify(names);
  if (chooser.dataset.drawn !== drawn) {
    chooser.dataset.drawn = drawn;
    chooser.replaceChildren(make("option", { value: "" }, "all apps"), ...names.map((name) => make("option", { value: name }, name)));
  }
  chooser.value = nav.app;
  // With a single app there is nothing to choose.
  byId("app-chooser").hidden = names.length + (unnamed ? 1 : 0) < 2 && !nav.app;
}

function takeRoutes(answer) {
  figures.show(answer.total);
  table.show(answer);
  timeBar.answered(answer);
}

function takeRoute(answer) {
  const name = format.visible(answer.route);
  setText(byId("route-name"), name);
  document.title = `${name} · Tailrace`;
  figures.show(answer.figures);
  routeView.show(answer);
  timeBar.answered(answer);
}

function takeSeries(answer) {
  plots.show(answer, `api/series.csv?${seriesQuery()}`);
  timeBar.stepIs(answer.step_s);
  figures.showNow(isPast(nav) ? null : answer.now_requests_per_s);
}

function state(kind, { waitMs, fault }) {
  const live = byId("live");
  const words = {
    redis: fault?.reason || "Redis is unreachable",
    network: "The server does not answer",
    login: "Not signed in",
    missing: nav.view === "replay" ? "No such replay; replays are kept for 30 days" : "No such route in this app",
    fault: "The server returned an error",
  };
  const isLive = kind === "live";
  const now = !isLive ? "offline" : isPast(nav) && nav.view !== "replay" ? "past" : "live";
  setAttribute(live, "data-state", now);
  setText(live.lastElementChild, now);
  const outage = byId("outage");
  outage.hidden = isLive;
  if (!isLive) {
    const since = lastAtMs && kind !== "missing" ? ` Showing figures from ${format.clock(lastAtMs / 1_000)} ${zoneName()}.` : "";
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
  byId("empty").hidden = !isEmpty;
  byId("traffic").hidden = isReplay || isEmpty || health === null;
  byId("replay").hidden = !isReplay;
  byId("all-routes").hidden = Boolean(nav.digest);
  byId("route-head").hidden = !nav.digest;
  byId("route-view").hidden = !nav.digest;
  byId("routes").hidden = Boolean(nav.digest);
  byId("memory").hidden = Boolean(nav.digest);
  byId("moment").hidden = isReplay || isEmpty || health === null;
  byId("plots").hidden = isAllTime(nav);
  byId("table").dataset.window = nav.window;
  setAttribute(byId("to-traffic"), "aria-current", isReplay ? null : "page");
  setAttribute(byId("to-replay"), "aria-current", isReplay ? "page" : null);
  byId("choosers").hidden = isReplay;
  if (isEmpty) showEmpty(health);
}

function move() {
  const before = nav;
  nav = readNavigation();
  if (isPast(nav)) stay(nav); // In full: an end that was left out would move on.
  travel.arrived();
  if (!nav.digest) document.title = nav.view === "replay" ? "Replay · Tailrace" : "Tailrace";
  links();
  byId("app").value = nav.app;
  for (const input of byId("windows").querySelectorAll("input")) input.checked = input.value === nav.window;
  if (!nav.run) replay.leave();
  if (before.app !== nav.app) table.clear();
  table.choose(nav);
  if (before.digest !== nav.digest) {
    routeView.clear();
    setText(byId("route-name"), "…");
  }
  if (before.digest !== nav.digest || before.run !== nav.run) scrollTo(0, 0);
  timeBar.moved();
  showParts();
  poller.now();
}

/** The addresses that follow from what is shown. */
function links() {
  byId("back").href = hashOf({ ...nav, digest: "" });
  for (const id of ["to-traffic", "to-replay"]) byId(id).href = hashOf({ ...nav, digest: "", run: "", view: id.slice(3) });
  byId("csv").href = `api/routes.csv?${query()}`;
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
}

function startChoosers() {
  for (const [name, label, words] of WINDOWS) {
    const input = make("input", { type: "radio", name: "window", value: name, "aria-label": words });
    input.addEventListener("change", () => goTo({ ...nav, window: name }));
    byId("windows").append(make("label", {}, input, label));
  }
  byId("app").addEventListener("change", (event) => goTo({ ...nav, digest: "", app: event.target.value }));
}

startChoosers();
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
