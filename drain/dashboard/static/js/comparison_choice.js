// Which release is compared, over how long, or which two spans: the choices above a comparison.

import { releaseComparison } from "./comparison_addresses.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { EXAMPLES, readSpan } from "./moments.js";
import { hashOf } from "./navigation.js";
import { markName, moment, releaseText } from "./release_words.js";
import * as zone from "./zone.js";

const LENGTHS = [["5m", "5 min"], ["15m", "15 min"], ["30m", "30 min"], ["1h", "1 h"], ["3h", "3 h"]];
const SHOWN = 100;
const LONGEST_OPTION = 70;
const LISTED = 8;

export class ComparisonChoice {
  /** `go(nav)` shows something else. */
  constructor(go) {
    this.go = go;
    this.select = make("select", { id: "comparison-release" });
    this.select.addEventListener("change", () => this.go(releaseComparison(this.nav, this.releases[Number(this.select.value)])));
    this.lengths = make("select", { id: "comparison-length" });
    this.lengths.addEventListener("change", () => this.go({ ...this.nav, other: null, length: this.lengths.value }));
    this.releaseLabel = labelled("Release", this.select);
    this.lengthLabel = labelled("Before and after, each", this.lengths);
    this.drawn = "";
    this.element = make("div", { class: "comparison-choice" }, this.releaseLabel, this.lengthLabel, this.form());
  }

  form() {
    const fields = [["Before: from", "from"], ["to", "to"], ["After: from", "with-from"], ["to", "with-to"]];
    this.fields = fields.map(([, name]) => make("input", { id: `spans-${name}`, type: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": "spans-hint spans-wrong" }));
    this.wrong = make("p", { class: "wrong", id: "spans-wrong", role: "alert" });
    this.hint = make("p", { class: "fine", id: "spans-hint" });
    const labels = this.fields.map((field, at) => make("label", {}, make("span", {}, fields[at][0], at % 2 ? make("span", { class: "unseen" }, at < 2 ? " (before)" : " (after)") : null), field));
    const form = make("form", { novalidate: true }, make("div", { class: "fields" }, ...labels, make("button", { class: "button" }, "Compare")), this.wrong, this.hint);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.details = make("details", { class: "spans", "data-key": "spans" }, make("summary", {}, "Any two spans"), form);
    this.details.addEventListener("toggle", () => this.details.open && this.open());
    this.details.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    document.addEventListener("click", (event) => {
      if (!this.details.contains(event.target)) this.details.open = false;
    });
    return this.details;
  }

  open() {
    const { nav } = this;
    const known = nav.other ? [nav.from, nav.to, nav.other.from, nav.other.to].map(zone.typed) : ["", "", "", ""];
    this.fields.forEach((field, at) => { field.value = known[at]; });
    setText(this.wrong, "");
    setText(this.hint, `Such as ${EXAMPLES}. Times are in ${zone.zoneName()}; a Z at the end makes it UTC.`);
    this.fields[0].focus();
  }

  close() {
    if (!this.details.open) return;
    this.details.open = false;
    this.details.firstChild.focus();
  }

  submit() {
    const [from, to, withFrom, withTo] = this.fields.map((field) => field.value);
    const before = readSpan(from, to);
    const after = readSpan(withFrom, withTo);
    const fault = before.fault ? `Before: ${before.fault}` : after.fault ? `After: ${after.fault}` : "";
    setText(this.wrong, fault);
    if (fault) return;
    this.close();
    this.go({ ...this.nav, version: 0, window: "", from: before.from, to: before.to, other: { from: after.from, to: after.to } });
  }

  /** `releases`: newest first; null while they are not known. */
  show(nav, releases) {
    this.nav = nav;
    this.releases = (releases ?? []).filter((release) => release.version).slice(0, SHOWN);
    this.releaseLabel.hidden = !this.releases.length;
    this.lengthLabel.hidden = !nav.version;
    const isOfMany = new Set(this.releases.map((release) => release.app)).size > 1;
    const drawn = JSON.stringify([this.releases.map((release) => [release.app, release.version, release.text]), zone.zoneName(), nav.app, nav.version]);
    if (drawn !== this.drawn) {
      this.drawn = drawn;
      const at = this.releases.findIndex((release) => release.version === nav.version && (!nav.app || release.app === nav.app));
      const options = this.releases.map((release, index) => new Option(optionText(release, isOfMany), String(index)));
      if (at < 0) options.unshift(new Option(nav.version ? `v${nav.version}` : "choose one", ""));
      this.select.replaceChildren(...options);
      this.select.value = at < 0 ? "" : String(at);
    }
    const known = LENGTHS.some(([name]) => name === nav.length) ? LENGTHS : [[nav.length, this.lengthText(nav)], ...LENGTHS];
    if (this.lengths.childElementCount !== known.length) this.lengths.replaceChildren(...known.map(([name, text]) => new Option(text, name)));
    this.lengths.value = nav.length;
    setAttribute(this.details, "data-chosen", nav.other ? "" : null);
  }

  /** `15 min` */
  lengthText({ length }) {
    const units = { s: "s", m: "min", h: "h", d: "d" };
    return LENGTHS.find(([name]) => name === length)?.[1] ?? `${parseInt(length, 10)} ${units[length.slice(-1)]}`;
  }
}

const labelled = (text, control) => make("label", { class: "compare" }, make("span", {}, text), control);

function optionText(release, isOfMany) {
  const name = isOfMany ? `${format.visible(release.app)} ` : "";
  const text = `${name}${releaseText(release)}`;
  return `${text.length > LONGEST_OPTION ? `${text.slice(0, LONGEST_OPTION)}…` : text} · ${moment(release.at_ms, { zoned: false })}`;
}

/** The latest releases of several apps, as links. */
export function choiceOf(releases, nav) {
  const links = releases.filter((release) => release.version && release.app).slice(0, LISTED).map((release) =>
    make("li", {}, make("a", { href: hashOf(releaseComparison(nav, release)) }, markName(release, true)), ` ${moment(release.at_ms)}`),
  );
  return make("ul", { class: "reasons" }, ...links);
}
