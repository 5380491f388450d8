// The Replay tab: one run, original (or baseline) against replayed, route by route, worst first.

import { make, makeSvg, setText } from "./dom.js";
import * as format from "./format.js";

const BAR = { width: 190, height: 22, thickness: 8 };
const WIDEST = 4; // times as slow, or as fast: the bar's ends
const BAD_FROM = 0.01;
const SILENT_S = 60; // A run that goes on writes every few seconds.

export class ReplayView {
  /** `addressOf(run)` gives the address of a run's view. */
  constructor(container, addressOf) {
    this.container = container;
    this.runs = [];
    this.asked = "";
    this.defaultRun = "";
    this.drawn = "";
    // These elements stay in place: an update must not close a list that is open.
    this.title = make("h1", {});
    this.against = make("p", { class: "baseline" });
    this.about = make("p", { class: "fine" });
    this.chooser = make("select", { "aria-label": "Run" });
    this.chooser.addEventListener("change", () => {
      location.hash = addressOf(this.chooser.value);
    });
    this.head = make("div", { class: "route-head replay-head" }, this.title, this.against, this.about, this.chooser);
    this.body = make("div", {});
  }

  /** What to fetch: the list, and the run that is shown, by default the latest. */
  wanted(nav) {
    this.asked = nav.run;
    const run = nav.run || this.defaultRun || this.runs[0]?.id;
    return { replays: "api/replay", ...(run ? { replay: `api/replay/${encodeURIComponent(run)}` } : {}) };
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
    this.runs = answer.runs;
    // Until the reader leaves, another run in progress does not replace this one.
    if (!this.runs.some((run) => run.id === this.defaultRun)) this.defaultRun = this.runs[0]?.id ?? "";
    if (!this.runs.length) this.showNothing();
    else if (this.asked && !this.runs.some((run) => run.id === this.asked)) this.showUnknown();
  }

  /** A run that has expired or never existed; the others can still be chosen. */
  showUnknown() {
    if (this.shown === this.asked) return;
    this.shown = this.asked;
    this.drawn = "";
    this.showHead({ id: this.asked, info: {} });
    this.body.replaceChildren();
    this.container.replaceChildren(this.head, this.body);
  }

  showNothing() {
    if (this.drawn === "nothing") return;
    this.drawn = "nothing";
    this.container.replaceChildren(
      make(
        "div",
        { class: "empty" },
        make("h1", {}, "No replays yet"),
        make("p", {}, "A replay sends the requests in your log to another host, such as a staging app, and compares the responses: statuses and times, route by route."),
        command("Live traffic:", "heroku config:set REPLAY_HOST=https://staging.example.com && heroku ps:scale replay=1"),
        command("A past hour, ten times as fast:", "python -m app replay --from 2026-11-23T10:00Z --until 11:00Z --speed 10 --to https://staging.example.com"),
      ),
    );
  }

  show(run) {
    const drawn = JSON.stringify([run.id, run.total, run.skipped, run.reencoded]);
    this.shown = run.id;
    this.showHead(run);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const words = wordsOf(run);
    keepingFocus(this.body, () =>
      this.body.replaceChildren(
        make("dl", { class: "figures", "aria-label": "The run" }, ...tiles(run, words)),
        make("div", { class: "toolbar" }, make("h2", {}, "Routes"), make("p", { class: "fine" }, legend(run, words))),
        run.routes.length ? table(run.routes, words) : make("p", { class: "sheet none" }, "Nothing has been sent yet."),
      ),
    );
    if (!this.head.isConnected) this.container.replaceChildren(this.head, this.body);
  }

  showHead(run) {
    const { target = "", baseline = "" } = run.info;
    setText(this.title, target || run.id);
    setText(this.against, baseline ? `against ${baseline}` : "");
    this.against.hidden = !baseline;
    setText(this.about, [when(run), state(run), target && run.id !== "live" ? run.id : ""].filter(Boolean).join(" · "));
    this.showChooser(run.id);
  }

  showChooser(chosen) {
    this.chooser.hidden = !this.runs.some((run) => run.id !== chosen);
    const names = namesOf(this.runs);
    const known = [...this.chooser.options];
    const own = document.activeElement === this.chooser ? this.chooser.value : "";
    if (known.length !== names.length || names.some(([id, name], at) => known[at].value !== id || known[at].text !== name)) {
      this.chooser.replaceChildren(...names.map(([id, name]) => make("option", { value: id }, name)));
    }
    this.chooser.value = own || chosen; // Somebody may be about to choose.
  }
}

/** Redraws a part and keeps the focus where it was, for keyboard users. */
function keepingFocus(part, draw) {
  const stops = () => [...part.querySelectorAll("[tabindex]")];
  const at = stops().indexOf(document.activeElement);
  draw();
  if (at >= 0) stops()[at]?.focus({ preventScroll: true });
}

function command(title, text) {
  return make("div", {}, make("p", { class: "fine" }, title), make("div", { class: "command" }, make("code", {}, text)));
}

/** [id, name] of each run, for the chooser; equal names get their start time. */
function namesOf(runs) {
  const names = runs.map(nameOf);
  return runs.map(({ id, info }, at) => {
    const isAlone = names.indexOf(names[at]) === names.lastIndexOf(names[at]);
    return [id, isAlone ? names[at] : `${names[at]}, started ${format.clock(Number(info.started_at))}`];
  });
}

/** "23 Nov 10:00 to 11:00, staging.example.com". */
function nameOf({ id, info }) {
  if (id === "live") return "live";
  return `${spanOf(info) || id}, ${(info.target ?? "").replace(/^https?:\/\//, "")}`;
}

/** "23 Nov 10:00 to 11:00", in the reader's own time; empty for a run that is not of a window. */
function spanOf(info) {
  const [from, until] = [info.from, info.until].map((moment) => Date.parse(moment) / 1_000);
  if (Number.isNaN(from) || Number.isNaN(until)) return "";
  const isOneDay = new Date(from * 1_000).toDateString() === new Date(until * 1_000).toDateString();
  return `${format.dayAndClock(from)} to ${isOneDay ? format.clockShort(until) : format.dayAndClock(until)}`;
}

/** What the two sides of a comparison are called. */
function wordsOf({ info }) {
  if (info.baseline) return { before: "baseline", after: "target", was: "baseline", differs: "Status differs", from: "baseline", to: "target" };
  return { before: "original", after: "replayed", was: "was", differs: "Status changed", from: "original", to: "replayed" };
}

/** "running, 42 %"; for a run that was killed, when it last wrote. */
function state({ info, at_ms: atMs }) {
  if (info.state !== "running") return info.state ?? "";
  const updated = Number(info.updated_at);
  if (atMs / 1000 - updated > SILENT_S) return `interrupted, last update ${format.dayAndClock(updated)}`;
  return info.progress ? `running, ${Math.round(info.progress * 100)} %` : "running";
}

function when({ id, info }) {
  if (id === "live") return info.started_at ? `live, since ${format.dayAndClock(Number(info.started_at))}` : "live";
  const span = spanOf(info);
  if (span) return span;
  return info.started_at ? format.dayAndClock(Number(info.started_at)) : "";
}

function legend({ total, reencoded }, { before, after }) {
  const again = reencoded ? `, ${format.count(reencoded)} of them percent-encoded again (Router 2.0 logs the path decoded)` : "";
  return `${format.plural(total.sent, "request")} sent${again}. Figures are ${before} → ${after}. Bars to the right are slower, to the left faster; pale bars are inconclusive: too few samples.`;
}

function tiles({ total, skipped, late }, words) {
  const left = Object.values(skipped).reduce((sum, count) => sum + count, 0);
  const unanswered = total.sent - total.answered;
  const reasons = format.largestFirst(skipped).map(([reason, count]) => `${reason}: ${format.count(count)}`).join("\n");
  const outcomes = format.largestFirst(total.outcomes).map(([kind, count]) => `${kind}: ${format.count(count)}`).join("\n");
  const changedShare = total.answered ? total.status_changed / total.answered : 0;
  return [
    tile("Sent", format.shortCount(total.sent), left ? `${format.shortCount(left)} skipped` : "none skipped", reasons),
    tile(words.differs, format.percent(changedShare), `${format.count(total.status_changed)} of ${format.shortCount(total.answered)} answers`, "", changedShare >= BAD_FROM),
    tile("No answer", format.shortCount(unanswered), outcomes.split("\n")[0] || "all answered", outcomes, unanswered / Math.max(1, total.sent) >= BAD_FROM),
    tile("p95", format.time(total.replayed.p95), `${words.was} ${format.time(total.original.p95)}, ${changeText(total.p95_change)}`, "", isWorse(total.p95_change)),
    tile("Late, p99", format.time(late.p99), `median ${format.time(late.p50)}`, "How long after their due time requests were sent"),
  ];
}

function tile(name, value, sub, tip, isBad) {
  return make("div", {}, make("dt", tip ? { "data-tip": tip, tabindex: "0" } : {}, name), make("dd", { "data-tone": isBad ? "bad" : null }, value), make("dd", { class: "sub" }, sub));
}

const isWorse = (change) => change.is_sure && change.share > 0;

function changeText(change) {
  if (change.share === null) return "no comparison";
  if (Math.abs(change.share) < 0.005) return "no change";
  const percent = Math.abs(change.share) * 100;
  // Near nothing left, a decimal: "−100 %" would be nothing at all.
  const share = change.share > -0.99 ? `${change.share > 0 ? "+" : "−"}${format.count(Math.round(percent))} %` : `−${percent.toFixed(1)} %`;
  return change.is_sure ? share : `${share} (inconclusive)`;
}

/** Sure regressions first, the worst in front; then by status changes, then by requests. */
function order(one, other) {
  const rank = (row) => (isWorse(row.p95_change) ? row.p95_change.share : 0) + (10 * row.status_changed) / Math.max(1, row.answered);
  return rank(other) - rank(one) || other.sent - one.sent;
}

function table(routes, words) {
  const heads = ["Route", "Sent", words.differs, "No answer", "Median", "p95", "p99", "p95 change", "faster | slower"];
  const head = make("tr", {}, ...heads.map((name, at) => make("th", { scope: "col", class: at ? null : "text" }, make("span", {}, name))));
  const lines = [...routes].sort(order).map((row) => line(row, words));
  return make("div", { class: "sheet" }, make("table", { class: "replayed", "aria-label": `Routes, ${words.before} and ${words.after}` }, make("thead", {}, head), make("tbody", {}, ...lines)));
}

function line(row, words) {
  const changes = row.status_changes.map((one) => `${one.original || "none"} → ${one.replayed}: ${format.count(one.count)}`).join("\n");
  const outcomes = format.largestFirst(row.outcomes).map(([kind, count]) => `${kind}: ${format.count(count)}`).join("\n");
  const share = row.answered ? row.status_changed / row.answered : 0;
  const unanswered = row.sent - row.answered;
  const tone = row.p95_change.is_sure ? (row.p95_change.share > 0 ? "bad" : "good") : null;
  return make(
    "tr",
    {},
    make("td", { class: "route" }, make("span", { class: "route-text", title: format.visible(row.route) }, format.visible(row.route))),
    cell("Sent", format.shortCount(row.sent)),
    cell(words.differs, row.status_changed ? format.percent(share) : "0", changes, toneOf(share)),
    cell("No answer", format.shortCount(unanswered), outcomes, toneOf(unanswered / row.sent)),
    cell("Median", `${format.time(row.original.p50)} → ${format.time(row.replayed.p50)}`),
    cell("p95", `${format.time(row.original.p95)} → ${format.time(row.replayed.p95)}`),
    cell("p99", `${format.time(row.original.p99)} → ${format.time(row.replayed.p99)}`),
    cell("p95 change", changeText(row.p95_change), `from ${format.count(row.original.count)} ${words.from} and ${format.count(row.replayed.count)} ${words.to} samples`, tone),
    make("td", { class: "col-bar" }, bar(row.p95_change, tone)),
  );
}

const toneOf = (share) => (share >= BAD_FROM ? "bad" : share ? null : "zero");

function cell(name, text, tip, tone) {
  const own = make("td", { "data-name": name, "data-tone": tone ?? null, "data-tip": tip || null, tabindex: tip ? "0" : null });
  setText(own, text.replace(/(\d) (?=ms|s|min)/g, "$1\u00a0")); // No line ends between a number and its unit.
  return own;
}

/** From the middle, which is "no change": twice as slow and twice as fast are equally far. */
function bar(change, tone) {
  const middle = BAR.width / 2;
  const drawing = makeSvg(
    "svg",
    { class: "change", viewBox: `0 0 ${BAR.width} ${BAR.height}`, role: "img", "data-tone": tone, "aria-label": changeText(change) },
    makeSvg("line", { class: "rail", x1: 0, x2: BAR.width, y1: BAR.height / 2, y2: BAR.height / 2 }),
  );
  if (change.share !== null) {
    const far = Math.log(Math.max(1e-9, 1 + change.share)) / Math.log(WIDEST);
    const length = Math.min(1, Math.abs(far)) * middle;
    const x = far < 0 ? middle - length : middle;
    drawing.append(makeSvg("rect", { class: "way", x, y: (BAR.height - BAR.thickness) / 2, width: length, height: BAR.thickness, rx: 2 }));
  }
  drawing.append(makeSvg("line", { class: "middle", x1: middle, x2: middle, y1: 3, y2: BAR.height - 3 }));
  return drawing;
}
