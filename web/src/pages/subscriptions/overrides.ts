/** What a subscription has otherwise than its plan, as the API takes it: what is said of it and no more (subscriptions §2.7). */
import type { PlanDraft } from "@/pages/plans/draft";
import { changesOf, type Plan, readPlan, writePlan } from "@/pages/plans/wire";

type Body = Record<string, unknown>;

/** The overrides that a plan's edited draft comes to; null where nothing is another than in the plan. */
export function overridesOf(plan: Plan, draft: PlanDraft): Body | null {
  const [before, after] = [writePlan(readPlan(plan)), writePlan(draft)] as unknown as [Body, Body];
  const { charges: _, fixed_charges: __, ...terms } = changesOf(before, after);
  const charges = changedParts(before.charges, after.charges);
  const fixed = changedParts(before.fixed_charges, after.fixed_charges);
  const overrides = {
    ...terms,
    ...(charges.length > 0 && { charges }),
    ...(fixed.length > 0 && { fixed_charges: fixed }),
  };
  return Object.keys(overrides).length > 0 ? overrides : null;
}

/** Charges by their ids in the plan, each with what is another of it. */
function changedParts(before: unknown, after: unknown): Body[] {
  const old = before as Body[];
  return (after as Body[]).flatMap((part, index): Body[] => {
    const changes = changesOf(old[index]!, part);
    return Object.keys(changes).length > 0 ? [{ id: part.id, ...changes }] : [];
  });
}
