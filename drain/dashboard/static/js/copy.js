// A button that copies a text. Without HTTPS a page may not write to the clipboard: then the text is
// selected, and the reader copies it.

/** `source`: the element whose text is copied. */
export function copies(button, source) {
  const name = button.textContent;
  let timer = 0;
  button.addEventListener("click", async () => {
    let word = "Copied";
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      getSelection().selectAllChildren(source);
      word = "Selected";
    }
    button.textContent = word;
    clearTimeout(timer);
    timer = setTimeout(() => { button.textContent = name; }, 1_600);
  });
}
