/** What reports may be narrowed to beyond the billing entity (ui §4, platform §12): each report by what its figures are told by. */
import type { Schema } from "@/api/client";
import { countries } from "@/lib/choices";
import type { Filter } from "@/ui/list";

export type ReportTab = "overview" | "revenue" | "mrr" | "usage" | "prepaid" | "receivables";

const OF_PAYERS = [
  "external_customer_id",
  "customer_country",
  "customer_type",
  "has_tax_identification_number",
] as const;

type Name = (typeof OF_PAYERS)[number] | "plan_code" | "external_subscription_id" | "billable_metric_code";

const NAMES: Record<ReportTab, readonly Name[]> = {
  overview: ["external_customer_id"],
  receivables: ["external_customer_id"],
  revenue: [...OF_PAYERS, "plan_code", "external_subscription_id"],
  mrr: [...OF_PAYERS, "plan_code", "external_subscription_id"],
  prepaid: OF_PAYERS,
  usage: [
    "external_customer_id",
    "customer_country",
    "customer_type",
    "plan_code",
    "external_subscription_id",
    "billable_metric_code",
  ],
};

export const isNarrowedByPlan = (tab: ReportTab): boolean => NAMES[tab].includes("plan_code");

/** What of an address narrows a report; what another report is narrowed to does not. */
export function narrowedBy(tab: ReportTab, search: Record<string, unknown>): Partial<Record<Name, string>> {
  return Object.fromEntries(
    NAMES[tab].flatMap((name) => {
      const value = search[name];
      return value === undefined || value === "" ? [] : [[name, String(value)]];
    }),
  );
}

interface Known {
  plans: readonly Pick<Schema<"PlanListOutput">, "code" | "name">[];
  metrics: readonly Pick<Schema<"MetricOutput">, "code" | "name">[];
}

/** The choices of a report. */
export function filtersOf(tab: ReportTab, { plans, metrics }: Known): Filter[] {
  const named = ({ code, name }: { code: string; name: string }) => ({ value: code, label: name });
  const all: Record<Name, Omit<Filter, "key">> = {
    external_customer_id: { label: "Customer’s external ID" },
    customer_country: { label: "Country", options: countries() },
    customer_type: {
      label: "Type of customer",
      options: [
        { value: "company", label: "Company" },
        { value: "individual", label: "Individual" },
      ],
    },
    has_tax_identification_number: {
      label: "Tax number",
      options: [
        { value: "false", label: "Missing" },
        { value: "true", label: "Known" },
      ],
    },
    plan_code: { label: "Plan", options: plans.map(named) },
    external_subscription_id: { label: "Subscription’s external ID" },
    billable_metric_code: { label: "Metric", options: metrics.map(named) },
  };
  return NAMES[tab].map((key) => ({ key, ...all[key] }));
}
