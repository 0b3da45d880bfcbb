import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { useState } from "react";
import { ask, read, useChange, WHOLE } from "@/api/client";
import { explainRead } from "@/api/errors";
import { Letter } from "@/app/email-preview";
import { paths } from "@/app/paths";
import { day } from "@/lib/dates";
import { money } from "@/lib/money";
import { useSettled } from "@/lib/settled";
import { countWords } from "@/lib/words";
import { nameOf } from "@/pages/customers/list";
import "@/pages/invoices/invoices.css";
import { type ListedInvoice, TOUCHED } from "@/pages/invoices/model";
import { findProvider } from "@/pages/payment-providers/kinds";
import { MethodChoice } from "@/pages/payment-providers/method-field";
import { writePaid } from "@/pages/payment-providers/methods";
import { usePaymentMethods } from "@/pages/payment-providers/reads";
import { Money } from "@/ui/amounts";
import { Banner } from "@/ui/basics";
import { Checkbox, ChipsInput, Field } from "@/ui/fields";
import { FormPage, FormSection } from "@/ui/form";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { changesSince } from "./changes";

/** Ask a customer for what is overdue, by one e-mail for all of it. */
export function RequestPayment() {
  const { customer } = useSearch({ strict: false }) as { customer?: string };
  const overdue = useQuery({ ...overdueRead(customer ?? ""), placeholderData: undefined });
  usePaymentMethods(customer ?? ""); // with them, so that it needs no request of its own
  return (
    <Loaded query={overdue} what="Customer">
      {({ invoices }) => <RequestForm customer={customer ?? ""} invoices={invoices} />}
    </Loaded>
  );
}

const overdueRead = (customer: string) =>
  read("/api/v1/customers/{external_customer_id}/invoices", {
    params: {
      path: { external_customer_id: customer },
      query: { payment_overdue: "true", ...WHOLE } as never,
    },
  });

function RequestForm({ customer, invoices }: { customer: string; invoices: readonly ListedInvoice[] }) {
  const navigate = useNavigate();
  const first = invoices[0];
  const currencies = [...new Set(invoices.map((invoice) => invoice.currency))];
  const [currency] = currencies;
  // A request is in one currency.
  const offered = invoices.filter((invoice) => invoice.currency === currency);
  const [paid, setPaid] = useState("provider");
  const [left, setLeft] = useState<readonly string[]>([]);
  const known = first?.customer.email?.split(",").map((one) => one.trim()) ?? [];
  const [emails, setEmails] = useState<string[]>(known);
  const chosen = offered.filter((invoice) => !left.includes(invoice.lago_id));
  const total = chosen.reduce((sum, invoice) => sum + BigInt(invoice.total_due_amount_cents), 0n);
  const back = () => navigate({ to: paths.customers.show(customer, "invoices") });
  const queries = useQueryClient();
  const [changes, setChanges] = useState<readonly string[]>([]);
  const [isLooking, setLooking] = useState(false);
  const payment_request = {
    external_customer_id: customer,
    lago_invoice_ids: chosen.map((invoice) => invoice.lago_id),
    email: emails.join(","),
    ...(paid !== "provider" && { payment_method: writePaid(paid) }),
  };
  const request = useChange("post", "/api/v1/payment_requests", {
    done: "Payment requested",
    touches: [...TOUCHED, "/api/v1/payment_requests"],
    isSlow: true,
    isQuiet: true,
    onDone: () => void back(),
  });
  /** What became of the invoices since they were shown is told first: nobody asks for an amount that they have not seen. */
  const look = async () => {
    const now = await queries.fetchQuery({ ...overdueRead(customer), staleTime: 0 });
    const found = changesSince(chosen, now.invoices);
    setChanges(found);
    return found.length > 0;
  };
  const submit = async () => {
    setLooking(true);
    try {
      if (await look()) return;
    } finally {
      setLooking(false);
    }
    request.mutate({ body: { payment_request } }, { onError: () => void look() });
  };
  const provider = findProvider(first?.customer.billing_configuration.payment_provider ?? "");
  const isDirty = left.length > 0 || paid !== "provider" || emails.join() !== known.join();
  if (!first || !currency) {
    return (
      <Empty title="Nothing is overdue">This customer has paid everything that was due up to today.</Empty>
    );
  }
  return (
    <FormPage
      title="Request overdue payment"
      subject={<span className="tag">{nameOf(first.customer)}</span>}
      submit={`Request ${money(total, currency)}`}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
      onCancel={() => void back()}
      isDirty={isDirty && !request.isSuccess}
      isBusy={request.isPending || isLooking}
      error={changes.length > 0 ? null : request.error}
      aside={<Preview payment_request={payment_request} isMade={request.isPending || request.isSuccess} />}
      effect={
        provider?.charges
          ? `${provider.name} is asked for ${countWords(chosen.length, "invoice")} at once; an e-mail to ${countWords(emails.length, "address")} follows where it is not paid.`
          : `${countWords(chosen.length, "invoice")} in one e-mail to ${countWords(emails.length, "address")}.`
      }
    >
      {changes.length > 0 && (
        <Banner look="warn" icon={<TriangleAlert className="i" aria-hidden="true" />}>
          <p>
            Some invoices have changed meanwhile; they are shown as they are now, and nothing has been sent.
          </p>
          <ul>
            {changes.map((one) => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </Banner>
      )}
      <FormSection
        title="Overdue invoices"
        about={
          currencies.length > 1 ? `Those in ${currency}; a request is in one currency.` : "What is asked for."
        }
      >
        <div className="credit-items">
          {offered.map((invoice) => (
            <div className="credit-item" key={invoice.lago_id}>
              <Checkbox
                label={invoice.number}
                hint={`due ${day(invoice.payment_due_date)}`}
                isOn={!left.includes(invoice.lago_id)}
                onChange={(isOn) =>
                  setLeft(isOn ? left.filter((id) => id !== invoice.lago_id) : [...left, invoice.lago_id])
                }
              />
              <span className="right">
                <Money cents={invoice.total_due_amount_cents} currency={currency} />
              </span>
            </div>
          ))}
        </div>
      </FormSection>
      <FormSection
        title="E-mail"
        about="It names the invoices, the amount and how to pay, in the customer’s language."
      >
        {provider?.charges && (
          <MethodChoice customer={customer} value={paid} onChange={setPaid} label="Collected by" isOptional />
        )}
        <Field label="To">
          <ChipsInput values={emails} onChange={setEmails} placeholder="name@example.com" />
        </Field>
      </FormSection>
    </FormPage>
  );
}

interface PreviewProps {
  payment_request: { external_customer_id: string; lago_invoice_ids: string[]; email: string };
  /** Once it is made, there is nothing to imagine. */
  isMade: boolean;
}

/** The e-mail as the customer would read it. */
function Preview({ payment_request, isMade }: PreviewProps) {
  const body = useSettled(JSON.stringify({ payment_request }));
  const hasInvoices = payment_request.lago_invoice_ids.length > 0;
  const preview = useQuery({
    ...ask("/app/v1/email_previews/payment_requests", { body: JSON.parse(body) }),
    enabled: hasInvoices && !isMade,
  });
  return (
    <>
      <h2>The e-mail</h2>
      {!hasInvoices ? (
        <p className="dim">Choose an invoice to see what is sent.</p>
      ) : preview.error ? (
        <p className="dim">{explainRead(preview.error)}</p>
      ) : preview.data ? (
        <Letter preview={preview.data.email_preview} isNarrow />
      ) : (
        <Skeleton width="60%" />
      )}
    </>
  );
}
