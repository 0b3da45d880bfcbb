/** The charges of a plan in its editor: usage by metrics, and fixed ones by add-ons. */
import { ChevronDown, ChevronRight, Plus, Trash2 } from "lucide-react";
import { type ReactNode, use } from "react";
import { units as unitsText } from "@/lib/money";
import { TaxChoice } from "@/pages/catalog/taxes";
import { measure } from "@/pages/metrics/metric";
import { Button } from "@/ui/basics";
import { Field, Select, Switch, TextInput, Toggles } from "@/ui/fields";
import { FieldRow, FormSection } from "@/ui/form";
import { ActionMenu } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { useChoices } from "./choices";
import {
  type ChargeDraft,
  type FilterDraft,
  type FixedChargeDraft,
  freshKey,
  newCharge,
  newFixedCharge,
  nounOf,
} from "./draft";
import {
  AmountInput,
  At,
  FaultsContext,
  GroupingFields,
  ModelPicker,
  PriceFields,
  Refusal,
  UnitsInput,
} from "./parts";
import { FIXED_MODELS, modelWord, priceFaults, priceWords, tidy, writePrice } from "./price";
import type { PricePoint } from "./prices";
import type { SectionProps } from "./sections";
import { refusalsOf } from "./wire";

/** What is open: a charge, and the price of it that is looked at. */
export interface Open {
  key: string | null;
  /** The filter's key; null is the price of all else. */
  filter: string | null;
}

interface ChargesProps extends SectionProps {
  open: Open;
  onOpen: (open: Open) => void;
  points: readonly PricePoint[];
  hasFaults: (at: string) => boolean;
}

export function UsageCharges(props: ChargesProps) {
  const { draft, set, open, onOpen } = props;
  const { metrics } = useChoices();
  const change = (key: string, changes: Partial<ChargeDraft>) =>
    set({ charges: draft.charges.map((one) => (one.key === key ? { ...one, ...changes } : one)) });
  return (
    <FormSection
      id="charges"
      title="Usage charges"
      about={`Priced from the events received, billed ${draft.bill_charges_monthly ? "each month" : `each ${nounOf(draft.interval)}`}.`}
    >
      {draft.charges.length > 0 && (
        <div className="charge-stack">
          {draft.charges.map((charge, index) => {
            const metric = metrics.find(({ lago_id }) => lago_id === charge.metric_id);
            const name = charge.invoice_display_name || metric?.name || charge.metric_code;
            return (
              <Fold
                key={charge.key}
                id={`charge-${charge.key}`}
                name={name}
                about={`${modelWord(charge.charge_model)}${charge.prorated ? ", prorated" : ""}`}
                detail={metric ? measure(metric) : charge.metric_code}
                price={wordsOf(charge, draft.currency)}
                isOpen={open.key === charge.key}
                isWrong={props.hasFaults(`charges.${index}`)}
                onToggle={() => onOpen({ key: open.key === charge.key ? null : charge.key, filter: null })}
                onRemove={() => set({ charges: draft.charges.filter(({ key }) => key !== charge.key) })}
              >
                <ChargeFields
                  {...props}
                  at={`charges.${index}`}
                  charge={charge}
                  change={(changes) => change(charge.key, changes)}
                />
              </Fold>
            );
          })}
        </div>
      )}
      <div className="add-picker">
        <Picker
          label="Add a usage charge"
          placeholder="Add a charge for a metric"
          value=""
          choices={metrics.map((metric) => ({
            value: metric.lago_id,
            label: metric.name,
            detail: measure(metric),
          }))}
          onChange={(id) => {
            const charge = newCharge(metrics.find(({ lago_id }) => lago_id === id)!);
            set({ charges: [...draft.charges, charge] });
            onOpen({ key: charge.key, filter: null });
          }}
        />
      </div>
    </FormSection>
  );
}

/** The price of a charge in a few words. */
export function wordsOf(charge: ChargeDraft | FixedChargeDraft, currency: string): string {
  if (Object.keys(priceFaults(charge.charge_model, charge.price)).length > 0) return "no price yet";
  return priceWords(
    charge.charge_model,
    writePrice(charge.charge_model, charge.price, charge.kept),
    currency,
  );
}

/** A charge as a line, and open as a form. */
export function Fold({
  id,
  name,
  about,
  detail,
  price,
  isOpen,
  isWrong,
  onToggle,
  onRemove,
  children,
}: {
  id: string;
  name: string;
  about: string;
  detail: string;
  price: string;
  isOpen: boolean;
  isWrong: boolean;
  onToggle: () => void;
  onRemove?: () => void;
  children: ReactNode;
}) {
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <section className={isOpen ? "charge-fold open" : "charge-fold"} id={id} aria-label={name}>
      <div className="hd">
        <button type="button" className="opener" aria-expanded={isOpen} onClick={onToggle}>
          <Chevron className="i" aria-hidden="true" />
          <b className={isOpen ? "strong" : "med"}>{name}</b>
          <span className="dim about">{isOpen ? detail : about}</span>
          {!isOpen && <span className={isWrong ? "price neg" : "price num"}>{price}</span>}
        </button>
        {isOpen && onRemove && (
          <ActionMenu
            label={`Actions of ${name}`}
            actions={[
              {
                label: "Remove charge",
                icon: <Trash2 className="i" aria-hidden="true" />,
                onSelect: onRemove,
                isDanger: true,
              },
            ]}
          />
        )}
      </div>
      {isOpen && <div className="bd">{children}</div>}
    </section>
  );
}

function ChargeFields({
  at,
  charge,
  change,
  draft,
  open,
  onOpen,
  points,
  isLocked,
}: ChargesProps & { at: string; charge: ChargeDraft; change: (changes: Partial<ChargeDraft>) => void }) {
  const { metrics, units } = useChoices();
  const metric = metrics.find(({ lago_id }) => lago_id === charge.metric_id);
  const kind = metric?.aggregation_type ?? "sum_agg";
  const isKept = isLocked && charge.id !== null;
  const refusals = refusalsOf(charge, { aggregation_type: kind, recurring: metric?.recurring ?? false });
  return (
    <>
      <ModelPicker
        model={charge.charge_model}
        aggregation={kind}
        isLocked={isKept}
        onChange={(charge_model) => {
          const next = refusalsOf(
            { ...charge, charge_model },
            { aggregation_type: kind, recurring: metric?.recurring ?? false },
          );
          change({
            charge_model,
            ...(next.inAdvance && { pay_in_advance: false }),
            ...(next.prorated && { prorated: false }),
          });
        }}
      />
      <ChargePrices
        at={at}
        charge={charge}
        change={change}
        keys={metric?.filters ?? []}
        currency={draft.currency}
        points={points}
        filter={open.filter}
        onFilter={(key) => onOpen({ key: charge.key, filter: key })}
      />
      <FieldRow>
        <At
          at={`${at}.pay_in_advance`}
          label="Billed"
          hint={
            refusals.inAdvance
              ? `In advance: ${refusals.inAdvance}`
              : isKept
                ? "It stays with its subscriptions."
                : undefined
          }
        >
          <Select
            value={charge.pay_in_advance ? "advance" : "arrears"}
            isDisabled={isKept}
            options={[
              { value: "arrears", label: "In arrears, when the period is over" },
              {
                value: "advance",
                label: "In advance, at each event",
                isDisabled: refusals.inAdvance !== undefined,
              },
            ]}
            onChange={(when) => {
              const pay_in_advance = when === "advance";
              const next = refusalsOf(
                { ...charge, pay_in_advance },
                { aggregation_type: kind, recurring: metric?.recurring ?? false },
              );
              change({
                pay_in_advance,
                ...(next.prorated && { prorated: false }),
                ...(pay_in_advance ? { min_amount: "" } : { invoiceable: true, regroup_paid_fees: false }),
              });
            }}
          />
        </At>
        <At at={`${at}.invoice_display_name`} label="Name on invoices" isOptional>
          <TextInput
            value={charge.invoice_display_name}
            placeholder={metric?.name}
            onChange={(event) => change({ invoice_display_name: event.target.value })}
          />
        </At>
      </FieldRow>
      {charge.pay_in_advance && (
        <Field label="Invoiced">
          <Select
            value={charge.invoiceable ? "each" : charge.regroup_paid_fees ? "regrouped" : "never"}
            isDisabled={isKept}
            options={[
              { value: "each", label: "Each event by itself" },
              { value: "regrouped", label: "Together at the end of the period, as paid" },
              { value: "never", label: "Not at all: fees come over the API alone" },
            ]}
            onChange={(how) =>
              change({ invoiceable: how === "each", regroup_paid_fees: how === "regrouped" })
            }
          />
        </Field>
      )}
      <FieldRow>
        <Switch
          label="Prorate"
          hint={refusals.prorated ?? "Units that came in the middle of the period cost a share."}
          isOn={charge.prorated}
          isDisabled={isKept || (refusals.prorated !== undefined && !charge.prorated)}
          onChange={(prorated) => change({ prorated })}
        />
        {charge.pay_in_advance ? (
          <p className="dim small">A spending minimum needs billing in arrears.</p>
        ) : (
          <At
            at={`${at}.min_amount`}
            label={`Spending minimum, a ${nounOf(draft.bill_charges_monthly ? "monthly" : draft.interval)}`}
            isOptional
          >
            <AmountInput
              currency={draft.currency}
              value={charge.min_amount}
              disabled={isKept}
              onChange={(min_amount) => change({ min_amount })}
            />
          </At>
        )}
      </FieldRow>
      {(units.length > 0 || charge.pricing_unit) && (
        <PricingUnit at={at} charge={charge} change={change} currency={draft.currency} />
      )}
      <TaxChoice
        chosen={charge.tax_codes}
        onChange={(tax_codes) => change({ tax_codes })}
        hint="Without one, those of the plan."
      />
      <GroupingFields price={charge.price} onChange={(price) => change({ price })} />
      <FieldRow>
        <At
          at={`${at}.code`}
          label="Code"
          isOptional
          hint={charge.id ? undefined : "Without one, the metric’s."}
        >
          <TextInput
            value={charge.code}
            placeholder={charge.metric_code}
            disabled={isKept}
            onChange={(event) => change({ code: event.target.value })}
          />
        </At>
        <Switch
          label="May name a wallet"
          hint="Events can say which wallet pays for them."
          isOn={charge.accepts_target_wallet}
          onChange={(accepts_target_wallet) => change({ accepts_target_wallet })}
        />
      </FieldRow>
    </>
  );
}

interface ChargePricesProps {
  at: string;
  charge: ChargeDraft;
  change: (changes: Partial<ChargeDraft>) => void;
  /** What of events the metric filters by. */
  keys: readonly { key: string; values: string[] }[];
  currency: string;
  points: readonly PricePoint[];
  /** The key of the filter whose price is shown; null is the price of all else. */
  filter: string | null;
  onFilter: (key: string | null) => void;
}

/** The prices of a charge: of all else, and for values of filters. */
export function ChargePrices(props: ChargePricesProps) {
  const { at, charge, change, keys, currency, points, onFilter } = props;
  const chosen = charge.filters.findIndex(({ key }) => key === props.filter);
  const filter = charge.filters[chosen];
  const changeFilter = (changes: Partial<FilterDraft>) =>
    change({
      filters: charge.filters.map((one) => (one.key === filter?.key ? { ...one, ...changes } : one)),
    });
  return (
    <>
      <Refusal at={at} />
      {(keys.length > 0 || charge.filters.length > 0) && (
        <FilterTabs
          at={at}
          charge={charge}
          chosen={filter?.key ?? null}
          onFilter={onFilter}
          change={change}
        />
      )}
      {filter && (
        <FilterFields
          at={`${at}.filters.${chosen}`}
          filter={filter}
          keys={keys}
          change={changeFilter}
          onRemove={() => {
            change({ filters: charge.filters.filter(({ key }) => key !== filter.key) });
            onFilter(null);
          }}
        />
      )}
      {filter && <Refusal at={`${at}.filters.${chosen}`} />}
      <PriceFields
        at={filter ? `${at}.filters.${chosen}` : at}
        model={charge.charge_model}
        price={filter?.price ?? charge.price}
        currency={currency}
        points={points}
        onChange={(price) => (filter ? changeFilter({ price }) : change({ price }))}
      />
    </>
  );
}

const MONEY = "\u0000money";

function PricingUnit({
  at,
  charge,
  change,
  currency,
}: {
  at: string;
  charge: ChargeDraft;
  change: (changes: Partial<ChargeDraft>) => void;
  currency: string;
}) {
  const { units } = useChoices();
  const unit = charge.pricing_unit;
  return (
    <FieldRow>
      <Field label="Priced in" hint={charge.id ? "It stays with the charge." : undefined}>
        <Select
          value={unit?.code ?? MONEY}
          isDisabled={charge.id !== null}
          options={[
            { value: MONEY, label: currency },
            ...units.map(({ code, name }) => ({ value: code, label: name })),
          ]}
          onChange={(code) =>
            change({
              pricing_unit: code === MONEY ? null : { code, conversion_rate: unit?.conversion_rate ?? "" },
            })
          }
        />
      </Field>
      {unit && (
        <At at={`${at}.conversion_rate`} label={`${currency} for one`}>
          <AmountInput
            currency={currency}
            value={unit.conversion_rate}
            onChange={(conversion_rate) => change({ pricing_unit: { ...unit, conversion_rate } })}
          />
        </At>
      )}
    </FieldRow>
  );
}

function FilterTabs({
  at,
  charge,
  chosen,
  onFilter,
  change,
}: {
  at: string;
  charge: ChargeDraft;
  chosen: string | null;
  onFilter: (key: string | null) => void;
  change: (changes: Partial<ChargeDraft>) => void;
}) {
  const { hasFaults } = use(FaultsContext);
  const tab = (key: string | null, label: string, isWrong = false) => (
    <button type="button" key={key ?? "default"} aria-pressed={key === chosen} onClick={() => onFilter(key)}>
      {isWrong ? <span className="neg">{label}, not right yet</span> : label}
    </button>
  );
  return (
    <div className="filter-tabs">
      <div className="seg" role="group" aria-label="Prices of the charge">
        {tab(null, charge.filters.length > 0 ? "All else" : "All events")}
        {charge.filters.map((filter, index) =>
          tab(filter.key, nameOfFilter(filter, index), hasFaults(`${at}.filters.${index}`)),
        )}
      </div>
      <Button
        look="ghost"
        size="sm"
        onClick={() => {
          const key = freshKey();
          const price = { ...charge.price, pricing_group_keys: [], presentation_group_keys: [] };
          const filter = { key, values: {}, invoice_display_name: "", price, kept: null };
          change({ filters: [...charge.filters, filter] });
          onFilter(key);
        }}
      >
        <Plus className="i" aria-hidden="true" />
        Add price by filter
      </Button>
    </div>
  );
}

function nameOfFilter(filter: FilterDraft, index: number): string {
  const values = Object.entries(filter.values).flatMap(([key, listed]) =>
    listed.includes(ANY) ? [`any ${key}`] : listed,
  );
  return filter.invoice_display_name || values.join(", ") || `Price ${index + 2}`;
}

/** A filter for every value that its key has (pricing §6). */
const ANY = "__ALL_FILTER_VALUES__";

function FilterFields({
  at,
  filter,
  keys,
  change,
  onRemove,
}: {
  at: string;
  filter: FilterDraft;
  keys: readonly { key: string; values: string[] }[];
  change: (changes: Partial<FilterDraft>) => void;
  onRemove: () => void;
}) {
  const put = (key: string, listed: string[]) => {
    const { [key]: _, ...others } = filter.values;
    const last = listed.at(-1);
    const left = last === ANY ? [ANY] : listed.filter((value) => value !== ANY);
    change({ values: left.length > 0 ? { ...others, [key]: left } : others });
  };
  return (
    <div className="filter-fields card">
      {keys.map(({ key, values }, index) => (
        <At
          key={key}
          at={index === 0 ? `${at}.values` : `${at}.values.${key}`}
          label={<span className="id">{key}</span>}
        >
          <Toggles
            label={key}
            chosen={filter.values[key] ?? []}
            options={[...values.map((value) => ({ value, label: value })), { value: ANY, label: "any" }]}
            onChange={(listed) => put(key, listed)}
          />
        </At>
      ))}
      <div className="line-with-remove">
        <Field label="Name on invoices" isOptional>
          <TextInput
            value={filter.invoice_display_name}
            onChange={(event) => change({ invoice_display_name: event.target.value })}
          />
        </Field>
        <Button look="ghost" isIcon aria-label="Remove this price" onClick={onRemove}>
          <Trash2 className="i" aria-hidden="true" />
        </Button>
      </div>
    </div>
  );
}

export function FixedCharges(props: ChargesProps) {
  const { draft, set, open, onOpen } = props;
  const { addOns } = useChoices();
  if (addOns.length === 0 && draft.fixed_charges.length === 0) return null;
  const change = (key: string, changes: Partial<FixedChargeDraft>) =>
    set({
      fixed_charges: draft.fixed_charges.map((one) => (one.key === key ? { ...one, ...changes } : one)),
    });
  return (
    <FormSection
      id="fixed"
      title="Fixed charges"
      about={`Add-ons that every subscription has, billed ${draft.bill_fixed_charges_monthly ? "each month" : `each ${nounOf(draft.interval)}`}.`}
    >
      {draft.fixed_charges.length > 0 && (
        <div className="charge-stack">
          {draft.fixed_charges.map((charge, index) => {
            const addOn = addOns.find(({ lago_id }) => lago_id === charge.add_on_id);
            const name = charge.invoice_display_name || addOn?.name || charge.add_on_code;
            return (
              <Fold
                key={charge.key}
                id={`charge-${charge.key}`}
                name={name}
                about={`${modelWord(charge.charge_model)}, ${countOf(charge.units)}`}
                detail={charge.add_on_code}
                price={wordsOf(charge, draft.currency)}
                isOpen={open.key === charge.key}
                isWrong={props.hasFaults(`fixed_charges.${index}`)}
                onToggle={() => onOpen({ key: open.key === charge.key ? null : charge.key, filter: null })}
                onRemove={() =>
                  set({ fixed_charges: draft.fixed_charges.filter(({ key }) => key !== charge.key) })
                }
              >
                <FixedChargeFields
                  {...props}
                  at={`fixed_charges.${index}`}
                  charge={charge}
                  change={(changes) => change(charge.key, changes)}
                />
              </Fold>
            );
          })}
        </div>
      )}
      <div className="add-picker">
        <Picker
          label="Add a fixed charge"
          placeholder="Add an add-on"
          value=""
          choices={addOns.map(({ lago_id, name, code }) => ({ value: lago_id, label: name, detail: code }))}
          onChange={(id) => {
            const charge = newFixedCharge(addOns.find(({ lago_id }) => lago_id === id)!);
            set({ fixed_charges: [...draft.fixed_charges, charge] });
            onOpen({ key: charge.key, filter: null });
          }}
        />
      </div>
    </FormSection>
  );
}

function countOf(typed: string): string {
  const shown = unitsText(tidy(typed) || "0");
  return shown === "1" ? "1 unit" : `${shown} units`;
}

function FixedChargeFields({
  at,
  charge,
  change,
  draft,
  points,
  isLocked,
}: ChargesProps & {
  at: string;
  charge: FixedChargeDraft;
  change: (changes: Partial<FixedChargeDraft>) => void;
}) {
  const isKept = charge.id !== null;
  return (
    <>
      <Refusal at={at} />
      <ModelPicker
        model={charge.charge_model}
        models={FIXED_MODELS}
        aggregation="sum_agg"
        isLocked={isKept && isLocked}
        onChange={(charge_model) =>
          change({ charge_model, ...(charge_model === "volume" && { pay_in_advance: false }) })
        }
      />
      <PriceFields
        at={at}
        model={charge.charge_model}
        price={charge.price}
        currency={draft.currency}
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
            onChange={(event) => change({ invoice_display_name: event.target.value })}
          />
        </At>
      </FieldRow>
      {isKept && (
        <Switch
          label="Change units in the running period"
          hint="Otherwise from the next period on."
          isOn={charge.apply_units_immediately}
          onChange={(apply_units_immediately) => change({ apply_units_immediately })}
        />
      )}
      <FieldRow>
        <Field
          label="Billed"
          hint={
            isKept
              ? "It stays as it was added."
              : charge.charge_model === "volume"
                ? "The tier of a volume price is known at the end of the period."
                : undefined
          }
        >
          <Select
            value={charge.pay_in_advance ? "advance" : "arrears"}
            isDisabled={isKept || charge.charge_model === "volume"}
            options={[
              { value: "arrears", label: "In arrears, when the period is over" },
              { value: "advance", label: "In advance, as the period begins" },
            ]}
            onChange={(when) => change({ pay_in_advance: when === "advance" })}
          />
        </Field>
        <Switch
          label="Prorate"
          hint="Units of a part of the period cost a share."
          isOn={charge.prorated}
          isDisabled={isKept}
          onChange={(prorated) => change({ prorated })}
        />
      </FieldRow>
      <TaxChoice
        chosen={charge.tax_codes}
        onChange={(tax_codes) => change({ tax_codes })}
        hint="Without one, those of the add-on or of the plan."
      />
    </>
  );
}
