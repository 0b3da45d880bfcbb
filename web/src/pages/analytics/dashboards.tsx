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
import { Empty, Loaded, type QueryLike, Skeleton } from "@/ui/states";
import { type Column, Table } from "@/ui/table";
import { columnsBy } from "./by-period";
import { NOUN_OF } from "./granularity";
import { OfPart, type Report } from "./parts";
import { creditRows, type Dashboard, movementRows, revenueRows, shareOf } from "./streams";
import { sum, Trend } from "./trend";

/** The rows that are shown: of the currency, in the periods. */
function shownOf<Row extends { currency: string; start_of_period_dt: string }>(
  rows: readonly Row[],
  { currency, periods }: Report,
): Row[] {
  return rows.filter((one) => one.currency === currency && periods.includes(one.start_of_period_dt));
}

/** A report's course over its periods. */
function Course({ title, report, of }: { title: string; report: Report; of: Dashboard }) {
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

interface StreamsProps {
  report: Report;
  streams: QueryLike<Schema<"RevenueStreamsResponse">>;
  plans: QueryLike<Schema<"PlanRevenuesResponse">>;
  customers: QueryLike<Schema<"CustomerRevenuesResponse">>;
  isOfPlan: boolean;
}

/** What was earned by kinds of fees, what was taken off, and who brought it. */
export function Streams({ report, streams, plans, customers, isOfPlan }: StreamsProps) {
  const own = streams.data && shownOf(streams.data.revenue_streams, report);
  if (own?.length === 0) return <Empty title="Nothing was billed in this period" />;
  const sums = own && {
    gross: sum(own.map((one) => one.gross_amount_cents)),
    contra: sum(own.map((one) => one.contra_amount_cents)),
    coupons: sum(own.map((one) => one.coupons_amount_cents)),
  };
  return (
    <>
      <OfPart title="Revenue by stream" part={streams}>
        {({ revenue_streams }) => (
          <>
            <StreamFigures report={report} {...sums!} isOfPlan={isOfPlan} />
            <Course
              title="Revenue by stream"
              report={report}
              of={revenueRows(revenue_streams, report.periods, report.currency)}
            />
          </>
        )}
      </OfPart>
      <div className="report-pair sec">
        <PlanRevenue
          report={report}
          part={plans}
          whole={sums && { gross: sums.gross, net: sums.gross - sums.coupons }}
        />
        <CustomerRevenue
          report={report}
          part={customers}
          whole={sums && { gross: sums.gross, net: sums.gross - sums.contra }}
        />
      </div>
    </>
  );
}

interface StreamFiguresProps {
  report: Report;
  /** Minor units. */
  gross: number;
  contra: number;
  isOfPlan: boolean;
}

function StreamFigures({ report: { currency }, gross, contra, isOfPlan }: StreamFiguresProps) {
  return (
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
  );
}

interface RevenueOfProps<Answer> {
  report: Report;
  part: QueryLike<Answer>;
  /** What all of them brought, where that is known: their shares are of it. */
  whole: Record<By, number> | undefined;
}

type OfPlan = Schema<"PlanRevenueOutput">;

function PlanRevenue({ report, part, whole }: RevenueOfProps<Schema<"PlanRevenuesResponse">>) {
  const can = useCan();
  const [by, order] = useOrder("plans");
  return (
    <Section title="By plan" meta="net of coupons" actions={order}>
      <Loaded query={part} what="Revenue by plan" skeleton={<Skeleton width="80%" />}>
        {({ plans }) => {
          const rows = plans.filter((one) => one.currency === report.currency);
          if (rows.length === 0) return <p className="dim">No plan was billed in this period.</p>;
          return (
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
          );
        }}
      </Loaded>
    </Section>
  );
}

type OfCustomer = Schema<"CustomerRevenueOutput">;

/** So many customers are told of at the most, by currency. */
const MOST_CUSTOMERS = 20;

function CustomerRevenue({ report, part, whole }: RevenueOfProps<Schema<"CustomerRevenuesResponse">>) {
  const can = useCan();
  const [by, order] = useOrder("customers");
  const rows = part.data?.customers.filter((one) => one.currency === report.currency);
  return (
    <Section
      title="By customer"
      meta={rows?.length === MOST_CUSTOMERS ? "the first twenty" : undefined}
      actions={order}
    >
      <Loaded query={part} what="Revenue by customer" skeleton={<Skeleton width="80%" />}>
        {() => (
          <Table
            label="Revenue by customer"
            rows={ordered(rows!, by)}
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
        )}
      </Loaded>
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
  whole: Record<By, number> | undefined,
  nameOf: (row: Row) => string,
): Column<Row>[] {
  return [
    {
      head: "Share",
      fold: "f4",
      cell: (one) => <Share part={one[`${by}_amount_cents`]} whole={whole?.[by] ?? 0} of={nameOf(one)} />,
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

interface MovementsProps {
  report: Report;
  movements: QueryLike<Schema<"MovementsResponse">>;
  plans: QueryLike<Schema<"PlansRecurringResponse">>;
  isOfPlan: boolean;
}

/** How recurring revenue moved, and what recurs by plan. */
export function Movements({ report, movements, plans, isOfPlan }: MovementsProps) {
  const { periods, currency } = report;
  const moved = movements.data && shownOf(movements.data.mrr_movements, report);
  const recurring = plans.data?.plans.filter((one) => one.currency === currency);
  if (moved?.length === 0 && recurring?.length === 0)
    return <Empty title="Nothing recurred in this period" />;
  return (
    <>
      <OfPart title="MRR movements" part={movements}>
        {({ mrr_movements }) => (
          <>
            <MovementFigures report={report} moved={moved!} isOfPlan={isOfPlan} />
            <Course
              title="MRR movements"
              report={report}
              of={movementRows(mrr_movements, periods, currency)}
            />
          </>
        )}
      </OfPart>
      <Section title="By plan" meta="before coupons of fixed amounts">
        <Loaded query={plans} what="MRR by plan" skeleton={<Skeleton width="80%" />}>
          {() => <RecurringByPlan plans={recurring!} />}
        </Loaded>
      </Section>
    </>
  );
}

interface MovementFiguresProps {
  report: Report;
  moved: readonly Schema<"MovementOutput">[];
  isOfPlan: boolean;
}

function MovementFigures({ report, moved, isOfPlan }: MovementFiguresProps) {
  const { periods, granularity, currency } = report;
  const last = moved.find((one) => one.start_of_period_dt === periods.at(-1));
  const total = (key: "new_amount_cents" | "churn_amount_cents" | "change_amount_cents") => (
    <Money cents={sum(moved.map((one) => one[key]))} currency={currency} isZeroPlain />
  );
  return (
    <div className="stats report">
      <Stat
        name="MRR now"
        value={<Money cents={last?.ending_amount_cents ?? 0} currency={currency} isZeroPlain />}
        detail={isOfPlan ? "before coupons of fixed amounts" : "a month's worth of what runs"}
      />
      <Stat name="New" value={total("new_amount_cents")} />
      <Stat name="Churn" value={total("churn_amount_cents")} />
      <Stat
        name="Change"
        value={total("change_amount_cents")}
        detail={`in ${countWords(periods.length, NOUN_OF[granularity])}`}
      />
    </div>
  );
}

function RecurringByPlan({ plans }: { plans: readonly Schema<"PlanRecurringOutput">[] }) {
  const can = useCan();
  const recurring = sum(plans.map((one) => one.amount_cents));
  if (plans.length === 0) return <p className="dim">No subscription runs.</p>;
  return (
    <Table
      label="Recurring revenue by plan"
      rows={plans}
      keyOf={(one) => one.plan_code}
      {...(can("plans:view") && {
        hrefOf: (one: Schema<"PlanRecurringOutput">) => paths.plans.show(one.plan_code),
      })}
      columns={[
        { head: "Plan", fold: "f1", cell: (one) => <Named name={one.plan_name} isGone={one.is_deleted} /> },
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
  );
}

interface CreditsProps {
  report: Report;
  credits: QueryLike<Schema<"CreditsResponse">>;
}

/** Prepaid credits that were bought and given, used and voided. */
export function Credits({ report, credits }: CreditsProps) {
  const { periods, currency } = report;
  return (
    <OfPart title="Prepaid credits" part={credits}>
      {({ prepaid_credits }) => {
        const own = shownOf(prepaid_credits, report);
        if (own.length === 0) return <Empty title="No prepaid credits moved in this period" />;
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
            <Course
              title="Prepaid credits"
              report={report}
              of={creditRows(prepaid_credits, periods, currency)}
            />
          </>
        );
      }}
    </OfPart>
  );
}
