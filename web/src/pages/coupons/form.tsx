import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { Controller, type UseFormReturn, useForm } from "react-hook-form";
import { read, useChange, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useOrganization } from "@/app/session";
import { currencies } from "@/lib/choices";
import { toCents } from "@/lib/money";
import { metricsRead } from "@/pages/plans/reads";
import { Banner } from "@/ui/basics";
import { DateInput, Field, MoneyInput, NumberInput, Segments, TextInput, Toggles } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, placeErrors, useDerivedCode } from "@/ui/form";
import { DescriptionField, PickerField, SelectField, SwitchField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { type Coupon, type CouponForm, changedCoupon, NEW_COUPON, readCoupon, writeCoupon } from "./coupon";

export function CreateCoupon() {
  const targets = useTargets();
  const { default_currency: currency } = useOrganization();
  return <Editor initial={{ ...NEW_COUPON, currency }} targets={targets} isGiven={false} />;
}

export function UpdateCoupon() {
  const { id } = useParams({ strict: false }) as { id: string };
  const coupon = useQuery(read("/api/v1/coupons/{code}", { params: { path: { code: id } } }));
  const query = { "coupon_code[]": [id], per_page: "1" } as never;
  const applied = useQuery(read("/api/v1/applied_coupons", { params: { query } }));
  const targets = useTargets();
  return (
    <Loaded query={coupon} what="Coupon">
      {({ coupon: saved }) => (
        <Loaded query={applied} what="Its customers">
          {(page) => (
            <Editor
              initial={readCoupon(saved)}
              saved={saved}
              targets={targets}
              isGiven={page.meta.total_count > 0}
            />
          )}
        </Loaded>
      )}
    </Loaded>
  );
}

interface Targets {
  plans: { value: string; label: string }[];
  metrics: { value: string; label: string }[];
}

function useTargets(): Targets {
  const can = useCan();
  const query = WHOLE;
  const plans = useQuery({ ...read("/api/v1/plans", { params: { query } }), enabled: can("plans:view") });
  const metrics = useQuery({ ...metricsRead(), enabled: can("billable_metrics:view") });
  const named = ({ code, name }: { code: string; name: string }) => ({ value: code, label: name });
  return {
    plans: plans.data?.plans.map(named) ?? [],
    metrics: metrics.data?.billable_metrics.map(named) ?? [],
  };
}

interface EditorProps {
  initial: CouponForm;
  saved?: Coupon;
  targets: Targets;
  /** Somebody had it: only its name, description and end may change. */
  isGiven: boolean;
}

function Editor({ initial, saved, targets, isGiven }: EditorProps) {
  const form = useForm<CouponForm>({ defaultValues: initial, mode: "onTouched" });
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  useDerivedCode(form, !saved);
  useTitle(saved ? `Edit ${saved.name}` : "New coupon");
  const back = saved ? paths.coupons.show(saved.code) : paths.coupons.list();
  const finish = {
    isQuiet: true,
    touches: ["/api/v1/coupons"],
    onDone: (answer: { coupon: Coupon }) =>
      void navigate({ to: paths.coupons.show(answer.coupon.code), ignoreBlocker: true }),
  };
  const create = useChange("post", "/api/v1/coupons", { ...finish, done: "Coupon created" });
  const update = useChange("put", "/api/v1/coupons/{code}", { ...finish, done: "Coupon saved" });
  const names = { amount_cents: "amount", amount_currency: "currency", expiration_at: "expires_on" } as const;
  const refuse = { onError: (fault: Error) => setError(placeErrors(form, fault, names)) };
  const submit = form.handleSubmit((values) => {
    setError(null);
    if (!saved) {
      create.mutate({ body: { coupon: writeCoupon(values) } }, refuse);
      return;
    }
    const changes = changedCoupon(saved, values);
    if (Object.keys(changes).length === 0) void navigate({ to: back, ignoreBlocker: true });
    else
      update.mutate({ params: { path: { code: saved.code } }, body: { coupon: changes as never } }, refuse);
  });
  return (
    <FormPage
      title={saved ? "Edit coupon" : "New coupon"}
      subject={saved && <span className="tag">{saved.name}</span>}
      submit={saved ? "Save coupon" : "Create coupon"}
      onSubmit={submit}
      onCancel={() => void navigate({ to: back })}
      isDirty={form.formState.isDirty}
      isBusy={create.isPending || update.isPending}
      error={error}
    >
      {isGiven && (
        <Banner>Customers have had this coupon, so only its name, description and end can be changed.</Banner>
      )}
      <Identity form={form} isGiven={isGiven} />
      <Value form={form} isGiven={isGiven} />
      <Limits form={form} isGiven={isGiven} targets={targets} />
    </FormPage>
  );
}

interface Part {
  form: UseFormReturn<CouponForm>;
  isGiven: boolean;
}

function Identity({ form, isGiven }: Part) {
  const { errors } = form.formState;
  return (
    <FormSection title="Coupon">
      <FieldRow>
        <Field label="Name" error={errors.name?.message}>
          <TextInput autoFocus {...form.register("name", { required: "A name is needed." })} />
        </Field>
        <Field label="Code" error={errors.code?.message}>
          <TextInput readOnly={isGiven} {...form.register("code", { required: "A code is needed." })} />
        </Field>
      </FieldRow>
      <DescriptionField form={form} />
    </FormSection>
  );
}

function Value({ form, isGiven }: Part) {
  const { errors } = form.formState;
  const shown = form.watch();
  return (
    <FormSection title="What it takes off">
      {!isGiven && (
        <Segments
          label="Type"
          value={shown.coupon_type}
          options={[
            { value: "percentage", label: "A percentage" },
            { value: "fixed_amount", label: "An amount" },
          ]}
          onChange={(type) => form.setValue("coupon_type", type, { shouldDirty: true })}
        />
      )}
      {shown.coupon_type === "percentage" ? (
        <Field label="Rate" error={errors.percentage_rate?.message}>
          <NumberInput
            after="%"
            readOnly={isGiven}
            {...form.register("percentage_rate", {
              validate: (typed, values) =>
                values.coupon_type !== "percentage" ||
                /^\s*\d{1,3}([.,]\d+)?\s*$/.test(typed) ||
                "A rate is needed.",
            })}
          />
        </Field>
      ) : (
        <FieldRow>
          <Field label="Amount" error={errors.amount?.message}>
            <MoneyInput
              currency={shown.currency}
              readOnly={isGiven}
              {...form.register("amount", {
                validate: (typed, values) =>
                  values.coupon_type !== "fixed_amount" ||
                  toCents(typed, values.currency) !== null ||
                  `An amount of ${values.currency} is needed.`,
              })}
            />
          </Field>
          <PickerField
            form={form}
            name="currency"
            label="Currency"
            choices={currencies()}
            isDisabled={isGiven}
          />
        </FieldRow>
      )}
      <FieldRow>
        <SelectField
          form={form}
          name="frequency"
          label="How often"
          isDisabled={isGiven}
          options={[
            { value: "once", label: "Once, until it is used up" },
            { value: "recurring", label: "On some invoices" },
            { value: "forever", label: "On every invoice" },
          ]}
        />
        {shown.frequency === "recurring" && (
          <Field label="Invoices" error={errors.frequency_duration?.message}>
            <NumberInput
              readOnly={isGiven}
              {...form.register("frequency_duration", {
                validate: (typed, values) =>
                  values.frequency !== "recurring" ||
                  /^\s*[1-9]\d{0,3}\s*$/.test(typed) ||
                  "A whole number is needed.",
              })}
            />
          </Field>
        )}
      </FieldRow>
    </FormSection>
  );
}

function Limits({ form, isGiven, targets }: Part & { targets: Targets }) {
  const { errors } = form.formState;
  const shown = form.watch();
  const missing = (known: Targets["plans"], codes: string[]) =>
    codes
      .filter((code) => !known.some(({ value }) => value === code))
      .map((code) => ({ value: code, label: code }));
  return (
    <FormSection title="Limits">
      <Field
        label="Can be given until"
        isOptional
        hint="Whoever has it keeps it."
        error={errors.expires_on?.message}
      >
        <DateInput {...form.register("expires_on")} />
      </Field>
      <SwitchField
        form={form}
        name="reusable"
        label="A customer can get it more than once"
        isDisabled={isGiven}
      />
      {!isGiven && (
        <Segments
          label="Limited to"
          value={shown.limit}
          options={[
            { value: "none", label: "Whole invoice" },
            { value: "plans", label: "Some plans" },
            { value: "metrics", label: "Some metrics" },
          ]}
          onChange={(limit) => form.setValue("limit", limit, { shouldDirty: true })}
        />
      )}
      {isGiven && shown.limit !== "none" && (
        <p className="dim">Limited to {[...shown.plan_codes, ...shown.billable_metric_codes].join(", ")}.</p>
      )}
      {!isGiven && shown.limit === "plans" && (
        <Controller
          control={form.control}
          name="plan_codes"
          rules={{
            validate: (codes, values) =>
              values.limit !== "plans" || codes.length > 0 || "At least one plan is needed.",
          }}
          render={({ field, fieldState }) => (
            <Field label="Plans" error={fieldState.error?.message}>
              <Toggles
                label="Plans"
                chosen={field.value}
                options={[...targets.plans, ...missing(targets.plans, field.value)]}
                onChange={field.onChange}
              />
            </Field>
          )}
        />
      )}
      {!isGiven && shown.limit === "metrics" && (
        <Controller
          control={form.control}
          name="billable_metric_codes"
          rules={{
            validate: (codes, values) =>
              values.limit !== "metrics" || codes.length > 0 || "At least one metric is needed.",
          }}
          render={({ field, fieldState }) => (
            <Field label="Metrics" error={fieldState.error?.message}>
              <Toggles
                label="Metrics"
                chosen={field.value}
                options={[...targets.metrics, ...missing(targets.metrics, field.value)]}
                onChange={field.onChange}
              />
            </Field>
          )}
        />
      )}
    </FormSection>
  );
}
