import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Controller, type UseFormReturn, useFieldArray, useForm } from "react-hook-form";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { Banner, Button } from "@/ui/basics";
import { Json } from "@/ui/code";
import { ChipsInput, Field, NumberInput, Segments, Select, TextArea, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, messageOf, placeErrors, useDerivedCode } from "@/ui/form";
import { DescriptionField, SelectField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import {
  AGGREGATIONS,
  canRecur,
  filterFaults,
  type Metric,
  type MetricForm,
  NEW_METRIC,
  ROUNDINGS,
  readMetric,
  sampleEvent,
  writeMetric,
} from "./metric";
import { Tester } from "./tester";
import { countUses, plansOn } from "./uses";
import "./metrics.css";

export function CreateMetric() {
  return <Editor initial={NEW_METRIC} />;
}

export function UpdateMetric() {
  const { metric, id } = useMetric();
  const can = useCan();
  const plans = useQuery({ ...plansOn(), enabled: can("plans:view") });
  return (
    <Loaded query={metric} what="Metric">
      {({ billable_metric }) => {
        const saved = { initial: readMetric(billable_metric), saved: billable_metric };
        // Who sees no plans learns from the server what of it stays.
        if (!can("plans:view")) return <Editor {...saved} />;
        return (
          <Loaded query={plans} what="Plans">
            {(page) => <Editor {...saved} isInUse={countUses(page.plans, id).charges > 0} />}
          </Loaded>
        );
      }}
    </Loaded>
  );
}

export function DuplicateMetric() {
  const { metric } = useMetric();
  return (
    <Loaded query={metric} what="Metric">
      {({ billable_metric }) => {
        const copied = readMetric(billable_metric);
        return <Editor initial={{ ...copied, name: `${copied.name} copy`, code: `${copied.code}_copy` }} />;
      }}
    </Loaded>
  );
}

function useMetric() {
  const { id } = useParams({ strict: false }) as { id: string };
  const metric = useQuery(read("/api/v1/billable_metrics/{code}", { params: { path: { code: id } } }));
  return { id, metric };
}

interface EditorProps {
  initial: MetricForm;
  saved?: Metric;
  isInUse?: boolean;
}

function Editor({ initial, saved, isInUse = false }: EditorProps) {
  const form = useForm<MetricForm>({ defaultValues: initial, mode: "onTouched" });
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const shown = form.watch();
  useDerivedCode(form, initial === NEW_METRIC);
  useTitle(saved ? `Edit ${saved.name}` : "New metric");
  const finish = {
    isQuiet: true,
    touches: ["/api/v1/billable_metrics", "/api/v1/plans"],
    onDone: (answer: { billable_metric: { code: string } }) => {
      form.reset(form.getValues());
      void navigate({ to: paths.metrics.show(answer.billable_metric.code), ignoreBlocker: true });
    },
  };
  const create = useChange("post", "/api/v1/billable_metrics", { ...finish, done: "Metric created" });
  const update = useChange("put", "/api/v1/billable_metrics/{code}", { ...finish, done: "Metric saved" });
  const refuse = { onError: (fault: Error) => setError(placeErrors(form, fault, { key: "filters" })) };
  const submit = form.handleSubmit((values) => {
    setError(null);
    const body = { billable_metric: writeMetric(values) };
    if (saved) update.mutate({ params: { path: { code: saved.code } }, body }, refuse);
    else create.mutate({ body }, refuse);
  });
  return (
    <FormPage
      title={saved ? "Edit metric" : "New metric"}
      subject={saved && <span className="tag">{saved.name}</span>}
      submit={saved ? "Save metric" : "Create metric"}
      onSubmit={submit}
      onCancel={() => void navigate({ to: saved ? paths.metrics.show(saved.code) : paths.metrics.list() })}
      isDirty={form.formState.isDirty}
      isBusy={create.isPending || update.isPending}
      error={error}
      effect={isInUse ? "Charges on this metric follow its filters; drafts are computed anew." : undefined}
      aside={
        <div className="stack aside-stack">
          <h2>An event that counts</h2>
          <Json value={sampleEvent(shown)} label="Sample event" />
          {shown.basis === "expression" && shown.aggregation_type !== "count_agg" && (
            <Tester expression={shown.expression} code={shown.code} />
          )}
        </div>
      }
    >
      {isInUse && (
        <Banner>
          Plans charge for this metric, so only its name, description and filters can be changed. Duplicate it
          to measure something else.
        </Banner>
      )}
      <Identity form={form} isInUse={isInUse} />
      <Measuring form={form} shown={shown} isInUse={isInUse} />
      <Filters form={form} saved={saved} isInUse={isInUse} />
    </FormPage>
  );
}

type Part = { form: UseFormReturn<MetricForm>; isInUse: boolean };

function Identity({ form, isInUse }: Part) {
  const { errors } = form.formState;
  return (
    <FormSection title="Name">
      <FieldRow>
        <Field label="Name" error={errors.name?.message}>
          <TextInput autoFocus {...form.register("name", { required: "A name is needed." })} />
        </Field>
        <Field label="Code" hint="Events name it." error={errors.code?.message}>
          <TextInput disabled={isInUse} {...form.register("code", { required: "A code is needed." })} />
        </Field>
      </FieldRow>
      <DescriptionField form={form} />
    </FormSection>
  );
}

function Measuring({ form, shown, isInUse }: Part & { shown: MetricForm }) {
  const { errors } = form.formState;
  const isCount = shown.aggregation_type === "count_agg";
  return (
    <FormSection title="What is measured">
      <Controller
        control={form.control}
        name="aggregation_type"
        render={({ field }) => (
          <Field
            label="Aggregation"
            hint={
              field.value === "weighted_sum_agg"
                ? "Each event moves a level up or down. A gigabyte kept for half of the period counts as half a gigabyte."
                : AGGREGATIONS.find((one) => one.value === field.value)?.detail
            }
            error={errors.aggregation_type?.message}
          >
            <Select
              value={field.value}
              options={AGGREGATIONS}
              isDisabled={isInUse}
              onChange={(kind) => {
                field.onChange(kind);
                if (!canRecur(kind)) form.setValue("kind", "metered", { shouldDirty: true });
              }}
            />
          </Field>
        )}
      />
      {!isCount && (
        <>
          {!isInUse && (
            <Segments
              label="Where the value comes from"
              value={shown.basis}
              options={[
                { value: "field", label: "One property" },
                { value: "expression", label: "An expression" },
              ]}
              onChange={(basis) => form.setValue("basis", basis, { shouldDirty: true })}
            />
          )}
          {shown.basis === "expression" && (
            <Field
              label="Expression"
              hint="Reads event.properties.name, event.timestamp and event.code; knows + - * /, round, ceil, floor and concat. Computed once, when an event arrives."
              error={errors.expression?.message}
            >
              <TextArea
                className="mono"
                disabled={isInUse}
                placeholder="ceil(event.properties.bytes / 1048576, 2)"
                {...form.register("expression", {
                  validate: (text, values) =>
                    values.basis === "field" || Boolean(text.trim()) || "An expression is needed.",
                })}
              />
            </Field>
          )}
          <Field
            label={shown.basis === "expression" ? "Kept as property" : "Property"}
            hint={
              shown.basis === "expression"
                ? "The result is stored under this name."
                : "Its name in the events."
            }
            error={errors.field_name?.message}
          >
            <TextInput
              disabled={isInUse}
              {...form.register("field_name", {
                validate: (name, values) =>
                  values.aggregation_type === "count_agg" || Boolean(name.trim()) || "A property is needed.",
              })}
            />
          </Field>
        </>
      )}
      <SelectField
        form={form}
        name="kind"
        label="Over periods"
        hint={
          canRecur(shown.aggregation_type)
            ? "Recurring units stay until events take them away: seats, stored gigabytes."
            : "Only sums, unique counts and weighted sums can be recurring."
        }
        isDisabled={isInUse}
        options={[
          { value: "metered", label: "Metered: starts from zero each period" },
          {
            value: "recurring",
            label: "Recurring: carries over into the next period",
            isDisabled: !canRecur(shown.aggregation_type),
          },
        ]}
      />
      <FieldRow>
        <SelectField
          form={form}
          name="rounding_function"
          label="Units are rounded"
          options={ROUNDINGS}
          isDisabled={isInUse}
        />
        <Field
          label="Decimals"
          isOptional
          hint="0 are whole units, −2 hundreds."
          error={errors.rounding_precision?.message}
        >
          <NumberInput
            disabled={isInUse || shown.rounding_function === "none"}
            {...form.register("rounding_precision", {
              validate: (typed) => /^\s*(-?\d{1,2})?\s*$/.test(typed) || "A whole number is needed.",
            })}
          />
        </Field>
      </FieldRow>
    </FormSection>
  );
}

function Filters({ form, saved, isInUse }: Part & { saved?: Metric }) {
  const { fields, append, remove } = useFieldArray({ control: form.control, name: "filters" });
  const shown = form.watch("filters");
  const faults = filterFaults(shown);
  const isChecked = form.formState.isSubmitted;
  const gone = lostValues(saved, shown);
  return (
    <FormSection
      title="Filters"
      about="Keys of events by whose values a charge can have prices of their own: region, model, tier."
    >
      {isInUse && gone.length > 0 && (
        <Banner look="warn">
          Prices for {gone.join(", ")} go from all charges on this metric when it is saved.
        </Banner>
      )}
      {messageOf(form.formState.errors, "filters") && (
        <Banner look="bad">{messageOf(form.formState.errors, "filters")}</Banner>
      )}
      {fields.map((field, index) => (
        <div className="filter-line" key={field.id}>
          <Field label="Key" error={isChecked ? faults[index] : undefined}>
            <TextInput
              {...form.register(`filters.${index}.key`, {
                validate: (_, values) => filterFaults(values.filters)[index] ?? true,
              })}
            />
          </Field>
          <Controller
            control={form.control}
            name={`filters.${index}.values`}
            render={({ field: values }) => (
              <Field label="Values" hint="Enter after each">
                <ChipsInput values={values.value} onChange={values.onChange} placeholder="eu, us" />
              </Field>
            )}
          />
          <Button look="ghost" isIcon aria-label={`Remove filter ${index + 1}`} onClick={() => remove(index)}>
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      <div>
        <Button size="sm" onClick={() => append({ key: "", values: [] })}>
          <Plus className="i" aria-hidden="true" />
          Add filter
        </Button>
      </div>
    </FormSection>
  );
}

/** Keys and values that the saved metric has and the form has not any more. */
function lostValues(saved: Metric | undefined, shown: MetricForm["filters"]): string[] {
  return (saved?.filters ?? []).flatMap(({ key, values }) => {
    const kept = shown.find((one) => one.key.trim() === key);
    if (!kept) return [key];
    return values.filter((value) => !kept.values.includes(value)).map((value) => `${key} ${value}`);
  });
}
