// What a new user sees: the one command that connects a drain.

import { copies } from "./copy.js";
import { byId, setText } from "./dom.js";

export function startEmpty() {
  const command = byId("drain-command");
  const path = location.pathname.replace(/\/$/, "");
  const url = `${location.protocol}//USER:PASSWORD@${location.host}${path}/logs?app=APP`;
  command.textContent = `heroku drains:add '${url}' -a APP`;
  copies(byId("copy-command"), command);
}

export function showEmpty(health) {
  const metrics = health.groups.find((group) => group.group === "metrics");
  setText(
    byId("empty-worker"),
    metrics?.workers ? "The drain and the metrics worker are running." : "The drain is running; no metrics worker has reported yet.",
  );
}
