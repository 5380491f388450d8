// Releases on a plot: a thin line at each, with a label above the plot that leads to the comparison. Labels
// that would cover one another become one, with a count. They are elements, so that keyboards and screen
// readers reach them, and they stand beside the plot, which is a slider and may hold no links.

import { keepingPlace, make, setAttribute } from "./dom.js";
import { markDetail, markName, tipLine } from "./release_words.js";

const CHARACTER_PX = 6.6; // As wide as the label's font at most writes one on average.
const EDGES_PX = 12;
const NARROWEST_PX = 36;
const WIDEST_PX = 150;
const BESIDE_PX = 26; // What uPlot and the panel leave free at the right.
const TIP_SHOWN = 6;
const ON_THE_WAY_S = 20;

export class PlotMarks {
  /** `isMain`: whether it is the one of several plots whose marks the keyboard reaches. */
  constructor(isMain = true) {
    this.isMain = isMain;
    this.element = make("ul", { class: "marks", "aria-label": "Releases", "aria-hidden": isMain ? null : "true", hidden: true });
    this.found = { releases: [], isOfMany: false };
    this.drawn = "";
  }

  /** `found`: {releases, isOfMany, addressOf(release), opened(group, label), zone, bands}; releases in any order;
      `bands`: {from, to} of spans that are shaded, in Unix s. */
  show(found) {
    const { releases } = found;
    this.found = { ...found, releases: [...releases].sort((one, other) => one.at_ms - other.at_ms) };
    if (this.plot) this.place(this.plot, this.stepS);
  }

  /** Names of the releases from `fromS` to before `toS`. */
  within(fromS, toS) {
    const { releases, isOfMany } = this.found;
    return releases.filter(({ at_ms: at }) => at >= fromS * 1_000 && at < toS * 1_000).map((release) => markName(release, isOfMany));
  }

  /** The plot has been drawn, perhaps with other times or another size; `stepS` is how long a step of it is. */
  place(plot, stepS) {
    this.plot = plot;
    this.stepS = stepS;
    const { over } = plot;
    const width = over.clientWidth;
    // The newest may be of a step whose figures are still on the way: it stands at the right edge.
    const { min, max } = plot.scales.x;
    const inside = this.found.releases.filter(({ at_ms: at }) => at >= min * 1_000 && at < (max + 2 * stepS + ON_THE_WAY_S) * 1_000);
    const xOf = ({ at_ms: at }) => Math.round(Math.min(Math.max(plot.valToPos(at / 1_000, "x"), 0), width));
    const groups = labelled(grouped(inside, xOf, this.found.isOfMany, width + BESIDE_PX), width, this.found.isOfMany);
    const bands = (this.found.bands ?? []).map(({ from, to }) => [xOf({ at_ms: from * 1_000 }), xOf({ at_ms: to * 1_000 })]);
    this.element.hidden = !groups.length && !bands.length;
    this.element.style.left = `${over.offsetLeft}px`;
    this.element.style.width = `${width}px`;
    this.element.style.height = `calc(var(--mark-strip) + ${over.offsetTop + over.clientHeight}px)`;
    const drawn = JSON.stringify([groups, bands, this.found.zone]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    keepingPlace(this.element, () => this.element.replaceChildren(...bands.map(band), ...groups.flatMap((group) => this.mark(group))));
  }

  mark(group) {
    const { releases, x, name, detail, isBefore } = group;
    const label = releases.length === 1 ? this.link(group) : this.button(group);
    label.append(make("span", { class: "mark-label" }, make("b", {}, name), detail ? ` ${detail}` : ""));
    setAttribute(label, "data-tip", tip(releases, this.found.isOfMany));
    if (!this.isMain) label.tabIndex = -1;
    const own = make("li", { class: isBefore ? "mark before" : "mark", "data-cause": causeOf(releases) }, label);
    own.style.left = `${x}px`;
    // Lines are without a label of their own where they share one.
    const further = [...new Set(group.xs)].filter((one) => one !== x).map((one) => {
      const line = make("li", { class: "mark", "aria-hidden": "true" });
      line.style.left = `${one}px`;
      return line;
    });
    if (releases.length === 1) label.append(make("span", { class: "unseen" }, `, ${tipLine(releases[0], this.found.isOfMany)}: compare before and after`));
    return [own, ...further];
  }

  link({ releases: [release] }) {
    return make("a", { href: this.found.addressOf(release), "data-key": keyOf(release) });
  }

  button({ releases }) {
    const button = make("button", { type: "button", "aria-haspopup": "dialog", "data-key": `group ${keyOf(releases[0])}` });
    button.addEventListener("click", () => this.found.opened(releases, button));
    return button;
  }
}

function band([left, right]) {
  const own = make("li", { class: "band", "aria-hidden": "true" });
  own.style.left = `${left}px`;
  own.style.width = `${Math.max(1, right - left)}px`;
  return own;
}

const keyOf = (release) => `${release.app} ${release.version} ${release.at_ms}`;

const causeOf = (releases) => (releases.every(({ cause }) => cause === releases[0].cause) ? releases[0].cause : "");

function tip(releases, isOfMany) {
  const lines = releases.slice(-TIP_SHOWN).reverse().map((release) => tipLine(release, isOfMany));
  if (releases.length > TIP_SHOWN) lines.push(`and ${releases.length - TIP_SHOWN} more`);
  lines.push(releases.length === 1 ? "Click: before and after" : "Click for all of them");
  return lines.join("\n");
}

const widthOf = (text) => Math.min(WIDEST_PX, Math.ceil(text.length * CHARACTER_PX) + EDGES_PX);

/** {x, xs, releases} of releases that share a label, from left to right: those that are nearer to the first of them
    than a label is wide. From `end` on nothing fits: the last label is in front of its line then, and with one that
    would be below it, it is one label. */
export function grouped(releases, xOf, isOfMany, end = Infinity) {
  const nearest = Math.max(NARROWEST_PX, ...releases.map((release) => widthOf(markName(release, isOfMany))));
  const groups = [];
  for (const release of releases) {
    const x = xOf(release);
    const last = groups.at(-1);
    if (last && x - last.x < nearest) {
      last.releases.push(release);
      last.xs.push(x);
    } else {
      groups.push({ x, xs: [x], releases: [release] });
    }
  }
  const [before, last] = groups.slice(-2);
  if (last && last.x + nearest > end && last.x - before.x < 2 * nearest) {
    groups.pop();
    before.xs.push(...last.xs);
    before.releases.push(...last.releases);
  }
  return groups;
}

/** With the label that fits between a line and the label after it; at the right edge it is in front of its line. */
function labelled(groups, width, isOfMany) {
  let end = width + BESIDE_PX;
  const labels = [...groups].reverse().map((group) => {
    const [full, ...shorter] = labelsOf(group.releases, isOfMany);
    const fitting = [full, ...shorter].find((parts) => group.x + sizeOf(parts) <= end);
    const isBefore = !fitting && group.x > width / 2;
    const [name, detail = ""] = fitting ?? shorter.at(-1);
    end = isBefore ? group.x - sizeOf([name, detail]) : group.x;
    return { ...group, name, detail, isBefore };
  });
  return labels.reverse();
}

/** From the longest to the shortest, each a name and where it has one a detail. */
function labelsOf(releases, isOfMany) {
  if (releases.length > 1) return [[`${releases.length} releases`], [`×${releases.length}`]];
  const [release] = releases;
  const name = markName(release, isOfMany);
  const detail = markDetail(release);
  return detail ? [[name, detail], [name]] : [[name], [name]];
}

const sizeOf = (parts) => widthOf(parts.filter(Boolean).join(" "));
