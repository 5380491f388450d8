// What a new user sees: the one command that connects a drain.

import { copyFrom } from "./clipboard.js";
import { byId, setText } from "./dom.js";

// Loopback, private networks, and names without a dot: the internet has no way to them.
const UNREACHABLE = [/^(.*\.)?localhost$/, /\.local$/, /^[^.:]+$/, /^(0|10|127|169\.254|192\.168|172\.(1[6-9]|2\d|3[01]))\.[\d.]+$/, /^\[(::1|f[cd].*|fe80.*)\]$/];

export function startEmpty() {
  const command = byId("drain-command");
  const path = location.pathname.replace(/\/$/, "");
  const isUnreachable = UNREACHABLE.some((pattern) => pattern.test(location.hostname));
  const site = isUnreachable ? "https://HOST" : `${location.protocol}//${location.host}`;
  command.textContent = `heroku drains:add '${site.replace("//", "//USER:PASSWORD@")}${path}/logs?app=APP' -a APP`;
  byId("empty-unreachable").hidden = !isUnreachable;
  setText(byId("empty-here"), location.host);
  const button = byId("copy-command");
  button.addEventListener("click", () => copyFrom(command, button));
}

export function showEmpty(health) {
  const metrics = health.groups.find((group) => group.group === "metrics");
  setText(
    byId("empty-worker"),
    metrics?.workers ? "The drain and the metrics worker are running." : "The drain is running; no metrics worker has reported yet.",
  );
}
