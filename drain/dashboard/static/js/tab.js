// The tab's title and icon: what is shown, and in front of it what fires, so that it is seen from another tab.

import { byId, setAttribute } from "./dom.js";

const ICONS = { firing: "static/icon-firing.svg", unknown: "static/icon-unknown.svg" };
const USUAL = "static/icon.svg";

let own = document.title;
let alarm = { state: "starting", titles: [] };

/** What the page shows, without the alarm; null: as it is. */
export function setTitle(text) {
  own = text ?? own;
  draw();
}

/** `state` as standing() says it (alert_words.js); `titles` of the incidents that nobody has silenced. */
export function setAlarm(state, titles) {
  alarm = { state, titles };
  draw();
}

function draw() {
  const title = titleOf();
  if (document.title !== title) document.title = title;
  setAttribute(byId("icon"), "href", ICONS[alarm.titles.length ? "firing" : alarm.state] ?? USUAL);
}

function titleOf() {
  const { state, titles } = alarm;
  if (titles.length > 1) return `(${titles.length}) ${own}`;
  if (titles.length) return `● ${titles[0]} · Tailrace`;
  return state === "unknown" ? `(?) ${own}` : own;
}
