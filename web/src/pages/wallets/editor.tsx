import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { currencies } from "@/lib/choices";
import { endOfDay, isoDay, startOfDay } from "@/lib/dates";
import { price, toCents, toDecimal } from "@/lib/money";
import { nameOf, type Wallet } from "@/pages/customers/customer";
import { useCustomer, useEntities } from "@/pages/customers/reads";
import { areWhole, type KeyValueRow, KeyValueRows, pairsOf, rowsOf } from "@/pages/invoices/key-values";
import { AS_THE_WALLET, MethodField } from "@/pages/payment-providers/method-field";
import { readPaid, writePaid } from "@/pages/payment-providers/methods";
import { usePaymentMethods } from "@/pages/payment-providers/reads";
import { DateInput, Field, MoneyInput, NumberInput, Select, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, placeErrors } from "@/ui/form";
import { AmongField, PickerField, SelectField, SwitchField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { FEW_NOTES, NOTES_LACK, priceOfCredits, readCredits } from "./credits";
import { useWallet } from "./page";

type Interval = "weekly" | "monthly" | "quarterly" | "semiannual" | "yearly";
type Rule = NonNullable<Schema<"WalletUpdateInput">["recurring_transaction_rules"]>[number];

interface Values {
  name: string;
  code: string;
  currency: string;
  rate_amount: string;
  priority: string;
  expiration_at: string;
  paid_top_up_min: string;
  paid_top_up_max: string;
  purchase_order_number: string;
  invoice_requires_successful_payment: boolean;
  payment_method: string;
  fee_types: string[];
  billable_metric_codes: string[];
  billing_entity_code: string;
  paid_credits: string;
  granted_credits: string;
  transaction_name: string;
  transaction_priority: string;
  ignores_limits: boolean;
  rule: "" | "threshold" | "interval";
  rule_interval: Interval;
  rule_threshold: string;
  rule_method: "fixed" | "target";
  rule_target: string;
  rule_grants: boolean;
  rule_paid: string;
  rule_granted: string;
  rule_started_at: string;
  rule_expiration_at: string;
  rule_name: string;
  rule_order: string;
  rule_ignores_limits: boolean;
  rule_when_paid: boolean;
  rule_payment_method: string;
}

const NEW: Values = {
  name: "",
  code: "",
  currency: "",
  rate_amount: "1",
  priority: "50",
  expiration_at: "",
  paid_top_up_min: "",
  paid_top_up_max: "",
  purchase_order_number: "",
  invoice_requires_successful_payment: false,
  payment_method: "provider",
  fee_types: [],
  billable_metric_codes: [],
  billing_entity_code: "",
  paid_credits: "",
  granted_credits: "",
  transaction_name: "",
  transaction_priority: "",
  ignores_limits: false,
  rule: "",
  rule_interval: "monthly",
  rule_threshold: "",
  rule_method: "fixed",
  rule_target: "",
  rule_grants: false,
  rule_paid: "",
  rule_granted: "",
  rule_started_at: "",
  rule_expiration_at: "",
  rule_name: "",
  rule_order: "",
  rule_ignores_limits: false,
  rule_when_paid: false,
  rule_payment_method: "provider",
};

const FEES = [
  { value: "charge", label: "Usage" },
  { value: "subscription", label: "Subscription fees" },
  { value: "commitment", label: "Commitments" },
];

export function CreateWallet() {
  const { customer: id } = useSearch({ strict: false }) as { customer?: string };
  const customer = useCustomer(String(id ?? ""));
  usePaymentMethods(String(id ?? ""));
  useMetrics();
  useEntities();
  return (
    <Loaded query={customer} what="Customer">
      {({ customer: found }) => (
        <Editor
          owner={found.external_id}
          ownerName={nameOf(found)}
          initial={{
            ...NEW,
            currency: found.currency ?? "",
            billing_entity_code: found.billing_entity_code,
          }}
        />
      )}
    </Loaded>
  );
}

export function UpdateWallet() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { customer } = useSearch({ strict: false }) as { customer?: string };
  usePaymentMethods(String(customer ?? ""));
  useMetrics();
  useEntities();
  return (
    <Loaded query={useWallet(id)} what="Wallet">
      {({ wallet }) => (
        <Editor
          owner={wallet.external_customer_id}
          ownerName={wallet.name || wallet.code}
          initial={readWallet(wallet)}
          saved={wallet}
        />
      )}
    </Loaded>
  );
}

function useMetrics() {
  return useQuery(read("/api/v1/billable_metrics", { params: { query: WHOLE } }));
}

function readWallet(wallet: Wallet): Values {
  const rule = ruleOf(wallet);
  const money = (cents: number | null) => (cents === null ? "" : toDecimal(cents, wallet.currency));
  return {
    ...NEW,
    name: wallet.name ?? "",
    code: wallet.code,
    currency: wallet.currency,
    rate_amount: wallet.rate_amount,
    priority: String(wallet.priority),
    expiration_at: wallet.expiration_at ? isoDay(wallet.expiration_at) : "",
    paid_top_up_min: money(wallet.paid_top_up_min_amount_cents),
    paid_top_up_max: money(wallet.paid_top_up_max_amount_cents),
    purchase_order_number: wallet.purchase_order_number ?? "",
    invoice_requires_successful_payment: wallet.invoice_requires_successful_payment,
    payment_method: readPaid(wallet.payment_method),
    billing_entity_code: wallet.billing_entity_code,
    fee_types: wallet.applies_to.fee_types,
    billable_metric_codes: wallet.applies_to.billable_metric_codes,
    ...(rule && {
      rule: rule.trigger as Values["rule"],
      rule_interval: (rule.interval ?? "monthly") as Interval,
      rule_threshold: rule.threshold_credits ?? "",
      rule_method: rule.method as Values["rule_method"],
      rule_target: rule.target_ongoing_balance ?? "",
      rule_grants: rule.grants_target_top_up ?? false,
      rule_paid: rule.paid_credits,
      rule_granted: rule.granted_credits,
      rule_started_at: rule.started_at ? isoDay(rule.started_at) : "",
      rule_expiration_at: rule.expiration_at ? isoDay(rule.expiration_at) : "",
      rule_name: rule.transaction_name ?? "",
      rule_order: rule.purchase_order_number ?? "",
      rule_ignores_limits: rule.ignore_paid_top_up_limits,
      rule_when_paid: rule.invoice_requires_successful_payment,
      rule_payment_method: readPaid(rule.payment_method),
    }),
  };
}

/** What is noted on each top-up by a rule. */
function notesOf(rule: ReturnType<typeof ruleOf>): { key: string; value: string }[] {
  return (rule?.transaction_metadata ?? []) as { key: string; value: string }[];
}

function Notes({ rows, onChange }: { rows: KeyValueRow[]; onChange: (rows: KeyValueRow[]) => void }) {
  return (
    <div className="form-fields">
      <span className="label">
        Metadata <span className="opt">optional</span>
      </span>
      <KeyValueRows rows={rows} {...FEW_NOTES} onChange={onChange} />
    </div>
  );
}

/** The rule by which a wallet is topped up; it has one at the most. */
function ruleOf(wallet: Wallet | undefined) {
  return wallet?.recurring_transaction_rules.find((one) => one.status === "active");
}

interface EditorProps {
  owner: string;
  ownerName: string;
  initial: Values;
  saved?: Wallet;
}

const RULE_FIELDS = [
  "rule",
  "rule_interval",
  "rule_threshold",
  "rule_method",
  "rule_target",
  "rule_grants",
  "rule_paid",
  "rule_granted",
  "rule_started_at",
  "rule_expiration_at",
  "rule_name",
  "rule_order",
  "rule_ignores_limits",
  "rule_when_paid",
  "rule_payment_method",
] as const;

function Editor({ owner, ownerName, initial, saved }: EditorProps) {
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const [notes, setNotes] = useState<KeyValueRow[]>([]);
  const [ruleNotes, setRuleNotes] = useState(rowsOf(notesOf(ruleOf(saved))));
  const haveRuleNotesChanged = JSON.stringify(pairsOf(ruleNotes)) !== JSON.stringify(notesOf(ruleOf(saved)));
  const form = useForm<Values>({ mode: "onTouched", defaultValues: initial });
  const { errors, isDirty, dirtyFields } = form.formState;
  const values = form.watch();
  const metrics = useMetrics().data?.billable_metrics ?? [];
  const entities = useEntities().data?.billing_entities ?? [];
  useTitle(saved ? `Edit ${ownerName}` : "New wallet");
  const finish = {
    isQuiet: true,
    onDone: ({ wallet }: { wallet: { lago_id: string } }) => {
      form.reset(form.getValues());
      void navigate({ to: paths.wallets.show(owner, wallet.lago_id), ignoreBlocker: true });
    },
  };
  const create = useChange("post", "/api/v1/wallets", { ...finish, done: "Wallet created" });
  const update = useChange("put", "/api/v1/wallets/{lago_id}", { ...finish, done: "Wallet saved" });
  const submit = form.handleSubmit((entered) => {
    setError(null);
    if (!areWhole(notes) || !areWhole(ruleNotes)) return setError(NOTES_LACK);
    const fields = {
      name: entered.name.trim() || null,
      priority: Number(entered.priority || "50"),
      invoice_requires_successful_payment: entered.invoice_requires_successful_payment,
      purchase_order_number: entered.purchase_order_number.trim() || null,
      paid_top_up_min_amount_cents: toCents(entered.paid_top_up_min, entered.currency),
      paid_top_up_max_amount_cents: toCents(entered.paid_top_up_max, entered.currency),
      applies_to: {
        fee_types: entered.fee_types,
        billable_metric_codes: entered.billable_metric_codes,
      },
      ...(dirtyFields.payment_method && { payment_method: writePaid(entered.payment_method) }),
      ...(dirtyFields.billing_entity_code && { billing_entity_code: entered.billing_entity_code }),
      ...((!saved || dirtyFields.expiration_at) && {
        expiration_at: entered.expiration_at ? endOfDay(entered.expiration_at, "UTC") : null,
      }),
      ...((saved
        ? haveRuleNotesChanged || RULE_FIELDS.some((name) => dirtyFields[name])
        : entered.rule !== "") && {
        recurring_transaction_rules: entered.rule
          ? [{ ...writeRule(entered, saved), transaction_metadata: pairsOf(ruleNotes) }]
          : [],
      }),
    };
    const refuse = { onError: (fault: Error) => setError(placeErrors(form, fault)) };
    if (saved) {
      update.mutate({ params: { path: { lago_id: saved.lago_id } }, body: { wallet: fields } }, refuse);
      return;
    }
    create.mutate(
      {
        body: {
          wallet: {
            ...fields,
            external_customer_id: owner,
            currency: entered.currency,
            rate_amount: entered.rate_amount.trim(),
            ...(entered.code.trim() && { code: entered.code.trim() }),
            paid_credits: readCredits(entered.paid_credits) || "0",
            granted_credits: readCredits(entered.granted_credits) || "0",
            ...(entered.transaction_name.trim() && { transaction_name: entered.transaction_name.trim() }),
            ...(entered.transaction_priority && {
              transaction_priority: Number(entered.transaction_priority),
            }),
            ...(notes.length > 0 && { transaction_metadata: pairsOf(notes) }),
            ...(entered.ignores_limits && { ignore_paid_top_up_limits_on_creation: true }),
          },
        },
      },
      refuse,
    );
  });
  const isCredits = (typed: string) => readCredits(typed) !== null || "This is no number of credits.";
  const isMoney = (typed: string) =>
    typed.trim() === "" || toCents(typed, values.currency) !== null || "This is no amount.";
  const isPriority = (typed: string) =>
    typed === "" || (/^\d+$/.test(typed) && +typed >= 1 && +typed <= 50) || "From 1 to 50.";
  const paid = readCredits(values.paid_credits);
  const isRate = /^\d+(\.\d+)?$/.test(values.rate_amount.trim());
  return (
    <FormPage
      title={saved ? "Edit wallet" : "New wallet"}
      subject={<span className="tag">{ownerName}</span>}
      submit={saved ? "Save wallet" : "Create wallet"}
      onSubmit={submit}
      onCancel={() =>
        void navigate({
          to: saved ? paths.wallets.show(owner, saved.lago_id) : paths.customers.show(owner, "wallets"),
        })
      }
      isDirty={
        isDirty || ((notes.length > 0 || haveRuleNotesChanged) && !create.isSuccess && !update.isSuccess)
      }
      isBusy={create.isPending || update.isPending}
      error={error}
      effect={
        !saved && paid && paid !== "0" && isRate && values.currency
          ? `Bills ${price(priceOfCredits(paid, values.rate_amount.trim()), values.currency)} for ${paid} credits, plus tax as it applies.`
          : undefined
      }
    >
      <FormSection title="Wallet">
        <FieldRow>
          <Field label="Name" isOptional error={errors.name?.message}>
            <TextInput autoFocus {...form.register("name")} />
          </Field>
          <Field
            label="Code"
            isOptional
            hint={saved ? undefined : "Made of the name, if empty."}
            error={errors.code?.message}
          >
            <TextInput disabled={saved !== undefined} {...form.register("code")} />
          </Field>
        </FieldRow>
        <FieldRow>
          <PickerField
            form={form}
            name="currency"
            rules={{ required: "Choose a currency." }}
            label="Currency"
            choices={currencies()}
            isDisabled={saved !== undefined}
          />
          <Field label="A credit costs" error={errors.rate_amount?.message}>
            <NumberInput
              disabled={saved !== undefined}
              after={values.currency}
              {...form.register("rate_amount", {
                validate: (typed) => /^\d+(\.\d+)?$/.test(typed.trim()) || "This is no price.",
              })}
            />
          </Field>
        </FieldRow>
        <FieldRow>
          <Field label="Priority" hint="1 to 50; lower ones pay first." error={errors.priority?.message}>
            <NumberInput
              inputMode="numeric"
              {...form.register("priority", {
                validate: (typed) => (/^\d+$/.test(typed) && +typed >= 1 && +typed <= 50) || "From 1 to 50.",
              })}
            />
          </Field>
          <Field
            label="Expires"
            isOptional
            hint="At the end of this day, UTC."
            error={errors.expiration_at?.message}
          >
            <DateInput {...form.register("expiration_at")} />
          </Field>
        </FieldRow>
        {entities.length > 1 && (
          <SelectField
            form={form}
            name="billing_entity_code"
            label="Billed by"
            options={entities.map((one) => ({ value: one.code, label: one.name }))}
          />
        )}
      </FormSection>
      <FormSection title="What it pays" about="Everything, if nothing is chosen.">
        {FEES.map((fee) => (
          <AmongField key={fee.value} form={form} name="fee_types" value={fee.value} label={fee.label} />
        ))}
        {metrics.length > 0 && (
          <details>
            <summary>Only usage of some metrics</summary>
            <div className="form-fields">
              {metrics.map((metric) => (
                <AmongField
                  key={metric.code}
                  form={form}
                  name="billable_metric_codes"
                  value={metric.code}
                  label={metric.name}
                />
              ))}
            </div>
          </details>
        )}
      </FormSection>
      {!saved && (
        <FormSection title="First top-up">
          <FieldRow>
            <Field label="To be paid" isOptional error={errors.paid_credits?.message}>
              <NumberInput after="credits" {...form.register("paid_credits", { validate: isCredits })} />
            </Field>
            <Field label="Free" isOptional error={errors.granted_credits?.message}>
              <NumberInput after="credits" {...form.register("granted_credits", { validate: isCredits })} />
            </Field>
          </FieldRow>
          <FieldRow>
            <Field label="Name" isOptional hint="On its invoice." error={errors.transaction_name?.message}>
              <TextInput {...form.register("transaction_name")} />
            </Field>
            <Field
              label="Priority"
              isOptional
              hint="Among the wallet's credits; lower ones are used first."
              error={errors.transaction_priority?.message}
            >
              <NumberInput
                inputMode="numeric"
                placeholder="50"
                {...form.register("transaction_priority", { validate: isPriority })}
              />
            </Field>
          </FieldRow>
          <SwitchField form={form} name="ignores_limits" label="Ignore the limits of purchases" />
          <Notes rows={notes} onChange={setNotes} />
        </FormSection>
      )}
      <FormSection title="Purchases">
        <FieldRow>
          <Field label="At least" isOptional error={errors.paid_top_up_min?.message}>
            <MoneyInput
              currency={values.currency || "USD"}
              {...form.register("paid_top_up_min", { validate: isMoney })}
            />
          </Field>
          <Field label="At most" isOptional error={errors.paid_top_up_max?.message}>
            <MoneyInput
              currency={values.currency || "USD"}
              {...form.register("paid_top_up_max", { validate: isMoney })}
            />
          </Field>
        </FieldRow>
        <SwitchField
          form={form}
          name="invoice_requires_successful_payment"
          label="Issue invoices only when they are paid"
        />
        <MethodField form={form} name="payment_method" customer={owner} />
        <Field label="PO number" isOptional error={errors.purchase_order_number?.message}>
          <TextInput {...form.register("purchase_order_number")} />
        </Field>
      </FormSection>
      <FormSection title="Recurring top-up">
        <Controller
          control={form.control}
          name="rule"
          render={({ field }) => (
            <Field label="When">
              <Select
                value={field.value || "never"}
                options={[
                  { value: "never", label: "Never" },
                  { value: "threshold", label: "When the balance falls below a threshold" },
                  { value: "interval", label: "By the calendar" },
                ]}
                onChange={(next) => field.onChange(next === "never" ? "" : next)}
              />
            </Field>
          )}
        />
        {values.rule === "threshold" && (
          <Field label="Below" error={errors.rule_threshold?.message}>
            <NumberInput after="credits" {...form.register("rule_threshold", { validate: isCredits })} />
          </Field>
        )}
        {values.rule === "interval" && (
          <SelectField
            form={form}
            name="rule_interval"
            label="Every"
            options={[
              { value: "weekly", label: "Week" },
              { value: "monthly", label: "Month" },
              { value: "quarterly", label: "Quarter" },
              { value: "semiannual", label: "Half-year" },
              { value: "yearly", label: "Year" },
            ]}
          />
        )}
        {values.rule !== "" && (
          <SelectField
            form={form}
            name="rule_method"
            label="How much"
            options={[
              { value: "fixed", label: "A fixed number of credits" },
              { value: "target", label: "Up to a balance" },
            ]}
          />
        )}
        {values.rule !== "" &&
          (values.rule_method === "target" ? (
            <>
              <Field label="Balance" error={errors.rule_target?.message}>
                <NumberInput after="credits" {...form.register("rule_target", { validate: isCredits })} />
              </Field>
              <SwitchField
                form={form}
                name="rule_grants"
                label="What is missing is given for free"
                hint="Otherwise it is bought, and invoiced."
              />
            </>
          ) : (
            <FieldRow>
              <Field label="To be paid" error={errors.rule_paid?.message}>
                <NumberInput after="credits" {...form.register("rule_paid", { validate: isCredits })} />
              </Field>
              <Field label="Free" error={errors.rule_granted?.message}>
                <NumberInput after="credits" {...form.register("rule_granted", { validate: isCredits })} />
              </Field>
            </FieldRow>
          ))}
        {values.rule !== "" && (
          <>
            <FieldRow>
              {values.rule === "interval" && (
                <Field
                  label="Counts from"
                  isOptional
                  hint="From when the wallet was made, if empty."
                  error={errors.rule_started_at?.message}
                >
                  <DateInput {...form.register("rule_started_at")} />
                </Field>
              )}
              <Field
                label="Ends"
                isOptional
                hint="At the end of this day, UTC."
                error={errors.rule_expiration_at?.message}
              >
                <DateInput {...form.register("rule_expiration_at")} />
              </Field>
            </FieldRow>
            <FieldRow>
              <Field label="Name" isOptional hint="Of each top-up." error={errors.rule_name?.message}>
                <TextInput {...form.register("rule_name")} />
              </Field>
              <Field label="PO number" isOptional error={errors.rule_order?.message}>
                <TextInput {...form.register("rule_order")} />
              </Field>
            </FieldRow>
            <SwitchField form={form} name="rule_ignores_limits" label="Ignore the limits of purchases" />
            <SwitchField
              form={form}
              name="rule_when_paid"
              label="Issue its invoices only when they are paid"
            />
            <MethodField form={form} name="rule_payment_method" customer={owner} otherwise={AS_THE_WALLET} />
            <Notes rows={ruleNotes} onChange={setRuleNotes} />
          </>
        )}
      </FormSection>
    </FormPage>
  );
}

/**
 * The rule of the form; an existing one is named, so that it is changed and not made anew. What is not in the form stays
 * as it was, and days that were not touched keep their hour.
 */
function writeRule(values: Values, saved: Wallet | undefined): Rule {
  const known = ruleOf(saved);
  const kept = (typed: string, before: string | null | undefined, at: (day: string) => string) =>
    before && isoDay(before) === typed ? before : typed ? at(typed) : null;
  return {
    ...(known && { lago_id: known.lago_id }),
    payment_method: writePaid(values.rule_payment_method),
    started_at: kept(values.rule_started_at, known?.started_at, (day) => startOfDay(day, "UTC")),
    expiration_at: kept(values.rule_expiration_at, known?.expiration_at, (day) => endOfDay(day, "UTC")),
    transaction_name: values.rule_name.trim() || null,
    purchase_order_number: values.rule_order.trim() || null,
    ignore_paid_top_up_limits: values.rule_ignores_limits,
    invoice_requires_successful_payment: values.rule_when_paid,
    trigger: values.rule === "interval" ? "interval" : "threshold",
    method: values.rule_method,
    ...(values.rule === "interval"
      ? { interval: values.rule_interval }
      : { threshold_credits: readCredits(values.rule_threshold) || "0" }),
    ...(values.rule_method === "target"
      ? {
          target_ongoing_balance: readCredits(values.rule_target) || "0",
          grants_target_top_up: values.rule_grants,
        }
      : {
          paid_credits: readCredits(values.rule_paid) || "0",
          granted_credits: readCredits(values.rule_granted) || "0",
        }),
  };
}
