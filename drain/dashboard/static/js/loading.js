// Which address each part of the page shows. A part whose address has changed is busy until the answer is
// there: the figures of one app, route or window must not stand under the name of another.

export class Loading {
  /** `parts`: the name of an answer -> the elements that show it. */
  constructor(parts) {
    this.parts = parts;
    this.shown = new Map();
  }

  /** `addresses`: what is wanted now, by the name of the answer. Returns the names whose parts are busy. */
  wanted(addresses) {
    const busy = [];
    for (const [name, address] of Object.entries(addresses)) {
      for (const element of this.parts[name] ?? []) {
        const isBusy = this.shown.get(element) !== address;
        if (isBusy) busy.push(name);
        element.toggleAttribute("data-busy", isBusy);
        element.setAttribute("aria-busy", String(isBusy));
      }
    }
    return busy;
  }

  found(name, address) {
    for (const element of this.parts[name] ?? []) {
      this.shown.set(element, address);
      element.removeAttribute("data-busy");
      element.setAttribute("aria-busy", "false");
    }
  }
}
