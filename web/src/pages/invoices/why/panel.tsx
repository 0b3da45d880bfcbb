/**
 * "Why this amount?": the derivation of a fee, of usage that is not billed yet, or of an invoice, as a panel beside the page; a
 * drawer on tablets, a sheet on phones. `FeeWhy`, `UsageWhy` and `InvoiceWhy` are what pages use.
 */
import { useQuery } from "@tanstack/react-query";
import { Braces, Copy as CopyIcon, X } from "lucide-react";
import { Dialog as RadixDialog } from "radix-ui";
import { type ReactNode, useState } from "react";
import { read, type Schema } from "@/api/client";
import { useMedia } from "@/lib/media";
import { money, percent } from "@/lib/money";
import { Why } from "@/ui/amounts";
import { Button, Frac } from "@/ui/basics";
import { ErrorBlock, Skeleton } from "@/ui/states";
import { GlyphMark } from "@/ui/status";
import { notify } from "@/ui/toasts";
import { type Proof, type ProofLine, type ProofStep, proofOfFee, proofOfInvoice, type Share } from "./proof";
import { recomputeFee, recomputeInvoice, type Step } from "./recompute";
import "./why.css";

const WIDE = "(min-width: 1181px)";

interface WhyPanelProps {
  /** The amount that is asked about, as it is shown: "€817.55". */
  amount: string;
  /** What it is of: "Seats". */
  name: string;
  proof: Proof | undefined;
  /** Whether the steps, reckoned anew here, come to the amount; undefined where nothing is to be compared. */
  isSame?: boolean | undefined;
  /** What the wire said, for the copy. */
  json: unknown;
  error?: unknown;
  onRetry?: () => void;
  onClose: () => void;
  /** Shows what proves the value of a line. */
  onWhy?: (why: string) => void;
  after?: ReactNode;
}

/** The panel itself, for whoever has an explanation already. */
export function WhyPanel(props: WhyPanelProps) {
  const isWide = useMedia(WIDE);
  if (isWide) {
    return (
      <aside className="whyp" aria-label={`Why ${props.amount}?`}>
        <PanelBody {...props} heading={<h2>Why {props.amount}?</h2>} />
      </aside>
    );
  }
  return (
    <RadixDialog.Root open onOpenChange={(open) => !open && props.onClose()}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="scrim" />
        <RadixDialog.Content className="whyp floating-why" aria-describedby={undefined}>
          <span className="handle" />
          <PanelBody
            {...props}
            heading={
              <RadixDialog.Title asChild>
                <h2>Why {props.amount}?</h2>
              </RadixDialog.Title>
            }
          />
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

function PanelBody({ heading, ...props }: WhyPanelProps & { heading: ReactNode }) {
  const { name, proof, error, onRetry, onClose, onWhy, isSame, json, after } = props;
  const [isRaw, setRaw] = useState(false);
  const written = JSON.stringify(json, null, 2);
  return (
    <div className="whyp-in">
      <div className="whyp-h">
        <div className="grow">
          {heading}
          <div className="dim">{[name, proof?.period].filter(Boolean).join(", ")}</div>
        </div>
        <Button look="ghost" size="sm" isIcon aria-label="Close" onClick={onClose}>
          <X className="i" aria-hidden="true" />
        </Button>
      </div>
      {error ? (
        <div className="proof">
          <ErrorBlock what="The derivation" error={error} {...(onRetry && { onRetry })} />
        </div>
      ) : !proof ? (
        <div className="proof stack" aria-busy="true">
          {[62, 48, 80, 70].map((width) => (
            <Skeleton key={width} width={`${width}%`} />
          ))}
        </div>
      ) : isRaw ? (
        <pre className="code whyp-code">{written}</pre>
      ) : (
        <ol className="proof">
          {proof.steps.map((step, index) => (
            <ProofItem key={index} step={step} count={index + 1} {...(onWhy && { onWhy })} />
          ))}
          {after}
        </ol>
      )}
      {proof && (
        <div className="whyp-f">
          <span className="grow small">
            {isSame !== undefined && (
              <span className="st" data-s={isSame ? "ok" : "warn"}>
                <GlyphMark glyph={isSame ? "check" : "triangle"} />
                {isSame
                  ? "Recomputed from these steps just now: same amount"
                  : "These steps could not be followed to the amount"}
              </span>
            )}
          </span>
          <Button
            look="ghost"
            size="sm"
            isIcon
            title="Copy as JSON"
            aria-label="Copy as JSON"
            onClick={async () => {
              await navigator.clipboard.writeText(written);
              notify.copied("derivation");
            }}
          >
            <CopyIcon className="i" aria-hidden="true" />
          </Button>
          <Button
            look="ghost"
            size="sm"
            isIcon
            title={isRaw ? "Show steps" : "Show as JSON"}
            aria-label="Show as JSON"
            aria-pressed={isRaw}
            onClick={() => setRaw(!isRaw)}
          >
            <Braces className="i" aria-hidden="true" />
          </Button>
        </div>
      )}
    </div>
  );
}

interface ProofItemProps {
  step: ProofStep;
  count: number;
  onWhy?: (why: string) => void;
}

function ProofItem({ step, count, onWhy }: ProofItemProps) {
  const { title, about, result, bar, lines, total, note, look } = step;
  const hasDays = lines?.some((line) => line.days || line.share) ?? false;
  return (
    <li>
      {look === "tax" ? <PercentMark /> : <TallyMark count={count} />}
      <h3>
        {title}
        {about && <span className="dim">{about}</span>}
        {result && !total && <span className={look === "fee" ? "res big" : "res"}>{result}</span>}
      </h3>
      {bar && <TierBar bar={bar} />}
      {lines && lines.length > 0 && (
        <table className={hasDays ? "pr" : undefined}>
          <tbody>
            {lines.map((line, index) => (
              <Line key={index} line={line} hasDays={hasDays} {...(onWhy && { onWhy })} />
            ))}
            {total && <TotalLine total={total} hasDays={hasDays} />}
          </tbody>
        </table>
      )}
      {total && !lines?.length && (
        <table>
          <tbody>
            <TotalLine total={total} hasDays={false} />
          </tbody>
        </table>
      )}
      {note && <p className="small dim">{note}</p>}
    </li>
  );
}

interface LineProps {
  line: ProofLine;
  hasDays: boolean;
  onWhy?: (why: string) => void;
}

function Line({ line, hasDays, onWhy }: LineProps) {
  const { what, share, days, value, why } = line;
  return (
    <tr>
      <td>
        {what}
        {share && (
          <>
            {" × "}
            <Frac over={share.over.toLocaleString()} under={share.under.toLocaleString()} />
          </>
        )}
      </td>
      {hasDays && <td>{days && <Days share={days} />}</td>}
      <td>{why && onWhy ? <Why onClick={() => onWhy(why)}>{value}</Why> : value}</td>
    </tr>
  );
}

function TotalLine({ total, hasDays }: { total: NonNullable<ProofStep["total"]>; hasDays: boolean }) {
  const { what, value, fraction } = total;
  const set = fraction && (
    <>
      <Frac over={fraction.over} under={fraction.under} /> ={" "}
    </>
  );
  return (
    <tr className="sum">
      <td>{what}</td>
      {hasDays && <td className="right">{set}</td>}
      <td>
        {!hasDays && set}
        {value}
      </td>
    </tr>
  );
}

/** The days of a period, the last of which count: what came stayed to the end. */
function Days({ share }: { share: Share }) {
  const first = share.under - share.over;
  return (
    <svg
      className="days"
      viewBox={`0 0 ${share.under * 4} 10`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${share.over} of ${share.under} days`}
    >
      {Array.from({ length: share.under }, (_, day) => (
        <rect key={day} className={day >= first ? "f" : undefined} x={day * 4} width="3" height="10" />
      ))}
    </svg>
  );
}

const percentOf = (share: number) => `${(share * 100).toFixed(2)}%`;

function TierBar({ bar }: { bar: NonNullable<ProofStep["bar"]> }) {
  const hasLabels = bar.fills.some((fill) => fill.label);
  return (
    <div className={hasLabels ? "tdiag" : "tdiag bare"} role="img" aria-label={bar.label}>
      {bar.bands.map((band) => (
        <span
          key={band.from}
          className="band"
          title={band.label}
          style={{ left: percentOf(band.from), width: percentOf(band.to - band.from) }}
        >
          {band.label}
        </span>
      ))}
      {bar.fills.map((fill) => (
        <span
          key={fill.from}
          className={`fill p${fill.step}`}
          style={{ left: percentOf(fill.from), width: percentOf(fill.to - fill.from) }}
        />
      ))}
      {bar.fills.map(
        (fill) =>
          fill.label && (
            <span key={fill.from} className="lb" style={{ left: percentOf(fill.from) }}>
              {fill.label}
            </span>
          ),
      )}
    </div>
  );
}

/** Strokes for each step of the proof: five are four and a slash. */
function TallyMark({ count }: { count: number }) {
  const rest = count % 5;
  const strokes = rest === 0 ? 4 : rest;
  const isBundle = count > 5 || rest === 0;
  const before = count > 5 ? Math.floor((count - 1) / 5) : 0;
  return (
    <svg className="mark" viewBox="0 0 20 18" aria-hidden="true">
      {before > 0 ? (
        <>
          <path d="M2 3v12M6 3v12M10 3v12M14 3v12M0 12 16 6" />
          <path d={Array.from({ length: Math.min(rest || 5, 1) }, () => "M19 3v12").join("")} />
        </>
      ) : (
        <>
          <path d={Array.from({ length: strokes }, (_, index) => `M${2 + index * 4} 3v12`).join("")} />
          {isBundle && <path d="M0 12 16 6" />}
        </>
      )}
    </svg>
  );
}

function PercentMark() {
  return (
    <svg className="mark quiet" viewBox="0 0 20 18" aria-hidden="true">
      <path d="M4 14 14 4" />
      <circle cx="5" cy="5" r="1.8" />
      <circle cx="13" cy="13" r="1.8" />
    </svg>
  );
}

type Fee = Schema<"FeeOutput">;
type Invoice = Schema<"InvoiceOutput">;

/** The query of a fee's explanation; pages ask for it together with what else they show. */
export const feeExplanation = (id: string) =>
  read("/api/v1/fees/{lago_id}/explanation", { params: { path: { lago_id: id } } });

/** Why a fee on an invoice is what it is. */
export function FeeWhy({
  fee,
  name,
  invoice,
  onClose,
}: {
  fee: Fee;
  name: string;
  invoice?: Invoice;
  onClose: () => void;
}) {
  const query = useQuery({ ...feeExplanation(fee.lago_id), placeholderData: undefined });
  const explanation = query.data?.explanation;
  return (
    <WhyPanel
      amount={money(fee.amount_cents, fee.amount_currency)}
      name={name}
      proof={explanation && proofOfFee(explanation.steps, explanation.currency)}
      isSame={
        explanation && comesTo(() => recomputeFee(explanation.steps, explanation.currency), fee.amount_cents)
      }
      json={explanation}
      error={query.error ?? undefined}
      onRetry={() => void query.refetch()}
      onClose={onClose}
      after={fee.taxes_rate > 0 && <TaxItem fee={fee} invoice={invoice} />}
    />
  );
}

/** The fee's share of the taxes, which are rounded once, on the invoice. */
function TaxItem({ fee, invoice }: { fee: Fee; invoice: Invoice | undefined }) {
  const only = invoice?.applied_taxes.length === 1 ? invoice.applied_taxes[0] : undefined;
  return (
    <ProofItem
      count={0}
      step={{
        look: "tax",
        title: "Tax",
        about: [only?.tax_name, percent(fee.taxes_rate)].filter(Boolean).join(", "),
        result: money(fee.taxes_amount_cents, fee.amount_currency),
        ...(only && {
          note: `This fee’s share. Taxes are rounded once, on the subtotal: ${money(only.fees_amount_cents, invoice!.currency)} × ${percent(only.tax_rate)} = ${money(only.amount_cents, invoice!.currency)}.`,
        }),
      }}
    />
  );
}

/** Why usage that is not billed yet comes to what it does. */
export function UsageWhy({
  explanation,
  name,
  onClose,
}: {
  explanation: Schema<"UsageExplanation">;
  name: string;
  onClose: () => void;
}) {
  const { steps, currency, amount_cents } = explanation;
  return (
    <WhyPanel
      amount={money(amount_cents, currency)}
      name={name}
      proof={proofOfFee(steps, currency)}
      isSame={comesTo(() => recomputeFee(steps, currency), amount_cents)}
      json={explanation}
      onClose={onClose}
    />
  );
}

/** Why an invoice comes to its total. */
export function InvoiceWhy({
  invoice,
  names,
  onClose,
}: {
  invoice: Invoice;
  /** What its fees are called, by their ids. */
  names: ReadonlyMap<string, string>;
  onClose: () => void;
}) {
  const query = useQuery({ ...invoiceExplanation(invoice.lago_id), placeholderData: undefined });
  const explanation = query.data?.explanation;
  return (
    <WhyPanel
      amount={money(invoice.total_amount_cents, invoice.currency)}
      name={`Total of ${invoice.number}`}
      proof={explanation && proofOfInvoice(explanation.steps, explanation.currency, names)}
      isSame={explanation && comesTo(() => recomputeInvoice(explanation.steps), invoice.total_amount_cents)}
      json={explanation}
      error={query.error ?? undefined}
      onRetry={() => void query.refetch()}
      onClose={onClose}
    />
  );
}

export const invoiceExplanation = (id: string) =>
  read("/api/v1/invoices/{lago_id}/explanation", { params: { path: { lago_id: id } } });

function comesTo(reckon: () => bigint, cents: number): boolean {
  try {
    return reckon() === BigInt(cents);
  } catch {
    return false; // what cannot be followed is said to be so in the panel
  }
}

export type { Step };
