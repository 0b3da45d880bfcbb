/** Prices of one subscription's own, as a form has them until it is sent. */
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError } from "@/api/errors";
import { NEW_PLAN, type PlanDraft } from "@/pages/plans/draft";
import { useFaults } from "@/pages/plans/faults";
import { planRead } from "@/pages/plans/reads";
import { placesOf } from "@/pages/plans/refusals";
import { readPlan } from "@/pages/plans/wire";
import { overridesOf } from "./overrides";
import { useMetrics } from "./reads";

export const SOME_PRICES_ARE_WRONG = new ApiError(422, {
  status: 422,
  error: "some_prices_are_not_right_yet",
});

export type OwnPricesOfForm = ReturnType<typeof useOwnPrices>;

/** The prices of a plan as they are changed for one subscription; another plan begins anew. */
export function useOwnPrices(code: string) {
  const [isOn, setOn] = useState(false);
  const [changed, setChanged] = useState<{ code: string; draft: PlanDraft } | null>(null);
  const metrics = useMetrics();
  const detail = useQuery({ ...planRead(code || "-"), enabled: isOn && code !== "" });
  const plan = detail.data?.plan.code === code ? detail.data.plan : undefined;
  const asPlanned = useMemo(() => (plan ? readPlan(plan) : NEW_PLAN), [plan]);
  const hasDraft = changed?.code === code;
  const draft = hasDraft ? changed.draft : asPlanned;
  const checks = useFaults(draft);
  return {
    isOn,
    setOn,
    metrics,
    checks,
    isChanged: isOn && hasDraft,
    /** The plan with what is changed of it, once it is there; undefined as long as its prices apply. */
    draft: isOn && plan ? draft : undefined,
    set: (changes: Partial<PlanDraft>) => setChanged({ code, draft: { ...draft, ...changes } }),
    /** Whether what is typed can be sent; what can't be is shown where it is. */
    areRight: () => !isOn || (plan !== undefined && checks.check() === undefined),
    /** What is sent of them; null where nothing is another than in the plan. */
    overrides: () => (isOn && plan ? overridesOf(plan, draft) : null),
    /** Shows at the prices what the server refused of them; what is left is of none. */
    refuse: (refused: unknown): unknown => {
      if (!isOn || !(refused instanceof ApiError)) return refused;
      const places = placesOf(refused, draft.thresholds.length);
      checks.refuse(places);
      return Object.keys(places).length > 0 ? SOME_PRICES_ARE_WRONG : refused;
    },
  };
}
