/** What is said of a subscription wherever it is made, changed or put on another plan: its name, who bills it and under which order. */
import { type FieldPath, type UseFormReturn, useController } from "react-hook-form";
import { useEntities } from "@/pages/customers/reads";
import { Field, Select, TextInput } from "@/ui/fields";

export interface Particulars {
  name: string;
  billing_entity_code: string;
  purchase_order_number: string;
}

interface Props<Values extends Particulars> {
  form: UseFormReturn<Values>;
}

export function NameField<Values extends Particulars>({ form }: Props<Values>) {
  const { field, fieldState } = useController({ control: form.control, name: "name" as FieldPath<Values> });
  return (
    <Field
      label="Name"
      isOptional
      hint="In place of the plan's, also on invoices."
      error={fieldState.error?.message}
    >
      <TextInput {...field} />
    </Field>
  );
}

/** Who bills it, where there are several who could; and the number of the customer's order. */
export function IssuingFields<Values extends Particulars>({
  form,
  inherited = "",
}: Props<Values> & {
  /** The code of who bills it as long as nobody is chosen. */
  inherited?: string | undefined;
}) {
  const entities = useEntities().data?.billing_entities ?? [];
  const { control } = form;
  const issuer = useController({ control, name: "billing_entity_code" as FieldPath<Values> });
  const order = useController({ control, name: "purchase_order_number" as FieldPath<Values> });
  return (
    <>
      {entities.length > 1 && (
        <Field label="Billed by" error={issuer.fieldState.error?.message}>
          <Select
            value={issuer.field.value || inherited}
            options={entities.map((one) => ({ value: one.code, label: one.name }))}
            onChange={issuer.field.onChange}
          />
        </Field>
      )}
      <Field label="PO number" isOptional error={order.fieldState.error?.message}>
        <TextInput {...order.field} />
      </Field>
    </>
  );
}

/** Who bills it and under which order, as the wire takes them: what has been changed. */
export function writeIssuing(
  entered: Particulars,
  changed: { [Name in keyof Particulars]?: boolean | undefined },
) {
  return {
    ...(changed.billing_entity_code && { billing_entity_code: entered.billing_entity_code }),
    ...(changed.purchase_order_number && {
      purchase_order_number: entered.purchase_order_number.trim() || null,
    }),
  };
}
