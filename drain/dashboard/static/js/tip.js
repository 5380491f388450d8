// One tooltip for the page: shown for whatever has `data-tip`, on hover and on focus, gone by Escape.

import { byId } from "./dom.js";

const GAP = 8;

export function startTips() {
  const tip = byId("tip");
  let owner = null;

  const hide = () => {
    tip.hidden = true;
    owner?.removeAttribute("aria-describedby");
    owner = null;
  };
  const show = (event) => {
    const target = event.target.closest?.("[data-tip]");
    if (target === owner) return;
    hide();
    if (!target) return;
    owner = target;
    tip.textContent = target.dataset.tip;
    tip.hidden = false;
    target.setAttribute("aria-describedby", "tip");
    place();
  };
  const place = () => {
    const box = owner.getBoundingClientRect();
    const own = tip.getBoundingClientRect();
    const left = Math.min(Math.max(GAP, box.left + box.width / 2 - own.width / 2), innerWidth - own.width - GAP);
    const above = box.top - own.height - GAP;
    tip.style.left = `${left}px`;
    tip.style.top = `${above > GAP ? above : box.bottom + GAP}px`;
  };
  document.addEventListener("mouseover", show);
  document.addEventListener("focusin", show);
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  // Focus scrolls to what was out of sight: its tip goes along.
  addEventListener("scroll", () => (owner && owner === document.activeElement ? place() : hide()), { passive: true, capture: true });
}
