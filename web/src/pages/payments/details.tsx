import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Download, Mail } from "lucide-react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { money } from "@/lib/money";
import { nameOf } from "@/pages/customers/customer";
import { useReceipt } from "@/pages/customers/lists";
import { useCustomer } from "@/pages/customers/reads";
import { EmailDialog } from "@/pages/invoices/dialogs";
import { openFile } from "@/pages/invoices/downloads";
import "@/pages/invoices/invoices.css";
import { methodOf, type Payment } from "@/pages/invoices/related-columns";
import { Day, Money } from "@/ui/amounts";
import { Button, Copy, Facts, Section, Stat, Stats } from "@/ui/basics";
import { useOpened } from "@/ui/opened";
import { Page, PageHead } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";

export function PaymentDetails() {
  const { id } = useParams({ strict: false }) as { id: string };
  const query = useQuery({
    ...read("/api/v1/payments/{lago_id}", { params: { path: { lago_id: id } } }),
    placeholderData: undefined,
  });
  return (
    <Loaded query={query} what="Payment">
      {({ payment }) => <Details payment={payment} />}
    </Loaded>
  );
}

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
  const rows = payment.invoice_ids.map((id, index) => ({ id, number: payment.invoice_numbers[index] ?? id }));
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
      <div className="figures">
        <Stats>
          <Stat
            name="Amount"
            value={<Money cents={payment.amount_cents} currency={payment.amount_currency} isZeroPlain />}
            detail={methodOf(payment)}
          />
          <Stat name="Received on" value={<Day value={payment.created_at} />} />
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
            ["Reference", payment.reference],
            ["Receipt", receipt?.number],
            ["Provider", payment.payment_provider_type],
            ["Provider’s ID", payment.provider_payment_id ?? payment.external_payment_id],
            ["ID", <Copy key="id" text={payment.lago_id} what="ID" />],
          ]}
        />
      </Section>
      <Section title={rows.length === 1 ? "Invoice" : "Invoices"}>
        <Table
          label="Invoices"
          isBleeding
          columns={[{ head: "Number", fold: "f1", cell: (row) => <b className="med id">{row.number}</b> }]}
          rows={rows}
          keyOf={(row) => row.id}
          hrefOf={(row) => paths.invoices.show(payment.external_customer_id, row.id)}
        />
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
