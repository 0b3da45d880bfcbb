import { describe, expect, it } from "vitest";
import { byCurrency, sumOf } from "./customer";
import { type DailyUsage, daysFrom, limitsOf, monthBefore, type ProjectedUsage, usageChart } from "./usage";

function charge(code: string, cents: number, projected: number) {
  return {
    amount_cents: cents,
    projected_amount_cents: projected,
    billable_metric: { code, name: code.toUpperCase() },
  };
}

function usage(charges: ReturnType<typeof charge>[]): ProjectedUsage {
  return {
    from_datetime: "2026-11-01T00:00:00Z",
    to_datetime: "2026-11-05T23:59:59Z",
    currency: "EUR",
    charges_usage: charges,
  } as unknown as ProjectedUsage;
}

function recorded(code: string, day: string, cents: number): DailyUsage {
  return {
    start_of_period_dt: day,
    amount_currency: "EUR",
    amount_cents: cents,
    billable_metric_code: code,
  } as DailyUsage;
}

describe("usageChart", () => {
  const asked = {
    usages: [usage([charge("api", 700, 1100), charge("seats", 500, 500), charge("none", 0, 0)])],
    daily: [
      recorded("api", "2026-11-01", 200),
      recorded("api", "2026-11-02", 300),
      recorded("seats", "2026-11-01", 500),
      recorded("api", "2026-10-27", 40),
      recorded("api", "2026-10-29", 60),
    ],
    now: "2026-11-03T12:00:00Z",
    zone: "UTC",
  };

  it("adds up recorded days, takes today from the current usage, and goes straight to what is projected", () => {
    const chart = usageChart(asked)!;
    expect(chart.days).toEqual(["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]);
    expect(chart.today).toBe(2);
    // 200, 200 + 300, the current 700, half of the way of 400 to 1100, all of it
    expect(chart.series[0]).toMatchObject({ name: "API", values: [200, 500, 700, 900, 1100] });
    expect(chart.series[1]).toMatchObject({ name: "SEATS", values: [500, 500, 500, 500, 500] });
    expect(chart.series).toHaveLength(2);
  });

  it("puts the days before at the same places", () => {
    // five days before 1 November begin on 27 October
    expect(usageChart(asked)!.before).toEqual([40, 40, 100, 100, 100]);
    expect(usageChart({ ...asked, daily: [] })!.before).toBeNull();
  });

  it("is nothing without usage", () => {
    expect(usageChart({ ...asked, usages: [] })).toBeNull();
  });
});

describe("periods", () => {
  it("counts days across a month's end", () => {
    expect(daysFrom("2026-02-27", "2026-03-01")).toEqual(["2026-02-27", "2026-02-28", "2026-03-01"]);
  });

  it("begins the month before on the same day, or on its last", () => {
    expect(monthBefore(daysFrom("2026-11-01", "2026-11-30"))).toBe("2026-10-01");
    expect(monthBefore(daysFrom("2026-03-31", "2026-04-29"))).toBe("2026-02-28");
    expect(monthBefore(daysFrom("2026-11-08", "2026-11-14"))).toBe("2026-11-01");
  });
});

describe("sums", () => {
  it("keeps currencies apart, the largest first", () => {
    const amounts = [
      { cents: 100, currency: "USD" },
      { cents: 300, currency: "EUR" },
      { cents: 50, currency: "USD" },
    ];
    expect(byCurrency(amounts)).toEqual([
      ["EUR", 300n],
      ["USD", 150n],
    ]);
  });

  it("adds credits exactly", () => {
    expect(sumOf(["0.1", "0.2", "3120.0"])).toBe("3120.3");
  });
});

describe("limitsOf", () => {
  const at = (value: string, recurring = false) => ({ code: null, value, recurring });
  const alert = (...thresholds: ReturnType<typeof at>[]) => ({
    alert_type: "current_usage_amount",
    code: "budget",
    name: "Budget",
    thresholds,
  });
  const values = (alerts: Parameters<typeof limitsOf>[0], top: number) =>
    limitsOf(alerts, top).map((one) => one.value);

  it("has what usage reaches, and the next one that is near", () => {
    expect(limitsOf([alert(at("5000.0"), at("12000.0"), at("40000.0"))], 10_000)).toEqual([
      { value: 5000, label: "Alert: Budget" },
      { value: 12_000, label: "Alert: Budget" },
    ]);
    expect(values([alert(at("30000.0"))], 10_000)).toEqual([]);
  });

  it("repeats a recurring one after the last of the others", () => {
    // After 5,000 each 2,000: 7,000, 9,000, and 11,000 is the next.
    expect(values([alert(at("5000"), at("2000", true))], 10_000)).toEqual([5000, 7000, 9000, 11_000]);
    // Of very many the last ones are shown.
    expect(values([alert(at("1", true))], 1000)).toEqual([998, 999, 1000, 1001]);
  });

  it("leaves alerts on anything else out, and one line for two at one amount", () => {
    const ofUnits = { ...alert(at("10")), alert_type: "billable_metric_current_usage_units" };
    expect(values([ofUnits, alert(at("20")), alert(at("20"))], 100)).toEqual([20]);
  });
});
