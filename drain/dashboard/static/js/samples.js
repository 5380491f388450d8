// Single requests of a route: the slowest and the latest that failed, with the id by which the app's own log
// tells the rest.

import { copy, flash } from "./clipboard.js";
import { meaningOf, plain } from "./columns.js";
import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { Sheet } from "./sheet.js";
import { day, isSameDay, zoneName } from "./zone.js";

const KINDS = [
  ["slowest", "Slowest requests", "No sample is kept of this time; the log may have some.", (row) => row.service_ms ?? 0],
  ["failed", "Latest failed requests", "No failed request is kept of this time; the log may have some.", (row) => row.at_ms],
];
const SHOWN = 20;

export class SamplesView {
  constructor(container) {
    this.sheets = KINDS.map(([kind, title, nothing, rankOf]) => {
      const panel = make("section", { class: "panel samples", "aria-label": title }, make("h2", {}, title));
      const sheet = new Sheet(panel, {
        label: title,
        columns: COLUMNS,
        keyOf,
        yielding: ["app", "method", "connect", "dyno"],
        cards: "sample-cards",
      });
      container.append(panel);
      return { kind, sheet, nothing, rankOf };
    });
    container.append(make("p", { class: "fine wide-note" }, "Search for a request id in your app's own log, or with ", make("code", {}, "python -m app requests --request-id ID"), "."));
  }

  show(samples) {
    this.samples = samples;
    this.draw();
  }

  /** What was read out of the log of this very span, beside the samples; null: nothing any more. */
  showRead(found) {
    this.read = found;
    this.draw();
  }

  draw() {
    if (!this.samples) return;
    for (const { kind, sheet, nothing, rankOf } of this.sheets) {
      const rows = [...(this.read?.[kind] ?? []), ...this.samples[kind]];
      const once = [...new Map(rows.map((row) => [keyOf(row), row])).values()];
      once.sort((one, other) => rankOf(other) - rankOf(one));
      // An app that is looked at by itself need not be named in each row.
      const shown = once.slice(0, SHOWN).map((row) => ({ ...row, app: this.samples.app ? "" : row.app }));
      sheet.show(shown, { nothing: this.read ? "The log has none of this time." : nothing });
    }
  }

  clear() {
    this.samples = null;
    for (const { sheet } of this.sheets) sheet.clear();
  }
}

const keyOf = (row) => `${row.app} ${row.request_id} ${row.at_ms} ${row.dyno}`;

const COLUMNS = [
  { key: "at", name: "Time", text: true, fill: fillTime },
  { key: "id", name: "Request id", text: true, isHead: true, fill: fillId },
  { key: "app", name: "App", text: true, ifAny: (row) => row.app, fill: plain((row) => row.app) },
  { key: "dyno", name: "Dyno", text: true, fill: plain((row) => format.visible(row.dyno) || "–") },
  { key: "method", name: "Method", text: true, fill: plain((row) => format.visible(row.method)) },
  { key: "status", name: "Status", fill: fillStatus },
  { key: "code", name: "Code", text: true, ifAny: (row) => row.code, fill: fillCode },
  { key: "service", name: "Service", fill: plain((row) => format.time(row.service_ms)) },
  { key: "connect", name: "Connect", fill: plain((row) => format.time(row.connect_ms)) },
];

function fillTime(cell, row) {
  const part = cell.firstChild ?? cell.appendChild(make("time"));
  const at = row.at_ms / 1_000;
  setText(part, isSameDay(at, Date.now() / 1_000) ? format.clock(at) : `${day(at)} ${format.clock(at)}`);
  setAttribute(part, "datetime", new Date(row.at_ms).toISOString());
  setAttribute(part, "title", `${format.dayAndClock(at)} ${zoneName(at)}`);
}

function fillId(cell, row) {
  if (!row.request_id) return setText(cell, "–");
  if (cell.firstChild) return;
  const id = make("code", { class: "cut", title: format.visible(row.request_id) }, format.visible(row.request_id));
  const button = make("button", { type: "button", "aria-label": `Copy request id ${row.request_id}` }, "Copy");
  button.addEventListener("click", async () => {
    if (await copy(row.request_id)) {
      flash(button, "Copied");
      return;
    }
    // Without HTTPS a page may not write to the clipboard; the reader then copies what is selected.
    getSelection().selectAllChildren(id);
    flash(button, "Selected");
  });
  cell.append(make("span", { class: "id" }, id, button));
}

function fillStatus(cell, row) {
  setText(cell, row.status || "–");
  setAttribute(cell, "data-tone", row.status.startsWith("5") ? "bad" : null);
}

function fillCode(cell, row) {
  setText(cell, row.code);
  setAttribute(cell, "data-tip", row.code ? `${row.code}: ${meaningOf(row.code)}` : null);
}
