// Before and after a release, or any two spans: the verdict in a sentence, what was compared, the routes, and the
// same times a day earlier.

import { copy, flash } from "./clipboard.js";
import { comparisonAddresses, releaseComparison, routeInSpan } from "./comparison_addresses.js";
import { choiceOf, ComparisonChoice } from "./comparison_choice.js";
import { ComparisonPlots } from "./comparison_plots.js";
import { comparisonTable } from "./comparison_table.js";
import { sentence, sides, verdict, warnings } from "./comparison_verdict.js";
import { wordOf } from "./comparison_words.js";
import { Part, make, setText, withCode } from "./dom.js";
import * as format from "./format.js";
import { hashOf, linkTo } from "./navigation.js";
import { causeText, moment, releaseName } from "./release_words.js";
import { setTitle } from "./tab.js";
import { zoneName } from "./zone.js";

const SHOWN = 12;

export class ComparisonView {
  /** `go(nav)` shows something else, `stay(nav)` only writes the address. */
  constructor(container, go, stay) {
    this.container = container;
    this.stay = stay;
    this.nav = null;
    this.answer = null;
    this.releases = null;
    this.asked = "";
    this.isOpen = false;
    this.title = make("h1", {});
    this.about = make("p", { class: "fine" });
    this.share = make("button", { type: "button", class: "button" }, "Copy link");
    this.share.addEventListener("click", () => this.copyLink());
    this.choice = new ComparisonChoice(go);
    this.fault = make("p", { class: "time-fault", role: "alert", hidden: true });
    const head = make("div", { class: "route-head comparison-head" }, make("div", {}, this.title, this.about), this.share);
    this.verdict = new Part("section", { class: "verdict comparison-verdict", "aria-label": "Verdict", role: "status" });
    this.plots = new ComparisonPlots();
    this.sides = new Part("dl", { class: "comparison-sides", "aria-label": "What is compared" });
    this.warnings = new Part("ul", { class: "comparison-warnings", "aria-label": "What else may explain a difference" });
    this.routes = new Part("section", { "aria-label": "Routes before and after" });
    this.yesterday = new Part("section", { class: "comparison-yesterday", "aria-label": "A day earlier" });
    this.parts = [this.verdict, this.sides, this.warnings, this.routes, this.yesterday];
    const shown = this.parts.map((part) => part.element);
    shown.splice(shown.indexOf(this.yesterday.element), 0, this.plots.element);
    this.elements = [head, this.choice.element, this.fault, ...shown];
  }

  /** What to fetch (navigation.js). */
  wanted(nav) {
    return { ...comparisonAddresses(nav), ...this.plots.wanted(nav, this.answer) };
  }

  /** The address is that of a comparison. */
  moved(nav) {
    const asked = JSON.stringify([nav.app, nav.version, nav.length, nav.other, nav.other && nav.from, nav.other && nav.to]);
    this.nav = nav;
    if (!this.container.childElementCount) this.container.append(...this.elements);
    if (asked !== this.asked) {
      if (nav.app !== this.app) this.releases = null;
      this.app = nav.app;
      this.asked = asked;
      this.answer = null;
      for (const part of this.parts) part.show(null, () => []);
      this.plots.clear();
    }
    this.fault.hidden = !nav.fault;
    setText(this.fault, nav.fault);
    if (!this.takeLatest()) this.draw();
  }

  /** `answer`: that of /api/events, for the choice of another release. */
  showReleases(answer) {
    this.releases = answer.releases;
    if (!this.takeLatest()) this.draw();
  }

  show(answer) {
    this.answer = answer;
    this.draw();
  }

  /** `series`: the figures over both spans and what is in between. */
  showSeries(series) {
    this.plots.show(series, this.answer, this.releases ?? [], (release) => hashOf(releaseComparison(this.nav, release)));
  }

  /** In other colours. */
  redraw() {
    this.plots.redraw();
  }

  /** An address without a release means the latest one; with its version it still means that one tomorrow. */
  takeLatest() {
    const { nav, releases } = this;
    if (!nav || nav.version || nav.other || !releases) return false;
    const latest = releases.find((release) => release.version);
    if (!latest || (!nav.app && new Set(releases.map((release) => release.app)).size > 1)) return false;
    const next = { ...nav, app: nav.app || latest.app, version: latest.version };
    this.app = next.app; // The same releases.
    this.stay(next);
    this.moved(next);
    return true;
  }

  draw() {
    const { nav, answer } = this;
    if (!nav) return;
    this.choice.show(nav, this.releases);
    const release = answer?.release ?? this.releases?.find((one) => one.version === nav.version && (one.app === nav.app || !nav.app)) ?? null;
    const subject = nav.version ? `v${nav.version}` : "";
    setText(this.title, subject ? `Before and after ${subject}` : nav.other ? "Two spans compared" : "Before and after a release");
    setText(this.about, release ? aboutRelease(release) : nav.app ? format.visible(nav.app) : "");
    setTitle([answer && !answer.refused ? wordOf(answer) : "", subject || "Compare", nav.app, "Tailrace"].filter(Boolean).join(" · "));
    if (!answer) return this.drawNothing();
    const { at_ms: atMs, refresh_s: _, ...content } = answer;
    const minutesLeft = answer.ready_s ? Math.ceil((answer.ready_s * 1_000 - atMs) / 60_000) : 0;
    const drawn = [content, minutesLeft, zoneName(), nav.app, this.isOpen];
    if (answer.refused) {
      this.verdict.element.dataset.state = "inconclusive";
      this.verdict.show(drawn, () => [make("p", { class: "verdict-word" }, "Not compared"), make("div", { class: "verdict-text" }, make("p", {}, ...withCode(sentence(answer.refused))))]);
      for (const part of this.parts.slice(1)) part.show(null, () => []);
      this.plots.clear();
      return undefined;
    }
    const link = (route, text) => (side, name) => this.routeLink(route, side, name, text);
    this.verdict.element.dataset.state = answer.before && answer.after ? stateOf(wordOf(answer)) : "running";
    this.verdict.show(drawn, () => verdict(answer, subject, this.choice.lengthText(nav), (route) => this.routeLink(route, answer.after, format.visible(route.route))));
    this.sides.show(drawn, () => sides(answer, (side) => this.spanAddress(side)));
    this.warnings.show(drawn, () => warnings(answer.warnings));
    this.routes.show(drawn, () => this.table(answer, "Routes before and after", link));
    this.yesterday.show(drawn, () => this.yesterdays(answer, link));
    return undefined;
  }

  /** No release is chosen, or the answer is still to come. */
  drawNothing() {
    const { nav, releases } = this;
    if (nav.version || nav.other || !releases) return;
    const apps = new Set(releases.map((release) => release.app));
    const text = !releases.length
      ? "No release has been seen in the last 30 days. On Heroku releases arrive by themselves, through the same drain. Any two spans can be compared below."
      : apps.size > 1
        ? "Choose an app above, or one of the latest releases."
        : "No release with a version has been seen. Any two spans can be compared below.";
    this.verdict.element.dataset.state = "finished";
    this.verdict.show([text, releases], () => [make("p", { class: "verdict-word" }, "Nothing chosen"), make("div", { class: "verdict-text" }, make("p", {}, text), apps.size > 1 ? choiceOf(releases, nav) : null)]);
  }

  /** What differs is always shown, and of the rest the first few. */
  table(answer, label, link) {
    const { routes, total, routes_left_out: leftOut } = answer;
    if (!routes.length && !total) return [];
    const shown = this.isOpen ? routes : routes.filter((route, at) => at < SHOWN || route.word === "worse" || route.word === "better");
    const counted = shown.length < routes.length ? `${format.count(shown.length)} of ${format.plural(routes.length, "route")}` : format.plural(routes.length, "route");
    const note = leftOut ? `${counted}; ${leftOut === 1 ? "the least used is left out" : `the ${format.count(leftOut)} least used are left out`}` : counted;
    const links = (route) => {
      const own = link(route);
      return [own(answer.before, "before"), own(answer.after, "after")].filter(Boolean);
    };
    const more = make("button", { type: "button", class: "more", "aria-expanded": String(this.isOpen), "data-key": `more ${label}` }, this.isOpen ? "Show fewer" : `Show all ${format.plural(routes.length, "route")}`);
    more.addEventListener("click", () => {
      this.isOpen = !this.isOpen;
      this.draw();
    });
    return [
      make("div", { class: "toolbar" }, make("h2", {}, label), make("p", { class: "fine" }, note)),
      comparisonTable({ total, routes: shown }, links, label),
      ...(routes.length > SHOWN ? [more] : []),
    ];
  }

  yesterdays(answer, link) {
    const { yesterday } = answer;
    if (!yesterday) return [];
    if (yesterday.refused) return [make("p", { class: "fine" }, `A day earlier: ${sentence(yesterday.refused)}`)];
    const worse = yesterday.routes.filter((route) => route.word === "worse").length;
    const summary = `The same times a day earlier: ${worse ? `${format.plural(worse, "route")} worse` : wordOf(yesterday)}`;
    return [make("details", { class: "panel", "data-key": "yesterday" }, make("summary", { "data-key": "yesterday?" }, make("h2", {}, summary)), make("dl", { class: "comparison-sides" }, ...sides(yesterday, (side) => this.spanAddress(side))), ...this.table(yesterday, "The same times a day earlier", link))];
  }

  /** A link to a route as it was in one of the spans; null where there was none. */
  routeLink(route, side, name) {
    if (!side) return null;
    const words = route.route ? format.visible(route.route) : "all routes";
    return make("a", { href: hashOf(routeInSpan(this.own, route, side)), "aria-label": name === "before" || name === "after" ? `${name}: ${words}` : null }, name);
  }

  /** Where one is, in the app that was compared. */
  get own() {
    return { ...this.nav, app: this.nav.app || this.answer.app };
  }

  spanAddress(side) {
    return hashOf(routeInSpan(this.own, { digest: "", route: "" }, side));
  }

  async copyLink() {
    if (await copy(linkTo(this.nav))) flash(this.share, "Copied");
    else flash(this.share, "See the address bar"); // Without HTTPS a page may not write to the clipboard.
  }
}

const stateOf = (word) => ({ worse: "failed", better: "passed", "too few": "inconclusive" })[word] ?? "finished";

/** `shop · deploy 9154a1d2 · 26 Nov 12:05:03 UTC` */
function aboutRelease(release) {
  const parts = [release.app ? format.visible(release.app) : "", causeText(release) || releaseName(release), release.user ? `by ${format.visible(release.user)}` : "", moment(release.at_ms)];
  return parts.filter(Boolean).join(" · ");
}
