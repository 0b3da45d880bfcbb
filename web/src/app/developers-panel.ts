/** The developers' panel over any page (ui §5): whether it is open, at which address of its own, and the links that reopen it. */
import { useSyncExternalStore } from "react";
import { currentOrganization } from "@/api/client";
import { paths } from "./paths";

/** An opening: another one, be it at the same address, takes the panel there. */
interface Opening {
  href: string;
}

/** Narrower windows have no room for two pages: there the area is a page. */
const ROOMY = "(min-width: 721px)";

/** The parameter of an address at which the panel opens. */
const PARAMETER = "devtool";

let opening: Opening | null = null;
const listeners = new Set<() => void>();

function set(next: Opening | null): void {
  opening = next;
  for (const listener of listeners) listener();
}

/** Opens the panel where there is room; whether there was. */
export function openPanel(href: string): boolean {
  if (!matchMedia(ROOMY).matches) return false;
  set({ href });
  return true;
}

export const closePanel = (): void => set(null);

/** Where the panel was opened; null while it is closed, and in the pages of another organization. */
export function usePanel(): Opening | null {
  const shown = useSyncExternalStore(subscribe, () => opening);
  return shown && isOfDevelopers(shown.href) ? shown : null;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Whether an address is in the area, of the organization that has been entered. */
export function isOfDevelopers(href: string): boolean {
  return href.startsWith(`/${encodeURIComponent(currentOrganization() ?? "")}/developers/`);
}

/** The address of a page with the panel open over it: what is copied. */
export function linkWithPanel(page: string, panel: string): string {
  const url = new URL(page, location.origin);
  url.searchParams.set(PARAMETER, panel.split("/developers/").slice(1).join("/developers/"));
  return url.href;
}

/** What such an address names: the page without the panel, and the panel's own; null where it names none. */
export function readPanelLink(href: string): { page: string; panel: string } | null {
  const url = new URL(href, location.origin);
  const at = url.searchParams.get(PARAMETER);
  if (at === null) return null;
  url.searchParams.delete(PARAMETER);
  const [tab, ...rest] = at.split("/");
  return {
    page: url.pathname + url.search + url.hash,
    panel: [paths.developers("").replace(/\/$/, ""), tab, ...rest].join("/"),
  };
}
