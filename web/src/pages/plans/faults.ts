/** What is wrong with a plan that is edited, and when that is shown. */
import { useMemo, useRef, useState } from "react";
import type { PlanDraft } from "./draft";
import { faultsOf } from "./wire";

export interface Checks {
  faultAt: (place: string) => string | undefined;
  leave: (place: string) => void;
  hasFaults: (at: string) => boolean;
  /** Show all faults; the place of the first. */
  check: () => string | undefined;
  refuse: (faults: Record<string, string>) => void;
}

/** What is wrong with a draft: shown where it was left, and everywhere once a save was tried. */
export function useFaults(draft: PlanDraft): Checks {
  const faults = useMemo(() => faultsOf(draft), [draft]);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [isTried, setTried] = useState(false);
  const refused = useRef<{ draft: PlanDraft; faults: Record<string, string> } | null>(null);
  const server = refused.current?.draft === draft ? refused.current.faults : {};
  const faultAt = (place: string) =>
    server[place] ?? (isTried || left.has(place) ? faults[place] : undefined);
  return {
    faultAt,
    leave: (place) => setLeft((before) => (before.has(place) ? before : new Set(before).add(place))),
    hasFaults: (at) =>
      [...Object.keys(faults), ...Object.keys(server)].some(
        (place) => place.startsWith(`${at}.`) && faultAt(place) !== undefined,
      ),
    check: () => {
      setTried(true);
      return Object.keys(faults)[0];
    },
    refuse: (found) => {
      refused.current = { draft, faults: found };
      setTried(true);
    },
  };
}
