import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { CreateButton } from "@/app/shell";
import { paymentColumns } from "@/pages/invoices/related-columns";
import { type Filter, List, useListState, useRows } from "@/ui/list";
import { Page } from "@/ui/page";
import { Empty } from "@/ui/states";

const filters: Filter[] = [{ key: "external_customer_id", label: "Customer’s external ID" }];

export function Payments() {
  const can = useCan();
  const list = useListState();
  const payments = useRows(list, (asked) =>
    read("/api/v1/payments", {
      params: { query: { ...asked, ...list.sought, ...list.filters } as never },
    }),
  );
  const create = can("payments:create") && (
    <CreateButton href={paths.payments.create()}>Record payment</CreateButton>
  );
  return (
    <Page title="Payments" actions={create}>
      <List
        what="payments"
        controls={list}
        query={payments}
        rowsOf={(page) => page.payments}
        columns={paymentColumns}
        keyOf={(payment) => payment.lago_id}
        hrefOf={(payment) => paths.payments.show(payment.lago_id)}
        isTall
        searchHint="Reference, invoice or customer"
        filters={filters}
        empty={
          <Empty title="No payments yet" actions={create}>
            They are noted here when an invoice is paid: by a provider, or by hand.
          </Empty>
        }
      />
    </Page>
  );
}
