// The keys of a filter: "/" leads to it, Escape empties it.

/** `filter`: an input; `changed()` is called once Escape has emptied it. A filter that is not shown is left alone. */
export function listenForFilter(filter, changed) {
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && filter.offsetParent) {
      event.preventDefault();
      filter.focus();
      filter.select();
    } else if (event.key === "Escape" && event.target === filter && filter.value) {
      filter.value = "";
      changed();
    }
  });
}
