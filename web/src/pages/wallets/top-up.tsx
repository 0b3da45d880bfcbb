import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { compare, exact, ZERO } from "@/lib/exact";
import { money, price, units } from "@/lib/money";
import type { Wallet } from "@/pages/customers/customer";
import { areWhole, type KeyValueRow, KeyValueRows, pairsOf } from "@/pages/invoices/key-values";
import { AS_THE_WALLET, MethodChoice } from "@/pages/payment-providers/method-field";
import { writePaid } from "@/pages/payment-providers/methods";
import { usePaymentMethods } from "@/pages/payment-providers/reads";
import { Banner, Facts } from "@/ui/basics";
import { Field, NumberInput, Switch, TextInput } from "@/ui/fields";
import { FieldRow, FormPage, FormSection, placeErrors } from "@/ui/form";
import { useTitle } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { NOTES, NOTES_LACK, priceOfCredits, readCredits } from "./credits";
import { useWallet } from "./page";

export function TopUp() {
  const { id } = useParams({ strict: false }) as { id: string };
  const { customer } = useSearch({ strict: false }) as { customer?: string };
  usePaymentMethods(String(customer ?? "")); // with the wallet, so that it needs no request of its own
  return (
    <Loaded query={useWallet(id)} what="Wallet">
      {({ wallet }) => <Editor wallet={wallet} />}
    </Loaded>
  );
}

interface Values {
  paid_credits: string;
  granted_credits: string;
  name: string;
  priority: string;
  purchase_order_number: string;
}

function Editor({ wallet }: { wallet: Wallet }) {
  const navigate = useNavigate();
  const [error, setError] = useState<unknown>(null);
  const [paidBy, setPaidBy] = useState("provider");
  const [whenPaid, setWhenPaid] = useState(wallet.invoice_requires_successful_payment);
  const [skipsLimits, setSkipsLimits] = useState(false);
  const [notes, setNotes] = useState<KeyValueRow[]>([]);
  const form = useForm<Values>({
    mode: "onTouched",
    defaultValues: {
      paid_credits: "",
      granted_credits: "",
      name: "",
      priority: "",
      purchase_order_number: "",
    },
  });
  useTitle(`Top up ${wallet.name || wallet.code}`);
  const values = form.watch();
  const paid = readCredits(values.paid_credits);
  const granted = readCredits(values.granted_credits);
  const { currency } = wallet;
  const hasPaid = Boolean(paid) && compare(exact(paid!), ZERO) > 0;
  const back = paths.wallets.show(wallet.external_customer_id, wallet.lago_id);
  const change = useChange("post", "/api/v1/wallet_transactions", {
    done: "Wallet topped up",
    isQuiet: true,
    onDone: () => {
      form.reset(form.getValues());
      void navigate({ to: back, ignoreBlocker: true });
    },
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit((entered) => {
    setError(null);
    if (!areWhole(notes)) {
      setError(NOTES_LACK);
      return;
    }
    if (!paid && !granted) {
      form.setError("paid_credits", { message: "Enter a number of credits." });
      return;
    }
    change.mutate(
      {
        body: {
          wallet_transaction: {
            wallet_id: wallet.lago_id,
            ...(paid && { paid_credits: paid }),
            ...(granted && { granted_credits: granted }),
            ...(entered.name.trim() && { name: entered.name.trim() }),
            ...(entered.priority.trim() && { priority: Number(entered.priority) }),
            ...(entered.purchase_order_number.trim() && {
              purchase_order_number: entered.purchase_order_number.trim(),
            }),
            ...(notes.length > 0 && { metadata: pairsOf(notes) }),
            invoice_requires_successful_payment: whenPaid,
            ...(paidBy !== "provider" && { payment_method: writePaid(paidBy) }),
            ...(skipsLimits && { ignore_paid_top_up_limits: true }),
          },
        },
      },
      { onError: (fault) => setError(placeErrors(form, fault)) },
    );
  });
  const { paid_top_up_min_amount_cents: least, paid_top_up_max_amount_cents: most } = wallet;
  const isCredits = (typed: string) => readCredits(typed) !== null || "This is no number of credits.";
  return (
    <FormPage
      title="Top up"
      subject={<span className="tag">{wallet.name || wallet.code}</span>}
      submit={
        hasPaid ? `Bill ${price(priceOfCredits(paid!, wallet.rate_amount), currency)}` : "Grant credits"
      }
      onSubmit={submit}
      onCancel={() => void navigate({ to: back })}
      isDirty={form.formState.isDirty || (notes.length > 0 && !change.isSuccess)}
      isBusy={change.isPending}
      error={error}
      effect={
        hasPaid
          ? "An invoice is made, and tax comes on top as it applies; the credits count once it is paid."
          : "Granted credits count at once."
      }
    >
      <FormSection
        title="Credits"
        about={`${price(wallet.rate_amount, currency)} each; the balance is ${units(wallet.credits_balance)}.`}
      >
        <FieldRow>
          <Field label="To be paid" isOptional error={errors.paid_credits?.message}>
            <NumberInput
              autoFocus
              after="credits"
              {...form.register("paid_credits", { validate: isCredits })}
            />
          </Field>
          <Field label="Free" isOptional error={errors.granted_credits?.message}>
            <NumberInput after="credits" {...form.register("granted_credits", { validate: isCredits })} />
          </Field>
        </FieldRow>
        <div className="well">
          <Facts
            facts={[
              ["To be paid", price(priceOfCredits(paid || "0", wallet.rate_amount), currency)],
              ["Worth of the free ones", price(priceOfCredits(granted || "0", wallet.rate_amount), currency)],
            ]}
          />
        </div>
        {(least !== null || most !== null) && (
          <>
            <Banner>
              A purchase is {least !== null && `at least ${money(least, currency)}`}
              {least !== null && most !== null && " and "}
              {most !== null && `at most ${money(most, currency)}`}.
            </Banner>
            <Switch label="This time without limits" isOn={skipsLimits} onChange={setSkipsLimits} />
          </>
        )}
      </FormSection>
      <FormSection title="Invoice">
        <Switch label="Issue the invoice only when it is paid" isOn={whenPaid} onChange={setWhenPaid} />
        <MethodChoice
          customer={wallet.external_customer_id}
          value={paidBy}
          onChange={setPaidBy}
          otherwise={AS_THE_WALLET}
        />
        <Field label="Name" isOptional hint="Stands on the invoice." error={errors.name?.message}>
          <TextInput {...form.register("name")} />
        </Field>
        <FieldRow>
          <Field
            label="Priority"
            isOptional
            hint="1 to 50; lower ones are used first. 50 if empty."
            error={errors.priority?.message}
          >
            <NumberInput
              inputMode="numeric"
              {...form.register("priority", {
                pattern: { value: /^\d*$/, message: "This is no whole number." },
              })}
            />
          </Field>
          <Field label="PO number" isOptional error={errors.purchase_order_number?.message}>
            <TextInput {...form.register("purchase_order_number")} />
          </Field>
        </FieldRow>
      </FormSection>
      <FormSection title="Metadata" about="Keys and values of your own, as the API has them.">
        <KeyValueRows rows={notes} {...NOTES} onChange={setNotes} />
      </FormSection>
    </FormPage>
  );
}
