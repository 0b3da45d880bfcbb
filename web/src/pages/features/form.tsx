import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Controller, useFieldArray, useForm } from "react-hook-form";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { Button } from "@/ui/basics";
import { ChipsInput, Field, Select, TextInput } from "@/ui/fields";
import { codeFrom, FieldRow, FormPage, FormSection, placeErrors, useDerivedCode } from "@/ui/form";
import { DescriptionField } from "@/ui/named";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import "@/pages/plans/plans.css";

type Feature = Schema<"FeatureOutput">;
type ValueType = Feature["privileges"][number]["value_type"];

interface Values {
  name: string;
  code: string;
  description: string;
  privileges: { name: string; code: string; value_type: ValueType; options: string[]; isKept: boolean }[];
}

const NEW: Values = { name: "", code: "", description: "", privileges: [] };

const TYPES: { value: ValueType; label: string }[] = [
  { value: "string", label: "Text" },
  { value: "integer", label: "Whole number" },
  { value: "boolean", label: "Yes or no" },
  { value: "select", label: "One of a list" },
];

export function CreateFeature() {
  return <Editor initial={NEW} />;
}

export function UpdateFeature() {
  const { id } = useParams({ strict: false }) as { id: string };
  const feature = useQuery(read("/api/v1/features/{code}", { params: { path: { code: id } } }));
  return (
    <Loaded query={feature} what="Feature">
      {({ feature: saved }) => (
        <Editor
          saved={saved}
          initial={{
            name: saved.name ?? "",
            code: saved.code,
            description: saved.description ?? "",
            privileges: saved.privileges.map((one) => ({
              name: one.name ?? "",
              code: one.code,
              value_type: one.value_type,
              options: (one.config as { select_options?: string[] }).select_options ?? [],
              isKept: true,
            })),
          }}
        />
      )}
    </Loaded>
  );
}

function Editor({ initial, saved }: { initial: Values; saved?: Feature }) {
  const form = useForm<Values>({ defaultValues: initial, mode: "onTouched" });
  const privileges = useFieldArray({ control: form.control, name: "privileges" });
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const { errors } = form.formState;
  useDerivedCode(form, !saved);
  useTitle(saved ? `Edit ${saved.name || saved.code}` : "New feature");
  const finish = {
    isQuiet: true,
    touches: ["/api/v1/features", "/app/v1/features", "/api/v1/plans"],
    onDone: (answer: { feature: Feature }) =>
      void navigate({ to: paths.features.show(answer.feature.code), ignoreBlocker: true }),
  };
  const create = useChange("post", "/api/v1/features", { ...finish, done: "Feature created" });
  const update = useChange("put", "/api/v1/features/{code}", { ...finish, done: "Feature saved" });
  const drop = useChange("delete", "/api/v1/features/{code}/privileges/{privilege_code}", {
    touches: ["/api/v1/plans"],
    isQuiet: true,
  });
  const refuse = { onError: (fault: Error) => setError(placeErrors(form, fault)) };
  const gone = (saved?.privileges ?? []).filter(
    ({ code }) => !form.watch("privileges").some((one) => one.isKept && one.code === code),
  );
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    const feature = {
      name: values.name.trim() || null,
      description: values.description.trim() || null,
      privileges: values.privileges.map((one) => ({
        code: one.code.trim() || codeFrom(one.name),
        name: one.name.trim() || null,
        value_type: one.value_type,
        ...(one.value_type === "select" && { config: { select_options: one.options } }),
      })),
    };
    if (!saved) {
      create.mutate({ body: { feature: { ...feature, code: values.code.trim() } } as never }, refuse);
      return;
    }
    try {
      for (const { code } of gone)
        await drop.mutateAsync({ params: { path: { code: saved.code, privilege_code: code } } });
    } catch (fault) {
      setError(fault);
      return;
    }
    update.mutate({ params: { path: { code: saved.code } }, body: { feature } as never }, refuse);
  });
  return (
    <FormPage
      title={saved ? "Edit feature" : "New feature"}
      subject={saved && <span className="tag">{saved.name || saved.code}</span>}
      submit={saved ? "Save feature" : "Create feature"}
      onSubmit={submit}
      onCancel={() => void navigate({ to: saved ? paths.features.show(saved.code) : paths.features.list() })}
      isDirty={form.formState.isDirty}
      isBusy={create.isPending || update.isPending || drop.isPending}
      error={error}
      effect={
        gone.length > 0
          ? `${gone.map(({ name, code }) => name || code).join(", ")} will be taken from all plans and subscriptions.`
          : undefined
      }
    >
      <FormSection title="Feature">
        <FieldRow>
          <Field label="Name" error={errors.name?.message}>
            <TextInput autoFocus {...form.register("name", { required: "A name is needed." })} />
          </Field>
          <Field
            label="Code"
            hint={saved ? "Your app asks for it, so it stays." : "Your app asks for it."}
            error={errors.code?.message}
          >
            <TextInput
              disabled={Boolean(saved)}
              {...form.register("code", { required: "A code is needed." })}
            />
          </Field>
        </FieldRow>
        <DescriptionField form={form} />
      </FormSection>
      <FormSection title="Privileges" about="What a plan says of the feature: how many, how long, which.">
        {privileges.fields.map((field, index) => (
          <div className="card filter-fields" key={field.id}>
            <div className="row between">
              <b className="med">Privilege {index + 1}</b>
              <Button
                look="ghost"
                isIcon
                size="sm"
                aria-label={`Remove privilege ${index + 1}`}
                onClick={() => privileges.remove(index)}
              >
                <Trash2 className="i" aria-hidden="true" />
              </Button>
            </div>
            <FieldRow>
              <Field label="Name" error={errors.privileges?.[index]?.name?.message}>
                <TextInput
                  {...form.register(`privileges.${index}.name`, {
                    validate: (name, values) =>
                      Boolean(name.trim() || values.privileges[index]?.code.trim()) || "A name is needed.",
                  })}
                />
              </Field>
              <Field label="Code" isOptional error={errors.privileges?.[index]?.code?.message}>
                <TextInput
                  disabled={field.isKept}
                  placeholder={codeFrom(form.watch(`privileges.${index}.name`))}
                  {...form.register(`privileges.${index}.code`, {
                    validate: (_, values) => {
                      const codes = values.privileges.map((one) => one.code.trim() || codeFrom(one.name));
                      return codes.indexOf(codes[index]!) === index || "There is a privilege with this code.";
                    },
                  })}
                />
              </Field>
              <Controller
                control={form.control}
                name={`privileges.${index}.value_type`}
                render={({ field: type }) => (
                  <Field label="Value" hint={field.isKept ? "It stays as plans have it." : undefined}>
                    <Select
                      value={type.value}
                      options={TYPES}
                      isDisabled={field.isKept}
                      onChange={type.onChange}
                    />
                  </Field>
                )}
              />
            </FieldRow>
            {form.watch(`privileges.${index}.value_type`) === "select" && (
              <Controller
                control={form.control}
                name={`privileges.${index}.options`}
                rules={{ validate: (options) => options.length > 0 || "At least one is needed." }}
                render={({ field: options, fieldState }) => (
                  <Field label="One of" hint="Enter after each" error={fieldState.error?.message}>
                    <ChipsInput
                      values={options.value}
                      onChange={options.onChange}
                      placeholder="okta, google"
                    />
                  </Field>
                )}
              />
            )}
          </div>
        ))}
        <div>
          <Button
            size="sm"
            onClick={() =>
              privileges.append({ name: "", code: "", value_type: "integer", options: [], isKept: false })
            }
          >
            <Plus className="i" aria-hidden="true" />
            Add privilege
          </Button>
        </div>
      </FormSection>
    </FormPage>
  );
}
