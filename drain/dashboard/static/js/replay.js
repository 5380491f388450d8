// The Replay tab: one run with its verdict and what that rests on, and the list of all runs.

import { copy, flash } from "./clipboard.js";
import { Part, make, setText } from "./dom.js";
import * as format from "./format.js";
import { pace, steps } from "./replay_pace.js";
import { ReplayPlots } from "./replay_plots.js";
import { bodies, legend, routesTable, tiles } from "./replay_routes.js";
import { RunList } from "./replay_runs.js";
import { thresholds, verdict } from "./replay_verdict.js";
import { standing, wordsOf, zoned } from "./replay_words.js";
import { setTitle } from "./tab.js";

export class ReplayView {
  /** `addressOf(run)` gives the address of a run's view, `routeAddress(digest, info)` that of a route's. */
  constructor(container, addressOf, routeAddress) {
    this.container = container;
    this.addressOf = addressOf;
    this.routeAddress = routeAddress;
    this.runs = [];
    this.asked = "";
    this.defaultRun = "";
    this.shown = "";
    // These elements stay in place: an update must not close a list that is open.
    this.title = make("h1", {});
    this.against = make("p", { class: "baseline" });
    this.about = make("span", {});
    this.link = make("a", { class: "run-link" });
    this.copy = make("button", { type: "button", class: "button" }, "Copy link");
    this.copy.addEventListener("click", () => this.copyLink());
    this.list = new RunList(addressOf);
    const about = make("p", { class: "fine about" }, this.about, this.link, this.copy);
    this.head = make("div", { class: "route-head replay-head" }, this.title, this.against, about, this.list.element);
    this.verdict = new Part("section", { class: "verdict", "aria-label": "Verdict", role: "status" });
    this.tiles = new Part("dl", { class: "figures", "aria-label": "The run" });
    this.thresholds = new Part("section", { class: "thresholds", "aria-label": "Thresholds" });
    this.pace = new Part("div", { class: "run-facts" });
    this.plots = new ReplayPlots();
    this.steps = new Part("section", { "aria-label": "Speeds tried" });
    this.bodies = new Part("section", { "aria-label": "Answers compared" });
    this.routes = new Part("section", { "aria-label": "Routes of the run" });
    const parts = [this.verdict, this.tiles, this.thresholds, this.pace, this.plots, this.steps, this.bodies, this.routes];
    this.body = make("div", {}, ...parts.map((part) => part.element));
  }

  /** What to fetch: the list, and the run that is shown, by default the latest. */
  wanted(nav) {
    this.asked = nav.run;
    const run = nav.run || this.defaultRun;
    if (run && this.shown && run !== this.shown) this.begin(run);
    return { replays: "api/replay", ...(run ? { replay: `api/replay/${encodeURIComponent(run)}` } : {}) };
  }

  /** Another run is asked for: nothing of the one before must be taken for its own. */
  begin(run) {
    this.shown = run;
    this.body.hidden = true;
    this.showHead(this.runs.find((one) => one.id === run) ?? { id: run, info: {} });
  }

  /** The reader has left this tab. */
  leave() {
    this.defaultRun = "";
  }

  take(name, answer) {
    if (name !== "replays") {
      this.show(answer);
      return;
    }
    this.runs = byStart(answer.runs);
    this.runsAtMs = answer.at_ms;
    // Until the reader leaves, another run in progress does not replace this one.
    if (!this.runs.some((run) => run.id === this.defaultRun)) this.defaultRun = this.runs[0]?.id ?? "";
    if (!this.runs.length) this.showNothing();
    else if (this.asked && !this.runs.some((run) => run.id === this.asked)) this.showUnknown();
    else if (this.head.isConnected) this.list.show(this.runs, this.shown, this.runsAtMs);
  }

  /** A run that has expired or never existed; the others can still be chosen. */
  showUnknown() {
    this.begin(this.asked);
    this.connect();
  }

  showNothing() {
    if (this.container.querySelector(".empty")) return;
    this.shown = "";
    this.container.replaceChildren(
      make(
        "div",
        { class: "empty" },
        make("h1", {}, "No replays yet"),
        make("p", {}, "A replay sends the requests in your log to another host, such as a staging app, and compares the responses: statuses and times, route by route."),
        command("Live traffic:", "heroku config:set REPLAY_HOST=https://staging.example.com && heroku ps:scale replay=1"),
        command("A past hour, ten times as fast, with a verdict:", "python -m app replay --from 2026-11-23T10:00Z --until 11:00Z --speed 10 --to https://staging.example.com --fail-if 'p95>+20%'"),
      ),
    );
  }

  connect() {
    if (!this.head.isConnected) this.container.replaceChildren(this.head, this.body);
  }

  show(run) {
    this.shown = run.id;
    this.showHead(run);
    const words = wordsOf(run);
    const { kind, detail } = standing(run, run.at_ms);
    setTitle(`${kind} · ${run.id} · Replay · Tailrace`);
    const result = kind === "running" ? null : run.result;
    const judged = { ...run, result };
    const link = (route, key) => this.routeLink(run, route, key);
    this.verdict.element.dataset.state = kind;
    this.verdict.show([kind, detail, run.id, result, run.left_out], () => verdict(judged));
    this.tiles.show([run.total, run.skipped, run.late], () => tiles(run, words));
    this.thresholds.show([run.id, run.judged, result], () => thresholds(judged, link));
    this.pace.show([run.id, result], () => pace(judged));
    this.plots.show(result?.timeline ?? []);
    this.steps.show(result?.steps, () => steps(judged));
    this.bodies.show([run.id, run.total.bodies, run.routes.map((row) => row.bodies)], () => bodies(run, link));
    this.routes.show([run.id, run.routes, run.reencoded], () => [
      make("div", { class: "toolbar" }, make("h2", {}, "Routes"), make("p", { class: "fine" }, legend(run, words))),
      run.routes.length ? routesTable(run.routes, words, link) : make("p", { class: "sheet none" }, "Nothing has been sent yet."),
    ]);
    this.body.hidden = false;
    this.connect();
  }

  showHead(run) {
    const { target = "", baseline = "" } = run.info;
    setText(this.title, format.visible(target || run.id));
    setText(this.against, baseline ? `against ${format.visible(baseline)}` : "");
    this.against.hidden = !baseline;
    setText(this.about, [zoned(run), run.info.app ? `app ${format.visible(run.info.app)}` : ""].filter(Boolean).join(" · "));
    setText(this.link, format.visible(run.id));
    this.link.href = this.addressOf(run.id);
    this.list.show(this.runs, run.id, this.runsAtMs ?? Date.now());
  }

  /** Names a route and leads to its own view. */
  routeLink(run, route, key) {
    const { digest } = run.routes.find((row) => row.route === route) ?? {};
    const name = format.visible(route);
    if (!digest) return make("span", { class: "route-text", title: name }, name);
    return make("a", { href: this.routeAddress(digest, run.info), title: name, "data-key": key }, name);
  }

  async copyLink() {
    if (await copy(this.link.href)) {
      flash(this.copy, "Copied");
      return;
    }
    // Without HTTPS a page may not write to the clipboard; the reader then copies the address.
    location.hash = this.link.hash;
    flash(this.copy, "See the address bar");
  }

  /** In other colours, or in another time zone. */
  redraw() {
    this.plots.redraw();
    this.verdict.drawn = "";
  }
}

/** The run that was started last comes first: the live worker goes on writing while window replays come and go. */
function byStart(runs) {
  const startedAt = (run) => Number(run.info.started_at) || 0;
  return [...runs].sort((one, other) => startedAt(other) - startedAt(one));
}

function command(title, text) {
  return make("div", {}, make("p", { class: "fine" }, title), make("div", { class: "command" }, make("code", {}, text)));
}
