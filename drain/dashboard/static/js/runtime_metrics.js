// How to switch on what an app does not send: the memory and load of its dynos.

import { copyFrom } from "./clipboard.js";
import { make } from "./dom.js";
import * as format from "./format.js";

const SHOWN = 5;

/** What Heroku accepts as an app's name. Only such a one goes into a command that is pasted into a shell. */
const APP = /^[a-z][a-z0-9-]{1,29}$/;

export class RuntimeMetricsHint {
  constructor(container) {
    this.drawn = "";
    this.element = make("details", { class: "panel hint", hidden: true });
    container.append(this.element);
  }

  /** `apps`: those that send neither, busiest first; one without a name is empty. */
  show(apps) {
    const drawn = JSON.stringify(apps);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.element.hidden = !apps.length;
    const first = apps.slice(0, SHOWN);
    const more = apps.length > SHOWN ? make("p", { class: "fine" }, `And ${format.plural(apps.length - SHOWN, "more app")}.`) : null;
    this.element.replaceChildren(
      make("summary", {}, `No memory or load from ${named(apps)}: how to switch runtime metrics on`),
      make("p", {}, "Heroku logs both for every dyno, three times a minute, once this is switched on:"),
      ...first.map((app) => commandOf(APP.test(app) ? app : "APP")),
      make("p", { class: "fine" }, "It takes effect when the dynos restart: with the next deploy, or with ", make("code", {}, `heroku restart -a ${first.length === 1 && APP.test(first[0]) ? first[0] : "APP"}`), "."),
      make("p", { class: "fine" }, "Heroku's Fir generation, Dokku and plain hosts have no such metrics."),
      ...(more ? [more] : []),
    );
  }
}

/** `shop`, `shop and api`, `shop, api and 3 more apps`. */
function named(apps) {
  const names = apps.slice(0, 2).map((app) => (app ? format.visible(app) : "the app without a name"));
  const more = apps.length - names.length;
  return more ? `${names.join(", ")} and ${format.plural(more, "more app")}` : names.join(" and ");
}

function commandOf(app) {
  const code = make("code", {}, `heroku labs:enable log-runtime-metrics -a ${app}`);
  const button = make("button", { type: "button", "aria-label": `Copy the command for ${app}` }, "Copy");
  button.addEventListener("click", () => copyFrom(code, button));
  return make("div", { class: "command" }, code, button);
}
