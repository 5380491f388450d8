// What the platform said in the span that is shown: releases and what else happened to the app and its dynos,
// newest first.

import { Part, make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { causeText, cut, isError, isOfDyno, kindText, moment, releaseName } from "./release_words.js";
import { zoneName } from "./zone.js";

const SHOWN = 6;
const MORE = 100; // So many further ones a click.
const AROUND_S = 300; // What a time leads to: as much on both sides.

const FILTERS = [
  ["all", "All", () => true],
  ["releases", "Releases", (entry) => entry.release !== null],
  ["dynos", "Dynos", (entry) => entry.row !== null && isOfDyno(entry.row)],
  ["errors", "Errors", (entry) => entry.row !== null && isError(entry.row)],
];

const HOW = "On Heroku, releases and events of dynos arrive by themselves, through the same drain. Other platforms may not log them.";

export class EventsPanel {
  /** `addressOf(release)` gives where the comparison is, `spanAddress(span)` that of a time, and `zoomTo(span)` goes
      there. */
  constructor(section, addressOf, spanAddress, zoomTo) {
    Object.assign(this, { section, addressOf, spanAddress, zoomTo });
    this.found = null;
    this.filter = "all";
    this.most = SHOWN;
    this.note = make("p", { class: "fine" });
    this.buttons = FILTERS.map(([name, label]) => this.filterButton(name, label));
    const filters = make("div", { class: "event-filters", role: "group", "aria-label": "Which events" }, ...this.buttons);
    this.csv = make("a", { class: "button", download: true, "aria-label": "Events as CSV" }, "CSV");
    this.list = new Part("ol", { class: "event-list" });
    this.nothing = make("p", { class: "none" });
    this.more = make("button", { type: "button", class: "more", hidden: true });
    this.more.addEventListener("click", () => {
      this.most += MORE;
      this.draw();
    });
    section.append(make("div", { class: "panel-head" }, make("h2", { id: "events-title" }, "Events"), this.note, filters, this.csv), this.list.element, this.nothing, this.more);
  }

  filterButton(name, label) {
    const button = make("button", { type: "button", "data-filter": name }, make("span", {}, label), make("b"));
    button.addEventListener("click", () => {
      this.filter = name;
      this.most = SHOWN;
      this.draw();
    });
    return button;
  }

  /** `events`: the answer of /api/events; `isOfMany`: whether each must say whose it is; `csv`: where the same is had
      as CSV. */
  show(events, isOfMany, csv) {
    this.found = events;
    this.isOfMany = isOfMany;
    setAttribute(this.csv, "href", csv);
    this.draw();
  }

  draw() {
    if (!this.found) return;
    const entries = entriesOf(this.found);
    FILTERS.forEach(([name, , isIn], at) => {
      setAttribute(this.buttons[at], "aria-pressed", String(this.filter === name));
      setText(this.buttons[at].lastChild, format.count(entries.filter(isIn).length));
    });
    const [, label, isIn] = FILTERS.find(([name]) => name === this.filter);
    const chosen = entries.filter(isIn);
    const shown = chosen.slice(0, this.most);
    this.list.show([shown, this.isOfMany, zoneName(), shown.map((entry) => entry.release && this.addressOf(entry.release))], () => shown.map((entry) => this.item(entry)));
    setText(this.note, noteOf(this.found));
    this.nothing.hidden = chosen.length > 0;
    setText(this.nothing, entries.length ? `No ${label.toLowerCase()} in this window.` : `No events in this window. ${HOW}`);
    this.more.hidden = chosen.length <= shown.length;
    setText(this.more, `Show ${format.count(Math.min(MORE, chosen.length - shown.length))} more`);
  }

  item(entry) {
    const { at, until, count, app, kind, what } = wordsOf(entry);
    const isRepeated = count > 1;
    return make(
      "li",
      { "data-kind": kind, "data-error": entry.row !== null && isError(entry.row) },
      make("span", { class: "event-time" }, this.timeLink(until, entry)),
      make("span", { class: "event-kind" }, kindText(kind)),
      make(
        "span",
        { class: "event-text" },
        this.isOfMany ? make("span", { class: "event-app" }, app ? format.visible(app) : "(without a name)") : null,
        ...what,
        isRepeated ? make("span", { class: "event-count" }, `×${format.count(count)}`, make("span", { class: "fine" }, ` since ${moment(at)}`)) : null,
      ),
      entry.release ? make("a", { class: "event-compare", href: this.addressOf(entry.release), "data-key": `compare ${entry.key}` }, "Before and after", make("span", { class: "unseen" }, ` ${releaseName(entry.release)}`)) : null,
    );
  }

  /** A time leads to the ten minutes around it. */
  timeLink(at, { key }) {
    const span = { from: Math.floor(at / 1_000) - AROUND_S, to: Math.floor(at / 1_000) + AROUND_S };
    const link = make("a", { href: this.spanAddress(span), "data-key": `time ${key}`, "data-tip": "Show the ten minutes around it" }, moment(at));
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      this.zoomTo(span);
    });
    return link;
  }

  clear() {
    this.found = null;
    this.most = SHOWN;
    this.list.show(null, () => []);
    this.nothing.hidden = this.more.hidden = true;
    setText(this.note, "");
  }
}

/** Releases and other events as one list, newest first. */
function entriesOf({ releases, rows }) {
  const all = [
    ...releases.map((release) => ({ release, row: null, at: release.at_ms, key: `${release.app} v${release.version} ${release.at_ms}` })),
    ...rows.map((row) => ({ release: null, row, at: row.until_ms, key: `${row.app} ${row.id}` })),
  ];
  return all.sort((one, other) => other.at - one.at);
}

function wordsOf({ release, row }) {
  if (release) {
    const name = release.version ? releaseName(release) : "";
    const who = release.user ? `by ${format.visible(release.user)}` : "";
    const what = [name ? make("b", {}, name) : null, ` ${[causeText(release), who].filter(Boolean).join(" ")}`.trimEnd()].filter((part) => part !== null);
    return { at: release.at_ms, until: release.at_ms, count: 1, app: release.app, kind: "release", what };
  }
  const { at_ms: at, until_ms: until, count, app, kind, dyno, text, user } = row;
  const what = [dyno ? make("b", {}, format.visible(dyno)) : null, `${dyno ? " " : ""}${cut(text)}${user ? ` by ${format.visible(user)}` : ""}`].filter((part) => part !== null);
  return { at, until, count, app, kind, what };
}

function noteOf({ left_out: leftOut, kept_from_ms: keptFrom, releases_kept_from_ms: releasesFrom, from_s: from }) {
  const parts = [];
  const isLater = (atMs) => atMs !== null && atMs !== undefined && atMs / 1_000 > from;
  if (leftOut) parts.push(leftOut === 1 ? "one older event is left out" : `${format.count(leftOut)} older events are left out`);
  if (isLater(releasesFrom)) parts.push(`there were many releases: they are kept from ${moment(releasesFrom)} on`);
  if (isLater(keptFrom)) parts.push(`there were many events: they are kept from ${moment(keptFrom)} on`);
  return parts.join("; ");
}
