/** The sections of a plan beside its charges. */
import { Plus, Trash2 } from "lucide-react";
import { currencies } from "@/lib/choices";
import { TaxChoice } from "@/pages/catalog/taxes";
import { Button } from "@/ui/basics";
import { Select, Switch, TextArea, TextInput } from "@/ui/fields";
import { FieldRow, FormSection, Revealed } from "@/ui/form";
import { Picker } from "@/ui/picker";
import { useChoices } from "./choices";
import { INTERVALS, nounOf, type PlanDraft } from "./draft";
import { AmountInput, At, Refusal } from "./parts";
import { PrivilegeField } from "./privilege-field";
import { isLong } from "./wire";

export interface SectionProps {
  draft: PlanDraft;
  set: (changes: Partial<PlanDraft>) => void;
  /** A subscription refers to the plan: what it was sold by stays. */
  isLocked: boolean;
}

const KEPT = "Subscriptions are billed by it, so it stays.";

export function Settings({ draft, set, isLocked }: SectionProps) {
  return (
    <FormSection id="settings" title="Settings">
      <FieldRow>
        <At at="name" label="Name">
          <TextInput autoFocus value={draft.name} onChange={(event) => set({ name: event.target.value })} />
        </At>
        <At at="code" label="Code" hint={isLocked ? KEPT : "Subscriptions name it."}>
          <TextInput
            value={draft.code}
            disabled={isLocked}
            onChange={(event) => set({ code: event.target.value })}
          />
        </At>
      </FieldRow>
      <Revealed verb="Add a description" isOpen={draft.description !== ""}>
        <At at="description" label="Description" isOptional>
          <TextArea
            rows={2}
            value={draft.description}
            onChange={(event) => set({ description: event.target.value })}
          />
        </At>
      </Revealed>
      <FieldRow>
        <At at="interval" label="Billed" hint={isLocked ? KEPT : undefined}>
          <Select
            value={draft.interval}
            options={INTERVALS}
            isDisabled={isLocked}
            onChange={(interval) => set({ interval })}
          />
        </At>
        <At at="currency" label="Currency" hint={isLocked ? KEPT : undefined}>
          <Picker
            label="Currency"
            value={draft.currency}
            choices={currencies()}
            isDisabled={isLocked}
            onChange={(currency) => set({ currency })}
          />
        </At>
      </FieldRow>
      {isLong(draft.interval) && (
        <>
          <Switch
            label="Bill usage charges each month"
            isOn={draft.bill_charges_monthly}
            isDisabled={isLocked}
            onChange={(bill_charges_monthly) => set({ bill_charges_monthly })}
          />
          <Switch
            label="Bill fixed charges each month"
            isOn={draft.bill_fixed_charges_monthly}
            isDisabled={isLocked}
            onChange={(bill_fixed_charges_monthly) => set({ bill_fixed_charges_monthly })}
          />
        </>
      )}
    </FormSection>
  );
}

export function SubscriptionFee({ draft, set, isLocked }: SectionProps) {
  return (
    <FormSection
      id="fee"
      title="Subscription fee"
      about={`What a subscription costs each ${nounOf(draft.interval)}.`}
    >
      <FieldRow>
        <At at="amount" label="Amount">
          <AmountInput
            currency={draft.currency}
            value={draft.amount}
            placeholder="0.00"
            onChange={(amount) => set({ amount })}
          />
        </At>
        <At at="pay_in_advance" label="Paid" hint={isLocked ? KEPT : undefined}>
          <Select
            value={draft.pay_in_advance ? "advance" : "arrears"}
            isDisabled={isLocked}
            options={[
              { value: "advance", label: `In advance, as the ${nounOf(draft.interval)} begins` },
              { value: "arrears", label: `In arrears, when the ${nounOf(draft.interval)} is over` },
            ]}
            onChange={(when) => set({ pay_in_advance: when === "advance" })}
          />
        </At>
      </FieldRow>
      <FieldRow>
        <At at="trial_period" label="Trial" isOptional hint="Days without the fee; usage is billed.">
          <TextInput
            inputMode="decimal"
            className="num"
            after="days"
            value={draft.trial_period}
            disabled={isLocked}
            onChange={(event) => set({ trial_period: event.target.value })}
          />
        </At>
        <At at="invoice_display_name" label="Name on invoices" isOptional>
          <TextInput
            value={draft.invoice_display_name}
            placeholder={draft.name}
            onChange={(event) => set({ invoice_display_name: event.target.value })}
          />
        </At>
      </FieldRow>
    </FormSection>
  );
}

export function Commitment({ draft, set }: SectionProps) {
  const { commitment } = draft;
  return (
    <FormSection
      id="commitment"
      title="Minimum commitment"
      about={`Where the fees of a ${nounOf(draft.interval)} come to less, the difference is billed on top.`}
    >
      <Switch
        label="Commit to a minimum"
        isOn={commitment !== null}
        onChange={(isOn) =>
          set({ commitment: isOn ? { amount: "", invoice_display_name: "", tax_codes: [] } : null })
        }
      />
      {commitment && (
        <>
          <FieldRow>
            <At at="commitment.amount" label="Amount">
              <AmountInput
                currency={draft.currency}
                value={commitment.amount}
                onChange={(amount) => set({ commitment: { ...commitment, amount } })}
              />
            </At>
            <At at="commitment.name" label="Name on invoices" isOptional>
              <TextInput
                value={commitment.invoice_display_name}
                onChange={(event) =>
                  set({ commitment: { ...commitment, invoice_display_name: event.target.value } })
                }
              />
            </At>
          </FieldRow>
          <TaxChoice
            chosen={commitment.tax_codes}
            onChange={(tax_codes) => set({ commitment: { ...commitment, tax_codes } })}
            hint="Without one, those of the plan."
          />
        </>
      )}
    </FormSection>
  );
}

export function ProgressiveBilling({ draft, set }: SectionProps) {
  const change = (index: number, changes: Partial<PlanDraft["thresholds"][number]>) =>
    set({
      thresholds: draft.thresholds.map((one, place) => (place === index ? { ...one, ...changes } : one)),
    });
  const recurring = draft.recurring_threshold;
  return (
    <FormSection
      id="progressive"
      title="Progressive billing"
      about="Usage is invoiced as soon as its total since the start of the subscription reaches an amount."
    >
      <Refusal at="thresholds" />
      {draft.thresholds.map((one, index) => (
        <div className="line-with-remove" key={index}>
          <FieldRow>
            <At at={`thresholds.${index}.amount`} label="At">
              <AmountInput
                currency={draft.currency}
                value={one.amount}
                onChange={(amount) => change(index, { amount })}
              />
            </At>
            <At at={`thresholds.${index}.name`} label="Name" isOptional>
              <TextInput value={one.name} onChange={(event) => change(index, { name: event.target.value })} />
            </At>
          </FieldRow>
          <Button
            look="ghost"
            isIcon
            aria-label={`Remove threshold ${index + 1}`}
            onClick={() => set({ thresholds: draft.thresholds.filter((_, place) => place !== index) })}
          >
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      <div>
        <Button
          size="sm"
          onClick={() => set({ thresholds: [...draft.thresholds, { amount: "", name: "" }] })}
        >
          <Plus className="i" aria-hidden="true" />
          Add threshold
        </Button>
      </div>
      <Switch
        label="And then again and again"
        hint="After the last threshold, each time that so much more was used."
        isOn={recurring !== null}
        onChange={(isOn) => set({ recurring_threshold: isOn ? { amount: "", name: "" } : null })}
      />
      {recurring && (
        <FieldRow>
          <At at="recurring_threshold.amount" label="Every">
            <AmountInput
              currency={draft.currency}
              value={recurring.amount}
              onChange={(amount) => set({ recurring_threshold: { ...recurring, amount } })}
            />
          </At>
          <At at="recurring_threshold.name" label="Name" isOptional>
            <TextInput
              value={recurring.name}
              onChange={(event) => set({ recurring_threshold: { ...recurring, name: event.target.value } })}
            />
          </At>
        </FieldRow>
      )}
    </FormSection>
  );
}

export function Entitlements({ draft, set }: SectionProps) {
  const { features } = useChoices();
  if (features.length === 0 && draft.entitlements.length === 0) return null;
  const left = features.filter(({ code }) => !draft.entitlements.some((one) => one.code === code));
  const change = (code: string, values: Record<string, string>) =>
    set({ entitlements: draft.entitlements.map((one) => (one.code === code ? { ...one, values } : one)) });
  return (
    <FormSection id="entitlements" title="Entitlements" about="What subscribers may use, and how much of it.">
      {draft.entitlements.map((one) => {
        const feature = features.find(({ code }) => code === one.code);
        return (
          <div className="entitlement card" key={one.code}>
            <div className="row between">
              <b className="med">{feature?.name || one.code}</b>
              <Button
                look="ghost"
                isIcon
                size="sm"
                aria-label={`Remove ${feature?.name || one.code}`}
                onClick={() =>
                  set({ entitlements: draft.entitlements.filter(({ code }) => code !== one.code) })
                }
              >
                <Trash2 className="i" aria-hidden="true" />
              </Button>
            </div>
            {feature?.privileges.map((privilege) => (
              <PrivilegeField
                key={privilege.code}
                privilege={privilege}
                value={one.values[privilege.code] ?? ""}
                onChange={(next) => change(one.code, { ...one.values, [privilege.code]: next })}
              />
            ))}
          </div>
        );
      })}
      {left.length > 0 && (
        <div className="add-picker">
          <Picker
            label="Add a feature"
            placeholder="Add a feature"
            value=""
            choices={left.map(({ code, name }) => ({ value: code, label: name || code, detail: code }))}
            onChange={(code) => set({ entitlements: [...draft.entitlements, { code, values: {} }] })}
          />
        </div>
      )}
    </FormSection>
  );
}

export function Taxes({ draft, set }: SectionProps) {
  const { taxes } = useChoices();
  return (
    <FormSection id="taxes" title="Taxes">
      {taxes.length === 0 && draft.tax_codes.length === 0 ? (
        <p className="dim">
          There are none yet; they are made in the settings. Without one, those of the customer apply.
        </p>
      ) : (
        <TaxChoice
          chosen={draft.tax_codes}
          onChange={(tax_codes) => set({ tax_codes })}
          hint="Of the fee, and of charges without taxes of their own. Without one, those of the customer."
        />
      )}
    </FormSection>
  );
}

export function Metadata({ draft, set }: SectionProps) {
  const change = (index: number, changes: Partial<PlanDraft["metadata"][number]>) =>
    set({ metadata: draft.metadata.map((one, place) => (place === index ? { ...one, ...changes } : one)) });
  return (
    <FormSection id="metadata" title="Metadata" about="Of your own, for the API.">
      {draft.metadata.map((one, index) => (
        <div className="line-with-remove" key={index}>
          <FieldRow>
            <At at={`metadata.${index}.key`} label="Key">
              <TextInput value={one.key} onChange={(event) => change(index, { key: event.target.value })} />
            </At>
            <At at={`metadata.${index}.value`} label="Value">
              <TextInput
                value={one.value}
                onChange={(event) => change(index, { value: event.target.value })}
              />
            </At>
          </FieldRow>
          <Button
            look="ghost"
            isIcon
            aria-label={`Remove ${one.key || "value"}`}
            onClick={() => set({ metadata: draft.metadata.filter((_, place) => place !== index) })}
          >
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      <div>
        <Button size="sm" onClick={() => set({ metadata: [...draft.metadata, { key: "", value: "" }] })}>
          <Plus className="i" aria-hidden="true" />
          Add value
        </Button>
      </div>
    </FormSection>
  );
}
