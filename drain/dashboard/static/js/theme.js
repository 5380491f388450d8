// Light or dark: as the system says, until the reader says otherwise.

import { load, save } from "./storage.js";

const KEY = "tailrace.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

export function currentTheme() {
  return document.documentElement.dataset.theme;
}

/** Wires the button; `changed` is called after each change, for what draws on canvas. */
export function startTheme(button, changed) {
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-label", theme === "dark" ? "Switch to light colours" : "Switch to dark colours");
    changed();
  };
  button.addEventListener("click", () => {
    const theme = currentTheme() === "dark" ? "light" : "dark";
    // The system's own choice is not kept: the page then goes on following it.
    save(KEY, theme === (system.matches ? "dark" : "light") ? null : theme);
    show(theme);
  });
  system.addEventListener("change", () => {
    if (!load(KEY)) show(system.matches ? "dark" : "light");
  });
  show(currentTheme());
}

/** The value of a CSS custom property, such as `--accent`. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
