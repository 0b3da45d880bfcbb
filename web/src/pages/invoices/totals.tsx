/** How the lines come to what is to be paid: deductions, taxes, credits, in the order in which they apply. */
import { Fragment } from "react";
import { percent } from "@/lib/money";
import { Money, Why } from "@/ui/amounts";
import type { Invoice } from "./model";

export function Totals({ invoice, isOpen, onWhy }: { invoice: Invoice; isOpen: boolean; onWhy: () => void }) {
  const { currency } = invoice;
  const plain = (cents: number) => <Money cents={cents} currency={currency} isZeroPlain />;
  const less = (cents: number) => (
    <span className="num">
      {cents > 0 && "−"}
      <Money cents={cents} currency={currency} />
    </span>
  );
  const progressive = invoice.progressive_billing_credit_amount_cents;
  const coupons = invoice.credits.filter((credit) => credit.item.type === "coupon");
  const notes = invoice.credit_notes_amount_cents;
  const prepaid = invoice.prepaid_credit_amount_cents;
  const isDeducted = progressive > 0 || invoice.coupons_amount_cents > 0;
  const isCredited = notes > 0 || prepaid > 0;
  const why = (cents: number) => (
    <Why isOpen={isOpen} onClick={onWhy}>
      {plain(cents)}
    </Why>
  );
  return (
    <dl className="totals">
      {isDeducted && (
        <>
          <dt>Fees</dt>
          <dd>{plain(invoice.fees_amount_cents)}</dd>
        </>
      )}
      {progressive > 0 && (
        <>
          <dt>Billed progressively</dt>
          <dd>{less(progressive)}</dd>
        </>
      )}
      {coupons.map((credit) => (
        <Fragment key={credit.lago_id}>
          <dt>Coupon {credit.item.name}</dt>
          <dd>{less(credit.amount_cents)}</dd>
        </Fragment>
      ))}
      {coupons.length === 0 && invoice.coupons_amount_cents > 0 && (
        <>
          <dt>Coupons</dt>
          <dd>{less(invoice.coupons_amount_cents)}</dd>
        </>
      )}
      <dt>Subtotal</dt>
      <dd>{plain(invoice.sub_total_excluding_taxes_amount_cents)}</dd>
      {invoice.applied_taxes.map((tax) => (
        <Fragment key={tax.lago_id}>
          <dt>
            {tax.tax_name}, {percent(tax.tax_rate)}
          </dt>
          <dd>{why(tax.amount_cents)}</dd>
        </Fragment>
      ))}
      {invoice.applied_taxes.length === 0 && (
        <>
          <dt>Tax</dt>
          <dd>{less(invoice.taxes_amount_cents)}</dd>
        </>
      )}
      {isCredited && (
        <>
          <dt className="t">Total with tax</dt>
          <dd className="t">{plain(invoice.sub_total_including_taxes_amount_cents)}</dd>
        </>
      )}
      {notes > 0 && (
        <>
          <dt>Credit notes</dt>
          <dd>{less(notes)}</dd>
        </>
      )}
      {prepaid > 0 && (
        <>
          <dt>Prepaid credits</dt>
          <dd>{less(prepaid)}</dd>
        </>
      )}
      <dt className="t big">Total</dt>
      <dd className="t big">{why(invoice.total_amount_cents)}</dd>
      {invoice.total_paid_amount_cents > 0 && (
        <>
          <dt>Paid</dt>
          <dd>{less(invoice.total_paid_amount_cents)}</dd>
        </>
      )}
      {invoice.total_offsetted_credit_note_amount_cents > 0 && (
        <>
          <dt>Set off by credit notes</dt>
          <dd>{less(invoice.total_offsetted_credit_note_amount_cents)}</dd>
        </>
      )}
      {invoice.status === "finalized" && invoice.total_due_amount_cents !== invoice.total_amount_cents && (
        <>
          <dt className="t">Amount due</dt>
          <dd className="t">{plain(invoice.total_due_amount_cents)}</dd>
        </>
      )}
    </dl>
  );
}
