import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read, type Schema, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { units } from "@/lib/money";
import type { Wallet } from "@/pages/customers/customer";
import { Moment, Money, Price } from "@/ui/amounts";
import { Facts, Section } from "@/ui/basics";
import { List, useListState, useRows } from "@/ui/list";
import { useOpenedRow } from "@/ui/opened";
import { Drawer } from "@/ui/overlays";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";

type Transaction = Schema<"TransactionOutput">;

const KINDS: Record<string, string> = {
  purchased: "Purchased",
  granted: "Granted",
  voided: "Voided",
  invoiced: "Used on an invoice",
};

const SOURCES: Record<string, string> = {
  manual: "By hand",
  interval: "Rule, by the calendar",
  threshold: "Rule, when it ran low",
};

export function Transactions({ wallet, zone }: { wallet: Wallet; zone: string }) {
  const list = useListState();
  const transactions = useRows(list, (asked) =>
    read("/api/v1/wallets/{lago_id}/wallet_transactions", {
      params: { path: { lago_id: wallet.lago_id }, query: { ...asked, ...list.filters } },
    }),
  );
  const shown = transactions.pages.flatMap((page) => page.wallet_transactions);
  const [open, setOpen] = useOpenedRow("transaction", shown, (one) => one.lago_id);
  const signed = (one: Transaction) => (one.transaction_type === "inbound" ? "+" : "−");
  return (
    <div className="tab-body">
      <List
        what="transactions"
        controls={list}
        query={transactions}
        rowsOf={(page) => page.wallet_transactions}
        keyOf={(one) => one.lago_id}
        onOpen={setOpen}
        quickFilters={[
          { label: "All", filters: {} },
          { label: "In", filters: { transaction_type: "inbound" } },
          { label: "Out", filters: { transaction_type: "outbound" } },
        ]}
        filters={[
          {
            key: "status",
            label: "Status",
            options: [
              { value: "pending", label: "Pending" },
              { value: "settled", label: "Settled" },
              { value: "failed", label: "Failed" },
            ],
          },
          {
            key: "transaction_status",
            label: "Kind",
            options: Object.entries(KINDS).map(([value, label]) => ({ value, label })),
          },
        ]}
        columns={[
          {
            head: "Transaction",
            fold: "f1",
            cell: (one) => (
              <b className="med">{one.name || KINDS[one.transaction_status] || one.transaction_status}</b>
            ),
          },
          { head: "Status", fold: "f4", cell: (one) => <Status status={one.status} /> },
          {
            head: "Date",
            fold: "f3",
            cell: (one) => <Moment value={one.settled_at ?? one.created_at} zone={zone} />,
          },
          {
            head: "Left",
            isNumber: true,
            isLow: true,
            cell: (one) =>
              one.remaining_credit_amount === null ? (
                <span className="dim">–</span>
              ) : (
                units(one.remaining_credit_amount)
              ),
          },
          {
            head: "Credits",
            isNumber: true,
            fold: "f2",
            cell: (one) => (
              <>
                {signed(one)}
                {units(one.credit_amount)}
              </>
            ),
          },
          {
            head: "Amount",
            isNumber: true,
            cell: (one) => <Price amount={one.amount} currency={wallet.currency} />,
          },
        ]}
        empty={<Empty title="No transactions yet">Top-ups and what invoices take are listed here.</Empty>}
      />
      <Drawer
        title={open ? open.name || KINDS[open.transaction_status] || "Transaction" : ""}
        isOpen={open !== null}
        onClose={() => setOpen(null)}
      >
        {open && (
          <>
            <Details transaction={open} wallet={wallet} zone={zone} />
            <Others key={open.lago_id} transaction={open} wallet={wallet} zone={zone} />
          </>
        )}
      </Drawer>
    </div>
  );
}

interface DetailsProps {
  transaction: Transaction;
  wallet: Wallet;
  zone: string;
}

function Details({ transaction: one, wallet, zone }: DetailsProps) {
  return (
    <>
      <Facts
        facts={[
          ["Kind", KINDS[one.transaction_status] ?? one.transaction_status],
          ["Status", <Status key="status" status={one.status} />],
          ["Credits", units(one.credit_amount)],
          ["Amount", <Price key="amount" amount={one.amount} currency={wallet.currency} />],
          ["Left", one.remaining_credit_amount && units(one.remaining_credit_amount)],
          ["Priority", String(one.priority)],
          ["Came by", SOURCES[one.source] ?? one.source],
          [
            "Invoice",
            one.lago_invoice_id && (
              <Link
                className="link"
                to={paths.invoices.show(wallet.external_customer_id, one.lago_invoice_id)}
              >
                Open invoice
              </Link>
            ),
          ],
          ["Created", <Moment key="created" value={one.created_at} zone={zone} />],
          ["Settled", <Moment key="settled" value={one.settled_at} zone={zone} />],
          ["Failed", one.failed_at && <Moment value={one.failed_at} zone={zone} />],
        ]}
      />
      {one.metadata.length > 0 && (
        <Facts
          facts={(one.metadata as { key: string; value: string }[]).map(({ key, value }) => [key, value])}
        />
      )}
    </>
  );
}

type Part = Schema<"ConsumptionOutput">;

/** What took the credits of a transaction that came in, or paid one that went out. */
function Others({ transaction: one, wallet, zone }: DetailsProps) {
  const isInbound = one.transaction_type === "inbound";
  const params = { path: { lago_id: one.lago_id }, query: WHOLE };
  const taken = useQuery({
    ...read("/api/v1/wallet_transactions/{lago_id}/consumptions", { params }),
    enabled: isInbound,
  });
  const paid = useQuery({
    ...read("/api/v1/wallet_transactions/{lago_id}/fundings", { params }),
    enabled: !isInbound,
  });
  if (one.status !== "settled") return null;
  const table = (parts: readonly Part[], none: string) =>
    parts.length === 0 ? (
      <p className="dim">{none}</p>
    ) : (
      <Table
        label={isInbound ? "Used by" : "Paid by"}
        rows={parts}
        keyOf={({ lago_id }) => lago_id}
        columns={[
          {
            head: "Transaction",
            fold: "f1",
            cell: ({ wallet_transaction: other }) => other.name || KINDS[other.transaction_status],
          },
          { head: "Date", fold: "f3", cell: (part) => <Moment value={part.created_at} zone={zone} /> },
          { head: "Credits", isNumber: true, fold: "f4", cell: (part) => units(part.credit_amount) },
          {
            head: "Amount",
            isNumber: true,
            fold: "f2",
            cell: (part) => <Money cents={part.amount_cents} currency={wallet.currency} />,
          },
        ]}
      />
    );
  return (
    <Section title={isInbound ? "Used by" : "Paid by"}>
      {isInbound ? (
        <Loaded query={taken} what="What used it" skeleton={<Skeleton width="60%" />}>
          {(page) => table(page.wallet_transaction_consumptions, "Nothing of it has been used yet.")}
        </Loaded>
      ) : (
        <Loaded query={paid} what="What paid it" skeleton={<Skeleton width="60%" />}>
          {(page) => table(page.wallet_transaction_fundings, "Nothing is known of what paid it.")}
        </Loaded>
      )}
    </Section>
  );
}
