import { describe, expect, it } from "vitest";
import { type Plan, readPlan } from "@/pages/plans/wire";
import { overridesOf } from "./overrides";

const charge = (id: string, properties: object, more: object = {}) => ({
  lago_id: id,
  lago_billable_metric_id: "m1",
  billable_metric_code: "api",
  code: id,
  invoice_display_name: null,
  charge_model: "standard",
  invoiceable: true,
  regroup_paid_fees: null,
  pay_in_advance: false,
  prorated: false,
  min_amount_cents: 0,
  properties,
  filters: [],
  taxes: [],
  accepts_target_wallet: false,
  applied_pricing_unit: null,
  ...more,
});

const PLAN = {
  name: "Scale",
  code: "scale",
  interval: "monthly",
  amount_cents: 49900,
  amount_currency: "EUR",
  pay_in_advance: true,
  charges: [
    charge("c1", { amount: "0.10" }),
    charge(
      "c2",
      { amount: "2" },
      {
        filters: [
          {
            lago_id: "f1",
            values: { region: ["eu"] },
            invoice_display_name: null,
            properties: { amount: "3" },
          },
        ],
      },
    ),
  ],
  fixed_charges: [
    {
      lago_id: "x1",
      lago_add_on_id: "a1",
      add_on_code: "seats",
      code: "seats",
      charge_model: "standard",
      units: "10",
      properties: { amount: "7" },
      taxes: [],
    },
  ],
  minimum_commitment: null,
  usage_thresholds: [],
  entitlements: [],
  taxes: [],
} as unknown as Plan;

describe("overridesOf", () => {
  const draft = () => structuredClone(readPlan(PLAN));

  it("is nothing where nothing is another", () => {
    expect(overridesOf(PLAN, draft())).toBeNull();
  });

  it("has the fee and the commitment in cents", () => {
    const changed = { ...draft(), amount: "399.50" };
    changed.commitment = { amount: "1000", invoice_display_name: "", tax_codes: [] };
    expect(overridesOf(PLAN, changed)).toEqual({
      amount_cents: 39950,
      minimum_commitment: { amount_cents: 100000, invoice_display_name: null, tax_codes: [] },
    });
  });

  it("names the charges that cost otherwise, each with what is another of it", () => {
    const changed = draft();
    changed.charges[1]!.filters[0]!.price.amount = "2.5";
    changed.fixed_charges[0]!.units = "12";
    expect(overridesOf(PLAN, changed)).toEqual({
      charges: [
        {
          id: "c2",
          filters: [
            { values: { region: ["eu"] }, invoice_display_name: null, properties: { amount: "2.5" } },
          ],
        },
      ],
      fixed_charges: [{ id: "x1", units: "12" }],
    });
  });
});
