import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { Controller, useForm } from "react-hook-form";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useNow } from "@/app/session";
import { isoDay } from "@/lib/dates";
import { money, toCents, toDecimal } from "@/lib/money";
import { nameOf } from "@/pages/customers/list";
import { TOUCHED } from "@/pages/invoices/model";
import { DateInput, Field, MoneyInput, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, messageOf, placeErrors } from "@/ui/form";
import { Picker } from "@/ui/picker";
import { Loaded } from "@/ui/states";

type Invoice = Schema<"InvoiceListOutput">;

const LONGEST_REFERENCE = 40;

/** Record that money came for an invoice, which is asked for, or to be chosen: of all, or of a customer's. */
export function RecordPayment() {
  const { invoice: asked, customer } = useSearch({ strict: false }) as {
    invoice?: string;
    customer?: string;
  };
  const [term, setTerm] = useState("");
  const [chosen, setChosen] = useState(asked ?? "");
  const path = { path: { lago_id: chosen } };
  const query = useQuery({
    ...read("/api/v1/invoices/{lago_id}", { params: path }),
    enabled: chosen !== "",
    placeholderData: undefined,
  });
  const open = {
    status: "finalized",
    "payment_statuses[]": ["pending", "failed"],
    ...(term && { search_term: term }),
    ...(customer && { external_customer_id: customer }),
  };
  const found = useQuery({
    ...read("/api/v1/invoices", { params: { query: open as never } }),
    enabled: asked === undefined,
  });
  const picker = asked === undefined && (
    <Field label="Invoice" hint="Finalized and not paid in full.">
      <Picker
        label="Invoice"
        value={chosen}
        {...(query.data && { shown: query.data.invoice.number })}
        isLoading={found.isPending}
        read={found}
        onSearch={setTerm}
        onChange={setChosen}
        choices={(found.data?.invoices ?? [])
          .filter((one) => one.total_due_amount_cents > 0)
          .map((one) => ({
            value: one.lago_id,
            label: one.number,
            detail: `${nameOf(one.customer)}, ${money(one.total_due_amount_cents, one.currency)} due`,
          }))}
      />
    </Field>
  );
  if (chosen === "") return <PaymentForm invoice={null} customer={customer} picker={picker} />;
  return (
    <Loaded query={query} what="Invoice">
      {({ invoice }) => (
        <PaymentForm key={invoice.lago_id} invoice={invoice} customer={customer} picker={picker} />
      )}
    </Loaded>
  );
}

interface Values {
  amount_cents: string;
  paid_at: string;
  reference: string;
}

interface FormProps {
  invoice: Invoice | null;
  /** Whose invoices there are to choose from, where it is one customer's. */
  customer: string | undefined;
  picker: React.ReactNode;
}

function PaymentForm({ invoice, customer, picker }: FormProps) {
  const navigate = useNavigate();
  const now = useNow();
  const currency = invoice?.currency ?? "EUR";
  const due = invoice?.total_due_amount_cents ?? 0;
  const zone = invoice?.customer.applicable_timezone;
  const form = useForm<Values>({
    mode: "onTouched",
    defaultValues: {
      amount_cents: invoice ? toDecimal(due, currency) : "",
      paid_at: isoDay(new Date(now).toISOString(), zone),
      reference: "",
    },
  });
  const [error, setError] = useState<unknown>(null);
  const back = () =>
    navigate({
      to: invoice
        ? paths.invoices.show(invoice.customer.external_id, invoice.lago_id)
        : customer
          ? paths.customers.show(customer, "payments")
          : paths.payments.list(),
    });
  const save = useChange("post", "/api/v1/payments", {
    done: "Payment recorded",
    touches: TOUCHED,
    isQuiet: true,
  });
  const { errors, isDirty } = form.formState;
  const cents = toCents(form.watch("amount_cents"), currency);
  const left = cents === null ? null : due - cents;
  const submit = form.handleSubmit(async (values) => {
    setError(null);
    try {
      await save.mutateAsync({
        body: {
          payment: {
            invoice_id: invoice?.lago_id,
            amount_cents: toCents(values.amount_cents, currency),
            paid_at: values.paid_at,
            reference: values.reference.trim(),
          },
        },
      });
      form.reset(values);
      await back();
    } catch (refused) {
      setError(placeErrors(form, refused));
    }
  });
  const checkAmount = (typed: string) => {
    const amount = toCents(typed, currency);
    if (amount === null || amount <= 0) return `This is no amount of ${currency}.`;
    return amount <= due || `At most ${money(due, currency)} are due.`;
  };
  return (
    <FormPage
      title="Record payment"
      subject={invoice && <span className="tag id">{invoice.number}</span>}
      submit="Record payment"
      onSubmit={submit}
      onCancel={() => void back()}
      isDirty={isDirty && !form.formState.isSubmitSuccessful}
      isBusy={save.isPending}
      error={error}
      effect={
        invoice &&
        left !== null &&
        left >= 0 &&
        (left === 0
          ? `${invoice.number} is paid in full with it.`
          : `${money(left, currency)} of ${invoice.number} stay due.`)
      }
    >
      <FormSection
        title="Payment"
        about={
          invoice
            ? `${nameOf(invoice.customer)} owes ${money(due, currency)} for ${invoice.number}.`
            : "For which invoice did money come?"
        }
      >
        {picker}
        {invoice && (
          <>
            <FieldRow>
              <Controller
                control={form.control}
                name="amount_cents"
                rules={{ validate: checkAmount }}
                render={({ field: { ref, ...field } }) => (
                  <Field label="Amount" error={messageOf(errors, "amount_cents")}>
                    <MoneyInput currency={currency} {...field} />
                  </Field>
                )}
              />
              <Field label="Received on" error={messageOf(errors, "paid_at")}>
                <DateInput {...form.register("paid_at", { required: "This is needed." })} />
              </Field>
            </FieldRow>
            <Field
              label="Reference"
              error={messageOf(errors, "reference")}
              hint="What the bank’s statement says: up to 40 characters."
            >
              <TextInput
                maxLength={LONGEST_REFERENCE}
                {...form.register("reference", { required: "This is needed." })}
              />
            </Field>
            <p className="hint">A recorded payment can’t be changed or taken back.</p>
          </>
        )}
      </FormSection>
    </FormPage>
  );
}
