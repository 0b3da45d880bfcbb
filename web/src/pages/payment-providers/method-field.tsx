/** What something is paid by, wherever that can be chosen (wallets-and-payments §11.2). */
import { type FieldPath, type FieldValues, type UseFormReturn, useController } from "react-hook-form";
import { Field, Select } from "@/ui/fields";
import { expiryOf, methodName, type Paid, type Reference, readPaid } from "./methods";
import { usePaymentMethods } from "./reads";

interface ChoiceProps {
  /** External id; empty as long as no customer is chosen. */
  customer: string;
  value: Paid;
  onChange: (value: Paid) => void;
  label?: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** What is said where nothing else is chosen, in place of the customer's default. */
  otherwise?: string;
  /** Whether it may be left to be paid by hand. */
  hasByHand?: boolean;
  isOptional?: boolean;
}

/** Where a top-up or a rule says nothing else. */
export const AS_THE_WALLET = "As the wallet’s purchases are";

/** The customer's default, one of their methods, or by hand. */
export function MethodChoice(props: ChoiceProps) {
  const { customer, value, onChange, label = "Paid by", hint, error, hasByHand = true, isOptional } = props;
  const found = usePaymentMethods(customer).data?.payment_methods;
  const usual = found?.find((one) => one.is_default);
  const otherwise =
    props.otherwise ?? (usual ? `The customer’s default, ${methodName(usual)}` : "The customer’s default");
  const options = [
    { value: "provider", label: otherwise },
    ...(found ?? []).map((one) => {
      const expiry = expiryOf(one);
      return {
        value: one.lago_id,
        label: methodName(one),
        detail: [one.payment_provider_name, expiry && `expires ${expiry}`].filter(Boolean).join(", "),
      };
    }),
    ...(hasByHand ? [{ value: "manual", label: "By hand: nothing is collected" }] : []),
  ];
  // A method that was forgotten, or that this member may not see, stays chosen until another is.
  if (!options.some((one) => one.value === value)) {
    options.push({ value, label: found ? "A method that is gone: nothing is collected" : "A chosen method" });
  }
  return (
    <Field label={label} hint={hint} error={error} isOptional={isOptional ?? false}>
      <Select value={value} options={options} onChange={onChange} />
    </Field>
  );
}

/** How it is paid, in words: a method of the customer's by its name where the member may see them. */
export function PaidBy({ by, customer }: { by: Reference; customer: string }) {
  const paid = readPaid(by);
  const methods = usePaymentMethods(customer).data?.payment_methods;
  if (paid === "manual") return "By hand";
  if (paid === "provider") return "The customer’s default";
  const method = methods?.find((one) => one.lago_id === paid);
  if (method) return methodName(method);
  return methods ? "A method that is gone: nothing is collected" : "A chosen method";
}

type FieldProps<Values extends FieldValues> = Omit<ChoiceProps, "value" | "onChange" | "error"> & {
  form: UseFormReturn<Values>;
  name: FieldPath<Values>;
};

/** The same as a field of a form, by its name there. */
export function MethodField<Values extends FieldValues>({ form, name, ...rest }: FieldProps<Values>) {
  const { field, fieldState } = useController({ control: form.control, name });
  return (
    <MethodChoice value={field.value} onChange={field.onChange} error={fieldState.error?.message} {...rest} />
  );
}
