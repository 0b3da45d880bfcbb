import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Ban, Download, Ellipsis, Mail } from "lucide-react";
import { Fragment } from "react";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { money, percent } from "@/lib/money";
import { nameOf } from "@/pages/customers/list";
import { EmailDialog } from "@/pages/invoices/dialogs";
import { openFile } from "@/pages/invoices/downloads";
import "@/pages/invoices/invoices.css";
import { nameOfFee, TOUCHED } from "@/pages/invoices/model";
import { type CreditNote, kindsOf } from "@/pages/invoices/related-columns";
import { Day, Money } from "@/ui/amounts";
import { Button, Copy, Facts, Section, Stat, Stats } from "@/ui/basics";
import { useOpenedOne } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";
import { reasonWord } from "./reasons";
import { Refund, refundOf } from "./refund";

export function CreditNoteDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const query = useQuery({
    ...read("/api/v1/credit_notes/{lago_id}", { params: { path: { lago_id: id } } }),
    placeholderData: undefined,
  });
  useQuery(refundOf(id)); // with it, so that it needs no request of its own
  return (
    <Loaded query={query} what="Credit note">
      {({ credit_note }) => <Details note={credit_note} tab={tab} />}
    </Loaded>
  );
}

function Details({ note, tab }: { note: CreditNote; tab: string }) {
  const can = useCan();
  const hasCredit = note.credit_status === "available" && note.balance_amount_cents > 0;
  const mayVoid = hasCredit && can("credit_notes:void");
  const [asked, setAsked] = useOpenedOne([mayVoid && "void", can("credit_notes:send") && "email"]);
  const close = () => setAsked(null);
  const external = note.customer.external_id;
  const path = { params: { path: { lago_id: note.lago_id } } };
  const voiding = useChange("put", "/api/v1/credit_notes/{lago_id}/void", {
    done: "Credit voided",
    touches: TOUCHED,
    onDone: close,
  });
  const download = useChange("post", "/api/v1/credit_notes/{lago_id}/download", {
    touches: ["/api/v1/credit_notes/"],
    onDone: ({ credit_note }) => openFile(credit_note.file_url),
  });
  const left = money(note.balance_amount_cents, note.currency);
  return (
    <Page
      title={note.number}
      crumbs={[
        { label: "Customers", href: paths.customers.list() },
        { label: nameOf(note.customer), href: paths.customers.show(external) },
      ]}
    >
      <PageHead
        title={<span className="id">{note.number}</span>}
        status={
          <>
            {note.credit_status && note.credit_amount_cents > 0 && (
              <Status status={note.credit_status} word={`Credit ${note.credit_status}`} isTint />
            )}
            {note.refund_status && (
              <Status status={note.refund_status} word={`Refund ${refundWord(note.refund_status)}`} isTint />
            )}
            {kindsOf(note).map((kind) => (
              <span className="tag" key={kind}>
                {kind}
              </span>
            ))}
          </>
        }
        actions={
          <>
            <Button
              isIcon
              aria-label="Download PDF"
              title="Download PDF"
              isBusy={download.isPending}
              onClick={() => download.mutate(path)}
            >
              {!download.isPending && <Download className="i" aria-hidden="true" />}
            </Button>
            <ActionMenu
              label="More actions"
              trigger={
                <Button isIcon aria-label="More actions">
                  <Ellipsis className="i" aria-hidden="true" />
                </Button>
              }
              actions={[
                {
                  label: "Download XML",
                  isShown: Boolean(note.xml_url),
                  onSelect: () => openFile(note.xml_url),
                },
                {
                  label: "Send e-mail again",
                  icon: <Mail className="i" aria-hidden="true" />,
                  isShown: can("credit_notes:send"),
                  onSelect: () => setAsked("email"),
                },
                {
                  label: "Void remaining credit",
                  icon: <Ban className="i" aria-hidden="true" />,
                  isDanger: true,
                  isShown: mayVoid,
                  onSelect: () => setAsked("void"),
                },
              ]}
            />
          </>
        }
      />
      <div className="figures">
        <Stats>
          <Stat
            name="Total"
            value={<Money cents={note.total_amount_cents} currency={note.currency} isZeroPlain />}
            detail={`with ${money(note.taxes_amount_cents, note.currency)} tax`}
          />
          {note.credit_amount_cents > 0 && (
            <Stat
              name="Credit"
              value={<Money cents={note.credit_amount_cents} currency={note.currency} />}
              detail={`${left} left`}
            />
          )}
          {note.refund_amount_cents > 0 && (
            <Stat
              name="Refund"
              value={<Money cents={note.refund_amount_cents} currency={note.currency} />}
              detail={refundWord(note.refund_status ?? "pending")}
            />
          )}
          {note.offset_amount_cents > 0 && (
            <Stat
              name="Offset"
              value={<Money cents={note.offset_amount_cents} currency={note.currency} />}
              detail={`off ${note.invoice_number}`}
            />
          )}
        </Stats>
      </div>
      <Tabs
        label="Credit note"
        tabs={[
          { label: "Overview", href: paths.creditNotes.show(external, note.lago_id) },
          {
            label: "Activity",
            href: paths.creditNotes.show(external, note.lago_id, "activity"),
            isShown: can("audit_logs:view"),
          },
        ]}
      />
      {tab === "activity" ? <Timeline whose={{ resource_ids: [note.lago_id] }} /> : <Overview note={note} />}
      <Confirm
        title={`Void the remaining credit of ${note.number}?`}
        verb={`Void ${left}`}
        isOpen={asked === "void"}
        isBusy={voiding.isPending}
        onClose={close}
        onConfirm={() => voiding.mutate(path)}
      >
        {left} of credit is lost to {nameOf(note.customer)} and pays no invoice any more. This can’t be
        undone.
      </Confirm>
      {asked === "email" && (
        <EmailDialog
          what={`credit note ${note.number}`}
          customerEmail={note.customer.email}
          path="/api/v1/credit_notes/{lago_id}/resend_email"
          id={note.lago_id}
          onClose={close}
        />
      )}
    </Page>
  );
}

function refundWord(status: string): string {
  return status === "succeeded" ? "paid back" : status;
}

function Overview({ note }: { note: CreditNote }) {
  const metadata = Object.entries(note.metadata ?? {});
  const plain = (cents: number) => <Money cents={cents} currency={note.currency} isZeroPlain />;
  return (
    <>
      {note.refund_amount_cents > 0 && <Refund note={note} />}
      <Section title="Details">
        <Facts
          facts={[
            [
              "Invoice",
              <Link
                key="invoice"
                className="link id"
                to={paths.invoices.show(note.customer.external_id, note.lago_invoice_id)}
              >
                {note.invoice_number}
              </Link>,
            ],
            ["Issued", <Day key="issued" value={note.issuing_date} />],
            ["Reason", reasonWord(note.reason)],
            ["Note", note.description],
            ["PO number", note.purchase_order_number],
            ...metadata.map(([key, value]): [string, string] => [key, value ?? ""]),
            ["ID", <Copy key="id" text={note.lago_id} what="ID" />],
          ]}
        />
      </Section>
      <Section title="Items">
        <Table
          label="Items"
          isBleeding
          columns={[
            { head: "Item", fold: "f1", cell: (item) => <span className="med">{nameOfFee(item.fee)}</span> },
            {
              head: "Tax",
              isNumber: true,
              isLow: true,
              cell: (item) => <span className="dim">{percent(item.fee.taxes_rate)}</span>,
            },
            {
              head: "Amount",
              isNumber: true,
              fold: "f2",
              cell: (item) => <Money cents={item.amount_cents} currency={item.amount_currency} />,
            },
          ]}
          rows={note.items}
          keyOf={(item) => item.lago_id}
        />
        <dl className="totals">
          {note.coupons_adjustment_amount_cents > 0 && (
            <>
              <dt>Share of coupons</dt>
              <dd>−{plain(note.coupons_adjustment_amount_cents)}</dd>
            </>
          )}
          <dt>Subtotal</dt>
          <dd>{plain(note.sub_total_excluding_taxes_amount_cents)}</dd>
          {note.applied_taxes.map((tax) => (
            <Fragment key={tax.lago_id}>
              <dt>
                {tax.tax_name}, {percent(tax.tax_rate)}
              </dt>
              <dd>{plain(tax.amount_cents)}</dd>
            </Fragment>
          ))}
          <dt className="t big">Total</dt>
          <dd className="t big">{plain(note.total_amount_cents)}</dd>
        </dl>
      </Section>
    </>
  );
}
