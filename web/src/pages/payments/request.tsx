import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { day } from "@/lib/dates";
import { money } from "@/lib/money";
import { nameOf } from "@/pages/customers/list";
import "@/pages/invoices/invoices.css";
import { type ListedInvoice, TOUCHED } from "@/pages/invoices/model";
import { Money } from "@/ui/amounts";
import { Checkbox, ChipsInput, Field } from "@/ui/fields";
import { FormPage, FormSection } from "@/ui/form";
import { Empty, Loaded } from "@/ui/states";

/** Ask a customer for what is overdue, by one e-mail for all of it. */
export function RequestPayment() {
  const { customer } = useSearch({ strict: false }) as { customer?: string };
  const path = { external_customer_id: customer ?? "" };
  const query = { payment_overdue: "true", per_page: 100 };
  const overdue = useQuery({
    ...read("/api/v1/customers/{external_customer_id}/invoices", {
      params: { path, query: query as never },
    }),
    placeholderData: undefined,
  });
  return (
    <Loaded query={overdue} what="Customer">
      {({ invoices }) => <RequestForm customer={customer ?? ""} invoices={invoices} />}
    </Loaded>
  );
}

function RequestForm({ customer, invoices }: { customer: string; invoices: readonly ListedInvoice[] }) {
  const navigate = useNavigate();
  const first = invoices[0];
  const currencies = [...new Set(invoices.map((invoice) => invoice.currency))];
  const [currency] = currencies;
  // A request is in one currency.
  const offered = invoices.filter((invoice) => invoice.currency === currency);
  const [left, setLeft] = useState<readonly string[]>([]);
  const known = first?.customer.email?.split(",").map((one) => one.trim()) ?? [];
  const [emails, setEmails] = useState<string[]>(known);
  const chosen = offered.filter((invoice) => !left.includes(invoice.lago_id));
  const total = chosen.reduce((sum, invoice) => sum + BigInt(invoice.total_due_amount_cents), 0n);
  const back = () => navigate({ to: paths.customers.show(customer, "invoices") });
  const ask = useChange("post", "/api/v1/payment_requests", {
    done: "Payment requested",
    touches: [...TOUCHED, "/api/v1/payment_requests"],
    isQuiet: true,
    onDone: () => void back(),
  });
  const isDirty = left.length > 0 || emails.join() !== known.join();
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
        ask.mutate({
          body: {
            payment_request: {
              external_customer_id: customer,
              lago_invoice_ids: chosen.map((invoice) => invoice.lago_id),
              email: emails.join(","),
            },
          },
        });
      }}
      onCancel={() => void back()}
      isDirty={isDirty && !ask.isSuccess}
      isBusy={ask.isPending}
      error={ask.error}
      effect={`${chosen.length} ${chosen.length === 1 ? "invoice" : "invoices"} in one e-mail to ${emails.length} ${emails.length === 1 ? "address" : "addresses"}.`}
    >
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
        <Field label="To">
          <ChipsInput values={emails} onChange={setEmails} placeholder="name@example.com" />
        </Field>
      </FormSection>
    </FormPage>
  );
}
