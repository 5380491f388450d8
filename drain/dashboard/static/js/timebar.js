// Which span of time the page shows, in words and with its zone, and the ways to another one: the span before
// or after, the one from which one has zoomed in, times typed by hand, now; and a link to share it.

import { copy, flash } from "./clipboard.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { EXAMPLES, readSpan } from "./moments.js";
import { isAllTime, isPast, linkTo, wordsOf } from "./navigation.js";
import * as zone from "./zone.js";

const LEARN = "Drag across a plot to zoom in; double-click or Esc goes back. In a plot, ← and → move the cursor and Enter zooms in there; Shift+← and Shift+→ show the time before and after.";

export class TimeBar {
  /** `current()` gives what is shown (navigation.js), `travel` leads elsewhere (travel.js), `choices()` adds sort
      and filter to a link. */
  constructor(bar, current, travel, choices) {
    this.bar = bar;
    this.current = current;
    this.travel = travel;
    this.choices = choices;
    this.answer = null;
    this.step = 0;
    this.earlier = button("icon step", "◂", { "aria-label": "The time before", "aria-keyshortcuts": "Shift+ArrowLeft" }, () => travel.step(-1));
    this.later = button("icon step", "▸", { "aria-label": "The time after", "aria-keyshortcuts": "Shift+ArrowRight" }, () => travel.step(1));
    this.title = make("b", { id: "span-title" });
    this.times = make("span", { class: "fine", id: "span-times" });
    this.said = make("span", { class: "unseen", role: "status" });
    this.back = button("button", "", { id: "zoom-back", "aria-keyshortcuts": "Escape" }, () => travel.back());
    this.live = button("button", "Go live", { id: "go-live" }, () => travel.live());
    this.share = button("button", "Copy link", { id: "share" }, () => this.copyLink());
    this.link = make("input", { class: "link", id: "share-link", readonly: true, "aria-label": "Link to this view", hidden: true });
    this.link.addEventListener("blur", () => { this.link.hidden = true; });
    this.fault = make("p", { class: "time-fault", role: "alert", hidden: true });
    bar.append(
      make("div", { class: "span" }, this.earlier, make("p", {}, this.title, " ", this.times), this.later, this.said),
      make("div", { class: "ways" }, this.back, this.live, this.form(), this.share, this.link),
      this.fault,
    );
    document.addEventListener("keydown", (event) => this.key(event));
  }

  form() {
    const field = (name, label) => make("input", { id: `time-${name}`, type: "text", autocomplete: "off", spellcheck: "false", "aria-describedby": "time-hint time-wrong", "aria-label": label });
    this.from = field("from", "From");
    this.to = field("to", "To");
    this.hint = make("p", { class: "fine", id: "time-hint" });
    this.wrong = make("p", { class: "wrong", id: "time-wrong", role: "alert" });
    const labelled = (text, input) => make("label", {}, make("span", {}, text), input);
    const form = make(
      "form",
      { novalidate: true },
      make("div", { class: "fields" }, labelled("From", this.from), labelled("To", this.to), make("button", { class: "button" }, "Show")),
      this.wrong,
      this.hint,
      make("p", { class: "fine" }, LEARN),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    this.details = make("details", { class: "times", id: "times" }, make("summary", {}, "Choose times"), form);
    this.details.addEventListener("toggle", () => this.details.open && this.open());
    this.details.addEventListener("keydown", (event) => event.key === "Escape" && this.close(event));
    document.addEventListener("click", (event) => {
      if (!this.details.contains(event.target)) this.details.open = false;
    });
    return this.details;
  }

  open() {
    const { from, to } = this.covered();
    this.from.value = from === null ? "" : zone.typed(from);
    this.to.value = to === null ? "now" : zone.typed(to);
    setText(this.wrong, "");
    setText(this.hint, `Such as ${EXAMPLES}. Times are in ${zone.zoneName()}; a Z at the end makes it UTC.`);
    this.from.focus();
    this.from.select();
  }

  close(event) {
    if (!this.details.open) return;
    event.stopPropagation();
    this.details.open = false;
    this.details.firstChild.focus();
  }

  submit() {
    const { fault = "", ...span } = readSpan(this.from.value, this.to.value);
    setText(this.wrong, fault);
    if (fault) return;
    this.details.open = false;
    this.details.firstChild.focus();
    this.travel.zoomTo(span);
  }

  key(event) {
    const { target } = event;
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || event.ctrlKey || event.metaKey || event.altKey || this.bar.hidden) return;
    if (event.shiftKey && /^Arrow(Left|Right)$/.test(event.key) && getSelection().isCollapsed) {
      event.preventDefault();
      this.travel.step(event.key === "ArrowLeft" ? -1 : 1);
    } else if (event.key === "Escape" && (target === document.body || target.closest(".plot, #moment"))) {
      this.travel.back();
    }
  }

  /** The address has changed; figures of the span before are not this one's. */
  moved() {
    this.answer = null;
    this.step = 0;
    this.draw();
    const nav = this.current();
    setText(this.said, isPast(nav) ? zone.span(nav.from, nav.to) : `${format.capital(wordsOf(nav.window))}, live`);
  }

  /** `answer`: figures of this span, with what they cover in `from_s` and `to_s`. */
  answered(answer) {
    this.answer = answer;
    this.draw();
  }

  /** How long a step of the plots is, in seconds. */
  stepIs(step) {
    this.step = step;
    this.draw();
  }

  /** What the figures cover, or what was asked for; both null for all time and until the first answer. */
  covered() {
    const nav = this.current();
    const { from_s: from = nav.from, to_s: to = nav.to } = this.answer ?? {};
    if (!isPast(nav) || from === null) return { from, to };
    // Where fine windows are no longer kept, the figures are of longer ones. They may begin later, with the
    // first request, and end earlier, with the lines that are on the way.
    return { from: Math.min(from, nav.from), to: Math.max(to, nav.to) };
  }

  draw() {
    const nav = this.current();
    const { from, to } = this.covered();
    const times = from === null ? "" : zone.span(from, to);
    setText(this.title, isPast(nav) ? times : format.capital(wordsOf(nav.window)));
    const details = [isPast(nav) ? "" : times, this.step ? `in steps of ${format.duration(this.step)}` : ""];
    setText(this.times, details.filter(Boolean).join(", "));
    setAttribute(this.bar, "data-past", isPast(nav) ? "" : null);
    this.live.hidden = !isPast(nav);
    const { last } = this.travel;
    this.back.hidden = last === null;
    if (last) setText(this.back, `Back to ${isPast(last) ? zone.span(last.from, last.to) : wordsOf(last.window)}`);
    // A disabled button would lose the focus of somebody who steps by keyboard.
    setAttribute(this.earlier, "aria-disabled", this.travel.neighbour(-1) ? null : "true");
    setAttribute(this.later, "aria-disabled", this.travel.neighbour(1) ? null : "true");
    this.fault.hidden = !nav.fault;
    setText(this.fault, nav.fault ? `${nav.fault} Showing ${wordsOf(nav.window)} instead.` : "");
  }

  /** With absolute times: who opens it later sees the same. */
  address() {
    const nav = { ...this.current(), ...this.choices() };
    const { from, to } = this.covered();
    return linkTo(isAllTime(nav) || from === null ? nav : { ...nav, window: "", from, to });
  }

  async copyLink() {
    this.link.value = this.address();
    if (await copy(this.link.value)) {
      flash(this.share, "Copied");
      setText(this.said, "Copied");
      return;
    }
    // Without HTTPS a page may not write to the clipboard; the reader then copies what is selected.
    this.link.hidden = false;
    this.link.focus();
    this.link.select();
    flash(this.share, "Press Ctrl+C");
  }
}

function button(kind, text, attributes, pressed) {
  const own = make("button", { type: "button", class: kind, ...attributes }, text);
  own.addEventListener("click", pressed);
  return own;
}
