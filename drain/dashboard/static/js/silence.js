// Silencing: nothing is sent of a rule for a while. It is judged and shown all the same.

import { NoAnswer, resolved } from "./client.js";
import { keepingPlace, make, setText } from "./dom.js";
import * as format from "./format.js";
import { shortMoment } from "./alert_words.js";

const LENGTHS = [["1h", "1 h"], ["4h", "4 h"], ["1d", "1 day"]];
const TIMEOUT_MS = 15_000;

/** Only a page of this very site can send this header: the API takes no action without it. */
const HEADERS = { "Content-Type": "application/json", "X-Tailrace": "page" };

async function post(path, body) {
  let response;
  try {
    response = await fetch(resolved(path), { method: "POST", headers: HEADERS, body: JSON.stringify(body), signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new NoAnswer("network", "the server does not answer");
  }
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer.silences;
  throw new NoAnswer("fault", answer.error || `the server answered ${response.status}`);
}

/** `length`: `1h` and the like. Returns the silences in force then. Raises NoAnswer. */
export const silence = (rule, app, length) => post("api/alerts/silence", { rule, app, for: length });

export async function endSilence(rule, app) {
  try {
    return await post("api/alerts/silence/end", { rule, app });
  } catch (fault) {
    // Somebody else has ended it meanwhile, or it is over: that is what was asked for.
    if (/no such silence/.test(fault.reason)) return null;
    throw fault;
  }
}

/** A button that unfolds how long; while it is silenced, until when, and the way back. */
export class SilenceControl {
  /** `taken(silences)` is told those in force after a change. */
  constructor(taken) {
    this.taken = taken;
    this.isOpen = false;
    this.isBusy = false;
    this.fault = make("span", { class: "silence-fault", role: "alert" });
    this.parts = make("span", { class: "silence-parts" });
    this.element = make("span", { class: "silence" }, this.parts, this.fault);
    this.drawn = "";
    this.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.isOpen) return;
      event.stopPropagation();
      this.open(false);
      this.parts.querySelector("button")?.focus();
    });
  }

  /** `subject`: {name, isOfAll, pairs, until, ending}: what is silenced, in words; whether that is more than what is
      beside the button; [[rule, app], ...] of it; until when it is (Unix s), or null; the silences that end with it. */
  show(subject) {
    this.subject = subject;
    this.draw();
  }

  open(isOpen) {
    this.isOpen = isOpen;
    setText(this.fault, "");
    this.draw();
  }

  draw() {
    const { name, until } = this.subject;
    const drawn = JSON.stringify([name, until && shortMoment(until), this.isOpen, this.isBusy]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const hadFocus = this.parts.contains(document.activeElement);
    keepingPlace(this.parts, () => this.parts.replaceChildren(...this.children()));
    // The button that was pressed may be gone.
    if (hadFocus && !this.parts.contains(document.activeElement)) this.parts.querySelector("button")?.focus({ preventScroll: true });
  }

  children() {
    const { name, isOfAll = false, until, ending } = this.subject;
    if (until !== null) {
      const said = make("span", { class: "silenced" }, `silenced until ${shortMoment(until)}`);
      return ending.length ? [said, this.button("End", `End the silence of ${name}`, "toggle", () => this.end())] : [said];
    }
    const toggle = this.button(isOfAll ? "Silence for every app" : "Silence", `Silence ${name}`, "toggle", () => this.open(!this.isOpen));
    toggle.setAttribute("aria-expanded", String(this.isOpen));
    if (!this.isOpen) return [toggle];
    return [toggle, ...LENGTHS.map(([length, label]) => this.button(label, `${label}: silence ${name}`, length, () => this.silence(length)))];
  }

  button(text, label, key, pressed) {
    const own = make("button", { type: "button", class: "button", "data-key": key, "aria-label": label, "aria-disabled": this.isBusy ? "true" : null }, text);
    own.addEventListener("click", pressed);
    return own;
  }

  silence(length) {
    return this.change(() => this.subject.pairs.map(([rule, app]) => () => silence(rule, app, length)), "It could not be silenced");
  }

  end() {
    return this.change(() => this.subject.ending.map(({ rule, app }) => () => endSilence(rule, app)), "The silence could not be ended");
  }

  /** One after the other: each answer has all silences. */
  async change(steps, what) {
    if (this.isBusy) return;
    this.isBusy = true;
    setText(this.fault, "");
    let found = null;
    try {
      for (const step of steps()) found = (await step()) ?? found;
      this.isOpen = false;
    } catch (fault) {
      setText(this.fault, `${what}: ${format.visible(fault.reason || "the server returned an error")}.`);
    }
    this.isBusy = false;
    if (found) this.taken(found);
    this.draw();
  }
}
