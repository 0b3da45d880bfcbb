import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { CircleAlert, Download, Mail } from "lucide-react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { money } from "@/lib/money";
import { nameOf } from "@/pages/customers/customer";
import { useReceipt } from "@/pages/customers/lists";
import { useCustomer } from "@/pages/customers/reads";
import { EmailDialog } from "@/pages/invoices/dialogs";
import { openFile } from "@/pages/invoices/downloads";
import "@/pages/invoices/invoices.css";
import { PaymentStatus } from "@/pages/invoices/list";
import { methodOf, type Payment } from "@/pages/invoices/related-columns";
import { Day, Money } from "@/ui/amounts";
import { Banner, Button, Copy, Facts, Section, Stat, Stats } from "@/ui/basics";
import { useOpened } from "@/ui/opened";
import { Page, PageHead } from "@/ui/page";
import { Loaded, Skeleton } from "@/ui/states";
import { Status } from "@/ui/status";
import { type Column, Table } from "@/ui/table";
import { Collected, collectionOf } from "./collected";

export function PaymentDetails() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useQuery({
    ...read("/api/v1/payments/{lago_id}", { params: { path: { lago_id: id } } }),
    placeholderData: undefined,
  });
  // Asked for here, with the payment, so that it needs no request of its own.
  useQuery(invoicesOf(id));
  useQuery(collectionOf(id));
  return (
    <Loaded query={query} what="Payment">
      {({ payment }) => <Details payment={payment} />}
    </Loaded>
  );
}

type PaidInvoice = Schema<"PaidInvoiceOutput">;

const invoiceColumns: Column<PaidInvoice>[] = [
  { head: "Number", fold: "f1", cell: (row) => <b className="med id">{row.number}</b> },
  { head: "Payment", fold: "f4", cell: (row) => <PaymentStatus invoice={row} /> },
  { head: "Issued", fold: "f3", cell: (row) => <Day value={row.issuing_date} /> },
  { head: "Due", isLow: true, cell: (row) => <Day value={row.payment_due_date} /> },
  {
    head: "Total",
    isNumber: true,
    isLow: true,
    cell: (row) => <Money cents={row.total_amount_cents} currency={row.currency} />,
  },
  {
    head: "Still due",
    isNumber: true,
    isLow: true,
    cell: (row) => <Money cents={row.total_due_amount_cents} currency={row.currency} />,
  },
  {
    head: "By this payment",
    isNumber: true,
    fold: "f2",
    cell: (row) => <Money cents={row.paid_amount_cents} currency={row.currency} />,
  },
];

const invoicesOf = (payment: string) =>
  read("/app/v1/payments/{lago_id}/invoices", { params: { path: { lago_id: payment } } });

function Details({ payment }: { payment: Payment }) {
  const can = useCan();
  const [isMailing, setMailing] = useOpened("email", can("payment_receipts:send"));
  const openReceipt = useReceipt();
  const customer = useCustomer(payment.external_customer_id).data?.customer;
  const [invoice] = payment.invoice_ids;
  const receipts = useQuery({
    ...read("/api/v1/payment_receipts", { params: { query: { invoice_id: invoice } as never } }),
    enabled: invoice !== undefined && can("payment_receipts:view"),
  });
  const receipt = receipts.data?.payment_receipts.find((one) => one.payment.lago_id === payment.lago_id);
  const invoices = useQuery({ ...invoicesOf(payment.lago_id), placeholderData: undefined });
  const lost = (invoices.data?.invoices ?? []).filter(
    (one) => one.payment_dispute_lost_at && one.paid_amount_cents > 0,
  );
  const amount = money(payment.amount_cents, payment.amount_currency);
  return (
    <Page title={`Payment of ${amount}`} crumbs={[{ label: "Payments", href: paths.payments.list() }]}>
      <PageHead
        title={`Payment of ${amount}`}
        status={<Status status={payment.payment_status} isTint />}
        actions={
          receipt && (
            <>
              <Button onClick={() => void openReceipt(payment)}>
                <Download className="i" aria-hidden="true" />
                Receipt
              </Button>
              {receipt.xml_url && <Button onClick={() => openFile(receipt.xml_url)}>Receipt as XML</Button>}
              {can("payment_receipts:send") && (
                <Button onClick={() => setMailing(true)}>
                  <Mail className="i" aria-hidden="true" />
                  Send receipt again
                </Button>
              )}
            </>
          )
        }
      />
      {lost.length > 0 && (
        <div className="stack banners">
          <Banner look="warn" icon={<CircleAlert className="i" aria-hidden="true" />}>
            The dispute about {lost.map((one) => one.number).join(", ")} was lost: what was paid is gone.
          </Banner>
        </div>
      )}
      <div className="figures">
        <Stats>
          <Stat
            name="Amount"
            value={<Money cents={payment.amount_cents} currency={payment.amount_currency} isZeroPlain />}
            detail={methodOf(payment)}
          />
          <Stat
            name={payment.payment_status === "succeeded" ? "Received on" : "Asked for on"}
            value={<Day value={payment.created_at} />}
          />
        </Stats>
      </div>
      <Section title="Details">
        <Facts
          facts={[
            [
              "Customer",
              <Link
                key="customer"
                className={customer ? "link" : "link id"}
                to={paths.customers.show(payment.external_customer_id)}
              >
                {customer ? nameOf(customer) : payment.external_customer_id}
              </Link>,
            ],
            ...(payment.payable_type === "PaymentRequest"
              ? [["Asked for by", "A request for what was overdue"] as [string, string]]
              : []),
            ["Reference", payment.reference],
            ["Receipt", receipt?.number],
            ["ID", <Copy key="id" text={payment.lago_id} what="ID" />],
          ]}
        />
      </Section>
      {payment.type !== "manual" && <Collected payment={payment} />}
      <Section title={payment.invoice_ids.length === 1 ? "Invoice" : "Invoices"}>
        <Loaded query={invoices} what="Its invoices" skeleton={<Skeleton width="70%" />}>
          {({ invoices: rows }) => (
            <Table
              label="Invoices"
              isBleeding
              columns={invoiceColumns}
              rows={rows}
              keyOf={(row) => row.lago_id}
              hrefOf={(row) => paths.invoices.show(payment.external_customer_id, row.lago_id)}
            />
          )}
        </Loaded>
      </Section>
      {isMailing && receipt && (
        <EmailDialog
          what={`receipt ${receipt.number}`}
          customerEmail={null}
          path="/api/v1/payment_receipts/{lago_id}/resend_email"
          id={receipt.lago_id}
          onClose={() => setMailing(false)}
        />
      )}
    </Page>
  );
}
