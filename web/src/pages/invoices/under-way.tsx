import { useQuery } from "@tanstack/react-query";
import { Clock } from "lucide-react";
import { read } from "@/api/client";
import { useCan } from "@/app/session";
import { day } from "@/lib/dates";
import { money } from "@/lib/money";
import { Banner } from "@/ui/basics";
import type { Invoice } from "./model";
import { methodOf } from "./related-columns";

/** That a provider was asked for an invoice's money and has not said yet whether it comes, so that nobody takes it for forgotten. */
export function UnderWay({ invoice }: { invoice: Invoice }) {
  const can = useCan();
  const payments = useQuery({
    ...read("/api/v1/payments", { params: { query: { invoice_id: invoice.lago_id } as never } }),
    enabled: can("payments:view"),
  }).data?.payments;
  const asked = payments?.find((one) => one.payment_status === "processing");
  if (!asked || invoice.total_due_amount_cents === 0) return null;
  return (
    <div className="banners">
      <Banner icon={<Clock className="i" aria-hidden="true" />}>
        {methodOf(asked)} was asked for {money(asked.amount_cents, asked.amount_currency)} on{" "}
        {day(asked.created_at, invoice.customer.applicable_timezone)}, and has not said yet whether it comes.
      </Banner>
    </div>
  );
}
