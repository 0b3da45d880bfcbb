import { describe, expect, it } from "vitest";
import { type InvoiceState, possibleActions } from "./actions";

const finalized: InvoiceState = {
  status: "finalized",
  payment_status: "pending",
  invoice_type: "subscription",
  total_amount_cents: 10000,
  total_paid_amount_cents: 4000,
  total_due_amount_cents: 6000,
  payment_dispute_lost_at: null,
  xml_url: null,
};
const provided = { isCharged: true, hasPages: true, sendsEmails: false };
const alone = { isCharged: false, hasPages: false, sendsEmails: true };

describe("what can be done with an invoice", () => {
  it("is worked example 3 of ui §11", () => {
    const found = possibleActions(finalized, provided);
    expect(found).toEqual([
      "record_payment",
      "collect",
      "payment_link",
      "download",
      "credit_note",
      "payment_status",
      "metadata",
      "dispute",
      "void",
    ]);
    for (const absent of ["finalize", "delete", "regenerate"]) expect(found).not.toContain(absent);
  });

  it("is to finalize, refresh or delete a draft, and nothing else", () => {
    expect(possibleActions({ ...finalized, status: "draft" }, provided)).toEqual([
      "finalize",
      "refresh",
      "delete",
    ]);
  });

  it("records no payment of what is paid, and collects nothing", () => {
    const paid = {
      ...finalized,
      payment_status: "succeeded",
      total_paid_amount_cents: 10000,
      total_due_amount_cents: 0,
    };
    const found = possibleActions(paid, provided);
    for (const absent of ["record_payment", "collect", "payment_link"]) expect(found).not.toContain(absent);
    expect(found).toContain("credit_note");
  });

  it("records no payment where credit notes left nothing due", () => {
    expect(possibleActions({ ...finalized, total_due_amount_cents: 0 }, provided)).not.toContain(
      "record_payment",
    );
  });

  it("collects by a provider only, and writes e-mails where the entity does", () => {
    const found = possibleActions(finalized, alone);
    expect(found).not.toContain("collect");
    expect(found).not.toContain("payment_link");
    expect(found).toContain("email");
  });

  it("has no page at GoCardless, and only pages where nothing is collected by itself", () => {
    const debited = possibleActions(finalized, { ...provided, hasPages: false });
    expect(debited).toContain("collect");
    expect(debited).not.toContain("payment_link");
    const paged = possibleActions(finalized, { ...provided, isCharged: false });
    expect(paged).not.toContain("collect");
    expect(paged).toContain("payment_link");
  });

  it("disputes once", () => {
    const lost = { ...finalized, payment_dispute_lost_at: "2026-10-01T00:00:00Z" };
    expect(possibleActions(lost, provided)).not.toContain("dispute");
  });

  it("regenerates what is void once it is known that it may be", () => {
    const voided = { ...finalized, status: "voided" };
    expect(possibleActions(voided, { ...alone, isRegenerable: true })).toEqual(["regenerate"]);
    expect(possibleActions(voided, { ...alone, isRegenerable: false })).toEqual([]);
    const credits = { ...voided, invoice_type: "credit" };
    expect(possibleActions(credits, { ...alone, isRegenerable: true })).toEqual(["regenerate"]);
    expect(possibleActions(credits, { ...alone, isRegenerable: false })).toEqual([]);
    expect(possibleActions(voided, alone)).toEqual([]);
    expect(possibleActions(finalized, { ...alone, isRegenerable: true })).not.toContain("regenerate");
  });

  it("has an XML where the issuer makes one, once it is issued", () => {
    const electronic = { ...finalized, xml_url: "https://example.test/1.xml" };
    expect(possibleActions(electronic, alone)).toContain("download_xml");
    expect(possibleActions({ ...electronic, status: "draft" }, alone)).not.toContain("download_xml");
    expect(possibleActions(finalized, alone)).not.toContain("download_xml");
  });

  it("retries what failed for want of its taxes", () => {
    expect(possibleActions({ ...finalized, status: "failed" }, alone)).toEqual(["retry"]);
    expect(possibleActions({ ...finalized, status: "pending" }, alone)).toEqual([]);
  });
});
