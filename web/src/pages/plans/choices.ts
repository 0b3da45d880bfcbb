/** What a plan is put together from, read with the plan in one go. */
import { useQuery } from "@tanstack/react-query";
import { createContext, use } from "react";
import type { Schema } from "@/api/client";
import { useCan } from "@/app/session";
import { addOnsRead, featuresRead, metricsRead, taxesRead, unitsRead } from "./reads";

export interface Choices {
  metrics: readonly Schema<"MetricOutput">[];
  addOns: readonly Schema<"AddOnOutput">[];
  taxes: readonly { code: string; name: string; rate: number }[];
  features: readonly Schema<"FeatureOutput">[];
  units: readonly { code: string; name: string; short_name: string }[];
}

export const ChoicesContext = createContext<Choices>({
  metrics: [],
  addOns: [],
  taxes: [],
  features: [],
  units: [],
});

export const useChoices = () => use(ChoicesContext);

/** The choices that the member may see; undefined until they have come. */
export function useAllChoices(): Choices | undefined {
  const can = useCan();
  const metrics = useQuery({ ...metricsRead(), enabled: can("billable_metrics:view") });
  const addOns = useQuery({ ...addOnsRead(), enabled: can("addons:view") });
  const taxes = useQuery({ ...taxesRead(), enabled: can("organization:taxes:view") });
  const features = useQuery({ ...featuresRead(), enabled: can("features:view") });
  const units = useQuery({ ...unitsRead(), enabled: can("pricing_units:view") });
  if ([metrics, addOns, taxes, features, units].some((query) => query.isLoading)) return undefined;
  return {
    metrics: metrics.data?.billable_metrics ?? [],
    addOns: addOns.data?.add_ons ?? [],
    taxes: taxes.data?.taxes ?? [],
    features: features.data?.features ?? [],
    units: units.data?.pricing_units ?? [],
  };
}
