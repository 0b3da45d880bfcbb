import { describe, expect, it } from "vitest";
import {
  filterFaults,
  type Metric,
  measure,
  NEW_METRIC,
  propertiesRead,
  readMetric,
  roundingWords,
  sampleEvent,
  writeMetric,
} from "./metric";

const STORAGE: Metric = {
  lago_id: "1",
  name: "Storage",
  code: "storage",
  description: null,
  aggregation_type: "weighted_sum_agg",
  field_name: "gb",
  recurring: true,
  weighted_interval: "seconds",
  rounding_function: "ceil",
  rounding_precision: 2,
  expression: "event.properties.bytes / 1000000000",
  created_at: "2026-11-01T00:00:00Z",
  filters: [{ key: "region", values: ["eu", "us"] }],
};

describe("a metric's form", () => {
  it("gives back what it was given", () => {
    const { lago_id, created_at, ...sent } = STORAGE;
    expect(writeMetric(readMetric(STORAGE))).toEqual(sent);
  });

  it("sends neither a field nor an expression of counted events, which do not recur", () => {
    const form = { ...readMetric(STORAGE), aggregation_type: "count_agg" } as const;
    expect(writeMetric(form)).toMatchObject({
      field_name: null,
      expression: null,
      recurring: false,
      weighted_interval: null,
    });
  });
});

describe("filters", () => {
  it("need a key of their own and a value", () => {
    const filters = [
      { key: "region", values: ["eu"] },
      { key: " region", values: ["us"] },
      { key: "", values: ["x"] },
      { key: "tier", values: [] },
    ];
    expect(filterFaults(filters)).toEqual([
      undefined,
      "There is a filter with this key.",
      "A key is needed.",
      "At least one value is needed.",
    ]);
  });
});

describe("words", () => {
  it("tell what is measured and how it is rounded", () => {
    expect(measure(STORAGE)).toBe("Weighted sum of gb");
    expect(measure({ aggregation_type: "count_agg", field_name: null })).toBe("Count of events");
    expect(roundingWords(STORAGE)).toBe("Rounded up, to 2 decimals");
    expect(roundingWords({ rounding_function: "round", rounding_precision: null })).toBe(
      "Rounded to the nearest, to whole units",
    );
    expect(roundingWords({ rounding_function: "floor", rounding_precision: -3 })).toBe(
      "Rounded down, to 1000s",
    );
  });
});

describe("a sample event", () => {
  it("has what the expression reads and what the filters ask for", () => {
    expect(propertiesRead("ceil(event.properties.in + event.properties.out + event.properties.in)")).toEqual([
      "in",
      "out",
    ]);
    expect(sampleEvent(readMetric(STORAGE))).toMatchObject({
      event: { code: "storage", properties: { bytes: 12, region: "eu" } },
    });
  });

  it("has no properties where none count", () => {
    expect(sampleEvent({ ...NEW_METRIC, code: "calls" })).toEqual({
      event: { transaction_id: "a1b2c3d4", external_subscription_id: "sub_42", code: "calls" },
    });
  });
});
