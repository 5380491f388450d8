// Copying by a button, which says whether it worked.

const SAID_MS = 2_000;

/** Puts text on the clipboard; false where the page may not, as without HTTPS. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Copies an element's text; without HTTPS it is selected instead, and the reader copies it. The button says which. */
export async function copyFrom(element, button) {
  if (await copy(element.textContent)) {
    flash(button, "Copied");
    return;
  }
  getSelection().selectAllChildren(element);
  flash(button, "Selected");
}

/** A word in place of a button's own, for a moment. */
export function flash(button, word) {
  button.dataset.own ??= button.textContent;
  button.textContent = word;
  setTimeout(() => { button.textContent = button.dataset.own; }, SAID_MS);
}
