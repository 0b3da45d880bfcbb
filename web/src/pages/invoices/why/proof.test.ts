import { beforeAll, describe, expect, it } from "vitest";
import { setReadersLocale } from "@/lib/money";
import { proofOfFee, proofOfInvoice } from "./proof";
import { recomputeFee, recomputeInvoice, Unexplained } from "./recompute";

const period = { step: "period", from: "2026-08-01T00:00:00Z", to: "2026-09-01T00:00:00Z", timezone: "UTC" };
const counted = (value: string) => ({
  step: "aggregation",
  group: {},
  value,
  filter: null,
  events_count: 3,
  aggregation_type: "sum_agg",
  billable_metric_code: "seats",
});
const round = (cents: number) => ({ step: "rounding", amount_cents: cents });

/** 42 seats all month, 6 more for 20 days, 3 more for 6: in tiers of 25 at 19, 25 at 16, and 12.50 above. */
const SEATS = [
  period,
  counted("51"),
  {
    step: "proration",
    rule: "ceil_to_5_decimals",
    units: "46.45162",
    changes: [
      { units: "42", fraction: "1" },
      { units: "6", fraction: "20/31" },
      { units: "3", fraction: "6/31" },
    ],
  },
  {
    step: "pricing",
    charge_model: "graduated",
    amount: "817.54838709677419354839",
    properties: {
      graduated_ranges: [
        { from_value: 0, to_value: 25, per_unit_amount: "19", flat_amount: "0" },
        { from_value: 26, to_value: 50, per_unit_amount: "16", flat_amount: "0" },
        { from_value: 51, to_value: null, per_unit_amount: "12.5", flat_amount: "0" },
      ],
    },
    lines: [
      { units: "42", share: "1" },
      { units: "6", share: "20/31" },
      { units: "3", share: "6/31" },
    ],
  },
  round(81755),
];

beforeAll(() => setReadersLocale("en"));

describe("the proof of a fee", () => {
  it("lays seats into tiers, each change for its days", () => {
    const { period: shown, steps } = proofOfFee(SEATS, "EUR");
    expect(shown).toBe("1–31 Aug 2026");
    expect(steps.map((step) => step.title)).toEqual([
      "Events",
      "Aggregation",
      "Tiers",
      "Proration",
      "Rounding",
      "Fee",
    ]);
    const proration = steps[3]!;
    // 25 × 19 = 475; 17 × 16 = 272; 6 × 16 × 20/31 = 61.935…; 2 × 16 × 6/31 = 6.193…; 1 × 12.5 × 6/31 = 2.419…
    expect(proration.lines?.map((line) => [line.what, line.value])).toEqual([
      ["25 × €19.00", "475"],
      ["17 × €16.00", "272"],
      ["6 × €16.00", "61.935…"],
      ["2 × €16.00", "6.193…"],
      ["1 × €12.50", "2.419…"],
    ]);
    expect(proration.lines?.[2]?.share).toEqual({ over: 20, under: 31 });
    expect(proration.lines?.[0]?.days).toEqual({ over: 31, under: 31 });
    // 475 + 272 + 1920/31 + 192/31 + 75/31 = 747 + 2187/31 = 25344/31
    expect(proration.total?.fraction).toEqual({ over: "25,344", under: "31" });
    expect(proration.total?.value).toBe("817.548387…");
    expect(steps.at(-1)?.result).toBe("€817.55");
  });

  it("draws the bands of the tiers and what fills them", () => {
    const bar = proofOfFee(SEATS, "EUR").steps[2]?.bar;
    expect(bar?.bands.map((band) => band.label)).toEqual([
      "1–25 at €19.00",
      "26–50 at €16.00",
      "51+ at €12.50",
    ]);
    // 42 fill the first tier and 17 of the second; 6 more; 2 and 1 more.
    expect(bar?.fills.map((fill) => [fill.step, fill.label])).toEqual([
      [0, "42"],
      [0, undefined],
      [1, "+6"],
      [2, "+3"],
      [2, undefined],
    ]);
  });

  it("shows seats that left without a price for each change", () => {
    const left = SEATS.map((step) =>
      step.step === "pricing"
        ? {
            ...step,
            lines: [
              { units: "42", share: "1" },
              { units: "-2", share: "1/2" },
            ],
          }
        : step,
    );
    const proration = proofOfFee(left, "EUR").steps.find((step) => step.title === "Proration");
    expect(proration?.lines?.map((line) => line.what)).toEqual(["+42", "−2"]);
    expect(proration?.total?.value).toBe("817.548387…");
  });

  it("shows a share of a month in days of that month", () => {
    const half = [
      { ...period, from: "2026-06-01T00:00:00Z", to: "2026-07-01T00:00:00Z" },
      { step: "base_amount", amount_cents: 49000 },
      { step: "proration", fraction: "20/30", amount_cents: "32666.666666666666667" },
      round(32667),
    ];
    const line = proofOfFee(half, "EUR").steps.find((step) => step.title === "Proration")?.lines?.[0];
    expect(line).toMatchObject({ what: "20 of 30 days", share: { over: 20, under: 30 }, value: "326.6666…" });
    expect(recomputeFee(half, "EUR")).toBe(32667n);
  });
});

describe("an amount recomputed from its explanation", () => {
  it("is the amount that was billed", () => {
    expect(recomputeFee(SEATS, "EUR")).toBe(81755n);
  });

  it("follows tiers with flat amounts, packages and prices of nothing less than a cent", () => {
    const pricing = { step: "pricing", properties: {} };
    const graduated = {
      ...pricing,
      charge_model: "graduated",
      amount: "23.4",
      lines: [
        { from: "0", to: "10", units: "10", unit_amount: "0", flat_amount: "0", amount: "0" },
        { from: "10", to: "40", units: "30", unit_amount: "0.5", flat_amount: "5", amount: "20" },
        { from: "40", to: null, units: "17", unit_amount: "0.2", flat_amount: "0", amount: "3.4" },
      ],
    };
    expect(recomputeFee([counted("57"), graduated, round(2340)], "EUR")).toBe(2340n);
    // 48,203,110 tokens open 49 packages of a million at 6.00.
    const packages = {
      ...pricing,
      charge_model: "package",
      amount: "294",
      properties: { amount: "6", free_units: 0, package_size: 1_000_000 },
    };
    expect(recomputeFee([counted("48203110"), packages, round(29400)], "EUR")).toBe(29400n);
    // 3 × 0.006 = 0.018: two cents; in yen 3 × 0.5 = 1.5: two yen.
    const standard = (each: string, amount: string) => ({
      ...pricing,
      charge_model: "standard",
      amount,
      properties: { amount: each },
    });
    expect(recomputeFee([counted("3"), standard("0.006", "0.018"), round(2)], "EUR")).toBe(2n);
    expect(recomputeFee([counted("3"), standard("0.5", "1.5"), round(2)], "JPY")).toBe(2n);
  });

  it("does not follow where a step says another thing", () => {
    const wrong = SEATS.map((step) => (step.step === "proration" ? { ...step, units: "46.5" } : step));
    expect(() => recomputeFee(wrong, "EUR")).toThrow(Unexplained);
    expect(() => recomputeFee([counted("1"), { step: "magic" }], "EUR")).toThrow(Unexplained);
    expect(() => recomputeFee([{ step: "base_amount" }], "EUR")).toThrow(Unexplained);
  });
});

describe("the proof of an invoice", () => {
  const steps = [
    {
      step: "fees",
      amount_cents: 20000,
      fees: [
        { lago_fee_id: "a", type: "subscription", amount_cents: 15000 },
        { lago_fee_id: "b", type: "charge", amount_cents: 5000 },
      ],
    },
    {
      step: "coupons",
      amount_cents: 2000,
      credits: [
        {
          name: "Launch",
          code: "launch",
          amount_cents: 2000,
          base_cents: "20000",
          percentage_rate: "10",
          shares: [
            { lago_fee_id: "a", amount_cents: "1500" },
            { lago_fee_id: "b", amount_cents: "500" },
          ],
        },
      ],
    },
    {
      step: "taxes",
      rule: "of_bases",
      amount_cents: 3420,
      fees: [],
      taxes: [
        {
          name: "VAT",
          code: "vat",
          rate: "19",
          base_cents: "18000",
          precise_amount_cents: "3420",
          amount_cents: 3420,
          lago_fee_ids: ["a", "b"],
        },
      ],
    },
    { step: "wallets", amount_cents: 420, credits: [{ code: "prepaid", amount_cents: 420 }] },
    {
      step: "totals",
      fees_amount_cents: 20000,
      sub_total_excluding_taxes_amount_cents: 18000,
      taxes_amount_cents: 3420,
      total_amount_cents: 21000,
    },
  ];

  it("goes from the fees to the total", () => {
    // 200.00 − 20.00 = 180.00; 19 % are 34.20; 214.20 − 4.20 = 210.00
    const proof = proofOfInvoice(
      steps,
      "EUR",
      new Map([
        ["a", "Platform"],
        ["b", "Egress"],
      ]),
    );
    expect(proof.steps.map((step) => [step.title, step.result])).toEqual([
      ["Fees", "€200.00"],
      ["Coupons", "−€20.00"],
      ["Taxes", "€34.20"],
      ["Prepaid credits", "−€4.20"],
      ["Total", "€210.00"],
    ]);
    expect(proof.steps[1]?.lines?.[0]?.what).toBe("Launch, 10% of €200.00");
    expect(recomputeInvoice(steps)).toBe(21000n);
  });

  it("does not come out where a tax is of another base", () => {
    const wrong = steps.map((step) =>
      step.step === "taxes"
        ? { ...step, taxes: step.taxes?.map((tax) => ({ ...tax, lago_fee_ids: ["a"] })) }
        : step,
    );
    expect(() => recomputeInvoice(wrong)).toThrow(Unexplained);
  });
});
