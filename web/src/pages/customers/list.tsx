import { useQuery } from "@tanstack/react-query";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { Day } from "@/ui/amounts";
import { Monogram } from "@/ui/basics";
import { type Filter, List, type QuickFilter, useListState } from "@/ui/list";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";

type Customer = Schema<"ListedCustomerOutput">;

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
  { head: "E-mail", fold: "f3", cell: (customer) => customer.email ?? <span className="dim">–</span> },
  { head: "Currency", fold: "f4", cell: (customer) => customer.currency ?? <span className="dim">–</span> },
  { head: "Country", isLow: true, cell: (customer) => customer.country ?? <span className="dim">–</span> },
  { head: "Entity", isLow: true, cell: (customer) => customer.billing_entity_code },
  {
    head: "Since",
    isLow: true,
    cell: (customer) => <Day value={customer.created_at} zone={customer.applicable_timezone} />,
  },
];

const filters: Filter[] = [
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
  { key: "currencies[]", label: "Currency" },
  { key: "countries[]", label: "Country" },
];

const quickFilters: QuickFilter[] = [
  { label: "All", filters: {} },
  { label: "Partners", filters: { "account_type[]": "partner" } },
];

/** What a customer is called: the name, else the person, else the external id. */
export function nameOf(customer: {
  name?: string | null;
  firstname?: string | null;
  lastname?: string | null;
  external_id: string;
}): string {
  const person = [customer.firstname, customer.lastname].filter(Boolean).join(" ");
  return customer.name || person || customer.external_id;
}

export function Customers() {
  const can = useCan();
  const list = useListState();
  const query = {
    page: list.page,
    per_page: list.per_page,
    search_term: list.term || undefined,
    ...list.filters,
  };
  const customers = useQuery(read("/api/v1/customers", { params: { query: query as never } }));
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
        filters={filters}
        empty={
          <Empty title="No customers yet" actions={create}>
            Add one here, or let your app create them over the API.
          </Empty>
        }
      />
    </Page>
  );
}
