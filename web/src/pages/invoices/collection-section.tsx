/** How a one-off invoice is collected: by a method of the customer's, or left to be paid (invoicing §10.1). */
import type { Schema } from "@/api/client";
import { findProvider } from "@/pages/payment-providers/kinds";
import { MethodChoice } from "@/pages/payment-providers/method-field";
import { type Paid, writePaid } from "@/pages/payment-providers/methods";
import { Switch } from "@/ui/fields";
import { FormSection } from "@/ui/form";

export interface Collection {
  paid: Paid;
  isSkipped: boolean;
}

export const COLLECTED: Collection = { paid: "provider", isSkipped: false };

export function writeCollection({ paid, isSkipped }: Collection) {
  if (isSkipped) return { skip_psp: true };
  return paid === "provider" ? {} : { payment_method: writePaid(paid) };
}

interface Props {
  customer: Pick<Schema<"ListedCustomerOutput">, "external_id" | "billing_configuration">;
  choice: Collection;
  onChange: (choice: Collection) => void;
  error?: string | undefined;
}

/** Nothing of it is asked of a customer from whom nothing is collected. */
export function CollectionSection({ customer, choice, onChange, error }: Props) {
  const provider = findProvider(customer.billing_configuration.payment_provider ?? "");
  if (!provider?.charges) return null;
  return (
    <FormSection title="Payment" about={`${provider.name} collects it once it is issued.`}>
      {!choice.isSkipped && (
        <MethodChoice
          customer={customer.external_id}
          value={choice.paid}
          onChange={(paid) => onChange({ ...choice, paid })}
          hasByHand={false}
          error={error}
        />
      )}
      <Switch
        label="Do not collect it"
        hint="It is issued and left to be paid by a link, by hand, or collected later."
        isOn={choice.isSkipped}
        onChange={(isSkipped) => onChange({ ...choice, isSkipped })}
      />
    </FormSection>
  );
}
