/** Billable metrics: what their words mean, and the way from the form to the wire and back. */

import type { Schema } from "@/api/client";
import { countWords } from "@/lib/words";

export type Metric = Schema<"MetricOutput">;
export type Aggregation = Schema<"AggregationType">;

/** Aggregations in words; those that the form offers (metering §2.1). */
export const AGGREGATIONS: { value: Aggregation; label: string; detail: string }[] = [
  { value: "count_agg", label: "Count", detail: "How many events came" },
  { value: "sum_agg", label: "Sum", detail: "A property of the events, added up" },
  { value: "unique_count_agg", label: "Unique count", detail: "How many different values a property had" },
  { value: "max_agg", label: "Maximum", detail: "The greatest value of a property" },
  { value: "latest_agg", label: "Latest", detail: "The value of the last event" },
  { value: "weighted_sum_agg", label: "Weighted sum", detail: "A level, weighted by how long it stood" },
];

export const ROUNDINGS = [
  { value: "none", label: "Not rounded" },
  { value: "round", label: "To the nearest" },
  { value: "ceil", label: "Up" },
  { value: "floor", label: "Down" },
] as const;

/** Aggregations that can carry units over into the next period (metering §2.1). */
export function canRecur(kind: Aggregation): boolean {
  return kind === "sum_agg" || kind === "unique_count_agg" || kind === "weighted_sum_agg";
}

export function aggregationWord(kind: Aggregation): string {
  return AGGREGATIONS.find((one) => one.value === kind)?.label ?? "Custom";
}

/** What a metric counts, in few words: "Sum of bytes", "Count of events". */
export function measure(metric: Pick<Metric, "aggregation_type" | "field_name">): string {
  const word = aggregationWord(metric.aggregation_type);
  return metric.aggregation_type === "count_agg" ? `${word} of events` : `${word} of ${metric.field_name}`;
}

export function roundingWords(metric: Pick<Metric, "rounding_function" | "rounding_precision">): string {
  if (!metric.rounding_function) return "Not rounded";
  const way = { round: "to the nearest", ceil: "up", floor: "down" }[metric.rounding_function] ?? "";
  const places = metric.rounding_precision ?? 0;
  if (places === 0) return `Rounded ${way}, to whole units`;
  if (places < 0) return `Rounded ${way}, to ${(10n ** BigInt(-places)).toString()}s`;
  return `Rounded ${way}, to ${countWords(places, "decimal")}`;
}

export interface MetricForm {
  name: string;
  code: string;
  description: string;
  kind: "metered" | "recurring";
  aggregation_type: Aggregation;
  field_name: string;
  basis: "field" | "expression";
  expression: string;
  rounding_function: (typeof ROUNDINGS)[number]["value"];
  rounding_precision: string;
  filters: { key: string; values: string[] }[];
}

export const NEW_METRIC: MetricForm = {
  name: "",
  code: "",
  description: "",
  kind: "metered",
  aggregation_type: "count_agg",
  field_name: "",
  basis: "field",
  expression: "",
  rounding_function: "none",
  rounding_precision: "",
  filters: [],
};

/** A metric as the form has it. */
export function readMetric(metric: Metric): MetricForm {
  return {
    name: metric.name,
    code: metric.code,
    description: metric.description ?? "",
    kind: metric.recurring ? "recurring" : "metered",
    aggregation_type: metric.aggregation_type,
    field_name: metric.field_name ?? "",
    basis: metric.expression ? "expression" : "field",
    expression: metric.expression ?? "",
    rounding_function: (metric.rounding_function as MetricForm["rounding_function"] | null) ?? "none",
    rounding_precision: metric.rounding_precision === null ? "" : String(metric.rounding_precision),
    filters: metric.filters.map(({ key, values }) => ({ key, values: [...values] })),
  };
}

/** The form as the API takes it. */
export function writeMetric(form: MetricForm): Schema<"MetricCreateInput"> {
  const kind = form.aggregation_type;
  const precision = form.rounding_precision.trim();
  return {
    name: form.name.trim(),
    code: form.code.trim(),
    description: form.description.trim() || null,
    aggregation_type: kind,
    field_name: kind === "count_agg" ? null : form.field_name.trim(),
    recurring: form.kind === "recurring" && canRecur(kind),
    rounding_function: form.rounding_function === "none" ? null : form.rounding_function,
    rounding_precision: precision === "" ? null : Number(precision),
    expression: hasExpression(form) ? form.expression.trim() : null,
    weighted_interval: kind === "weighted_sum_agg" ? "seconds" : null,
    filters: form.filters.map(({ key, values }) => ({ key: key.trim(), values })),
  };
}

function hasExpression(form: MetricForm): boolean {
  return form.basis === "expression" && form.aggregation_type !== "count_agg";
}

/** What is wrong with the keys and values of filters, by their place; undefined where nothing is. */
export function filterFaults(filters: MetricForm["filters"]): (string | undefined)[] {
  const keys = filters.map(({ key }) => key.trim());
  return filters.map(({ values }, index) => {
    if (!keys[index]) return "A key is needed.";
    if (keys.indexOf(keys[index]) !== index) return "There is a filter with this key.";
    return values.length === 0 ? "At least one value is needed." : undefined;
  });
}

/** The properties that an expression reads: `event.properties.bytes` reads bytes. */
export function propertiesRead(expression: string): string[] {
  return [
    ...new Set([...expression.matchAll(/event\.properties\.([A-Za-z_]\w*)/g)].map((found) => found[1]!)),
  ];
}

/** An event that the metric would count, as an app sends it. */
export function sampleEvent(form: MetricForm): object {
  const properties: Record<string, string | number> = {};
  if (form.aggregation_type !== "count_agg") {
    if (hasExpression(form)) for (const name of propertiesRead(form.expression)) properties[name] = 12;
    else if (form.field_name.trim()) {
      properties[form.field_name.trim()] = form.aggregation_type === "unique_count_agg" ? "usr_42" : 12;
    }
  }
  for (const { key, values } of form.filters) if (key.trim()) properties[key.trim()] = values[0] ?? "…";
  return {
    event: {
      transaction_id: "a1b2c3d4",
      external_subscription_id: "sub_42",
      code: form.code.trim() || "your_code",
      ...(Object.keys(properties).length > 0 && { properties }),
    },
  };
}
