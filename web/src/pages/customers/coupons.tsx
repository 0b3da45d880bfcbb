import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { money, percent, toCents, toDecimal } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Day } from "@/ui/amounts";
import { Banner, Button, Section } from "@/ui/basics";
import { Field, MoneyInput, NumberInput, Select } from "@/ui/fields";
import { placeErrors } from "@/ui/form";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { Confirm, Dialog, FormButtons } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Status } from "@/ui/status";
import { Table } from "@/ui/table";
import { type Customer, nameOf } from "./customer";
import type { TabProps } from "./page";

type Applied = Schema<"ListedAppliedCouponOutput">;
type Coupon = Schema<"CouponOutput">;

export function Coupons({ customer, reads }: TabProps) {
  const can = useCan();
  const [isApplying, setApplying] = useOpened("new-coupon", can("coupons:attach"));
  const [removed, setRemoved] = useOpenedRow(
    "remove-coupon",
    reads.coupons.data?.applied_coupons.filter((one) => one.status === "active"),
    (one) => one.lago_id,
    can("coupons:detach"),
  );
  const apply = can("coupons:attach") && (
    <Button size="sm" onClick={() => setApplying(true)}>
      <Plus className="i" aria-hidden="true" />
      Apply coupon
    </Button>
  );
  return (
    <div className="tab-body">
      <Section title="Coupons" actions={apply}>
        <Loaded query={reads.coupons} what="Coupons" skeleton={<Skeleton width="60%" />}>
          {({ applied_coupons }) =>
            applied_coupons.length === 0 ? (
              <Empty title="No coupon applied">
                A coupon takes an amount or a share off the next invoices.
              </Empty>
            ) : (
              <Table
                label="Coupons"
                isTall
                rows={applied_coupons}
                keyOf={(one) => one.lago_id}
                columns={[
                  {
                    head: "Coupon",
                    fold: "f1",
                    cell: (one) => (
                      <>
                        <b className="med">{one.coupon_name}</b>
                        <span className="sub id">{one.coupon_code}</span>
                      </>
                    ),
                  },
                  { head: "Status", fold: "f4", cell: (one) => <Status status={one.status} /> },
                  { head: "Takes off", fold: "f2", cell: offWords },
                  { head: "How often", fold: "f3", cell: oftenWords },
                  {
                    head: "Applied",
                    isLow: true,
                    cell: (one) => <Day value={one.created_at} zone={customer.applicable_timezone} />,
                  },
                ]}
                actions={(one) =>
                  one.status === "active" &&
                  can("coupons:detach") && (
                    <button
                      type="button"
                      className="more"
                      aria-label={`Remove coupon ${one.coupon_name}`}
                      onClick={() => setRemoved(one)}
                    >
                      <X className="i" aria-hidden="true" />
                    </button>
                  )
                }
              />
            )
          }
        </Loaded>
      </Section>
      {isApplying && <ApplyCoupon customer={customer} onClose={() => setApplying(false)} />}
      {removed && <RemoveCoupon customer={customer} applied={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

function offWords(one: Applied): string {
  if (one.percentage_rate !== null) return percent(one.percentage_rate);
  if (one.amount_cents === null || one.amount_currency === null) return "–";
  const left = one.amount_cents_remaining;
  const whole = money(one.amount_cents, one.amount_currency);
  return left !== null && left !== one.amount_cents
    ? `${money(left, one.amount_currency)} of ${whole} left`
    : whole;
}

function oftenWords(one: Applied): string {
  if (one.frequency === "once") return "Once";
  if (one.frequency === "forever") return "Every invoice";
  const left = one.frequency_duration_remaining ?? one.frequency_duration ?? 0;
  return `${left} of ${one.frequency_duration ?? 0} periods left`;
}

function RemoveCoupon({
  customer,
  applied,
  onClose,
}: {
  customer: Customer;
  applied: Applied;
  onClose: () => void;
}) {
  const remove = useChange("delete", "/api/v1/customers/{external_id}/applied_coupons/{lago_id}", {
    done: "Coupon removed",
    onDone: onClose,
  });
  return (
    <Confirm
      title={`Remove the coupon “${applied.coupon_name}” from ${nameOf(customer)}?`}
      verb="Remove coupon"
      isOpen
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() =>
        remove.mutate({
          params: { path: { external_id: customer.external_id, lago_id: applied.lago_id } },
        })
      }
    >
      <p>
        {offWords(applied)} will not be taken off the next invoices any more. It has been taken off{" "}
        {countWords(applied.credits.length, "invoice")}, which stay as they are.
      </p>
    </Confirm>
  );
}

interface Values {
  coupon_code: string;
  amount: string;
  percentage_rate: string;
  frequency: string;
  frequency_duration: string;
}

/** Apply a coupon as it is, or with another amount, rate or frequency for this customer. */
export function ApplyCoupon({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const [error, setError] = useState<unknown>(null);
  const coupons = useQuery(read("/api/v1/coupons", { params: { query: WHOLE } }));
  const active = coupons.data?.coupons.filter((one) => !one.terminated_at) ?? [];
  const form = useForm<Values>({
    defaultValues: {
      coupon_code: "",
      amount: "",
      percentage_rate: "",
      frequency: "once",
      frequency_duration: "",
    },
  });
  const values = form.watch();
  const chosen = active.find((one) => one.code === values.coupon_code);
  const apply = useChange("post", "/api/v1/applied_coupons", {
    done: "Coupon applied",
    isQuiet: true,
    onDone: onClose,
  });
  const choose = (coupon: Coupon) =>
    form.reset({
      coupon_code: coupon.code,
      amount:
        coupon.amount_cents !== null && coupon.amount_currency
          ? toDecimal(coupon.amount_cents, coupon.amount_currency)
          : "",
      percentage_rate: coupon.percentage_rate === null ? "" : String(coupon.percentage_rate),
      frequency: coupon.frequency,
      frequency_duration: coupon.frequency_duration === null ? "" : String(coupon.frequency_duration),
    });
  const submit = form.handleSubmit((entered) => {
    if (!chosen) {
      form.setError("coupon_code", { message: "Choose a coupon." });
      return;
    }
    setError(null);
    const currency = chosen.amount_currency ?? "";
    const cents = chosen.coupon_type === "fixed_amount" ? toCents(entered.amount, currency) : null;
    if (chosen.coupon_type === "fixed_amount" && cents === null) {
      form.setError("amount", { message: "This is no amount." });
      return;
    }
    apply.mutate(
      {
        body: {
          applied_coupon: {
            external_customer_id: customer.external_id,
            coupon_code: chosen.code,
            frequency: entered.frequency,
            ...(entered.frequency === "recurring" && {
              frequency_duration: Number(entered.frequency_duration),
            }),
            ...(cents !== null && { amount_cents: cents, amount_currency: currency }),
            ...(chosen.coupon_type === "percentage" && { percentage_rate: entered.percentage_rate }),
          },
        },
      },
      { onError: (fault) => setError(placeErrors(form, fault, { amount_cents: "amount" })) },
    );
  });
  const { errors } = form.formState;
  const differs =
    chosen?.amount_currency && customer.currency && chosen.amount_currency !== customer.currency;
  return (
    <Dialog
      title={`Apply a coupon to ${nameOf(customer)}`}
      isOpen
      onClose={onClose}
      isDirty={form.formState.isDirty}
      footer={
        <FormButtons onCancel={onClose} isBusy={apply.isPending} onSave={() => void submit()}>
          Apply coupon
        </FormButtons>
      }
    >
      <form className="form-fields" onSubmit={submit}>
        {error !== null && error !== undefined && <Banner look="bad">{explain(error)}</Banner>}
        <Field label="Coupon" error={errors.coupon_code?.message}>
          <Picker
            label="Coupon"
            value={values.coupon_code}
            isLoading={coupons.isLoading}
            read={coupons}
            choices={active.map((one) => ({ value: one.code, label: one.name, detail: one.code }))}
            onChange={(code) => {
              const found = active.find((one) => one.code === code);
              if (found) choose(found);
            }}
          />
        </Field>
        {differs && (
          <Banner look="warn">
            The coupon is in {chosen.amount_currency}, the customer is billed in {customer.currency}.
          </Banner>
        )}
        {chosen?.coupon_type === "fixed_amount" && (
          <Field label="Amount" error={errors.amount?.message}>
            <MoneyInput currency={chosen.amount_currency ?? "USD"} {...form.register("amount")} />
          </Field>
        )}
        {chosen?.coupon_type === "percentage" && (
          <Field label="Rate" error={errors.percentage_rate?.message}>
            <NumberInput after="%" {...form.register("percentage_rate")} />
          </Field>
        )}
        {chosen && (
          <Field label="How often">
            <Select
              value={values.frequency}
              options={[
                { value: "once", label: "Once" },
                { value: "recurring", label: "For some periods" },
                { value: "forever", label: "Every invoice" },
              ]}
              onChange={(frequency) => form.setValue("frequency", frequency, { shouldDirty: true })}
            />
          </Field>
        )}
        {chosen && values.frequency === "recurring" && (
          <Field label="Periods" error={errors.frequency_duration?.message}>
            <NumberInput inputMode="numeric" {...form.register("frequency_duration")} />
          </Field>
        )}
      </form>
    </Dialog>
  );
}
