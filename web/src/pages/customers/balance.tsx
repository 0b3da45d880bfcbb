/** What a customer owes, and amounts of several currencies. */

import { Link } from "@tanstack/react-router";
import { paths } from "@/app/paths";
import { useCan, useNow } from "@/app/session";
import { day, daysBetween, isoDay } from "@/lib/dates";
import { money } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Money } from "@/ui/amounts";
import { Stat } from "@/ui/basics";
import { LoadedStat } from "@/ui/states";
import { byCurrency, type Customer, type Invoice } from "./customer";
import type { CustomerReads } from "./reads";

/** Amounts of several currencies, one a line; zero of the customer's own where there is none. */
export function Amounts({
  amounts,
  currency,
}: {
  amounts: readonly [string, bigint][];
  currency: string | null;
}) {
  const shown = amounts.length > 0 ? amounts : currency ? [[currency, 0n] as const] : [];
  if (shown.length === 0) return <span className="dim">–</span>;
  return shown.map(([code, cents]) => (
    <span className="figure" key={code}>
      <Money cents={String(cents)} currency={code} />
    </span>
  ));
}

/** What a customer owes, a line for each currency, and how late it is. */
export function BalanceDue({ customer, reads }: { customer: Customer; reads: CustomerReads }) {
  const can = useCan();
  const now = new Date(useNow()).toISOString();
  const zone = customer.applicable_timezone;
  const unpaid = reads.unpaid.data?.invoices.filter((one) => one.total_due_amount_cents > 0) ?? [];
  const due = dueOf(unpaid);
  const isMore = (reads.unpaid.data?.meta.total_pages ?? 0) > 1;
  return (
    <LoadedStat name="Balance due" query={reads.unpaid}>
      {() => (
        <Stat
          name={isMore ? "Balance due, of the newest 100 invoices" : "Balance due"}
          value={<Amounts amounts={due} currency={customer.currency} />}
          detail={
            <>
              {dueWords(unpaid, now, zone)}
              <ByIssuer unpaid={unpaid} reads={reads} />
              {can("payments:create") && unpaid.some((one) => one.payment_overdue) && (
                <div>
                  <Link className="link" to={paths.payments.request(customer.external_id)}>
                    Request payment
                  </Link>
                </div>
              )}
            </>
          }
        />
      )}
    </LoadedStat>
  );
}

/** What is due to each issuer, where there are several. */
function ByIssuer({ unpaid, reads }: { unpaid: readonly Invoice[]; reads: CustomerReads }) {
  const issuers = [...Map.groupBy(unpaid, (one) => one.billing_entity_code)];
  if (issuers.length < 2) return null;
  const entities = reads.entities.data?.billing_entities ?? [];
  return issuers.map(([code, own]) => (
    <div key={code}>
      {issuerName(code, entities)}: {writtenOut(dueOf(own))}
      <OverdueOf unpaid={own} />
    </div>
  ));
}

/** What of it is overdue. */
function OverdueOf({ unpaid }: { unpaid: readonly Invoice[] }) {
  const overdue = unpaid.filter((one) => one.payment_overdue);
  if (overdue.length === 0) return null;
  return <span className="overdue">, {writtenOut(dueOf(overdue))} overdue</span>;
}

const dueOf = (invoices: readonly Invoice[]) =>
  byCurrency(invoices.map((one) => ({ cents: one.total_due_amount_cents, currency: one.currency })));

export function issuerName(code: string, entities: readonly { code: string; name: string }[]): string {
  return entities.find((one) => one.code === code)?.name ?? code;
}

/** Amounts of several currencies in a line. */
export function writtenOut(amounts: readonly [string, bigint][]): string {
  return amounts.map(([currency, cents]) => money(cents, currency)).join(", ");
}

function dueWords(unpaid: readonly Invoice[], now: string, zone: string) {
  const overdue = unpaid.filter((one) => one.payment_overdue);
  const [first] = unpaid.map((one) => one.payment_due_date).sort();
  const count = countWords(unpaid.length, "invoice");
  if (!first) return "nothing to pay";
  if (overdue.length === 0) return `${count}, due ${day(first)}`;
  const days = daysBetween(first, isoDay(now, zone));
  return (
    <span className="overdue">
      {writtenOut(dueOf(overdue))} overdue, {countWords(overdue.length, "invoice")}, up to{" "}
      {countWords(days, "day")}
    </span>
  );
}
