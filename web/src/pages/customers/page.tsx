import { Link, useNavigate, useParams } from "@tanstack/react-router";
import {
  CreditCard,
  Ellipsis,
  ExternalLink,
  Pencil,
  Plus,
  Receipt,
  TicketPercent,
  Trash2,
  Wallet,
} from "lucide-react";
import { type ComponentType, useState } from "react";
import { client } from "@/api/client";
import { ApiError, explain, type Refusal } from "@/api/errors";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { Timeline } from "@/app/timeline";
import { clock } from "@/lib/dates";
import { Button, buttonClass, Copy, Monogram } from "@/ui/basics";
import { ActionMenu } from "@/ui/overlays";
import { Page, PageHead, Tabs } from "@/ui/page";
import { Loaded, Missing } from "@/ui/states";
import { notify } from "@/ui/toasts";
import { ApplyCoupon, Coupons } from "./coupons";
import { type Customer, countryName, nameOf } from "./customer";
import { DeleteCustomer } from "./delete";
import { Information } from "./information";
import { CreditNotes, Invoices, Payments } from "./lists";
import { Overview } from "./overview";
import { type CustomerReads, useCustomerReads } from "./reads";
import { CustomerSettings } from "./settings";
import { CustomerUsage } from "./usage-tab";
import { UsagePanel, useWhy } from "./usage-why";
import { Wallets } from "./wallets";
import "./customers.css";
import { useOpenedOne } from "@/ui/opened";

export interface TabProps {
  customer: Customer;
  reads: CustomerReads;
}

const TABS: Record<string, ComponentType<TabProps>> = {
  overview: Overview,
  invoices: Invoices,
  payments: Payments,
  "credit-notes": CreditNotes,
  wallets: Wallets,
  coupons: Coupons,
  usage: CustomerUsage,
  information: Information,
  settings: CustomerSettings,
  activity: ({ customer }) => (
    <Timeline whose={{ external_customer_id: customer.external_id }} zone={customer.applicable_timezone} />
  ),
};

export function CustomerPage() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const reads = useCustomerReads(id);
  const { isAsked } = useWhy();
  const known = reads.customer.data?.customer;
  return (
    <Page
      title={known ? nameOf(known) : "Customer"}
      crumbs={[{ label: "Customers", href: paths.customers.list() }]}
      panel={
        isAsked &&
        (tab === "overview" || tab === "usage") && (
          <UsagePanel customer={id} subscriptions={reads.subscriptions.data?.subscriptions ?? []} />
        )
      }
    >
      <Loaded query={reads.customer} what="Customer">
        {({ customer }) => <Details key={customer.lago_id} customer={customer} reads={reads} tab={tab} />}
      </Loaded>
    </Page>
  );
}

function Details({ customer, reads, tab }: TabProps & { tab: string }) {
  const Body = TABS[tab];
  return (
    <>
      <PageHead
        title={nameOf(customer)}
        mark={<Monogram name={nameOf(customer)} isLarge />}
        status={customer.account_type === "partner" && <span className="tag accent">Partner</span>}
        sub={<Place customer={customer} />}
        actions={<Actions customer={customer} reads={reads} />}
      />
      <CustomerTabs customer={customer} reads={reads} />
      {Body ? <Body customer={customer} reads={reads} /> : <Missing what="Page" />}
    </>
  );
}

function Place({ customer }: { customer: Customer }) {
  const now = useNow();
  const where = [customer.city, countryName(customer.country)].filter(Boolean).join(", ");
  const zone = customer.applicable_timezone;
  const city = zone.split("/").at(-1)!.replaceAll("_", " ");
  return (
    <>
      <Copy text={customer.external_id} what="external ID" />
      {where && <span>{where}</span>}
      {customer.currency && <span>{customer.currency}</span>}
      <span className="num">
        {clock(new Date(now).toISOString(), zone).slice(0, 5)} {zone === "UTC" ? "UTC" : `in ${city}`}
      </span>
    </>
  );
}

function CustomerTabs({ customer, reads }: TabProps) {
  const can = useCan();
  const at = (tab: string) => paths.customers.show(customer.external_id, tab);
  const count = (query: { data: { meta: { total_count: number } } | undefined }) =>
    query.data?.meta.total_count || undefined;
  return (
    <Tabs
      label="Customer"
      tabs={[
        { label: "Overview", href: at("overview") },
        {
          label: "Invoices",
          href: at("invoices"),
          count: count(reads.invoices),
          isShown: can("invoices:view"),
        },
        {
          label: "Payments",
          href: at("payments"),
          count: count(reads.payments),
          isShown: can("payments:view"),
        },
        {
          label: "Credit notes",
          href: at("credit-notes"),
          count: count(reads.creditNotes),
          isShown: can("credit_notes:view"),
        },
        { label: "Wallets", href: at("wallets"), count: count(reads.wallets) },
        { label: "Coupons", href: at("coupons"), count: count(reads.coupons) },
        { label: "Usage", href: at("usage") },
        { label: "Information", href: at("information") },
        { label: "Settings", href: at("settings") },
        { label: "Activity", href: at("activity"), isShown: can("audit_logs:view") },
      ]}
    />
  );
}

/** Opens the customer's own portal, by a link that is made at this moment. */
function Portal({ id }: { id: string }) {
  const [isBusy, setBusy] = useState(false);
  const open = async () => {
    setBusy(true);
    const { data, error, response } = await client.GET("/api/v1/customers/{external_id}/portal_url", {
      params: { path: { external_id: id } },
    });
    setBusy(false);
    const url = (data as { customer?: { portal_url?: string } } | undefined)?.customer?.portal_url;
    if (url) window.open(url, "_blank", "noopener");
    else notify.failed(explain(new ApiError(response.status, error as unknown as Refusal)));
  };
  return (
    <Button isBusy={isBusy} onClick={() => void open()}>
      <ExternalLink className="i" aria-hidden="true" />
      Portal
    </Button>
  );
}

function Actions({ customer, reads }: TabProps) {
  const can = useCan();
  const navigate = useNavigate();
  const [open, setOpen] = useOpenedOne([
    can("coupons:attach") && "apply-coupon",
    can("customers:delete") && "delete",
  ]);
  const id = customer.external_id;
  const go = (to: string) => void navigate({ to });
  return (
    <>
      <Portal id={id} />
      {can("subscriptions:create") && (
        <Link to={paths.subscriptions.create({ customer: id })} className={buttonClass({ look: "primary" })}>
          <Plus className="i" aria-hidden="true" />
          Add subscription
        </Link>
      )}
      <ActionMenu
        label="More for this customer"
        trigger={
          <Button isIcon aria-label="More for this customer">
            <Ellipsis className="i" aria-hidden="true" />
          </Button>
        }
        actions={[
          {
            label: "Edit customer",
            icon: <Pencil className="i" aria-hidden="true" />,
            onSelect: () => go(paths.customers.update(id)),
            isShown: can("customers:update"),
          },
          {
            label: "Bill a one-off invoice",
            icon: <Receipt className="i" aria-hidden="true" />,
            onSelect: () => go(paths.invoices.create({ customer: id })),
            isShown: can("invoices:create"),
          },
          {
            label: "Apply a coupon",
            icon: <TicketPercent className="i" aria-hidden="true" />,
            onSelect: () => setOpen("apply-coupon"),
            isShown: can("coupons:attach"),
          },
          {
            label: "Add a wallet",
            icon: <Wallet className="i" aria-hidden="true" />,
            onSelect: () => go(paths.wallets.create(id)),
            isShown: can("wallets:create"),
          },
          {
            label: "Request overdue payment",
            icon: <CreditCard className="i" aria-hidden="true" />,
            onSelect: () => go(paths.payments.request(id)),
            isShown:
              can("payments:create") &&
              (reads.unpaid.data?.invoices.some((invoice) => invoice.payment_overdue) ?? false),
          },
          {
            label: "Delete customer",
            icon: <Trash2 className="i" aria-hidden="true" />,
            onSelect: () => setOpen("delete"),
            isDanger: true,
            isShown: can("customers:delete"),
          },
        ]}
      />
      {open === "apply-coupon" && <ApplyCoupon customer={customer} onClose={() => setOpen(null)} />}
      {open === "delete" && (
        <DeleteCustomer
          customer={customer}
          onClose={() => setOpen(null)}
          onDeleted={() => go(paths.customers.list())}
        />
      )}
    </>
  );
}
