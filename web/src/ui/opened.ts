/**
 * What lies above a page or beside it: dialogs, drawers, proofs. Which one is open stands in the address, so that a link
 * opens it and the browser's way back closes it; there is one at a time. What asks before it acts asks of a link, too.
 */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useRef } from "react";

/** The address's parameters: a computed amount that is proved, and a dialog or drawer, as `name` or `name:key`. */
const PARAMETERS = ["why", "dialog"] as const;
type Parameter = (typeof PARAMETERS)[number];

/** Parameters that no filter of a list is. */
export const OPENED: ReadonlySet<string> = new Set(PARAMETERS);

/** What a parameter names, and the way to another: opening can be gone back from, the rest takes its place. */
export function useShown(parameter: Parameter): [string | undefined, (target: string | undefined) => void] {
  const search = useSearch({ strict: false }) as Record<string, unknown>;
  const navigate = useNavigate();
  const shown = search[parameter] === undefined ? undefined : String(search[parameter]);
  const isNothingOpen = PARAMETERS.every((one) => search[one] === undefined);
  const show = (target: string | undefined) =>
    void navigate({
      to: ".",
      search: ((before: Record<string, unknown>) => {
        if (target === undefined && before[parameter] !== shown) return before; // it gave way to another already
        return {
          ...before,
          ...Object.fromEntries(PARAMETERS.map((one) => [one, undefined])),
          [parameter]: target,
        };
      }) as never,
      replace: target === undefined || !isNothingOpen,
      resetScroll: false,
    });
  return [shown, show];
}

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
