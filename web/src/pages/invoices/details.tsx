import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { CircleAlert, Clock, Download, Ellipsis, FileCode, Repeat2 } from "lucide-react";
import type { ReactNode } from "react";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { day, daysBetween, distance } from "@/lib/dates";
import { money } from "@/lib/money";
import { countWords } from "@/lib/words";
import { countryName, nameOf } from "@/pages/customers/customer";
import { Day, Money, Why } from "@/ui/amounts";
import { Banner, Button, buttonClass, Copy, Section, Stat, Stats } from "@/ui/basics";
import { ActionMenu } from "@/ui/overlays";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { Status } from "@/ui/status";
import { type Collecting, CollectingBanner, collectingOf } from "./collecting";
import { DraftTools, useFeeAdjusting } from "./draft";
import "./invoices.css";
import { useShown } from "@/ui/opened";
import { Lines } from "./lines";
import { PaymentStatus } from "./list";
import { circumstancesOf, useInvoiceActions } from "./menu";
import { afterDispute, type Invoice, namesOf, TYPES } from "./model";
import { InvoiceCreditNotes, InvoicePayments } from "./related";
import { Totals } from "./totals";
import { FeeWhy, feeExplanation, InvoiceWhy } from "./why/panel";

const WHOLE = "total";

/** An invoice: what it asks for, of whom, how that came to be, and what has happened to it since. */
export function InvoiceDetails() {
  const { id, tab } = useParams({ strict: false }) as { customer: string; id: string; tab: string };
  const can = useCan();
  const path = { path: { lago_id: id } };
  const [why] = useShown("why");
  const query = useQuery({
    ...read("/api/v1/invoices/{lago_id}", { params: path }),
    placeholderData: undefined,
  });
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  useQuery({
    ...read("/api/v1/payments", { params: { query: { invoice_id: id } as never } }),
    enabled: can("payments:view"),
  });
  const relations = useQuery({
    ...read("/app/v1/invoices/{lago_id}/relations", { params: path }),
    placeholderData: undefined,
  });
  const collecting = useQuery({
    ...collectingOf(id),
    enabled: can("payments:view"),
    placeholderData: undefined,
  });
  // Asked for here, with the rest, so that a link to a proof needs no request of its own.
  useQuery({ ...feeExplanation(why ?? ""), enabled: Boolean(why) && why !== WHOLE });
  return (
    <Loaded query={query} what="Invoice">
      {({ invoice }) => (
        <Details
          invoice={invoice}
          tab={tab}
          why={why}
          entities={entities.data?.billing_entities}
          relations={relations.data?.relations}
          collecting={collecting.data?.collection}
        />
      )}
    </Loaded>
  );
}

type Entity = { code: string; name: string; email_settings: string[] } & Partial<
  Record<
    | "legal_name"
    | "address_line1"
    | "address_line2"
    | "city"
    | "zipcode"
    | "state"
    | "country"
    | "tax_identification_number",
    string | null
  >
>;

interface DetailsProps {
  invoice: Invoice;
  tab: string;
  why: string | undefined;
  entities: readonly Entity[] | undefined;
  relations: Schema<"RelationsOutput"> | undefined;
  collecting: Collecting | null | undefined;
}

function Details({ invoice, tab, why, entities, relations, collecting }: DetailsProps) {
  const can = useCan();
  const navigate = useNavigate();
  const external = invoice.customer.external_id;
  const address = (to: string) => paths.invoices.show(external, invoice.lago_id, to);
  const { actionsOf, act, dialogs, isDownloading, isDownloadingXml } = useInvoiceActions({
    invoices: [invoice],
    circumstances: () => ({
      ...circumstancesOf(invoice, entities),
      isRegenerable: relations?.is_regenerable ?? false,
    }),
    onDeleted: () => void navigate({ to: paths.invoices.list() }),
  });
  const actions = actionsOf(invoice);
  const [, open] = useShown("why");
  const fee = invoice.fees.find((one) => one.lago_id === why);
  const names = namesOf(invoice);
  const close = () => open(undefined);
  const panel =
    tab !== "overview" ? undefined : fee ? (
      <FeeWhy
        key={fee.lago_id}
        fee={fee}
        name={names.get(fee.lago_id) ?? fee.item.name}
        invoice={invoice}
        onClose={close}
      />
    ) : why === WHOLE ? (
      <InvoiceWhy invoice={invoice} names={names} onClose={close} />
    ) : undefined;
  const canPay = actions.some((action) => action.label === "Record payment");
  const canFinalize = actions.some((action) => action.label === "Finalize invoice");
  const canCollect = actions.some((action) => action.label === "Retry collection");
  const isFinalized = invoice.status === "finalized";
  return (
    <Page
      title={invoice.number}
      crumbs={[
        { label: "Customers", href: paths.customers.list() },
        { label: nameOf(invoice.customer), href: paths.customers.show(external) },
      ]}
      panel={panel}
    >
      <PageHead
        title={<span className="id">{invoice.number}</span>}
        status={
          <>
            <Status status={invoice.status} isTint />
            <PaymentStatus invoice={invoice} isTint />
            {invoice.invoice_type !== "subscription" && (
              <span className="tag">{TYPES[invoice.invoice_type] ?? invoice.invoice_type}</span>
            )}
            {invoice.self_billed && <span className="tag">On behalf of a partner</span>}
          </>
        }
        actions={
          <>
            {isFinalized && (
              <Button
                isIcon
                aria-label="Download PDF"
                title="Download PDF"
                isBusy={isDownloading}
                onClick={() => act("download", invoice)}
              >
                {!isDownloading && <Download className="i" aria-hidden="true" />}
              </Button>
            )}
            {isFinalized && invoice.xml_url && (
              <Button
                isIcon
                aria-label="Download XML"
                title="Download XML"
                isBusy={isDownloadingXml}
                onClick={() => act("download_xml", invoice)}
              >
                {!isDownloadingXml && <FileCode className="i" aria-hidden="true" />}
              </Button>
            )}
            {canPay && (
              <Link
                to={paths.payments.create({ invoice: invoice.lago_id })}
                className={buttonClass({ look: "primary" })}
              >
                Record payment
              </Link>
            )}
            {canFinalize && (
              <Button look="primary" onClick={() => act("finalize", invoice)}>
                Finalize invoice
              </Button>
            )}
            <ActionMenu
              label="More actions"
              actions={actions}
              trigger={
                <Button isIcon aria-label="More actions">
                  <Ellipsis className="i" aria-hidden="true" />
                </Button>
              }
            />
          </>
        }
      />
      <div className="stack banners">
        <CollectingBanner
          invoice={invoice}
          collecting={collecting}
          onRetry={canCollect ? () => act("collect", invoice) : undefined}
        />
        <Banners invoice={invoice} relations={relations} />
      </div>
      <Figures
        invoice={invoice}
        onWhy={() => open(why === WHOLE ? undefined : WHOLE)}
        isOpen={why === WHOLE}
      />
      <Tabs
        label="Invoice"
        tabs={[
          { label: "Overview", href: address("overview") },
          { label: "Payments", href: address("payments"), isShown: can("payments:view") },
          { label: "Credit notes", href: address("credit-notes"), isShown: can("credit_notes:view") },
          { label: "Activity", href: address("activity"), isShown: can("audit_logs:view") },
        ]}
      />
      {tab === "payments" ? (
        <InvoicePayments invoice={invoice} />
      ) : tab === "credit-notes" ? (
        <InvoiceCreditNotes invoice={invoice} />
      ) : tab === "activity" ? (
        <Timeline whose={{ resource_ids: [invoice.lago_id] }} />
      ) : (
        <Overview
          invoice={invoice}
          entity={entities?.find((one) => one.code === invoice.billing_entity_code)}
          why={why}
          onWhy={open}
        />
      )}
      {dialogs}
    </Page>
  );
}

function Figures({ invoice, onWhy, isOpen }: { invoice: Invoice; onWhy: () => void; isOpen: boolean }) {
  const now = useNow();
  const { currency, payment_due_date: due, status } = invoice;
  const isDraft = status === "draft";
  const today = new Date(now).toISOString();
  const days = daysBetween(today, due, invoice.customer.applicable_timezone);
  const when = (count: number) =>
    count === 0
      ? "today"
      : count > 0
        ? `in ${countWords(count, "day")}`
        : `${countWords(-count, "day")} overdue`;
  const paid = invoice.total_paid_amount_cents;
  const byCredits = invoice.prepaid_credit_amount_cents;
  const figure = (cents: number) => <Money cents={cents} currency={currency} isZeroPlain />;
  return (
    <div className="figures">
      <Stats>
        {!isDraft && (
          <Stat
            name="Amount due"
            value={figure(status === "voided" ? 0 : invoice.total_due_amount_cents)}
            detail={
              status === "voided"
                ? "nothing: it is void"
                : invoice.total_due_amount_cents === 0
                  ? "nothing is open"
                  : `by ${day(due)}, ${when(days)}`
            }
          />
        )}
        <Stat
          name={isDraft ? "Total so far" : "Total"}
          value={
            <Why isOpen={isOpen} onClick={onWhy}>
              {figure(invoice.total_amount_cents)}
            </Why>
          }
          detail={`with ${money(invoice.taxes_amount_cents, currency)} tax`}
        />
        {byCredits > 0 && <Stat name="Paid by credits" value={figure(byCredits)} detail="from wallets" />}
        {(paid > 0 || byCredits === 0) && !isDraft && (
          <Stat name="Paid" value={figure(paid)} detail={paid > 0 ? "received" : "nothing received yet"} />
        )}
      </Stats>
    </div>
  );
}

interface BannersProps {
  invoice: Invoice;
  relations: Schema<"RelationsOutput"> | undefined;
}

function Banners({ invoice, relations }: BannersProps) {
  const now = useNow();
  const banners: ReactNode[] = [];
  if (invoice.status === "draft") {
    const until = invoice.expected_finalization_date;
    banners.push(
      <Banner key="draft" icon={<Clock className="i" aria-hidden="true" />}>
        A draft until {day(until)}, {distance(until, now, invoice.customer.applicable_timezone)}. Usage and
        changes up to then still count.
      </Banner>,
    );
  }
  if (invoice.status === "failed") {
    const [error] = invoice.error_details;
    banners.push(
      <Banner key="failed" look="bad" icon={<CircleAlert className="i" aria-hidden="true" />}>
        This invoice could not be finalized{error ? `: ${error.error_code.replaceAll("_", " ")}` : ""}.
        Nothing has been sent. Retry its taxes once the cause is gone.
      </Banner>,
    );
  }
  if (invoice.status === "pending") {
    banners.push(
      <Banner key="pending" look="warn" icon={<Clock className="i" aria-hidden="true" />}>
        Its taxes are awaited; it is finalized once they have come.
      </Banner>,
    );
  }
  if (invoice.status === "voided") {
    banners.push(
      <Banner key="voided" icon={<CircleAlert className="i" aria-hidden="true" />}>
        Void
        {invoice.voided_at ? ` since ${day(invoice.voided_at, invoice.customer.applicable_timezone)}` : ""}.
        It asks for nothing any more.
      </Banner>,
    );
  }
  if (invoice.payment_dispute_lost_at) {
    banners.push(
      <Banner key="dispute" look="warn" icon={<CircleAlert className="i" aria-hidden="true" />}>
        The dispute about it was lost on{" "}
        {day(invoice.payment_dispute_lost_at, invoice.customer.applicable_timezone)}. {afterDispute(invoice)}
      </Banner>,
    );
  }
  const linked = (other: Schema<"RelatedInvoiceOutput">) => (
    <Link className="link id" to={paths.invoices.show(invoice.customer.external_id, other.lago_id)}>
      {other.number}
    </Link>
  );
  if (relations?.regenerated_invoice) {
    banners.push(
      <Banner key="regenerated" icon={<Repeat2 className="i" aria-hidden="true" />}>
        {linked(relations.regenerated_invoice)} was issued in its place.
      </Banner>,
    );
  }
  if (relations?.voided_invoice) {
    banners.push(
      <Banner key="replaces" icon={<Repeat2 className="i" aria-hidden="true" />}>
        Issued in place of {linked(relations.voided_invoice)}, which is void.
      </Banner>,
    );
  }
  return banners;
}

interface OverviewProps {
  invoice: Invoice;
  entity: Entity | undefined;
  why: string | undefined;
  onWhy: (target: string | undefined) => void;
}

function Overview({ invoice, entity, why, onWhy }: OverviewProps) {
  const adjusting = useFeeAdjusting(invoice);
  return (
    <>
      <Parties invoice={invoice} entity={entity} />
      <Lines
        invoice={invoice}
        why={why}
        onWhy={(id) => onWhy(why === id ? undefined : id)}
        {...(adjusting.isPossible && { actions: adjusting.actionsOf, isAdjusted: adjusting.isAdjusted })}
      />
      {adjusting.isPossible && <DraftTools invoice={invoice} adjusting={adjusting} />}
      <Totals
        invoice={invoice}
        isOpen={why === WHOLE}
        onWhy={() => onWhy(why === WHOLE ? undefined : WHOLE)}
      />
      {invoice.applied_invoice_custom_sections.length > 0 && (
        <Section title="Custom sections">
          <div className="stack sections">
            {invoice.applied_invoice_custom_sections.map((section) => (
              <div key={section.lago_id}>
                <h3>{section.display_name || section.code}</h3>
                {section.details && <p className="ink2">{section.details}</p>}
              </div>
            ))}
          </div>
        </Section>
      )}
      {invoice.metadata.length > 0 && (
        <Section title="Metadata">
          <dl className="kv">
            {invoice.metadata.map((note) => (
              <div className="pair" key={note.lago_id}>
                <dt>{note.key}</dt>
                <dd>{note.value}</dd>
              </div>
            ))}
          </dl>
        </Section>
      )}
    </>
  );
}

function Parties({ invoice, entity }: { invoice: Invoice; entity: Entity | undefined }) {
  const { customer } = invoice;
  return (
    <div className="parties">
      <div>
        <h3>Billed to</h3>
        <Link className="link" to={paths.customers.show(customer.external_id)}>
          {customer.legal_name || nameOf(customer)}
        </Link>
        <Address of={customer} />
      </div>
      <div>
        <h3>Billed by</h3>
        {entity?.legal_name || entity?.name || invoice.billing_entity_code}
        {entity && <Address of={entity} />}
      </div>
      <div>
        <h3>Details</h3>
        <div>
          {invoice.status === "draft" ? "To be issued" : "Issued"} <Day value={invoice.issuing_date} />
        </div>
        <div>
          {invoice.net_payment_term === 0
            ? "Due at once"
            : `Net ${countWords(invoice.net_payment_term, "day")}`}
        </div>
        {invoice.purchase_order_number && (
          <div>
            PO number <span className="id">{invoice.purchase_order_number}</span>
          </div>
        )}
        <div className="dim">
          <Copy text={invoice.lago_id} what="ID">
            Copy ID
          </Copy>
        </div>
      </div>
    </div>
  );
}

function Address({ of }: { of: Partial<Omit<Entity, "code" | "name">> }) {
  const country = countryName(of.country);
  const town = [of.zipcode, of.city].filter(Boolean).join(" ");
  const place = [town, of.state, country].filter(Boolean).join(", ");
  const lines = [of.address_line1, of.address_line2, place].filter(Boolean);
  return (
    <>
      {lines.map((line) => (
        <div key={line}>{line}</div>
      ))}
      {of.tax_identification_number && (
        <div className="dim id">Tax number {of.tax_identification_number}</div>
      )}
    </>
  );
}
