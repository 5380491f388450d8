// Light or dark: as the system says, or as the reader says. One button goes through the three.

import { load, save } from "./storage.js";

const KEY = "tailrace.theme";
const NAMES = { system: "Auto", light: "Light", dark: "Dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

const choice = () => (["light", "dark"].includes(load(KEY)) ? load(KEY) : "system");
const systems = () => (system.matches ? "dark" : "light");

/** Wires the button; `changed` is called after each change, for what draws on canvas. */
export function startTheme(button, changed) {
  const show = (chosen) => {
    document.documentElement.dataset.theme = chosen === "system" ? systems() : chosen;
    button.dataset.choice = chosen;
    button.querySelector("span").textContent = NAMES[chosen];
    button.setAttribute("aria-label", `${NAMES[chosen]} colours: switch to ${NAMES[after(chosen)].toLowerCase()}`);
    button.dataset.tip = chosen === "system" ? "Colours: as your system says" : `Colours: ${chosen}`;
    changed();
  };
  button.addEventListener("click", () => {
    const chosen = after(button.dataset.choice);
    save(KEY, chosen === "system" ? null : chosen);
    show(chosen);
  });
  system.addEventListener("change", () => {
    if (button.dataset.choice === "system") show("system");
  });
  show(choice());
}

/** First what the system does not show, so that the first click is seen. */
function after(chosen) {
  const other = systems() === "dark" ? "light" : "dark";
  return { system: other, [other]: systems(), [systems()]: "system" }[chosen];
}

/** The value of a CSS custom property, such as `--accent`. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
