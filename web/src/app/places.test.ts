import { describe, expect, it } from "vitest";
import { placesFor } from "./places";

const everything = () => true;
const labels = (
  typed: string,
  can: (...permissions: string[]) => boolean = everything,
  isSimulated = false,
) => placesFor(typed, can, { isSimulated }).map(({ label }) => label);

describe("placesFor", () => {
  it("finds a page by its name, the area it is in, or another word for it", () => {
    expect(labels("mrr")).toEqual(["MRR"]);
    expect(labels("settings vat")).toEqual(["Integrations", "Taxes"]);
    expect(labels("invite")).toEqual(["Members"]);
    expect(labels("docs")).toEqual(["API reference"]);
  });

  it("has those first whose name begins with what is typed", () => {
    expect(labels("usage").at(0)).toBe("Usage");
    expect(labels("webhooks")).toEqual(["Webhooks"]);
    expect(labels("new c").slice(0, 2)).toEqual(["New customer", "New coupon"]);
  });

  it("leaves out what somebody may not see", () => {
    const mayOnly = (...permissions: string[]) => permissions.includes("customers:view");
    expect(labels("customers", mayOnly)).toEqual(["Customers"]);
    expect(labels("taxes", mayOnly)).toEqual([]);
    expect(labels("account", mayOnly)).toEqual(["Your account"]);
  });

  it("has the test clock where time is simulated alone", () => {
    expect(labels("time travel")).toEqual([]);
    expect(labels("time travel", everything, true)).toEqual(["Test clock"]);
  });

  it("has the parts of each billing entity that somebody may see, by its name, too", () => {
    const entities = [
      { code: "hooli", name: "Hooli" },
      { code: "pied_piper", name: "Pied Piper" },
    ];
    const areas = (typed: string, can: (...permissions: string[]) => boolean = everything) =>
      placesFor(typed, can, { entities }).map(({ label, area }) => `${label} of ${area}`);
    expect(areas("numbering prefix")).toEqual(["Invoicing of Hooli", "Invoicing of Pied Piper"]);
    expect(areas("hooli e-mail")).toEqual(["E-mail scenarios of Hooli"]);
    const mayOnly = (...permissions: string[]) => permissions.includes("billing_entities:view");
    expect(areas("hooli", mayOnly)).toEqual([
      "General of Hooli",
      "E-mail scenarios of Hooli",
      "Invoicing of Hooli",
      "Dunning of Hooli",
    ]);
  });
});
