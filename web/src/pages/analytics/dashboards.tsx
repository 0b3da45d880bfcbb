/** Reports of the app's own: revenue by streams, movements of recurring revenue, prepaid credits (ui §4). */
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { Money } from "@/ui/amounts";
import { Meter, Section, Stat } from "@/ui/basics";
import { Segments } from "@/ui/fields";
import { useKept } from "@/ui/opened";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";
import { columnsBy } from "./by-period";
import { type Granularity, NOUN_OF } from "./granularity";
import { creditRows, movementRows, revenueRows, shareOf } from "./streams";
import { sum, Trend } from "./trend";

interface Shown {
  months: string[];
  currency: string;
  /** The first days of what it is summed by. */
  periods: string[];
  granularity: Granularity;
}

/** The rows that are shown: of the currency, in the periods. */
function shownOf<Row extends { currency: string; start_of_period_dt: string }>(
  rows: readonly Row[],
  { currency, periods }: Shown,
): Row[] {
  return rows.filter((one) => one.currency === currency && periods.includes(one.start_of_period_dt));
}

const NOUNS: Record<string, string> = {
  weekly: "Week",
  monthly: "Month",
  quarterly: "Quarter",
  semiannual: "Half-year",
  yearly: "Year",
};

/** What was earned by kinds of fees, what was taken off, and who brought it. */
export function Streams({
  report,
  answer,
  isOfPlan,
}: {
  report: Shown;
  answer: Schema<"RevenueResponse">;
  isOfPlan: boolean;
}) {
  const { periods, currency } = report;
  const { series, table } = revenueRows(answer.revenue_streams, periods, currency);
  const own = shownOf(answer.revenue_streams, report);
  if (own.length === 0) return <Empty title="Nothing was billed in this period" />;
  const gross = sum(own.map((one) => one.gross_amount_cents));
  const contra = sum(own.map((one) => one.contra_amount_cents));
  return (
    <>
      <div className="stats report">
        <Stat
          name="Gross revenue"
          value={<Money cents={gross} currency={currency} isZeroPlain />}
          detail="fees before coupons and tax"
        />
        <Stat
          name="Taken off"
          value={<Money cents={contra} currency={currency} isZeroPlain />}
          detail={isOfPlan ? "coupons; credits are of whole invoices" : "coupons and credits"}
        />
        <Stat name="Net revenue" value={<Money cents={gross - contra} currency={currency} isZeroPlain />} />
      </div>
      <Trend
        title="Revenue by stream"
        report={report}
        rows={series}
        table={table}
        {...columnsBy(report.granularity, report.periods)}
      />
      <div className="report-pair sec">
        <PlanRevenue plans={answer.plans.filter((one) => one.currency === currency)} gross={gross} />
        <CustomerRevenue
          customers={answer.customers.filter((one) => one.currency === currency)}
          gross={gross}
          net={gross - contra}
        />
      </div>
    </>
  );
}

function PlanRevenue({ plans, gross }: { plans: readonly Schema<"PlanRevenueOutput">[]; gross: number }) {
  const can = useCan();
  return (
    <Section title="By plan" meta="gross">
      {plans.length === 0 ? (
        <p className="dim">No plan was billed in this period.</p>
      ) : (
        <Table
          label="Revenue by plan"
          rows={plans}
          keyOf={(one) => one.plan_code}
          {...(can("plans:view") && {
            hrefOf: (one: Schema<"PlanRevenueOutput">) => paths.plans.show(one.plan_code),
          })}
          columns={[
            {
              head: "Plan",
              fold: "f1",
              cell: (one) => <Named name={one.plan_name} isGone={one.is_deleted} />,
            },
            {
              head: "Customers",
              isNumber: true,
              isLow: true,
              cell: (one) => one.customers_count.toLocaleString(),
            },
            {
              head: "Share",
              fold: "f4",
              cell: (one) => <Share part={one.gross_amount_cents} whole={gross} of={one.plan_name} />,
            },
            {
              head: "Gross",
              isNumber: true,
              fold: "f2",
              cell: (one) => <Money cents={one.gross_amount_cents} currency={one.currency} />,
            },
          ]}
        />
      )}
    </Section>
  );
}

interface CustomerRevenueProps {
  customers: readonly Schema<"CustomerRevenueOutput">[];
  gross: number;
  net: number;
}

function CustomerRevenue({ customers, gross, net }: CustomerRevenueProps) {
  const can = useCan();
  const [order, keepOrder] = useKept("order");
  const by = order === "net" ? "net" : "gross";
  const amountOf = (one: Schema<"CustomerRevenueOutput">) =>
    by === "gross" ? one.gross_amount_cents : one.net_amount_cents;
  return (
    <Section
      title="By customer"
      meta={customers.length >= 20 ? "the first twenty" : undefined}
      actions={
        <Segments
          label="Ordered by"
          value={by}
          options={[
            { value: "gross", label: "Gross" },
            { value: "net", label: "Net" },
          ]}
          onChange={(next) => keepOrder(next === "gross" ? undefined : next)}
        />
      }
    >
      <Table
        label="Revenue by customer"
        rows={[...customers].sort((one, other) => amountOf(other) - amountOf(one))}
        keyOf={(one) => one.external_customer_id}
        {...(can("customers:view") && {
          hrefOf: (one: Schema<"CustomerRevenueOutput">) => paths.customers.show(one.external_customer_id),
        })}
        columns={[
          {
            head: "Customer",
            fold: "f1",
            cell: (one) => <Named name={one.customer_name} isGone={one.is_deleted} />,
          },
          {
            head: "Share",
            fold: "f4",
            cell: (one) => (
              <Share part={amountOf(one)} whole={by === "gross" ? gross : net} of={one.customer_name} />
            ),
          },
          {
            head: "Gross",
            isNumber: true,
            isLow: true,
            cell: (one) => <Money cents={one.gross_amount_cents} currency={one.currency} />,
          },
          {
            head: "Net",
            isNumber: true,
            fold: "f2",
            cell: (one) => <Money cents={one.net_amount_cents} currency={one.currency} />,
          },
        ]}
      />
    </Section>
  );
}

function Named({ name, isGone }: { name: string; isGone: boolean }) {
  return (
    <span className="row">
      <b className="med trunc">{name}</b>
      {isGone && <span className="tag">Deleted</span>}
    </span>
  );
}

function Share({ part, whole, of }: { part: number; whole: number; of: string }) {
  const percent = shareOf(part, whole);
  if (percent === null) return <span className="dim">–</span>;
  return (
    <span className="share">
      <Meter share={percent / 100} label={`Share of ${of}`} />
      <span className="num">{percent.toLocaleString(undefined, { minimumFractionDigits: 1 })}%</span>
    </span>
  );
}

/** How recurring revenue moved, and what recurs by plan. */
export function Movements({
  report,
  answer,
  isOfPlan,
}: {
  report: Shown;
  answer: Schema<"MovementsResponse">;
  isOfPlan: boolean;
}) {
  const can = useCan();
  const { periods, granularity, currency } = report;
  const { series, table } = movementRows(answer.mrr_movements, periods, currency);
  const own = shownOf(answer.mrr_movements, report);
  const plans = answer.plans.filter((one) => one.currency === currency);
  if (own.length === 0 && plans.length === 0) return <Empty title="Nothing recurred in this period" />;
  const last = own.find((one) => one.start_of_period_dt === periods.at(-1));
  const total = (key: "new_amount_cents" | "churn_amount_cents" | "change_amount_cents") =>
    sum(own.map((one) => one[key]));
  const recurring = sum(plans.map((one) => one.amount_cents));
  return (
    <>
      <div className="stats report">
        <Stat
          name="MRR now"
          value={<Money cents={last?.ending_amount_cents ?? 0} currency={currency} isZeroPlain />}
          detail={isOfPlan ? "before coupons of fixed amounts" : "a month's worth of what runs"}
        />
        <Stat
          name="New"
          value={<Money cents={total("new_amount_cents")} currency={currency} isZeroPlain />}
        />
        <Stat
          name="Churn"
          value={<Money cents={total("churn_amount_cents")} currency={currency} isZeroPlain />}
        />
        <Stat
          name="Change"
          value={<Money cents={total("change_amount_cents")} currency={currency} isZeroPlain />}
          detail={`in ${countWords(periods.length, NOUN_OF[granularity])}`}
        />
      </div>
      <Trend
        title="MRR movements"
        report={report}
        rows={series}
        table={table}
        {...columnsBy(report.granularity, report.periods)}
      />
      <Section title="By plan" meta="before coupons of fixed amounts">
        {plans.length === 0 ? (
          <p className="dim">No subscription runs.</p>
        ) : (
          <Table
            label="Recurring revenue by plan"
            rows={plans}
            keyOf={(one) => one.plan_code}
            {...(can("plans:view") && {
              hrefOf: (one: Schema<"PlanRecurringOutput">) => paths.plans.show(one.plan_code),
            })}
            columns={[
              {
                head: "Plan",
                fold: "f1",
                cell: (one) => <Named name={one.plan_name} isGone={one.is_deleted} />,
              },
              { head: "Every", isLow: true, cell: (one) => NOUNS[one.interval] ?? one.interval },
              {
                head: "Active customers",
                isNumber: true,
                fold: "f3",
                cell: (one) => one.customers_count.toLocaleString(),
              },
              {
                head: "Share",
                fold: "f4",
                cell: (one) => <Share part={one.amount_cents} whole={recurring} of={one.plan_name} />,
              },
              {
                head: "MRR",
                isNumber: true,
                fold: "f2",
                cell: (one) => <Money cents={one.amount_cents} currency={one.currency} />,
              },
            ]}
          />
        )}
      </Section>
    </>
  );
}

/** Prepaid credits that were bought and given, used and voided. */
export function Credits({ report, answer }: { report: Shown; answer: readonly Schema<"CreditsOutput">[] }) {
  const { periods, currency } = report;
  const own = shownOf(answer, report);
  if (own.length === 0) return <Empty title="No prepaid credits moved in this period" />;
  const { series, table } = creditRows(answer, periods, currency);
  const total = (key: "purchased" | "offered" | "consumed" | "voided") => (
    <Money cents={sum(own.map((one) => one[`${key}_amount_cents`]))} currency={currency} isZeroPlain />
  );
  return (
    <>
      <div className="stats report">
        <Stat name="Purchased" value={total("purchased")} detail="and paid" />
        <Stat name="Offered" value={total("offered")} detail="for free" />
        <Stat name="Consumed" value={total("consumed")} detail="by invoices" />
        <Stat name="Voided" value={total("voided")} />
      </div>
      <Trend
        title="Prepaid credits"
        report={report}
        rows={series}
        table={table}
        {...columnsBy(report.granularity, report.periods)}
      />
    </>
  );
}
