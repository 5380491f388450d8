// What a new user sees: the one command that connects a drain.

import { byId, setText } from "./dom.js";

export function startEmpty() {
  const command = byId("drain-command");
  const path = location.pathname.replace(/\/$/, "");
  const url = `${location.protocol}//USER:PASSWORD@${location.host}${path}/logs?app=APP`;
  command.textContent = `heroku drains:add '${url}' -a APP`;
  const button = byId("copy-command");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command.textContent);
      flash(button, "Copied");
    } catch {
      // Without HTTPS a page may not write to the clipboard; the reader then does.
      getSelection().selectAllChildren(command);
      flash(button, "Selected");
    }
  });
}

function flash(button, word) {
  button.textContent = word;
  setTimeout(() => { button.textContent = "Copy"; }, 1_600);
}

export function showEmpty(health) {
  const metrics = health.groups.find((group) => group.group === "metrics");
  setText(
    byId("empty-worker"),
    metrics?.workers ? "The drain and the metrics worker are running." : "The drain is running; no metrics worker has reported yet.",
  );
}
