/** The usage of a period by charge, with what it breaks down into and where it is going. */
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import type { Schema } from "@/api/client";
import { halfOpenPeriod } from "@/lib/dates";
import { units } from "@/lib/money";
import { modelWord } from "@/pages/plans/price";
import { Money, Why } from "@/ui/amounts";
import { Section, Stat, Stats } from "@/ui/basics";
import { Segments } from "@/ui/fields";
import { useKept, useOpenedRow } from "@/ui/opened";
import { Drawer } from "@/ui/overlays";
import { MANY, Rows } from "@/ui/rows";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { breakdownOf, chargeName } from "./breakdown";
import { projectedUsage } from "./reads";
import { totalOf, whyOf } from "./usage-proof";
import { useWhy } from "./usage-why";

type Charge = Schema<"ProjectedCharge">;

interface Props {
  customer: string;
  subscription: string;
  zone: string;
  switcher?: ReactNode;
}

export function UsageTable({ customer, subscription, zone, switcher }: Props) {
  const [view, keepView] = useKept("view");
  const { why, show } = useWhy();
  const usage = useQuery(projectedUsage(customer, subscription));
  const [open, setOpen] = useOpenedRow(
    "charge",
    usage.data?.customer_projected_usage.charges_usage,
    (one) => one.charge.lago_id,
  );
  const toggle = (target: string) => show(why === target ? undefined : target);
  const isProjected = view === "projected";
  const total = totalOf(subscription);
  return (
    <>
      <Section
        title="Usage"
        meta={
          usage.data &&
          halfOpenPeriod(
            usage.data.customer_projected_usage.from_datetime,
            usage.data.customer_projected_usage.to_datetime,
            zone,
          )
        }
        actions={
          <>
            {switcher}
            <Segments
              label="Usage"
              value={isProjected ? "projected" : "current"}
              options={[
                { value: "current", label: "So far" },
                { value: "projected", label: "Projected" },
              ]}
              onChange={(next) => keepView(next === "current" ? undefined : next)}
            />
          </>
        }
      >
        <Loaded query={usage} what="Usage" skeleton={<Skeleton width="70%" />}>
          {({ customer_projected_usage: found }) => (
            <>
              <Stats>
                <Stat
                  name="So far"
                  value={
                    <Why isOpen={why === total} onClick={() => toggle(total)}>
                      <Money cents={found.amount_cents} currency={found.currency} isZeroPlain />
                    </Why>
                  }
                  detail="before tax"
                />
                <Stat
                  name="Projected"
                  value={<Money cents={found.projected_amount_cents} currency={found.currency} isZeroPlain />}
                  detail="at the end of the period"
                />
              </Stats>
              {found.charges_usage.length === 0 ? (
                <Empty title="The plan charges for no usage" />
              ) : (
                <div className="table-frame sec">
                  <table className="tbl fold" aria-label="Usage by charge">
                    <thead>
                      <tr>
                        <th scope="col">Charge</th>
                        <th scope="col" className="lo">
                          Price model
                        </th>
                        <th scope="col" className="r lo">
                          Events
                        </th>
                        <th scope="col" className="r">
                          Units
                        </th>
                        <th scope="col" className="r">
                          Amount
                        </th>
                      </tr>
                    </thead>
                    <tbody>
                      {found.charges_usage.map((charge) => {
                        const parts = breakdownOf(charge);
                        return (
                          <Fragment key={charge.charge.lago_id}>
                            <tr
                              className={parts.length > 0 ? "usage-row" : "usage-row still"}
                              data-href={parts.length > 0 ? "" : undefined}
                              onClick={() => parts.length > 0 && setOpen(charge)}
                            >
                              <td className="f1">
                                {parts.length > 0 ? (
                                  <button type="button" className="row-link" onClick={() => setOpen(charge)}>
                                    {chargeName(charge)}{" "}
                                    <span className="dim small">{parts.length.toLocaleString()} parts</span>
                                  </button>
                                ) : (
                                  chargeName(charge)
                                )}
                              </td>
                              <td className="lo ink2">{modelWord(charge.charge.charge_model)}</td>
                              <td className="r lo">{charge.events_count.toLocaleString()}</td>
                              <td className="r f3">
                                {units(isProjected ? charge.projected_units : charge.units)}
                              </td>
                              <td className="r f2">
                                {isProjected ? (
                                  <Money
                                    cents={charge.projected_amount_cents}
                                    currency={charge.amount_currency}
                                  />
                                ) : (
                                  <Why
                                    isOpen={why === whyOf(charge, subscription)}
                                    onClick={(event) => {
                                      event.stopPropagation();
                                      toggle(whyOf(charge, subscription));
                                    }}
                                  >
                                    <Money cents={charge.amount_cents} currency={charge.amount_currency} />
                                  </Why>
                                )}
                              </td>
                            </tr>
                          </Fragment>
                        );
                      })}
                    </tbody>
                    <tfoot>
                      <tr>
                        <td className="f1">Total before tax</td>
                        <td className="lo" />
                        <td className="lo" />
                        <td />
                        <td className="r f2">
                          {isProjected ? (
                            <Money
                              cents={found.projected_amount_cents}
                              currency={found.currency}
                              isZeroPlain
                            />
                          ) : (
                            <Why isOpen={why === total} onClick={() => toggle(total)}>
                              <Money cents={found.amount_cents} currency={found.currency} isZeroPlain />
                            </Why>
                          )}
                        </td>
                      </tr>
                    </tfoot>
                  </table>
                </div>
              )}
            </>
          )}
        </Loaded>
      </Section>
      <Drawer title={open ? chargeName(open) : ""} isOpen={open !== null} onClose={() => setOpen(null)}>
        {open && (
          <Breakdown charge={open} isProjected={isProjected} onWhy={() => show(whyOf(open, subscription))} />
        )}
      </Drawer>
    </>
  );
}

interface BreakdownProps {
  charge: Charge;
  isProjected: boolean;
  /** Shows how the parts come to be. */
  onWhy: () => void;
}

function Breakdown({ charge, isProjected, onWhy }: BreakdownProps) {
  const parts = breakdownOf(charge);
  return (
    <table
      className="tbl"
      aria-label={`Parts of ${chargeName(charge)}`}
      aria-rowcount={parts.length > MANY ? parts.length + 1 : undefined}
    >
      <thead>
        <tr>
          <th scope="col">Part</th>
          <th scope="col" className="r">
            Events
          </th>
          <th scope="col" className="r">
            Units
          </th>
          <th scope="col" className="r">
            Amount
          </th>
        </tr>
      </thead>
      <Rows
        count={parts.length}
        height={40}
        span={4}
        frame=".drawer-b"
        row={(index, seat) => {
          const part = parts[index]!;
          return (
            <tr key={part.key} {...seat} className={part.isInner ? "inner still" : "still"}>
              <td>{part.name}</td>
              <td className="r">{part.events.toLocaleString()}</td>
              <td className="r">{units(isProjected ? part.projectedUnits : part.units)}</td>
              <td className="r">
                {isProjected ? (
                  <Money cents={part.projectedCents} currency={charge.amount_currency} />
                ) : (
                  <Why onClick={onWhy}>
                    <Money cents={part.cents} currency={charge.amount_currency} />
                  </Why>
                )}
              </td>
            </tr>
          );
        }}
      />
    </table>
  );
}
