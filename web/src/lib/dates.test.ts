import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  day,
  daysBetween,
  distance,
  endOfDay,
  halfOpenPeriod,
  inZones,
  isoDay,
  moment,
  period,
  setOwnZone,
  startOfDay,
} from "./dates";
import { setReadersLocale } from "./money";

beforeEach(() => setReadersLocale("en"));
afterEach(() => setReadersLocale(null));

describe("dates", () => {
  it("shows a plain day as that day in every zone", () => {
    expect(day("2026-11-01", "America/Los_Angeles")).toBe("1 Nov 2026");
  });

  it("shows an instant in the zone that is asked for", () => {
    expect(day("2026-10-31T23:30:00Z", "Europe/Berlin")).toBe("1 Nov 2026");
    expect(moment("2026-11-01T13:32:00Z", "Europe/Berlin")).toBe("1 Nov 2026, 14:32");
    expect(isoDay("2026-10-31T23:30:00Z", "Europe/Berlin")).toBe("2026-11-01");
  });

  it("shows a period by its first and last day", () => {
    expect(period("2026-11-01", "2026-11-30")).toBe("1–30 Nov 2026");
    expect(halfOpenPeriod("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z", "Europe/Berlin")).toBe(
      "1–30 Nov 2026",
    );
  });

  it("tells in its title what it is in UTC, for the organization and for the customer", () => {
    setOwnZone("Europe/Berlin");
    expect(inZones("2026-11-01T13:32:07Z", "America/New_York")).toBe(
      "2026-11-01 13:32:07 UTC\n1 Nov 2026, 14:32 in Berlin\n1 Nov 2026, 08:32 in New York",
    );
    expect(inZones("2026-11-01T13:32:07Z", "Europe/Berlin")).toBe(
      "2026-11-01 13:32:07 UTC\n1 Nov 2026, 14:32 in Berlin",
    );
    expect(inZones("2026-11-01")).toBe("2026-11-01");
    setOwnZone("UTC");
    expect(inZones("2026-11-01T13:32:07Z")).toBe("2026-11-01 13:32:07 UTC");
  });

  it("counts days by the calendar", () => {
    expect(daysBetween("2026-11-15T23:59:00Z", "2026-11-18T00:01:00Z")).toBe(3);
  });

  it("says how far away something is", () => {
    const now = Date.parse("2026-11-18T12:00:00Z");
    expect(distance("2026-11-15T12:00:00Z", now)).toBe("3 days ago");
    expect(distance("2026-11-18T14:00:00Z", now)).toBe("in 2 hours");
  });

  it("counts to a day by the calendar of where it is", () => {
    // 15:00 in London, 00:00 of the next day in Tokyo
    const now = Date.parse("2026-12-04T15:00:00Z");
    expect(distance("2026-12-06", now, "Europe/London")).toBe("in 2 days");
    expect(distance("2026-12-05", now, "Europe/London")).toBe("tomorrow");
    expect(distance("2026-12-05", now, "Asia/Tokyo")).toBe("today");
  });
});

describe("days of a zone", () => {
  it("begin and end by its clocks, in summer and in winter", () => {
    expect(startOfDay("2026-11-01", "Europe/Berlin")).toBe("2026-10-31T23:00:00.000Z");
    expect(startOfDay("2026-07-01", "Europe/Berlin")).toBe("2026-06-30T22:00:00.000Z");
    // 25 October 2026 has 25 hours in Berlin: from 22:00 UTC the day before to 23:00 UTC
    expect(startOfDay("2026-10-25", "Europe/Berlin")).toBe("2026-10-24T22:00:00.000Z");
    expect(endOfDay("2026-10-25", "Europe/Berlin")).toBe("2026-10-25T22:59:59.000Z");
    expect(startOfDay("2026-11-01", "America/Los_Angeles")).toBe("2026-11-01T07:00:00.000Z");
    expect(endOfDay("2026-12-31", "UTC")).toBe("2026-12-31T23:59:59.000Z");
  });
});
