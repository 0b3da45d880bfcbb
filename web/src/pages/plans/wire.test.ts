import { describe, expect, it } from "vitest";
import { copyOf, NEW_PLAN, type PlanDraft } from "./draft";
import {
  changesOf,
  countChanges,
  faultsOf,
  modelRefusal,
  type Plan,
  readPlan,
  refusalsOf,
  requestsOf,
  writeEntitlements,
  writePlan,
} from "./wire";

const TAX = { lago_id: "t", name: "VAT", code: "vat", rate: 20, description: null, created_at: "" };
const TIERS = [
  { from_value: 0, to_value: 10, per_unit_amount: "1.00", flat_amount: "5.00" },
  { from_value: 11, to_value: null, per_unit_amount: "0.50", flat_amount: "0" },
];

/** A plan with one of each, whose properties are written in ways that the editor itself would not choose. */
const PLAN = {
  lago_id: "p",
  name: "Scale",
  code: "scale",
  invoice_display_name: null,
  created_at: "2026-11-01T00:00:00Z",
  interval: "monthly",
  description: "For teams",
  amount_cents: 49900,
  amount_currency: "EUR",
  trial_period: 14,
  pay_in_advance: true,
  bill_charges_monthly: null,
  bill_fixed_charges_monthly: null,
  entitlements: [
    {
      code: "sso",
      name: null,
      description: null,
      privileges: [
        { code: "seats", name: null, value_type: "integer", config: {}, value: 50 },
        { code: "on", name: null, value_type: "boolean", config: {}, value: true },
      ],
    },
  ],
  charges: [
    {
      lago_id: "c1",
      lago_billable_metric_id: "m1",
      billable_metric_code: "api",
      code: "api",
      invoice_display_name: "Requests",
      charge_model: "graduated",
      invoiceable: true,
      regroup_paid_fees: null,
      pay_in_advance: false,
      prorated: false,
      min_amount_cents: 5000,
      accepts_target_wallet: false,
      properties: { graduated_ranges: TIERS, pricing_group_keys: ["region"] },
      filters: [
        {
          lago_id: "f1",
          invoice_display_name: "Asia",
          properties: { graduated_ranges: TIERS },
          values: { region: ["ap"] },
        },
      ],
      taxes: [TAX],
      applied_pricing_unit: null,
    },
    {
      lago_id: "c2",
      lago_billable_metric_id: "m2",
      billable_metric_code: "volume",
      code: "volume",
      invoice_display_name: null,
      charge_model: "percentage",
      invoiceable: false,
      regroup_paid_fees: "invoice",
      pay_in_advance: true,
      prorated: false,
      min_amount_cents: 0,
      accepts_target_wallet: false,
      properties: { rate: "1.40", fixed_amount: "0", free_units_per_events: null },
      filters: [],
      taxes: [],
      applied_pricing_unit: null,
    },
  ],
  fixed_charges: [
    {
      lago_id: "x1",
      lago_add_on_id: "a1",
      add_on_code: "support",
      code: "support",
      invoice_display_name: "Support",
      charge_model: "standard",
      pay_in_advance: true,
      prorated: false,
      properties: { amount: "99" },
      units: "1",
      taxes: [],
    },
  ],
  taxes: [TAX],
  minimum_commitment: { amount_cents: 60000, invoice_display_name: "Minimum", taxes: [] },
  usage_thresholds: [
    { amount_cents: 100000, threshold_display_name: "First", recurring: false },
    { amount_cents: 250000, threshold_display_name: null, recurring: true },
  ],
  metadata: { owner: "pricing" },
} as unknown as Plan;

const edited = (change: (draft: PlanDraft) => Partial<PlanDraft>): PlanDraft => {
  const draft = readPlan(PLAN);
  return { ...draft, ...change(draft) };
};

describe("a plan that is loaded and not changed", () => {
  it("gives the body that it came from", () => {
    expect(writePlan(readPlan(PLAN))).toEqual({
      name: "Scale",
      code: "scale",
      invoice_display_name: null,
      description: "For teams",
      interval: "monthly",
      amount_cents: 49900,
      amount_currency: "EUR",
      pay_in_advance: true,
      trial_period: 14,
      bill_charges_monthly: false,
      bill_fixed_charges_monthly: false,
      tax_codes: ["vat"],
      charges: [
        {
          id: "c1",
          billable_metric_id: "m1",
          code: "api",
          invoice_display_name: "Requests",
          charge_model: "graduated",
          properties: { graduated_ranges: TIERS, pricing_group_keys: ["region"] },
          filters: [
            {
              values: { region: ["ap"] },
              invoice_display_name: "Asia",
              properties: { graduated_ranges: TIERS },
            },
          ],
          pay_in_advance: false,
          invoiceable: true,
          regroup_paid_fees: null,
          prorated: false,
          accepts_target_wallet: false,
          min_amount_cents: 5000,
          tax_codes: ["vat"],
        },
        {
          id: "c2",
          billable_metric_id: "m2",
          code: "volume",
          invoice_display_name: null,
          charge_model: "percentage",
          properties: { rate: "1.40", fixed_amount: "0", free_units_per_events: null },
          filters: [],
          pay_in_advance: true,
          invoiceable: false,
          regroup_paid_fees: "invoice",
          prorated: false,
          accepts_target_wallet: false,
          min_amount_cents: 0,
          tax_codes: [],
        },
      ],
      fixed_charges: [
        {
          id: "x1",
          add_on_id: "a1",
          code: "support",
          invoice_display_name: "Support",
          charge_model: "standard",
          properties: { amount: "99" },
          units: "1",
          pay_in_advance: true,
          prorated: false,
          tax_codes: [],
        },
      ],
      minimum_commitment: { amount_cents: 60000, invoice_display_name: "Minimum", tax_codes: [] },
      usage_thresholds: [
        { amount_cents: 100000, threshold_display_name: "First", recurring: false },
        { amount_cents: 250000, threshold_display_name: null, recurring: true },
      ],
      metadata: { owner: "pricing" },
    });
  });

  it("sends nothing and counts nothing", () => {
    const draft = readPlan(PLAN);
    expect(changesOf(writePlan(draft), writePlan(readPlan(PLAN)))).toEqual({});
    expect(countChanges(draft, readPlan(PLAN))).toBe(0);
    expect(faultsOf(draft)).toEqual({});
  });
});

describe("a change", () => {
  it("sends what differs, charges as their whole list", () => {
    const after = edited((draft) => ({ amount: "399.5", charges: draft.charges.slice(0, 1) }));
    const sent = changesOf(writePlan(readPlan(PLAN)), writePlan(after)) as { charges: { id: string }[] };
    expect(Object.keys(sent)).toEqual(["amount_cents", "charges"]);
    expect(sent).toMatchObject({ amount_cents: 39950 });
    expect(sent.charges.map(({ id }) => id)).toEqual(["c1"]);
    expect(countChanges(readPlan(PLAN), after)).toBe(2);
  });

  it("takes a commitment away by an empty one", () => {
    const after = edited(() => ({ commitment: null }));
    expect(changesOf(writePlan(readPlan(PLAN)), writePlan(after))).toEqual({ minimum_commitment: {} });
  });

  it("of a copy names no charge that is kept", () => {
    const body = writePlan(copyOf(readPlan(PLAN))) as unknown as {
      charges: object[];
      fixed_charges: object[];
    };
    expect([...body.charges, ...body.fixed_charges].some((charge) => "id" in charge)).toBe(false);
  });
});

describe("requests", () => {
  const save = (draft: PlanDraft, cascades = false) =>
    requestsOf({ draft, initial: readPlan(PLAN), code: "scale", features: [], cascades });

  it("are none where nothing changed", () => {
    expect(save(readPlan(PLAN))).toEqual([]);
    expect(
      requestsOf({ draft: NEW_PLAN, initial: NEW_PLAN, code: undefined, features: [], cascades: false }),
    ).toEqual([]);
  });

  it("change the plan first, also that of those with prices of their own where it is asked for", () => {
    const after = edited(() => ({ name: "Scale 2", entitlements: [] }));
    expect(save(after, true)).toEqual([
      {
        method: "PUT",
        path: "/api/v1/plans/scale",
        body: { plan: { name: "Scale 2", cascade_updates: true } },
      },
      { method: "POST", path: "/api/v1/plans/scale/entitlements", body: { entitlements: {} } },
    ]);
  });
});

describe("entitlements", () => {
  it("are values of their privileges' types", () => {
    const features = [
      {
        code: "sso",
        name: null,
        description: null,
        created_at: "",
        privileges: [
          { code: "seats", name: null, value_type: "integer" as const, config: {} },
          { code: "on", name: null, value_type: "boolean" as const, config: {} },
        ],
      },
    ];
    expect(writeEntitlements(readPlan(PLAN), features)).toEqual({ sso: { seats: 50, on: true } });
  });
});

describe("faults", () => {
  it("are where they are", () => {
    const after = edited((draft) => ({
      name: " ",
      amount: "1.005",
      charges: draft.charges.map((charge, index) =>
        index === 0
          ? {
              ...charge,
              price: {
                ...charge.price,
                tiers: [
                  { to: "x", price: "1", flat: "" },
                  { to: "", price: "", flat: "" },
                ],
              },
              filters: [...charge.filters, { ...charge.filters[0]!, key: "again" }],
            }
          : charge,
      ),
    }));
    expect(faultsOf(after)).toEqual({
      name: "A name is needed.",
      amount: "This is no amount of EUR.",
      "charges.0.tiers.0.to": "This is no number.",
      "charges.0.tiers.1.price": "This is needed.",
      "charges.0.filters.1.values": "There is a price for these values.",
    });
  });
});

describe("what a charge may be", () => {
  const refuse = (charge_model: "standard" | "volume" | "package", kind: string, recurring = false) =>
    refusalsOf({ charge_model, pay_in_advance: false }, { aggregation_type: kind, recurring });

  it("depends on its metric and its model", () => {
    expect(refuse("standard", "sum_agg", true)).toEqual({});
    expect(refuse("standard", "max_agg").inAdvance).toBe("One event of this metric has no price of its own.");
    expect(refuse("volume", "sum_agg").inAdvance).toBe(
      "The tier of a volume price is known at the end of the period.",
    );
    expect(refuse("standard", "sum_agg").prorated).toBe("It needs a recurring metric.");
    expect(refuse("package", "sum_agg", true).prorated).toBe(
      "It needs the model standard, graduated or volume.",
    );
    expect(refuse("standard", "weighted_sum_agg", true).prorated).toBe("Units are weighted by time already.");
    expect(modelRefusal("dynamic", "count_agg")).toBe("It needs a metric that sums.");
    expect(modelRefusal("graduated", "count_agg")).toBeUndefined();
  });
});
