// Notifications of this browser, for who asks for them: of each incident that begins from then on one, however
// many tabs are open, and quietly that it is resolved. They come as long as the page is open in some tab.

import { make, setAttribute, setText } from "./dom.js";
import * as format from "./format.js";
import { incidentTitle, isSilenced, lengthOf, severityOf } from "./alert_words.js";
import { load, save } from "./storage.js";

const KEY = "tailrace.notified";
const LOCK = "tailrace.notified";
const MOST = 200; // Of those that are over.
const AT_ONCE = 3; // Of more than so many, one notification tells.
const NAMED = 5;
const JOINS_S = 30; // Others may join an incident before it is told: see `told_s`.

const WORDS = {
  unsupported: ["Notifications are not supported", "This browser shows none for pages like this one."],
  insecure: ["Notifications need HTTPS", "Browsers show them only for pages that are opened by https:// or from this machine."],
  denied: ["Notifications are blocked", "Allow notifications for this site in the browser: by the icon in front of the address, or in its settings for sites. Then reload the page."],
  off: ["Notify me in this browser", "Of new alerts, as long as this page is open in a tab, also in the background."],
  on: ["Stop notifying me", "New alerts are shown as notifications while this page is open in a tab."],
};

export class Notifier {
  /** `opened(alarm)` shows an incident's moment. */
  constructor(opened) {
    this.opened = opened;
    this.open = [];
    this.hasFailed = false;
    this.button = make("button", { type: "button", class: "button" });
    this.note = make("span", { class: "fine", id: "notify-note", role: "status" });
    this.element = make("div", { class: "notify" }, this.button, this.note);
    this.button.setAttribute("aria-describedby", "notify-note");
    this.button.addEventListener("click", () => this.press());
    // Another tab may have chosen.
    addEventListener("storage", (event) => event.key === KEY && this.draw());
    this.draw();
  }

  get state() {
    if (!isSecureContext) return "insecure";
    if (!("Notification" in globalThis) || this.hasFailed) return "unsupported";
    if (Notification.permission === "denied") return "denied";
    return Notification.permission === "granted" && told() ? "on" : "off";
  }

  draw() {
    const { state } = this;
    const [label, note] = WORDS[state];
    setAttribute(this.element, "data-state", state);
    setText(this.button, label);
    setText(this.note, note);
    setAttribute(this.button, "aria-disabled", ["on", "off"].includes(state) ? null : "true");
    setAttribute(this.button, "aria-pressed", ["on", "off"].includes(state) ? String(state === "on") : null);
  }

  async press() {
    if (this.state === "on") save(KEY, null);
    else if (this.state === "off" && (await Notification.requestPermission()) === "granted") this.begin();
    this.draw();
  }

  /** What fires now is known to who has asked just now. */
  begin() {
    save(KEY, JSON.stringify(Object.fromEntries(this.open.map(({ incident }) => [incident.id, "firing"]))));
    // It also shows whether notifications come at all: the system may hold them back.
    this.notify("Tailrace notifies you here", { tag: "tailrace", body: "Of each new alert once, as long as this page is open in a tab.", silent: true });
  }

  /** `view`: the answer of /api/alerts. */
  async show(view, nowS) {
    this.open = view.open;
    if (this.state !== "on") return;
    const tell = () => this.tell(view, nowS);
    // Tabs take turns, so that only one of them shows it.
    await (navigator.locks ? navigator.locks.request(LOCK, tell) : tell());
  }

  tell({ open, history, silences }, nowS) {
    const known = told();
    if (!known) return;
    const before = JSON.stringify(known);
    const begun = open.filter((alarm) => {
      const { id, told_s: toldAt, fired_s: fired } = alarm.incident;
      const isDue = toldAt !== null || nowS - fired > JOINS_S;
      return !(id in known) && isDue && !isSilenced(alarm, silences, nowS);
    });
    const ended = history.filter(({ incident }) => known[incident.id] === "firing" && incident.resolved_s !== null);
    for (const { incident } of begun) known[incident.id] = "firing";
    for (const { incident } of ended) known[incident.id] = "resolved";
    this.notifyEach(begun, "▲", "new alerts", (alarm) => [`${severityOf(alarm).sign} ${incidentTitle(alarm)}`, { body: bodyOf(alarm), requireInteraction: alarm.incident.severity === "critical" }]);
    this.notifyEach(ended, "✓", "alerts are resolved", (alarm) => [`✓ Resolved: ${incidentTitle(alarm)}`, { body: `After ${lengthOf(alarm, nowS)}.`, silent: true }]);
    // One that goes on and is forgotten would be told again and again.
    const isOpen = new Set(open.map(({ incident }) => incident.id));
    const over = Object.keys(known).filter((id) => !isOpen.has(id));
    for (const id of over.slice(0, -MOST)) delete known[id];
    const kept = JSON.stringify(known);
    if (kept !== before) save(KEY, kept);
  }

  /** `wordsOf(alarm)`: [title, options] of its own notification. */
  notifyEach(alarms, sign, what, wordsOf) {
    const all = alarms.map(wordsOf);
    if (all.length <= AT_ONCE) {
      all.forEach(([title, options], at) => this.notify(title, { tag: alarms[at].incident.id, ...options }, alarms[at]));
      return;
    }
    const names = alarms.slice(0, NAMED).map(incidentTitle);
    if (alarms.length > NAMED) names.push(`and ${alarms.length - NAMED} more`);
    const options = { requireInteraction: all.some(([, own]) => own.requireInteraction), silent: all.every(([, own]) => own.silent) };
    this.notify(`${sign} ${alarms.length} ${what}`, { tag: `tailrace ${what}`, body: names.join("\n"), ...options }, alarms[0]);
  }

  notify(title, options, alarm = null) {
    try {
      const shown = new Notification(format.visible(title), { icon: "static/icon-192.png", ...options });
      shown.addEventListener("click", () => {
        focus();
        if (alarm) this.opened(alarm);
        shown.close();
      });
    } catch {
      // On a phone, browsers have the name and refuse to make one.
      this.hasFailed = true;
      this.draw();
    }
  }
}

/** {incident id: `firing` or `resolved`} of what was told; null: nobody has asked. */
function told() {
  try {
    const found = JSON.parse(load(KEY));
    return found && typeof found === "object" ? found : null;
  } catch {
    return null;
  }
}

function bodyOf({ message }) {
  const [first] = message.findings;
  const usual = first?.usual ? `Usual: ${first.usual}.` : "";
  return [first?.text, usual, message.release].filter(Boolean).map(format.visible).join("\n");
}
