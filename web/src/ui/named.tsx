/** Controls of a form by their names in it: what is chosen, and what is wrong with it. */
import type { ComponentProps, ReactNode } from "react";
import {
  type FieldPath,
  type FieldPathValue,
  type FieldValues,
  type RegisterOptions,
  type UseFormReturn,
  useController,
} from "react-hook-form";
import { Checkbox, Field, Select, Switch, TextArea } from "./fields";
import { Revealed } from "./form";
import { Picker } from "./picker";

interface Named<Values extends FieldValues, Name extends FieldPath<Values>> {
  form: UseFormReturn<Values>;
  name: Name;
  rules?: Omit<RegisterOptions<Values, Name>, "valueAsNumber" | "valueAsDate" | "setValueAs" | "disabled">;
  hint?: ReactNode;
  isOptional?: boolean;
}

type Control<Props, Own extends string = never> = Omit<Props, "value" | "onChange" | "label" | "hint" | Own>;

type Text<Values extends FieldValues, Name extends FieldPath<Values>> = FieldPathValue<Values, Name> & string;

/** One of a few. */
export function SelectField<Values extends FieldValues, Name extends FieldPath<Values>>({
  form,
  name,
  rules,
  label,
  hint,
  isOptional,
  ...select
}: Named<Values, Name> & { label: ReactNode } & Control<ComponentProps<typeof Select<Text<Values, Name>>>>) {
  const { field, fieldState } = useController({ control: form.control, name, rules });
  return (
    <Field label={label} hint={hint} isOptional={isOptional} error={fieldState.error?.message}>
      <Select value={field.value} onChange={field.onChange} {...select} />
    </Field>
  );
}

/** One of many, found by typing. */
export function PickerField<Values extends FieldValues, Name extends FieldPath<Values>>({
  form,
  name,
  rules,
  label,
  called,
  hint,
  isOptional,
  ...picker
}: Named<Values, Name> & {
  label: string;
  /** What the control is called, where that says more than the label. */
  called?: string;
} & Control<ComponentProps<typeof Picker>>) {
  const { field, fieldState } = useController({ control: form.control, name, rules });
  return (
    <Field label={label} hint={hint} isOptional={isOptional} error={fieldState.error?.message}>
      <Picker label={called ?? label} value={field.value} onChange={field.onChange} {...picker} />
    </Field>
  );
}

/** What somebody notes for themselves; it may be none. */
export function DescriptionField<Values extends FieldValues & { description: string }>({
  form,
  hint,
  isDisabled = false,
}: {
  form: UseFormReturn<Values>;
  hint?: ReactNode;
  isDisabled?: boolean;
}) {
  const { field, fieldState } = useController({
    control: form.control,
    name: "description" as FieldPath<Values>,
  });
  if (isDisabled && !field.value) return null;
  return (
    <Revealed verb="Add a description" isOpen={Boolean(field.value) || fieldState.invalid}>
      <Field label="Description" isOptional hint={hint} error={fieldState.error?.message}>
        <TextArea {...field} disabled={isDisabled} />
      </Field>
    </Revealed>
  );
}

/** On or off. */
export function SwitchField<Values extends FieldValues, Name extends FieldPath<Values>>({
  form,
  name,
  ...shown
}: Pick<Named<Values, Name>, "form" | "name"> & Omit<ComponentProps<typeof Switch>, "isOn" | "onChange">) {
  const { field } = useController({ control: form.control, name });
  return <Switch isOn={field.value} onChange={field.onChange} {...shown} />;
}

/** Some of a few: whether one of them is among those that are chosen. */
export function AmongField<Values extends FieldValues, Name extends FieldPath<Values>>({
  form,
  name,
  value,
  ...shown
}: Pick<Named<Values, Name>, "form" | "name"> & {
  value: string;
} & Omit<ComponentProps<typeof Checkbox>, "isOn" | "onChange">) {
  const { field } = useController({ control: form.control, name });
  const chosen: string[] = field.value;
  return (
    <Checkbox
      isOn={chosen.includes(value)}
      onChange={(isOn) => field.onChange(isOn ? [...chosen, value] : chosen.filter((one) => one !== value))}
      {...shown}
    />
  );
}
