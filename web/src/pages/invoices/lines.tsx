/** The lines of an invoice, by subscription and kind; each amount leads to its proof. */
import type { ReactNode } from "react";
import { percent, units } from "@/lib/money";
import { Money, Price, Why } from "@/ui/amounts";
import { MANY, Rows } from "@/ui/rows";
import { aboutFee, type Fee, groupFees, type Invoice, nameOfFee, unitPriceOf } from "./model";

interface LinesProps {
  invoice: Pick<Invoice, "fees" | "subscriptions" | "customer">;
  /** The fee whose proof is open. */
  why?: string | undefined;
  onWhy?: (id: string) => void;
  actions?: (fee: Fee) => ReactNode;
  isAdjusted?: (fee: Fee) => boolean;
}

export function Lines({ invoice, why, onWhy, actions, isAdjusted }: LinesProps) {
  const rows = groupFees(invoice).flatMap((group) => [
    ...(group.title ? [{ key: group.key, title: group.title, id: group.externalId }] : []),
    ...group.fees.map((fee) => ({ key: fee.lago_id, fee })),
  ]);
  const span = actions ? 6 : 5;
  if (invoice.fees.length === 0)
    return <p className="dim no-lines">No lines: there is nothing to pay for.</p>;
  return (
    <div className="bleed lines">
      <table
        className="tbl fold fees"
        aria-label="Lines"
        aria-rowcount={rows.length > MANY ? rows.length + 1 : undefined}
      >
        <thead>
          <tr>
            <th scope="col">Item</th>
            <th scope="col" className="r">
              Units
            </th>
            <th scope="col" className="r">
              Unit price
            </th>
            <th scope="col" className="r">
              Tax
            </th>
            <th scope="col" className="r">
              Amount
            </th>
            {actions && (
              <th scope="col" className="acts">
                <span className="sr">Actions</span>
              </th>
            )}
          </tr>
        </thead>
        <Rows
          count={rows.length}
          height={51}
          span={span}
          row={(index, seat) => {
            const row = rows[index]!;
            if (!("fee" in row))
              return (
                <tr key={row.key} {...seat} className="grp still">
                  <td className="f1" colSpan={span}>
                    {row.title} {row.id && <span className="dim id">{row.id}</span>}
                  </td>
                </tr>
              );
            const { fee } = row;
            return (
              <tr key={row.key} {...seat} className={fee.lago_id === why ? "on" : "still"}>
                <td className="f1">
                  <span className="med">{nameOfFee(fee)}</span>
                  {isAdjusted?.(fee) && <span className="tag accent">Adjusted</span>}
                  <span className="sub">{aboutFee(fee, invoice.customer.applicable_timezone)}</span>
                </td>
                <td className="r">
                  <Units fee={fee} />
                </td>
                <td className="r ink2">
                  <UnitPrice fee={fee} />
                </td>
                <td className="r dim">{fee.taxes_rate > 0 ? percent(fee.taxes_rate) : "–"}</td>
                <td className="r f2">
                  {onWhy ? (
                    <Why isOpen={fee.lago_id === why} onClick={() => onWhy(fee.lago_id)}>
                      <Money cents={fee.amount_cents} currency={fee.amount_currency} />
                    </Why>
                  ) : (
                    <Money cents={fee.amount_cents} currency={fee.amount_currency} />
                  )}
                </td>
                {actions && <td className="acts">{actions(fee)}</td>}
                <td className="f3 only-phone">
                  <Units fee={fee} /> × <UnitPrice fee={fee} />
                </td>
              </tr>
            );
          }}
        />
      </table>
    </div>
  );
}

function Units({ fee }: { fee: Fee }) {
  return <span className="num">{units(fee.units)}</span>;
}

function UnitPrice({ fee }: { fee: Fee }) {
  const found = unitPriceOf(fee);
  if (found === null) return <span className="dim">–</span>;
  if ("tiers" in found) return <>{found.tiers} tiers</>;
  const { amount, isMean } = meanOf(found.price);
  return (
    <>
      {isMean && "≈ "}
      <Price amount={amount} currency={fee.amount_currency} />
    </>
  );
}

/** A mean of tiers or packages has more digits than say anything: four that count are shown. */
function meanOf(price: string): { amount: string; isMean: boolean } {
  const [whole = "0", fraction = ""] = price.split(".");
  if (fraction.length < 12) return { amount: price, isMean: false };
  const first = whole === "0" ? fraction.search(/[1-9]/) : 0;
  return { amount: `${whole}.${fraction.slice(0, Math.max(2, first + 4))}`, isMean: true };
}
