// Releases and events in words: the label of a mark, what a tooltip and a list say, and what is filtered by.

import * as format from "./format.js";
import * as zone from "./zone.js";

const COMMIT_SHOWN = 8;
const LONGEST_TEXT = 300; // The server bounds a text, too; this is for what a row can show.

/** What a release is called for whose version no message says. */
const UNNUMBERED = { deploy: "deploy", rollback: "rollback", config: "config", "add-on": "add-on", scale: "scaled" };

/** What an event is, in front of its text. */
const KINDS = {
  release: "release",
  deploy: "deploy",
  rollback: "rollback",
  config: "config",
  scale: "scaled",
  build: "build",
  command: "release command",
  "add-on": "add-on",
  state: "state",
  exit: "exit",
  restart: "restart",
  idle: "idle",
  error: "error",
  other: "other",
};

const OF_DYNOS = ["state", "exit", "restart", "idle", "error"];

/** Exits that are not faults: 0, and 143 of a process that SIGTERM has ended, as at every restart. */
const USUAL_EXITS = [0, 143];

export const kindText = (kind) => KINDS[kind] ?? format.visible(String(kind));

export const releaseName = ({ version, cause }) => (version ? `v${version}` : (UNNUMBERED[cause] ?? "release"));

/** `shop v42` where several apps are shown together. */
export const markName = (release, isOfMany) => [isOfMany ? format.visible(release.app) : "", releaseName(release)].filter(Boolean).join(" ");

/** The second half of a mark's label, where there is room: its commit, or why there is a new version. */
export function markDetail({ version, commit, cause }) {
  if (commit) return format.visible(commit.slice(0, COMMIT_SHOWN));
  return version && cause && cause !== "other" ? cause : "";
}

/** `v42: deploy 9154a1d2`, as the server says it. */
export const releaseText = (release) => cut(release.text) || releaseName(release);

/** Without the name that is in front of it elsewhere. */
export function causeText(release) {
  const text = releaseText(release);
  const start = `${releaseName(release)}: `;
  return text.startsWith(start) ? text.slice(start.length) : text === releaseName(release) ? "" : text;
}

export const cut = (text) => format.visible(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);

/** `26 Nov 12:05:03 UTC` */
export function moment(atMs, { zoned = true } = {}) {
  const seconds = atMs / 1_000;
  const date = zone.isSameDay(seconds, Date.now() / 1_000) ? "" : `${zone.day(seconds)} `;
  return `${date}${zone.clock(seconds)}${zoned ? ` ${zone.zoneName(seconds)}` : ""}`;
}

/** `shop v42: deploy 9154a1d2, 12:05:03 UTC` */
export const tipLine = (release, isOfMany = false) => `${isOfMany && release.app ? `${format.visible(release.app)} ` : ""}${releaseText(release)}, ${moment(release.at_ms)}`;

export const isOfDyno = (row) => OF_DYNOS.includes(row.kind);

/** Whether it is a fault: an R-code, a crash, an exit that nobody asked for, a build or a command that failed. */
export function isError({ kind, state, status }) {
  if (kind === "error") return true;
  if (kind === "exit") return status !== null && !USUAL_EXITS.includes(status);
  return state === "crashed" || state === "failed";
}
