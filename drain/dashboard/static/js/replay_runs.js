// The list of the runs that are kept: how each stands or ended, and where it is found.

import { make, setText } from "./dom.js";
import * as format from "./format.js";
import { SYMBOLS, hostOf, standing, when } from "./replay_words.js";

export class RunList {
  /** `addressOf(run)` gives the address of a run's view. */
  constructor(addressOf) {
    this.addressOf = addressOf;
    this.items = new Map();
    this.sum = make("summary", { "data-key": "runs" });
    this.list = make("ul", {});
    this.element = make("details", { class: "runs", hidden: true }, this.sum, this.list);
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.element.open) this.close();
    });
    document.addEventListener("click", (event) => {
      if (!this.element.contains(event.target)) this.element.open = false;
    });
  }

  /** `shown`: the run that the page shows. Links stay in place, so that focus and scrolling do, too. */
  show(runs, shown, atMs) {
    this.element.hidden = !runs.some((run) => run.id !== shown);
    const kinds = runs.map((run) => standing(run, atMs).kind);
    setText(this.sum, sentence(kinds));
    for (const [id, item] of this.items) {
      if (runs.some((run) => run.id === id)) continue;
      item.remove();
      this.items.delete(id);
    }
    runs.forEach((run, at) => {
      const item = this.items.get(run.id) ?? this.item(run.id);
      fill(item.firstChild, run, kinds[at]);
      if (run.id === shown) item.firstChild.setAttribute("aria-current", "page");
      else item.firstChild.removeAttribute("aria-current");
      // Moving an element takes its focus away, so only what is out of place is moved.
      if (this.list.children[at] !== item) this.list.insertBefore(item, this.list.children[at] ?? null);
    });
  }

  item(id) {
    const link = make("a", { href: this.addressOf(id) }, make("b", {}), make("span", { class: "run-name" }), make("span", { class: "fine" }));
    link.addEventListener("click", () => this.close());
    const item = make("li", {}, link);
    this.items.set(id, item);
    return item;
  }

  close() {
    this.element.open = false;
    this.sum.focus({ preventScroll: true });
  }
}

function sentence(kinds) {
  const of = (kind) => kinds.filter((one) => one === kind).length;
  const parts = ["failed", "inconclusive", "interrupted"].filter(of).map((kind) => `${of(kind)} ${kind}`);
  return [`All runs: ${kinds.length}`, ...parts].join(", ");
}

function fill(link, run, kind) {
  const [state, name, about] = link.children;
  state.dataset.state = kind;
  setText(state, `${SYMBOLS[kind]} ${kind}`);
  setText(name, when(run) || format.visible(run.id));
  const started = run.id !== "live" && run.info.started_at ? `started ${format.dayAndClock(Number(run.info.started_at))}:${seconds(run)}` : "";
  setText(about, [hostOf(run.info.target), started].filter(Boolean).join(" · "));
}

/** Runs of the same window may have started within a minute. */
const seconds = ({ info }) => format.clock(Number(info.started_at)).slice(-2);
