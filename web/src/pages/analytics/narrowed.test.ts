import { describe, expect, it } from "vitest";
import { filtersOf, narrowedBy } from "./narrowed";

describe("what a report is narrowed to", () => {
  const search = {
    months: 3,
    entity: "acme",
    external_customer_id: 1001,
    plan_code: "gold",
    billable_metric_code: "gb",
    customer_country: "",
  };

  it("is what its figures are told by, as texts", () => {
    expect(narrowedBy("overview", search)).toEqual({ external_customer_id: "1001" });
    expect(narrowedBy("mrr", search)).toEqual({ external_customer_id: "1001", plan_code: "gold" });
    expect(narrowedBy("usage", search)).toEqual({
      external_customer_id: "1001",
      plan_code: "gold",
      billable_metric_code: "gb",
    });
  });

  it("is chosen among plans and metrics by their names", () => {
    const known = { plans: [{ code: "gold", name: "Gold" }], metrics: [{ code: "gb", name: "Storage" }] };
    const ofUsage = filtersOf("usage", known);
    expect(ofUsage.find(({ key }) => key === "plan_code")?.options).toEqual([
      { value: "gold", label: "Gold" },
    ]);
    expect(ofUsage.map(({ key }) => key)).toContain("billable_metric_code");
    expect(filtersOf("prepaid", known).map(({ key }) => key)).not.toContain("plan_code");
  });
});
