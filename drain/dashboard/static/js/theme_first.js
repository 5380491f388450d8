// Runs before the first paint, so that no page flashes in the wrong colours.
(() => {
  let chosen = null;
  try { chosen = localStorage.getItem("tailrace.theme"); } catch { /* storage may be off */ }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = chosen || (dark ? "dark" : "light");
})();
