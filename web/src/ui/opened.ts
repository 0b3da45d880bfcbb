/**
 * What lies above a page or beside it: dialogs, drawers, proofs. Which one is open stands in the address, so that a link
 * opens it and the browser's way back closes it; there is one at a time. What asks before it acts asks of a link, too.
 */
import { type RouterHistory, useNavigate, useRouter, useSearch } from "@tanstack/react-router";
import { useRef } from "react";

/** The address's parameters: a computed amount that is proved, and a dialog or drawer, as `name` or `name:key`. */
const PARAMETERS = ["why", "dialog"] as const;
type Parameter = (typeof PARAMETERS)[number];

/** Parameters that no filter of a list is. */
export const OPENED: ReadonlySet<string> = new Set(PARAMETERS);

/** For the router's `scrollRestoration`: where only what is open differs from before, the page stays where it is. */
export function keepsStill(): (options: { location: { pathname: string; search: object } }) => boolean {
  let last = "";
  return ({ location: { pathname, search } }) => {
    const rest = Object.entries(search).filter(([name]) => !OPENED.has(name) && name !== "open");
    const here = JSON.stringify([pathname, rest]);
    const isElsewhere = here !== last;
    last = here;
    return isElsewhere;
  };
}

declare module "@tanstack/react-router" {
  interface HistoryState {
    /** The entry before is the same page with nothing open, which this entry is "closed" again just before it is gone from. */
    above?: "open" | "closed";
  }
}

/** The parameters of an address. */
type Search = Record<string, unknown>;

/** What an address says is open above its page or beside it; undefined where nothing is. */
type Openness = (search: Search) => unknown;

/**
 * Changes what is open: opening is a step that can be gone back from, another takes its place, closing takes the step back,
 * so that the way back leads to the page before. Where a link opened it, there is no step to take back.
 */
export function useOpening(openOf: Openness): (change: (before: Search) => Search) => void {
  const router = useRouter();
  const navigate = useNavigate();
  return async (change) => {
    const { search: before, state } = router.latestLocation;
    const search = change(before);
    if (search === before) return;
    const isOpening = openOf(before) === undefined;
    const isClosing = openOf(search) === undefined;
    if (isOpening && isClosing) return;
    const above = isOpening ? "open" : state.above && (isClosing ? "closed" : "open");
    await navigate({
      to: ".",
      search: search as never,
      state: { ...(above && { above }) },
      replace: !isOpening,
      resetScroll: false,
    });
    if (router.history.location.state.above === "closed") await stepBack(router.history);
  };
}

/** Goes to the entry before. Whoever goes elsewhere in the meantime does so from there: browsers take their time. */
function stepBack(history: RouterHistory): Promise<void> {
  return new Promise((done) => {
    let arrive: () => void = () => undefined;
    const arrived = new Promise<boolean>((resolve) => {
      arrive = () => resolve(false);
    });
    const release = history.block({ blockerFn: () => arrived, enableBeforeUnload: false });
    const stop = history.subscribe(() => {
      stop();
      release();
      arrive();
      done();
    });
    history.back({ ignoreBlocker: true });
  });
}

/** What a parameter names, and the way to another. */
export function useShown(parameter: Parameter): [string | undefined, (target: string | undefined) => void] {
  const search = useSearch({ strict: false }) as Search;
  const change = useOpening(openOf);
  const shown = search[parameter] === undefined ? undefined : String(search[parameter]);
  const show = (target: string | undefined) =>
    change((before) => {
      if (target === undefined && before[parameter] !== shown) return before; // it gave way to another already
      return {
        ...before,
        ...Object.fromEntries(PARAMETERS.map((one) => [one, undefined])),
        [parameter]: target,
      };
    });
  return [shown, show];
}

const openOf: Openness = (search) => PARAMETERS.map((one) => search[one]).find((one) => one !== undefined);

/** A choice of what a page shows that its link keeps; the usual one has no parameter. */
export function useKept(parameter: string): [string | undefined, (value: string | undefined) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const kept = search[parameter] === undefined ? undefined : String(search[parameter]);
  const keep = (value: string | undefined) =>
    void navigate({
      to: ".",
      search: ((before: Record<string, unknown>) => ({ ...before, [parameter]: value })) as never,
      replace: true,
      resetScroll: false,
    });
  return [kept, keep];
}

/** Whether a dialog is open, and the way to open and close it. One that is not allowed is not opened by a link either. */
export function useOpened(name: string, isAllowed = true): [boolean, (isOpen: boolean) => void] {
  const [shown, show] = useShown("dialog");
  return [isAllowed && shown === name, (isOpen) => show(isOpen ? name : undefined)];
}

/** Which one of some dialogs is open; those that are not allowed are left out of their names. */
export function useOpenedOne<Name extends string>(
  names: readonly (Name | false)[],
): [Name | null, (name: Name | null) => void] {
  const [shown, show] = useShown("dialog");
  const open = names.find((name): name is Name => name !== false && name === shown);
  return [open ?? null, (name) => show(name ?? undefined)];
}

/** Of which row a dialog or drawer is open; one that is gone from the rows stays until it is closed. */
export function useOpenedRow<Row>(
  name: string,
  rows: readonly Row[] | undefined,
  keyOf: (row: Row) => string,
  isAllowed = true,
): [Row | null, (row: Row | null) => void] {
  const [shown, show] = useShown("dialog");
  const kept = useRef<Row>(undefined);
  const targetOf = (row: Row) => `${name}:${keyOf(row)}`;
  const isOpen = (row: Row) => targetOf(row) === shown;
  const found = shown?.startsWith(`${name}:`) ? rows?.find(isOpen) : undefined;
  if (found !== undefined) kept.current = found;
  const last = kept.current !== undefined && isOpen(kept.current) ? kept.current : null;
  return [isAllowed ? last : null, (row) => show(row === null ? undefined : targetOf(row))];
}
