/** Reports of the app's own: revenue by streams, movements of recurring revenue, prepaid credits (ui §4). */
import type { ReactNode } from "react";
import type { Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { Money } from "@/ui/amounts";
import { Meter, Section, Stat } from "@/ui/basics";
import { Segments } from "@/ui/fields";
import { useKept } from "@/ui/opened";
import { Empty } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { columnsBy } from "./by-period";
import { type Granularity, NOUN_OF } from "./granularity";
import { creditRows, type Dashboard, movementRows, revenueRows, shareOf } from "./streams";
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

/** A report's course over its periods. */
function Course({ title, report, of }: { title: string; report: Shown; of: Dashboard }) {
  return (
    <Trend
      title={title}
      report={report}
      rows={of.series}
      table={of.table}
      {...columnsBy(report.granularity, report.periods)}
    />
  );
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
  const dashboard = revenueRows(answer.revenue_streams, periods, currency);
  const own = shownOf(answer.revenue_streams, report);
  if (own.length === 0) return <Empty title="Nothing was billed in this period" />;
  const gross = sum(own.map((one) => one.gross_amount_cents));
  const contra = sum(own.map((one) => one.contra_amount_cents));
  const coupons = sum(own.map((one) => one.coupons_amount_cents));
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
      <Course title="Revenue by stream" report={report} of={dashboard} />
      <div className="report-pair sec">
        <PlanRevenue
          rows={answer.plans.filter((one) => one.currency === currency)}
          gross={gross}
          net={gross - coupons}
        />
        <CustomerRevenue
          rows={answer.customers.filter((one) => one.currency === currency)}
          gross={gross}
          net={gross - contra}
        />
      </div>
    </>
  );
}

interface RevenueOfProps<Row> {
  gross: number;
  net: number;
  rows: readonly Row[];
}

type OfPlan = Schema<"PlanRevenueOutput">;

function PlanRevenue({ rows, ...whole }: RevenueOfProps<OfPlan>) {
  const can = useCan();
  const [by, order] = useOrder("plans");
  return (
    <Section title="By plan" meta="net of coupons" actions={order}>
      {rows.length === 0 ? (
        <p className="dim">No plan was billed in this period.</p>
      ) : (
        <Table
          label="Revenue by plan"
          rows={ordered(rows, by)}
          keyOf={(one) => one.plan_code}
          {...(can("plans:view") && { hrefOf: (one: OfPlan) => paths.plans.show(one.plan_code) })}
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
            ...amountsOf<OfPlan>(by, whole, (one) => one.plan_name),
          ]}
        />
      )}
    </Section>
  );
}

type OfCustomer = Schema<"CustomerRevenueOutput">;

function CustomerRevenue({ rows, ...whole }: RevenueOfProps<OfCustomer>) {
  const can = useCan();
  const [by, order] = useOrder("customers");
  return (
    <Section title="By customer" meta={rows.length >= 20 ? "the first twenty" : undefined} actions={order}>
      <Table
        label="Revenue by customer"
        rows={ordered(rows, by)}
        keyOf={(one) => one.external_customer_id}
        {...(can("customers:view") && {
          hrefOf: (one: OfCustomer) => paths.customers.show(one.external_customer_id),
        })}
        columns={[
          {
            head: "Customer",
            fold: "f1",
            cell: (one) => <Named name={one.customer_name} isGone={one.is_deleted} />,
          },
          ...amountsOf<OfCustomer>(by, whole, (one) => one.customer_name),
        ]}
      />
    </Section>
  );
}

type By = "gross" | "net";

/** What brought revenue is ordered by: kept in the address, and chosen by what is shown beside the heading. */
function useOrder(of: "plans" | "customers"): [by: By, choice: ReactNode] {
  const [order, keepOrder] = useKept(of === "plans" ? "plans_order" : "order");
  const by: By = order === "net" ? "net" : "gross";
  const choice = (
    <Segments
      label={`Order of ${of}`}
      value={by}
      options={[
        { value: "gross", label: "Gross" },
        { value: "net", label: "Net" },
      ]}
      onChange={(next) => keepOrder(next === "gross" ? undefined : next)}
    />
  );
  return [by, choice];
}

interface Earned {
  currency: string;
  gross_amount_cents: number;
  net_amount_cents: number;
}

function ordered<Row extends Earned>(rows: readonly Row[], by: By): Row[] {
  return rows.toSorted((one, other) => other[`${by}_amount_cents`] - one[`${by}_amount_cents`]);
}

/** The share of what rows are ordered by, and both amounts. */
function amountsOf<Row extends Earned>(
  by: By,
  whole: Record<By, number>,
  nameOf: (row: Row) => string,
): Column<Row>[] {
  return [
    {
      head: "Share",
      fold: "f4",
      cell: (one) => <Share part={one[`${by}_amount_cents`]} whole={whole[by]} of={nameOf(one)} />,
    },
    {
      head: "Gross",
      isNumber: true,
      ...(by === "gross" ? { fold: "f2" } : { isLow: true }),
      cell: (one) => <Money cents={one.gross_amount_cents} currency={one.currency} />,
    },
    {
      head: "Net",
      isNumber: true,
      ...(by === "net" ? { fold: "f2" } : { isLow: true }),
      cell: (one) => <Money cents={one.net_amount_cents} currency={one.currency} />,
    },
  ];
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
  const dashboard = movementRows(answer.mrr_movements, periods, currency);
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
      <Course title="MRR movements" report={report} of={dashboard} />
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
  const dashboard = creditRows(answer, periods, currency);
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
      <Course title="Prepaid credits" report={report} of={dashboard} />
    </>
  );
}
