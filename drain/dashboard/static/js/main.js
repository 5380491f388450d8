// The page: the address decides what is fetched; each answer goes to the part that shows it.

import { Alerts } from "./alerts.js";
import { NoAnswer, Poller, resolved } from "./client.js";
import { knowCodes } from "./columns.js";
import { byId, make, setAttribute, setText } from "./dom.js";
import { showEmpty, startEmpty } from "./empty.js";
import { BigFigures } from "./figures.js";
import * as format from "./format.js";
import { MemoryView } from "./memory.js";
import { goTo, hashOf, readNavigation, WINDOWS, windowSince } from "./navigation.js";
import { Plots } from "./plots.js";
import { ReplayView } from "./replay.js";
import { RouteView } from "./route.js";
import { RoutesTable } from "./table.js";
import { startTheme } from "./theme.js";
import { startTips } from "./tip.js";

let nav = readNavigation();
let health = null;
let lastAtMs = 0;

const figures = new BigFigures(byId("figures"));
const plots = new Plots(byId("plots"));
const table = new RoutesTable(byId("table"), (row) => hashOf({ ...nav, digest: row.digest }));
const routeView = new RouteView(byId("route-view"));
const alerts = new Alerts(byId("alerts"));
const memory = new MemoryView(byId("memory"), () => poller.now());
const replay = new ReplayView(byId("replay"), (run) => hashOf({ ...nav, digest: "", view: "replay", run }), routeOfRun);
const poller = new Poller(wanted, found, state);

function query(further = {}) {
  const parameters = new URLSearchParams({ window: nav.window, ...further });
  if (nav.app) parameters.set("app", nav.app);
  return parameters;
}

/** The address of a route's view that reaches back to a run's own time, in the run's app where it has one. */
function routeOfRun(digest, { app = "", from = "" }) {
  return hashOf({ view: "traffic", run: "", digest, app, window: windowSince(Date.parse(from) / 1_000, nav.window) });
}

/** The addresses of everything this view shows. */
function wanted() {
  const always = { health: "api/health", apps: "api/apps" };
  if (nav.view === "replay") return { ...always, ...replay.wanted(nav) };
  const shown = nav.digest ? { route: `api/routes/${nav.digest}?${query()}` } : { routes: `api/routes?${query()}` };
  if (nav.window !== "all") shown.series = `api/series?${query(nav.digest ? { route: nav.digest } : {})}`;
  if (memory.isOpen && !nav.digest) shown.memory = "api/memory";
  return { ...always, ...shown };
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
  const [, , words] = WINDOWS.find(([name]) => name === nav.window);
  const when = from === null ? words : `${words}: ${format.dayAndClock(from)} to ${format.clock(to)}`;
  setText(byId("footnote"), when[0].toUpperCase() + when.slice(1));
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
  byId("empty").hidden = !isEmpty;
  byId("traffic").hidden = isReplay || isEmpty || health === null;
  byId("replay").hidden = !isReplay;
  byId("all-routes").hidden = Boolean(nav.digest);
  byId("route-head").hidden = !nav.digest;
  byId("route-view").hidden = !nav.digest;
  byId("routes").hidden = Boolean(nav.digest);
  byId("memory").hidden = Boolean(nav.digest);
  byId("plots").hidden = nav.window === "all";
  byId("table").dataset.window = nav.window;
  byId("footnote").hidden = isReplay || isEmpty;
  setAttribute(byId("to-traffic"), "aria-current", isReplay ? null : "page");
  setAttribute(byId("to-replay"), "aria-current", isReplay ? "page" : null);
  byId("choosers").hidden = isReplay;
  if (isEmpty) showEmpty(health);
}

function move() {
  const before = nav;
  nav = readNavigation();
  if (!nav.digest) document.title = nav.view === "replay" ? "Replay · Tailrace" : "Tailrace";
  byId("back").href = hashOf({ ...nav, digest: "" });
  for (const id of ["to-traffic", "to-replay"]) byId(id).href = hashOf({ ...nav, digest: "", run: "", view: id.slice(3) });
  byId("csv").href = `api/routes.csv?${query()}`;
  byId("app").value = nav.app;
  for (const input of byId("windows").querySelectorAll("input")) input.checked = input.value === nav.window;
  if (!nav.run) replay.leave();
  if (before.app !== nav.app) table.clear();
  if (before.digest !== nav.digest) {
    routeView.clear();
    setText(byId("route-name"), "\u00a0");
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
  byId("app").addEventListener("change", (event) => goTo({ ...nav, digest: "", app: event.target.value }));
}

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
