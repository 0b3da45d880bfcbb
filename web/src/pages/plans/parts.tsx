/** Parts of the plan editor: fields that know what is wrong with them, prices of every model. */
import { Plus, Trash2 } from "lucide-react";
import { createContext, type ReactNode, use, useState } from "react";
import { money, symbol, units } from "@/lib/money";
import { Button } from "@/ui/basics";
import { ChipsInput, Field, MoneyInput, Switch, TextArea, TextInput } from "@/ui/fields";
import { FieldRow } from "@/ui/form";
import { moveAmongRadios } from "@/ui/radios";
import type { ChargeModel, PriceDraft, Tier } from "./draft";
import { addTier, compare, fromOf, grouped, isDecimal, MODELS, removeTier, tidy } from "./price";
import type { PricePoint } from "./prices";
import { modelRefusal } from "./wire";

interface Faults {
  /** What is wrong at a place, once it was left or a save was tried. */
  faultAt: (place: string) => string | undefined;
  leave: (place: string) => void;
  /** Whether something below a place is wrong. */
  hasFaults: (at: string) => boolean;
}

export const FaultsContext = createContext<Faults>({
  faultAt: () => undefined,
  leave: () => {},
  hasFaults: () => false,
});

/** A field at a place of the draft. */
export function At({
  at,
  label,
  hint,
  isOptional,
  children,
}: {
  at: string;
  label: ReactNode;
  hint?: ReactNode;
  isOptional?: boolean;
  children: ReactNode;
}) {
  const { faultAt, leave } = use(FaultsContext);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: only notes that the control inside was left
    <div onBlur={() => leave(at)} className="at">
      <Field label={label} hint={hint} isOptional={isOptional} error={faultAt(at)}>
        {children}
      </Field>
    </div>
  );
}

/** What the server refused of a part of the draft, and of none of its fields. */
export function Refusal({ at }: { at: string }) {
  const { faultAt } = use(FaultsContext);
  const fault = faultAt(`${at}.base`);
  return fault ? (
    <p className="err" role="alert">
      {fault}
    </p>
  ) : null;
}

/**
 * A number that is grouped by thin spaces: they are no decimal signs anywhere, and taking the focus does not change the text under
 * what the keyboard has selected.
 */
export function UnitsInput({
  value,
  onChange,
  onLeave,
  className = "",
  ...rest
}: {
  value: string;
  onChange: (value: string) => void;
  onLeave?: () => void;
  className?: string;
  "aria-label"?: string;
  "aria-invalid"?: boolean;
  disabled?: boolean;
}) {
  const [edited, setEdited] = useState<string | null>(null);
  return (
    <TextInput
      inputMode="decimal"
      className={`num ${className}`}
      value={edited ?? grouped(value)}
      onBlur={() => {
        setEdited(null);
        onLeave?.();
      }}
      onChange={(event) => {
        setEdited(event.target.value);
        onChange(event.target.value.replaceAll(/\s/g, ""));
      }}
      {...rest}
    />
  );
}

export function AmountInput({
  value,
  onChange,
  currency,
  ...rest
}: {
  value: string;
  onChange: (value: string) => void;
  currency: string;
  "aria-label"?: string;
  placeholder?: string;
  disabled?: boolean;
}) {
  return (
    <MoneyInput
      currency={currency}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      {...rest}
    />
  );
}

/** Models as pictures of their curves. */
export function ModelPicker({
  model,
  models,
  aggregation,
  isLocked,
  onChange,
}: {
  model: ChargeModel;
  models?: readonly ChargeModel[];
  aggregation: string;
  isLocked: boolean;
  onChange: (model: ChargeModel) => void;
}) {
  const shown = MODELS.filter(
    ({ value }) =>
      (!models || models.includes(value)) && (value !== "custom" || !modelRefusal(value, aggregation)),
  );
  const about = MODELS.find(({ value }) => value === model)?.about;
  return (
    <div className="field">
      <span className="label" id="charge-model">
        Charge model
      </span>
      <div className="models" role="radiogroup" aria-labelledby="charge-model" onKeyDown={moveAmongRadios}>
        {shown.map(({ value, label, path }) => {
          const refusal = models ? undefined : modelRefusal(value, aggregation);
          return (
            <button
              type="button"
              role="radio"
              key={value}
              className="model"
              aria-checked={value === model}
              tabIndex={value === model ? 0 : -1}
              disabled={(isLocked && value !== model) || refusal !== undefined}
              title={refusal}
              onClick={() => onChange(value)}
            >
              <svg viewBox="0 0 80 26" preserveAspectRatio="none" aria-hidden="true">
                <path d={path} />
              </svg>
              {label}
            </button>
          );
        })}
      </div>
      <span className="hint">
        {about}
        {isLocked && " Subscriptions are billed by it, so the model stays."}
      </span>
    </div>
  );
}

interface PriceProps {
  at: string;
  model: ChargeModel;
  price: PriceDraft;
  currency: string;
  /** What it costs at the points of the curve, for the tops of tiers. */
  points: readonly PricePoint[];
  onChange: (price: PriceDraft) => void;
}

/** The fields of a price, whatever its model. */
export function PriceFields(props: PriceProps) {
  const { at, model, price, currency, onChange } = props;
  const set = (changes: Partial<PriceDraft>) => onChange({ ...price, ...changes });
  const money = (name: keyof PriceDraft, label: string, isOptional = false, hint?: string) => (
    <At at={`${at}.${name}`} label={label} isOptional={isOptional} hint={hint}>
      <AmountInput
        currency={currency}
        value={price[name] as string}
        onChange={(value) => set({ [name]: value })}
      />
    </At>
  );
  const number = (name: keyof PriceDraft, label: string, isOptional = false, hint?: string) => (
    <At at={`${at}.${name}`} label={label} isOptional={isOptional} hint={hint}>
      <UnitsInput value={price[name] as string} onChange={(value) => set({ [name]: value })} />
    </At>
  );
  switch (model) {
    case "standard":
      return <FieldRow>{money("amount", "Price per unit")}</FieldRow>;
    case "package":
      return (
        <FieldRow>
          {money("amount", "Price of a package")}
          {number("package_size", "Units in a package")}
          {number("free_units", "Free units", true)}
        </FieldRow>
      );
    case "percentage":
      return (
        <>
          <FieldRow>
            <At at={`${at}.rate`} label="Rate">
              <TextInput
                inputMode="decimal"
                className="num"
                after="%"
                value={price.rate}
                onChange={(event) => set({ rate: event.target.value })}
              />
            </At>
            {money("fixed_amount", "Fee for each event", true)}
          </FieldRow>
          <FieldRow>
            {number("free_units_per_events", "Free events", true)}
            {money("free_units_per_total_aggregation", "Free amount", true)}
          </FieldRow>
          <FieldRow>
            {money("per_transaction_min_amount", "At least, an event", true)}
            {money("per_transaction_max_amount", "At most, an event", true)}
          </FieldRow>
        </>
      );
    case "graduated":
    case "volume":
      return <TierTable {...props} name="tiers" tiers={price.tiers} onTiers={(tiers) => set({ tiers })} />;
    case "graduated_percentage":
      return <TierTable {...props} name="rates" tiers={price.rates} onTiers={(rates) => set({ rates })} />;
    case "custom":
      return (
        <At at={`${at}.custom`} label="Properties" hint="A JSON object.">
          <TextArea
            className="mono"
            rows={6}
            spellCheck={false}
            value={price.custom}
            onChange={(event) => set({ custom: event.target.value })}
          />
        </At>
      );
    case "dynamic":
      return <p className="dim">There is nothing to set: each event says what it costs.</p>;
  }
}

function TierTable({
  at,
  name,
  tiers,
  currency,
  points,
  onTiers,
}: PriceProps & { name: "tiers" | "rates"; tiers: Tier[]; onTiers: (tiers: Tier[]) => void }) {
  const { faultAt, leave } = use(FaultsContext);
  const isRate = name === "rates";
  const change = (index: number, changes: Partial<Tier>) =>
    onTiers(tiers.map((tier, place) => (place === index ? { ...tier, ...changes } : tier)));
  const faults = tiers.flatMap((_, index) =>
    (["to", "price", "flat"] as const).flatMap((field) => {
      const fault = faultAt(`${at}.${name}.${index}.${field}`);
      return fault ? [`Tier ${index + 1}: ${fault}`] : [];
    }),
  );
  const cell = (index: number, field: keyof Tier) => ({
    "aria-invalid": faultAt(`${at}.${name}.${index}.${field}`) ? true : undefined,
    onBlur: () => leave(`${at}.${name}.${index}.${field}`),
  });
  const topOf = (tier: Tier) =>
    isDecimal(tier.to, true) ? points.find((point) => compare(point.units, tidy(tier.to)) === 0) : undefined;
  return (
    <div className="tiers-frame">
      <table className="tiers" aria-label="Tiers">
        <thead>
          <tr>
            <th className="right">From unit</th>
            <th className="right">To unit</th>
            <th>{isRate ? "Rate" : "Price per unit"}</th>
            <th>Flat fee</th>
            <th className="right ex">At top of tier</th>
            <th>
              <span className="sr">Remove</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tiers.map((tier, index) => {
            const isLast = index === tiers.length - 1;
            const from = fromOf(tiers, index);
            const top = topOf(tier);
            return (
              <tr key={index}>
                <td className="from">{isDecimal(from, true) ? units(from) : "–"}</td>
                <td>
                  {isLast ? (
                    <span className="no-limit">no limit</span>
                  ) : (
                    <UnitsInput
                      className={faultAt(`${at}.${name}.${index}.to`) ? "right bad" : "right"}
                      aria-label={`Tier ${index + 1}, to unit`}
                      aria-invalid={cell(index, "to")["aria-invalid"]}
                      value={tier.to}
                      onChange={(to) => change(index, { to })}
                      onLeave={() => leave(`${at}.${name}.${index}.to`)}
                    />
                  )}
                </td>
                <td>
                  <TextInput
                    inputMode="decimal"
                    className={faultAt(`${at}.${name}.${index}.price`) ? "num bad" : "num"}
                    before={isRate ? undefined : symbol(currency)}
                    after={isRate ? "%" : undefined}
                    aria-label={`Tier ${index + 1}, ${isRate ? "rate" : "price per unit"}`}
                    value={tier.price}
                    onChange={(event) => change(index, { price: event.target.value })}
                    {...cell(index, "price")}
                  />
                </td>
                <td>
                  <TextInput
                    inputMode="decimal"
                    className={faultAt(`${at}.${name}.${index}.flat`) ? "num bad" : "num"}
                    before={symbol(currency)}
                    aria-label={`Tier ${index + 1}, flat fee`}
                    placeholder="0"
                    value={tier.flat}
                    onChange={(event) => change(index, { flat: event.target.value })}
                    {...cell(index, "flat")}
                  />
                </td>
                <td className="ex">{top && !isLast ? money(top.total_amount_cents, currency) : "–"}</td>
                <td>
                  {tiers.length > 1 && (
                    <button
                      type="button"
                      className="more"
                      aria-label={`Remove tier ${index + 1}`}
                      onClick={() => onTiers(removeTier(tiers, index))}
                    >
                      <Trash2 className="i" aria-hidden="true" />
                    </button>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {faults.map((fault) => (
        <span className="err" role="alert" key={fault}>
          {fault}
        </span>
      ))}
      <Button look="ghost" size="sm" onClick={() => onTiers(addTier(tiers))}>
        <Plus className="i" aria-hidden="true" />
        Add tier
      </Button>
    </div>
  );
}

/** The keys by which fees are split, and those that invoices show. */
export function GroupingFields({
  price,
  onChange,
}: {
  price: PriceDraft;
  onChange: (price: PriceDraft) => void;
}) {
  const shown = price.presentation_group_keys;
  return (
    <>
      <Field
        label="Priced by group"
        isOptional
        hint="Keys of events: each of their values gets a fee of its own, priced from its first unit."
      >
        <ChipsInput
          values={price.pricing_group_keys}
          onChange={(pricing_group_keys) => onChange({ ...price, pricing_group_keys })}
          placeholder="workspace_id"
        />
      </Field>
      <Field
        label="Shown by group"
        isOptional
        hint="Up to two keys that split usage where it is shown, not its price."
      >
        <ChipsInput
          values={shown.map(({ value }) => value)}
          onChange={(values) =>
            onChange({
              ...price,
              presentation_group_keys: values
                .slice(0, 2)
                .map((value) => shown.find((one) => one.value === value) ?? { value, isShown: false }),
            })
          }
          placeholder="region"
        />
      </Field>
      {shown.map((key) => (
        <Switch
          key={key.value}
          label={`Show ${key.value} on invoices`}
          isOn={key.isShown}
          onChange={(isShown) =>
            onChange({
              ...price,
              presentation_group_keys: shown.map((one) =>
                one.value === key.value ? { ...one, isShown } : one,
              ),
            })
          }
        />
      ))}
    </>
  );
}
