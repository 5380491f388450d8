// What is shown in place of figures where the address names a route or an app that there is not, and the
// way back.

import { byId, make, setText } from "./dom.js";
import { hashOf } from "./navigation.js";

const APPS_SHOWN = 12;

/** An app that nobody has seen. */
export function showMissingApp(nav, names) {
  draw(
    `No app is named ${nav.app}`,
    "No request of an app with this name has been counted. Its first one will appear here without a reload.",
    [link("All apps", { ...nav, app: "", digest: "" }), ...names.slice(0, APPS_SHOWN).map((name) => link(name, { ...nav, app: name, digest: "" }))],
  );
}

/** A route that is not in the app, or not any more. */
export function showMissingRoute(nav, app) {
  const of = app ? `${app} has no such route` : "There is no such route";
  const links = [link(app ? `All routes of ${app}` : "All routes", { ...nav, digest: "" })];
  if (app) links.push(link("All apps", { ...nav, app: "", digest: "" }));
  draw(of, "Nobody has requested it yet, or it counts under another row by now.", links);
}

const link = (name, nav) => make("a", { href: hashOf(nav) }, name);

function draw(title, text, links) {
  const drawn = JSON.stringify([title, links.map((one) => one.href)]);
  const part = byId("missing");
  if (part.dataset.drawn === drawn) return;
  part.dataset.drawn = drawn;
  setText(byId("missing-title"), title);
  setText(byId("missing-text"), text);
  byId("missing-links").replaceChildren(...links.map((one) => make("li", {}, one)));
}
