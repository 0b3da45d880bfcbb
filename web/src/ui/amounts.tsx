/** Amounts of money, and the dotted line under those that can prove themselves. */
import type { ComponentProps, ReactNode } from "react";
import { clock, day, inZones, moment } from "@/lib/dates";
import { figure, toDecimal } from "@/lib/money";

interface AmountProps {
  cents: number | string | null | undefined;
  currency: string | null | undefined;
  /** Zero recedes; not where it is the point, as in a total. */
  isZeroPlain?: boolean;
}

/** Minor units with the currency's sign receding: €3,492.80. Nothing is "–". */
export function Money({ cents, currency, isZeroPlain }: AmountProps) {
  if (cents === null || cents === undefined || !currency) return <span className="dim">–</span>;
  const { sign, before, digits, after } = figure(toDecimal(cents, currency), currency);
  const isZero = !isZeroPlain && BigInt(cents) === 0n;
  return (
    <span className={isZero ? "num dim" : "num"}>
      {sign}
      {before && <span className="cur">{before}</span>}
      {digits}
      {after && <span className="cur">{after}</span>}
    </span>
  );
}

/** A decimal amount that is finer than cents, as prices per unit are. */
export function Price({ amount, currency }: { amount: string; currency: string }) {
  const { sign, before, digits, after } = figure(amount, currency);
  return (
    <span className="num">
      {sign}
      {before && <span className="cur">{before}</span>}
      {digits}
      {after && <span className="cur">{after}</span>}
    </span>
  );
}

/** A computed amount: pressing it shows how it came to be. */
export function Why({
  children,
  isOpen,
  ...rest
}: ComponentProps<"button"> & { children: ReactNode; isOpen?: boolean }) {
  return (
    <button type="button" className="why" title="Show how this came to be" aria-expanded={isOpen} {...rest}>
      {children}
    </button>
  );
}

/** A day in a zone; its title has the instant in others, too. */
export function Day({ value, zone }: { value: string | null | undefined; zone?: string }) {
  return <Time value={value} zone={zone} write={day} />;
}

/** A day and a time in a zone. */
export function Moment({ value, zone }: { value: string | null | undefined; zone?: string }) {
  return <Time value={value} zone={zone} write={moment} />;
}

/** A time to the second in a zone. */
export function Clock({ value, zone }: { value: string | null | undefined; zone?: string }) {
  return <Time value={value} zone={zone} write={clock} />;
}

interface TimeProps {
  value: string | null | undefined;
  zone?: string;
  write: (value: string, zone?: string) => string;
}

function Time({ value, zone, write }: TimeProps) {
  if (!value) return <span className="dim">–</span>;
  return (
    <time dateTime={value} title={inZones(value, zone)}>
      {write(value, zone)}
    </time>
  );
}
