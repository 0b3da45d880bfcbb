import { useNavigate } from "@tanstack/react-router";
import { Pencil, Trash2 } from "lucide-react";
import { read, type Schema } from "@/api/client";
import { EntityName } from "@/app/entity-name";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { countries, currencies } from "@/lib/choices";
import { money } from "@/lib/money";
import { providerName } from "@/pages/payment-providers/kinds";
import { Day, Money } from "@/ui/amounts";
import { Monogram } from "@/ui/basics";
import { type Filter, List, type QuickFilter, useListState, useRows } from "@/ui/list";
import { ActionMenu } from "@/ui/overlays";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { countryName, nameOf } from "./customer";
import { DeleteCustomer } from "./delete";
import { useEntities } from "./reads";
import "./customers.css";
import { useOpenedRow } from "@/ui/opened";

export { nameOf } from "./customer";

type Customer = Schema<"StandingCustomerOutput">;

const columns: Column<Customer>[] = [
  {
    head: "Customer",
    fold: "f1",
    cell: (customer) => (
      <span className="who">
        <Monogram name={nameOf(customer)} />
        <span className="trunc">
          <b className="trunc">{nameOf(customer)}</b>
          <span className="id">{customer.external_id}</span>
        </span>
      </span>
    ),
  },
  {
    head: "E-mail",
    fold: "f3",
    cell: (customer) =>
      customer.email ? (
        <span className="address" title={customer.email}>
          {customer.email}
        </span>
      ) : (
        <span className="dim">–</span>
      ),
  },
  {
    head: "Country",
    isLow: true,
    cell: (customer) => countryName(customer.country) ?? <span className="dim">–</span>,
  },
  {
    head: "Pays by",
    isLow: true,
    cell: ({ billing_configuration: { payment_provider: kind } }) =>
      kind ? providerName(kind) : <span className="dim">–</span>,
  },
  { head: "Entity", isLow: true, cell: (customer) => <EntityName code={customer.billing_entity_code} /> },
  {
    head: "Subscriptions",
    isNumber: true,
    isLow: true,
    cell: (customer) => customer.active_subscriptions_count || <span className="dim">–</span>,
  },
  { head: "Balance due", isNumber: true, fold: "f2", cell: (customer) => <Balances customer={customer} /> },
  {
    head: "Since",
    isLow: true,
    cell: (customer) => <Day value={customer.created_at} zone={customer.applicable_timezone} />,
  },
];

/** What is to be paid, the largest amount first, and below it what is late: somebody must act. */
function Balances({ customer }: { customer: Customer }) {
  const [first, ...others] = customer.balances ?? [];
  if (!first) return <span className="dim">–</span>;
  const late = [first, ...others].filter((one) => one.overdue_cents > 0);
  return (
    <>
      <Money cents={first.due_cents} currency={first.currency} />
      {others.length > 0 && (
        <span className="sub">and {others.map((one) => money(one.due_cents, one.currency)).join(", ")}</span>
      )}
      {late.length > 0 && (
        <span className="sub overdue">
          {late.map((one) => money(one.overdue_cents, one.currency)).join(", ")} overdue
        </span>
      )}
    </>
  );
}

const filtersOf = (): Filter[] => [
  {
    key: "account_type[]",
    label: "Account",
    options: [
      { value: "customer", label: "Customer" },
      { value: "partner", label: "Partner" },
    ],
  },
  {
    key: "customer_type",
    label: "Type",
    options: [
      { value: "company", label: "Company" },
      { value: "individual", label: "Individual" },
    ],
  },
  {
    key: "is_overdue",
    label: "Overdue",
    options: [
      { value: "true", label: "Yes" },
      { value: "false", label: "No" },
    ],
  },
  { key: "active_subscriptions_count_from", label: "Subscriptions at least", kind: "number" },
  { key: "active_subscriptions_count_to", label: "Subscriptions at most", kind: "number" },
  { key: "currencies[]", label: "Currency", options: currencies() },
  { key: "countries[]", label: "Country", options: countries() },
  { key: "states[]", label: "State" },
  { key: "zipcodes[]", label: "Postal code" },
  { key: "external_id", label: "External ID" },
  {
    key: "has_tax_identification_number",
    label: "Tax number",
    options: [
      { value: "false", label: "Missing" },
      { value: "true", label: "Known" },
    ],
  },
  { key: "metadata", label: "Metadata, as key: value" },
  {
    key: "has_customer_type",
    label: "Type is known",
    options: [
      { value: "true", label: "Yes" },
      { value: "false", label: "No" },
    ],
  },
];

/** Filters of the address as the API reads them: "tier: gold" is `metadata[tier]=gold`. */
function queryOf({ metadata, ...filters }: Record<string, string>): Record<string, string> {
  const [key = "", ...rest] = metadata?.split(":") ?? [];
  const value = rest.join(":").trim();
  return { ...filters, ...(key.trim() && value && { [`metadata[${key.trim()}]`]: value }) };
}

const quickFilters: QuickFilter[] = [
  { label: "All", filters: {} },
  { label: "Overdue", filters: { is_overdue: "true" } },
  { label: "Partners", filters: { "account_type[]": "partner" } },
  { label: "No tax number", filters: { has_tax_identification_number: "false" } },
];

export function Customers() {
  const can = useCan();
  const navigate = useNavigate();
  const list = useListState();
  const entities = useEntities().data?.billing_entities ?? [];
  const customers = useRows(list, (asked) => {
    const query = { ...asked, ...list.sought, ...queryOf(list.filters) };
    return read("/app/v1/customers", { params: { query: query as never } });
  });
  const [deleted, setDeleted] = useOpenedRow(
    "delete",
    customers.pages.flatMap((page) => page.customers),
    (customer) => customer.lago_id,
    can("customers:delete"),
  );
  const create = can("customers:create") && (
    <CreateButton href={paths.customers.create()}>New customer</CreateButton>
  );
  return (
    <Page title="Customers" actions={create}>
      <List
        what="customers"
        controls={list}
        query={customers}
        rowsOf={(page) => page.customers}
        columns={columns}
        keyOf={(customer) => customer.lago_id}
        hrefOf={(customer) => paths.customers.show(customer.external_id)}
        isTall
        searchHint="Name, external ID or e-mail"
        quickFilters={quickFilters}
        filters={[
          ...filtersOf(),
          {
            key: "billing_entity_codes[]",
            label: "Entity",
            options: entities.map((entity) => ({ value: entity.code, label: entity.name })),
          },
        ]}
        actions={(customer) => (
          <ActionMenu
            label={`More for ${nameOf(customer)}`}
            actions={[
              {
                label: "Edit customer",
                icon: <Pencil className="i" aria-hidden="true" />,
                onSelect: () => void navigate({ to: paths.customers.update(customer.external_id) }),
                isShown: can("customers:update"),
              },
              {
                label: "Delete customer",
                icon: <Trash2 className="i" aria-hidden="true" />,
                onSelect: () => setDeleted(customer),
                isDanger: true,
                isShown: can("customers:delete"),
              },
            ]}
          />
        )}
        empty={
          <Empty title="No customers yet" actions={create}>
            Add one here, or let your app create them over the API.
          </Empty>
        }
      />
      {deleted && <DeleteCustomer customer={deleted} onClose={() => setDeleted(null)} />}
    </Page>
  );
}
