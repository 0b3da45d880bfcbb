/** Have a payment provider collect again what is due, by whatever method is chosen (ui §3.3). */
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { money } from "@/lib/money";
import { nameOf } from "@/pages/customers/customer";
import { providerName } from "@/pages/payment-providers/kinds";
import { MethodChoice } from "@/pages/payment-providers/method-field";
import { writePaid } from "@/pages/payment-providers/methods";
import { usePaymentMethods } from "@/pages/payment-providers/reads";
import { Banner } from "@/ui/basics";
import { Bulk } from "@/ui/bulk";
import { Dialog, FormButtons } from "@/ui/overlays";
import { type ListedInvoice, TOUCHED } from "./model";

const OTHERWISE = "As is set for it, else the customer’s default";

/** Nothing is said where nothing is chosen: then it is as for the first attempt. */
const bodyOf = (paid: string) => (paid === "provider" ? null : { payment_method: writePaid(paid) });

export function CollectDialog({ invoice, onClose }: { invoice: ListedInvoice; onClose: () => void }) {
  const [paid, setPaid] = useState("provider");
  const collect = useChange("post", "/api/v1/invoices/{lago_id}/retry_payment", {
    done: "Collection started again",
    touches: TOUCHED,
    isSlow: true,
    isQuiet: true,
    onDone: onClose,
  });
  const provider = providerName(invoice.customer.billing_configuration.payment_provider ?? "");
  const due = money(invoice.total_due_amount_cents, invoice.currency);
  return (
    <Dialog
      title={`Collect ${invoice.number} again?`}
      isOpen
      onClose={onClose}
      footer={
        <FormButtons
          onCancel={onClose}
          isBusy={collect.isPending}
          onSave={() =>
            collect.mutate({ params: { path: { lago_id: invoice.lago_id } }, body: bodyOf(paid) })
          }
        >
          Collect {due}
        </FormButtons>
      }
    >
      {collect.error && <Banner look="bad">{explain(collect.error)}</Banner>}
      <p className="ink2">
        {provider} is asked for {due} of {nameOf(invoice.customer)}.
      </p>
      <MethodChoice
        customer={invoice.customer.external_id}
        value={paid}
        onChange={setPaid}
        otherwise={OTHERWISE}
        hasByHand={false}
      />
      <LacksMethod customer={invoice.customer} provider={provider} />
    </Dialog>
  );
}

interface LacksProps {
  customer: ListedInvoice["customer"];
  provider: string;
}

/** Whoever has left no method is not charged, and nobody is told: but for those who pay from a balance. */
function LacksMethod({ customer, provider }: LacksProps) {
  const methods = usePaymentMethods(customer.external_id).data?.payment_methods;
  const kinds = customer.billing_configuration.provider_payment_methods;
  if (methods?.length !== 0 || kinds?.includes("customer_balance")) return null;
  return (
    <Banner look="warn" icon={<TriangleAlert className="i" aria-hidden="true" />}>
      {nameOf(customer)} has left no payment method with {provider}: nothing is collected.
    </Banner>
  );
}

/** The same for all that are shown; a method can be chosen where they are of one customer. */
export function CollectAll({ invoices }: { invoices: readonly ListedInvoice[] }) {
  const [paid, setPaid] = useState("provider");
  const collect = useChange("post", "/api/v1/invoices/{lago_id}/retry_payment", {
    isQuiet: true,
    touches: [],
  });
  const [first, ...others] = new Set(invoices.map((invoice) => invoice.customer.external_id));
  const only = others.length === 0 ? first : undefined;
  return (
    <Bulk
      verb="Collect"
      noun="invoice"
      ids={invoices.map((invoice) => invoice.lago_id)}
      touches={TOUCHED}
      isSlow
      done={(count) => `Collection of ${count} started`}
      act={(id) =>
        collect.mutateAsync({
          params: { path: { lago_id: id } },
          body: only === undefined ? null : bodyOf(paid),
        })
      }
    >
      <p>Payment providers are asked once more for what is due.</p>
      {only === undefined ? (
        <p>Each invoice by the method that is set for it, else by its customer’s default.</p>
      ) : (
        <MethodChoice
          customer={only}
          value={paid}
          onChange={setPaid}
          otherwise={OTHERWISE}
          hasByHand={false}
        />
      )}
    </Bulk>
  );
}
