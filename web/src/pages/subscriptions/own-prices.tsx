/** Prices that one subscription has instead of its plan's: the whole plan's, before it starts. */
import { useState } from "react";
import { ChargePrices, Fold, wordsOf } from "@/pages/plans/charges";
import type { ChargeDraft, FixedChargeDraft, PlanDraft } from "@/pages/plans/draft";
import type { Checks } from "@/pages/plans/faults";
import { AmountInput, At, FaultsContext, PriceFields, Refusal, UnitsInput } from "@/pages/plans/parts";
import { modelWord } from "@/pages/plans/price";
import { type Looked, usePrices } from "@/pages/plans/prices";
import { Commitment, ProgressiveBilling } from "@/pages/plans/sections";
import { TextInput } from "@/ui/fields";
import { FieldRow, FormSection } from "@/ui/form";
import type { Metric } from "./reads";
import type { OwnPricesOfForm } from "./use-own-prices";
import "@/pages/plans/plans.css";

/** The fields of a form's own prices; none as long as the plan's apply. */
export function OwnPrices({ own }: { own: OwnPricesOfForm }) {
  return own.draft && <Prices draft={own.draft} set={own.set} metrics={own.metrics} checks={own.checks} />;
}

interface PricesProps {
  /** The plan as it stands, with what has been changed of it. */
  draft: PlanDraft;
  set: (changes: Partial<PlanDraft>) => void;
  metrics: readonly Metric[];
  checks: Checks;
}

function Prices({ draft, set, metrics, checks }: PricesProps) {
  const [open, setOpen] = useState<string | null>(null);
  const toggle = (key: string) => setOpen(open === key ? null : key);
  return (
    <FaultsContext value={checks}>
      <FormSection
        id="own-fee"
        title="Subscription fee"
        about="As in the plan, until it is changed here: for this subscription alone. Changes of the plan do not reach it any more."
      >
        <FieldRow>
          <At at="amount" label="Amount">
            <AmountInput
              currency={draft.currency}
              value={draft.amount}
              onChange={(amount) => set({ amount })}
            />
          </At>
          <At at="trial_period" label="Trial" isOptional>
            <TextInput
              inputMode="decimal"
              className="num"
              after="days"
              value={draft.trial_period}
              onChange={(event) => set({ trial_period: event.target.value })}
            />
          </At>
        </FieldRow>
        <At at="invoice_display_name" label="Name on invoices" isOptional>
          <TextInput
            value={draft.invoice_display_name}
            placeholder={draft.name}
            onChange={(event) => set({ invoice_display_name: event.target.value })}
          />
        </At>
      </FormSection>
      {draft.fixed_charges.length > 0 && (
        <FormSection id="own-fixed" title="Fixed charges">
          <div className="charge-stack">
            {draft.fixed_charges.map((charge, index) => (
              <Fold
                key={charge.key}
                id={`own-${charge.key}`}
                name={charge.invoice_display_name || charge.add_on_code}
                about={modelWord(charge.charge_model)}
                detail={charge.add_on_code}
                price={wordsOf(charge, draft.currency)}
                isOpen={open === charge.key}
                isWrong={checks.hasFaults(`fixed_charges.${index}`)}
                onToggle={() => toggle(charge.key)}
              >
                <OwnFixedCharge
                  at={`fixed_charges.${index}`}
                  charge={charge}
                  currency={draft.currency}
                  change={(changes) =>
                    set({ fixed_charges: withChanges(draft.fixed_charges, index, changes) })
                  }
                />
              </Fold>
            ))}
          </div>
        </FormSection>
      )}
      {draft.charges.length > 0 && (
        <FormSection id="own-charges" title="Usage charges">
          <div className="charge-stack">
            {draft.charges.map((charge, index) => (
              <Fold
                key={charge.key}
                id={`own-${charge.key}`}
                name={nameOfCharge(charge, metrics)}
                about={modelWord(charge.charge_model)}
                detail={charge.metric_code}
                price={wordsOf(charge, draft.currency)}
                isOpen={open === charge.key}
                isWrong={checks.hasFaults(`charges.${index}`)}
                onToggle={() => toggle(charge.key)}
              >
                <OwnCharge
                  at={`charges.${index}`}
                  charge={charge}
                  metrics={metrics}
                  currency={draft.currency}
                  change={(changes) => set({ charges: withChanges(draft.charges, index, changes) })}
                />
              </Fold>
            ))}
          </div>
        </FormSection>
      )}
      <Commitment draft={draft} set={set} isLocked />
      <ProgressiveBilling draft={draft} set={set} isLocked />
    </FaultsContext>
  );
}

function withChanges<Part>(parts: readonly Part[], index: number, changes: Partial<Part>): Part[] {
  return parts.map((one, place) => (place === index ? { ...one, ...changes } : one));
}

export function nameOfCharge(charge: ChargeDraft, metrics: readonly Metric[]): string {
  const metric = metrics.find(({ lago_id }) => lago_id === charge.metric_id);
  return charge.invoice_display_name || metric?.name || charge.metric_code;
}

/** What a price comes to along its curve, for the tops of its tiers. */
function usePoints(price: Omit<Looked, "kept" | "min_amount_cents" | "saved_min_amount_cents">) {
  const looked: Looked = { ...price, kept: null, min_amount_cents: 0, saved_min_amount_cents: 0 };
  const answer = usePrices(looked, "");
  return answer && !answer.isStale ? answer.curve : [];
}

interface OwnChargeProps {
  at: string;
  charge: ChargeDraft;
  metrics: readonly Metric[];
  currency: string;
  change: (changes: Partial<ChargeDraft>) => void;
}

/** What of a charge one subscription may have otherwise: its prices, its minimum and its name. */
export function OwnCharge({ at, charge, metrics, currency, change }: OwnChargeProps) {
  const [filter, setFilter] = useState<string | null>(null);
  const metric = metrics.find(({ lago_id }) => lago_id === charge.metric_id);
  const points = usePoints({
    name: nameOfCharge(charge, metrics),
    isFixed: false,
    model: charge.charge_model,
    price: charge.filters.find(({ key }) => key === filter)?.price ?? charge.price,
    aggregation: metric?.aggregation_type ?? "sum_agg",
    currency,
  });
  return (
    <>
      <ChargePrices
        at={at}
        charge={charge}
        change={change}
        keys={metric?.filters ?? []}
        currency={currency}
        points={points}
        filter={filter}
        onFilter={setFilter}
      />
      <FieldRow>
        <At at={`${at}.invoice_display_name`} label="Name on invoices" isOptional>
          <TextInput
            value={charge.invoice_display_name}
            placeholder={metric?.name ?? charge.metric_code}
            onChange={(event) => change({ invoice_display_name: event.target.value })}
          />
        </At>
        {!charge.pay_in_advance && (
          <At at={`${at}.min_amount`} label="Spending minimum" isOptional>
            <AmountInput
              currency={currency}
              value={charge.min_amount}
              onChange={(min_amount) => change({ min_amount })}
            />
          </At>
        )}
      </FieldRow>
    </>
  );
}

interface OwnFixedChargeProps {
  at: string;
  charge: FixedChargeDraft;
  currency: string;
  change: (changes: Partial<FixedChargeDraft>) => void;
}

/** What of a fixed charge one subscription may have otherwise: its price, its units and its name. */
export function OwnFixedCharge({ at, charge, currency, change }: OwnFixedChargeProps) {
  const points = usePoints({
    name: charge.add_on_code,
    isFixed: true,
    model: charge.charge_model,
    price: charge.price,
    aggregation: "sum_agg",
    currency,
  });
  return (
    <>
      <Refusal at={at} />
      <PriceFields
        at={at}
        model={charge.charge_model}
        price={charge.price}
        currency={currency}
        points={points}
        onChange={(price) => change({ price })}
      />
      <FieldRow>
        <At at={`${at}.units`} label="Units">
          <UnitsInput value={charge.units} onChange={(units) => change({ units })} />
        </At>
        <At at={`${at}.invoice_display_name`} label="Name on invoices" isOptional>
          <TextInput
            value={charge.invoice_display_name}
            placeholder={charge.add_on_code}
            onChange={(event) => change({ invoice_display_name: event.target.value })}
          />
        </At>
      </FieldRow>
    </>
  );
}
