/** What belongs to an invoice: its payments, its credit notes. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { buttonClass } from "@/ui/basics";
import { Empty, Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import { possibleActions } from "./actions";
import type { Invoice } from "./model";
import { noteColumns, paymentColumns } from "./related-columns";

export function InvoicePayments({ invoice }: { invoice: Invoice }) {
  const can = useCan();
  const query = useQuery(
    read("/api/v1/payments", { params: { query: { invoice_id: invoice.lago_id } as never } }),
  );
  const circumstances = { isCharged: false, hasPages: false, sendsEmails: false };
  const isPayable = possibleActions(invoice, circumstances).includes("record_payment");
  return (
    <div className="sec">
      <Loaded query={query} what="Payments">
        {({ payments }) =>
          payments.length === 0 ? (
            <Empty
              title="No payments"
              actions={
                isPayable &&
                can("payments:create") && (
                  <Link className={buttonClass()} to={paths.payments.create({ invoice: invoice.lago_id })}>
                    Record payment
                  </Link>
                )
              }
            >
              {isPayable
                ? "None has been received for this invoice."
                : "Nothing is to be paid for this invoice."}
            </Empty>
          ) : (
            <Table
              label="Payments"
              isBleeding
              columns={paymentColumns}
              rows={payments}
              keyOf={(payment) => payment.lago_id}
              hrefOf={(payment) => paths.payments.show(payment.lago_id)}
            />
          )
        }
      </Loaded>
    </div>
  );
}

export function InvoiceCreditNotes({ invoice }: { invoice: Invoice }) {
  const can = useCan();
  const query = useQuery(
    read("/api/v1/credit_notes", { params: { query: { invoice_number: invoice.number } as never } }),
  );
  return (
    <div className="sec">
      <Loaded query={query} what="Credit notes">
        {({ credit_notes: notes }) =>
          notes.length === 0 ? (
            <Empty
              title="No credit notes"
              actions={
                invoice.status === "finalized" &&
                can("credit_notes:create") && (
                  <Link className={buttonClass()} to={paths.creditNotes.create(invoice.lago_id)}>
                    Issue credit note
                  </Link>
                )
              }
            >
              Nothing of this invoice was given back.
            </Empty>
          ) : (
            <Table
              label="Credit notes"
              isBleeding
              columns={noteColumns}
              rows={notes}
              keyOf={(note) => note.lago_id}
              hrefOf={(note) => paths.creditNotes.show(note.customer.external_id, note.lago_id)}
            />
          )
        }
      </Loaded>
    </div>
  );
}
