// Elements without markup: whatever text comes from a log line goes in as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function makeSvg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Sets text only where it differs, so that a selection or a reader's place is not disturbed. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** The children for a text whose parts in backticks are commands or settings. */
export const withCode = (text) => text.split("`").map((part, at) => (at % 2 ? make("code", {}, part) : part));

const STOPS = "a, button, summary, [tabindex]";

/**
 * Redraws a part and keeps the reader's place: what had the focus has it again, and what was unfolded stays
 * so. Both are known again by `data-key`, or else by their place.
 */
export function keepingPlace(part, draw) {
  const own = document.activeElement;
  const { key } = part.contains(own) ? own.dataset : {};
  const at = [...part.querySelectorAll(STOPS)].indexOf(own);
  const open = [...part.querySelectorAll("details[open]")].map((details) => details.dataset.key);
  draw();
  for (const details of part.querySelectorAll("details")) {
    if (open.includes(details.dataset.key)) details.open = true;
  }
  if (at < 0) return;
  const stops = [...part.querySelectorAll(STOPS)];
  const again = key ? stops.find((stop) => stop.dataset.key === key) : stops[at];
  again?.focus({ preventScroll: true });
}

/** A part of a view that is redrawn only when what it shows has changed; hidden while it is empty. */
export class Part {
  constructor(tag, attributes) {
    this.element = make(tag, { ...attributes, hidden: true });
    this.drawn = "";
  }

  /** `build()` gives the children for `content`. */
  show(content, build) {
    const drawn = JSON.stringify(content ?? null);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    keepingPlace(this.element, () => this.element.replaceChildren(...build()));
    this.element.hidden = !this.element.childElementCount;
  }
}
