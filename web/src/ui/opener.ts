/** Where the focus goes once a layer above the page closes. */
import { useState } from "react";

/** An element, or of an entry of a menu, which goes with the menu, what opens the menu. */
function openerOf(focused: Element | null): Element | null {
  const menu = focused?.closest("[role=menu]");
  return menu ? document.getElementById(menu.getAttribute("aria-labelledby") ?? "") : focused;
}

let lastFocused: Element | null = null;
document.addEventListener("focusin", ({ target }) => {
  lastFocused = openerOf(target as Element);
});

/** What has the focus as a layer opens. A menu may be gone by then, for the address changes first: what had it last. */
function findOpener(): Element | null {
  return document.activeElement === document.body ? lastFocused : openerOf(document.activeElement);
}

/** Focuses what opened a layer; where that is gone, as the row of what was deleted, the page, unless something has the focus. */
export function focusAgain(opener: Element | null): void {
  const isThere = opener?.isConnected && opener !== document.body;
  if (!isThere && document.activeElement !== document.body) return; // a layer that closed with it has given it back
  const target = isThere ? opener : document.getElementById("main");
  (target as HTMLElement | null)?.focus();
  if (isThere) watchFor(opener);
}

/** What opened the question before a deletion goes a moment after the question: then the page has the focus. */
function watchFor(opener: Element): void {
  const watch = new MutationObserver(() => {
    if (document.activeElement === opener) return;
    watch.disconnect();
    if (!opener.isConnected) focusAgain(null);
  });
  watch.observe(document.body, { childList: true, subtree: true });
}

/** For `onCloseAutoFocus` of a layer without a trigger of its own, in a component that is there while it is open. */
export function useFocusReturn(): (event: Event) => void {
  const [opener] = useState(findOpener); // before a field of the layer takes the focus
  return (event) => {
    event.preventDefault();
    focusAgain(opener);
  };
}
