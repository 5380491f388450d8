// Which apps there are, and what follows from it: whether the first view is an overview of them, and whether
// the address names one that nobody has seen.

import { byId, make } from "./dom.js";

/** In the address, for all apps together; no app's name has such a character. */
export const TOGETHER = "*";

export class Apps {
  constructor() {
    this.names = [];
    this.unnamed = 0;
    this.isKnown = false;
    this.wereMany = false;
  }

  take({ apps, unnamed }) {
    this.names = apps.map((app) => app.name);
    this.unnamed = unnamed;
    if (!this.isKnown) this.wereMany = this.areMany;
    this.isKnown = true;
  }

  /** Another view is opened. One that is being looked at does not turn into an overview by a second app's
      first request. */
  moved() {
    this.wereMany = this.areMany;
  }

  /** Requests without an app's name count as an app of their own. */
  get areMany() {
    return this.names.length + (this.unnamed ? 1 : 0) > 1;
  }

  isOverview({ view, digest, app }) {
    return view === "traffic" && !digest && !app && this.wereMany;
  }

  /** Whether it is an overview is known once the apps are. */
  isUndecided({ view, digest, app }) {
    return view === "traffic" && !digest && !app && !this.isKnown;
  }

  isUnknown({ app }) {
    return this.isKnown && Boolean(app) && app !== TOGETHER && !this.names.includes(app);
  }

  drawChooser(nav) {
    const { app } = nav;
    const chooser = byId("app");
    const names = !app || app === TOGETHER || this.names.includes(app) ? this.names : [...this.names, app];
    const drawn = JSON.stringify(names);
    if (chooser.dataset.drawn !== drawn) {
      chooser.dataset.drawn = drawn;
      const first = [["", "overview of apps"], [TOGETHER, "all apps together"]];
      chooser.replaceChildren(...[...first, ...names.map((name) => [name, name])].map(([value, name]) => make("option", { value }, name)));
    }
    const isTogether = nav.view !== "replay" && !app && !nav.digest && !this.isOverview(nav);
    chooser.value = isTogether ? TOGETHER : app;
    // With a single app there is nothing to choose.
    byId("app-chooser").hidden = !this.areMany && !app;
  }
}

/** The name of an app for the API, where all apps together have none. */
export const appForApi = ({ app }) => (app === TOGETHER ? "" : app);
