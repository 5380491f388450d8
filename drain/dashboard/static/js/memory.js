// What uses Redis's memory. Its parts are fetched only while the panel is open.

import { byId, make, setText } from "./dom.js";
import * as format from "./format.js";

export class MemoryView {
  /** `asked()` is called when the parts are wanted. */
  constructor(details, asked) {
    this.details = details;
    this.drawn = "";
    details.addEventListener("toggle", () => details.open && asked());
  }

  get isOpen() {
    return this.details.open;
  }

  showSum({ used_bytes: used, limit_bytes: limit, policy }) {
    const of = limit ? `${format.bytes(used)} of ${format.bytes(limit)} · ${format.percent(used / limit)} · ${policy}` : `${format.bytes(used)} · no limit`;
    setText(byId("memory-sum"), of);
  }

  show(answer) {
    const drawn = JSON.stringify([answer.parts, answer.redis, answer.refused]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const used = answer.redis.used_bytes || 1;
    const rows = answer.parts.map((part) => row(format.visible(part.name), part.bytes, used, part.limit_bytes));
    if (answer.further_apps) {
      rows.splice(-1, 0, row(format.plural(answer.further_apps, "other app"), answer.further_apps_bytes, used, null));
    }
    byId("memory-parts").replaceChildren(...rows);
    const note = byId("memory-note");
    const estimate = answer.is_estimate
      ? `Estimate: ${format.count(answer.keys_looked_at)} of ${format.count(answer.keys)} keys were sampled.`
      : "";
    setText(note, answer.refused || estimate);
    note.hidden = !note.textContent;
  }
}

function row(name, size, used, limit) {
  const bar = make("i", {});
  bar.style.width = `${Math.min(100, (100 * size) / used)}%`;
  const bound = limit === null ? "" : ` · limit ${format.bytes(limit)}`;
  return make(
    "li",
    {},
    make("span", {}, name),
    make("span", { class: "of" }, `${format.bytes(size)} · ${format.percent(size / used)}${bound}`),
    make("span", { class: "track" }, bar),
  );
}
