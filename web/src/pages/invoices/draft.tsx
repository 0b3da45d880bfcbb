/** Editing a draft: a fee told otherwise, one more fee, and either taken back. The server computes the draft anew each time. */
import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, RefreshCw, Undo2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { ask, read, type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { money, price, units } from "@/lib/money";
import { useSettled } from "@/lib/settled";
import { Banner, Button } from "@/ui/basics";
import { Field, MoneyInput, NumberInput, TextInput } from "@/ui/fields";
import { FieldRow } from "@/ui/form";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Drawer, FormButtons } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { decimalOf } from "./amounts";
import { type Faults, faultsOf } from "./faults";
import { type Fee, type Invoice, nameOfFee, TOUCHED } from "./model";

type Adjusted = Schema<"AdjustedFeeOutput">;

const ADJUSTABLE: readonly string[] = ["subscription", "charge", "fixed_charge"];

export interface FeeAdjusting {
  isPossible: boolean;
  isAdjusted: (fee: Fee) => boolean;
  actionsOf: (fee: Fee) => ReactNode;
  edited: Fee | null;
  close: () => void;
}

/** Whether the fees of an invoice can be told otherwise, and how each was. */
export function useFeeAdjusting(invoice: Invoice): FeeAdjusting {
  const can = useCan();
  const isPossible =
    invoice.status === "draft" && invoice.invoice_type === "subscription" && can("invoices:update");
  const { data } = useQuery({
    ...read("/api/v1/invoices/{lago_id}/adjusted_fees", { params: { path: { lago_id: invoice.lago_id } } }),
    enabled: isPossible,
  });
  const undo = useChange("delete", "/api/v1/invoices/{lago_id}/adjusted_fees/{adjusted_id}", {
    done: "Adjustment taken back",
    touches: TOUCHED,
  });
  const adjusted = data?.adjusted_fees ?? [];
  const ofFee = (fee: Fee) => adjusted.find((one) => isOf(one, fee));
  const isAdjustable = (fee: Fee) =>
    data !== undefined &&
    !ofFee(fee) &&
    ADJUSTABLE.includes(fee.item.type) &&
    !fee.lago_true_up_parent_fee_id;
  const [edited, setEdited] = useOpenedRow(
    "adjust-fee",
    invoice.fees.filter(isAdjustable),
    (fee) => fee.lago_id,
    isPossible,
  );
  return {
    isPossible,
    isAdjusted: (fee) => ofFee(fee) !== undefined,
    edited,
    close: () => setEdited(null),
    actionsOf: (fee) => {
      const found = ofFee(fee);
      return (
        <ActionMenu
          label={`Actions of ${nameOfFee(fee)}`}
          actions={[
            {
              label: "Adjust fee",
              icon: <Pencil className="i" aria-hidden="true" />,
              isShown: isAdjustable(fee),
              onSelect: () => setEdited(fee),
            },
            {
              label: "Take adjustment back",
              icon: <Undo2 className="i" aria-hidden="true" />,
              isShown: found !== undefined,
              onSelect: () =>
                undo.mutate({
                  params: { path: { lago_id: invoice.lago_id, adjusted_id: found!.lago_id } },
                }),
            },
          ]}
        />
      );
    },
  };
}

/** An adjustment is of what a fee is for, not of the fee: a draft that is computed anew has other fees. */
function isOf(adjusted: Adjusted, fee: Fee): boolean {
  return (
    adjusted.fee_type === fee.item.type &&
    adjusted.lago_subscription_id === fee.lago_subscription_id &&
    adjusted.lago_charge_id === fee.lago_charge_id &&
    adjusted.lago_charge_filter_id === fee.lago_charge_filter_id &&
    adjusted.lago_fixed_charge_id === fee.lago_fixed_charge_id &&
    JSON.stringify(adjusted.grouped_by ?? {}) === JSON.stringify(fee.item.grouped_by ?? {})
  );
}

/** What can be done with a draft's lines together, and the drawers. */
export function DraftTools({ invoice, adjusting }: { invoice: Invoice; adjusting: FeeAdjusting }) {
  const [isAdding, setAdding] = useOpened("add-fee", invoice.subscriptions.length > 0);
  const refresh = useChange("put", "/api/v1/invoices/{lago_id}/refresh", {
    done: "Draft refreshed",
    touches: TOUCHED,
  });
  return (
    <div className="draft-tools">
      {invoice.subscriptions.length > 0 && (
        <Button size="sm" onClick={() => setAdding(true)}>
          <Plus className="i" aria-hidden="true" />
          Add fee
        </Button>
      )}
      <Button
        size="sm"
        isBusy={refresh.isPending}
        onClick={() => refresh.mutate({ params: { path: { lago_id: invoice.lago_id } } })}
      >
        <RefreshCw className="i" aria-hidden="true" />
        Refresh
      </Button>
      {adjusting.edited && (
        <AdjustDrawer invoice={invoice} fee={adjusting.edited} onClose={adjusting.close} />
      )}
      {isAdding && <AddDrawer invoice={invoice} onClose={() => setAdding(false)} />}
    </div>
  );
}

interface Typed {
  units: string;
  price: string;
  name: string;
}

function problemsOf(typed: Typed): { units?: string; price?: string } {
  return {
    ...(typed.units.trim() && decimalOf(typed.units) === null && { units: "This is no number." }),
    ...(typed.price.trim() && decimalOf(typed.price) === null && { price: "This is no amount." }),
  };
}

function AdjustFields({
  typed,
  currency,
  refused,
  onChange,
}: {
  typed: Typed;
  currency: string;
  /** What the server refused of them. */
  refused: Faults;
  onChange: (change: Partial<Typed>) => void;
}) {
  const problems = problemsOf(typed);
  return (
    <>
      <FieldRow>
        <Field label="Units" error={problems.units ?? refused["0.units"]}>
          <NumberInput value={typed.units} onChange={(event) => onChange({ units: event.target.value })} />
        </Field>
        <Field
          label="Unit price"
          isOptional
          error={problems.price ?? refused["0.price"]}
          hint="Empty: the price of the plan."
        >
          <MoneyInput
            currency={currency}
            value={typed.price}
            onChange={(event) => onChange({ price: event.target.value })}
          />
        </Field>
      </FieldRow>
      <Field label="Name on the invoice" isOptional error={refused["0.name"]}>
        <TextInput value={typed.name} onChange={(event) => onChange({ name: event.target.value })} />
      </Field>
    </>
  );
}

interface PreviewProps {
  typed: Typed;
  invoice: Invoice;
  /** What is adjusted, and how; null while that is not known yet. */
  asked: Schema<"AdjustmentFields"> | null;
  before?: number;
}

/** What the server makes of the fee, told so: at the plan's price, or at another. */
function Preview({ typed, invoice, asked, before }: PreviewProps) {
  const { currency } = invoice;
  const body = useSettled(asked && JSON.stringify({ adjusted_fee: asked }));
  const count = decimalOf(typed.units);
  const each = decimalOf(typed.price);
  const preview = useQuery({
    ...ask("/app/v1/invoices/{lago_id}/adjusted_fees/preview", {
      params: { path: { lago_id: invoice.lago_id } },
      body: JSON.parse(body ?? "null"),
    }),
    enabled: body !== null && count !== null,
  });
  if (count === null || !asked) return null;
  const found = preview.error ? undefined : preview.data?.adjustment_preview.adjusted;
  return (
    <dl className="estimate well" aria-busy={preview.isFetching}>
      {before !== undefined && (
        <>
          <dt>Now</dt>
          <dd>{money(before, currency)}</dd>
        </>
      )}
      <dt>
        {each === null
          ? `${units(count)} units at the plan’s price`
          : `${units(count)} × ${price(each, currency)}`}
      </dt>
      <dd className="strong">
        {found ? money(found.amount_cents, currency) : <span className="dim">–</span>}
      </dd>
    </dl>
  );
}

function fieldsOf(typed: Typed): Schema<"AdjustmentFields"> {
  const count = decimalOf(typed.units);
  const each = decimalOf(typed.price);
  return {
    ...(count !== null && { units: count }),
    ...(each !== null && { unit_precise_amount: each }),
    ...(typed.name.trim() && { invoice_display_name: typed.name.trim() }),
  };
}

function AdjustDrawer({ invoice, fee, onClose }: { invoice: Invoice; fee: Fee; onClose: () => void }) {
  const start: Typed = { units: plain(fee.units), price: "", name: "" };
  const [typed, setTyped] = useState(start);
  const save = useChange("post", "/api/v1/invoices/{lago_id}/adjusted_fees", {
    done: "Fee adjusted",
    touches: TOUCHED,
    isQuiet: true,
    onDone: onClose,
  });
  const refused = faultsOf(save.error, true);
  const isDirty = JSON.stringify(typed) !== JSON.stringify(start);
  const isWrong = Object.keys(problemsOf(typed)).length > 0;
  const asked = { fee_id: fee.lago_id, ...fieldsOf(typed) };
  // Units that were left as they are say nothing; a price needs them.
  if (typed.units === start.units && asked.unit_precise_amount === undefined) delete asked.units;
  return (
    <Drawer
      title={`Adjust ${nameOfFee(fee)}`}
      isOpen
      onClose={onClose}
      isDirty={isDirty}
      footer={
        <FormButtons
          onCancel={onClose}
          isBusy={save.isPending}
          isDisabled={!isDirty || isWrong}
          onSave={() =>
            save.mutate({
              params: { path: { lago_id: invoice.lago_id } },
              body: { adjusted_fee: asked },
            })
          }
        >
          Adjust fee
        </FormButtons>
      }
    >
      {refused.rest !== null && <Banner look="bad">{explain(refused.rest)}</Banner>}
      <AdjustFields
        typed={typed}
        currency={invoice.currency}
        refused={refused.faults}
        onChange={(change) => setTyped({ ...typed, ...change })}
      />
      <Preview
        typed={typed}
        invoice={invoice}
        asked={isDirty && !isWrong ? asked : null}
        before={fee.amount_cents}
      />
      <p className="hint">Only this draft changes. The adjustment can be taken back until it is finalized.</p>
    </Drawer>
  );
}

/** A fee for what was not used: of a charge of one of the invoice's subscriptions. */
function AddDrawer({ invoice, onClose }: { invoice: Invoice; onClose: () => void }) {
  const [subscription, setSubscription] = useState(invoice.subscriptions[0]!);
  const [chosen, setChosen] = useState("");
  const [typed, setTyped] = useState<Typed>({ units: "", price: "", name: "" });
  const path = { path: { external_id: subscription.external_id } };
  const charges = useQuery({
    ...read("/api/v1/subscriptions/{external_id}/charges", { params: path }),
    placeholderData: undefined,
  });
  const fixed = useQuery({
    ...read("/api/v1/subscriptions/{external_id}/fixed_charges", { params: path }),
    placeholderData: undefined,
  });
  const save = useChange("post", "/api/v1/invoices/{lago_id}/adjusted_fees", {
    done: "Fee added",
    touches: TOUCHED,
    isQuiet: true,
    onDone: onClose,
  });
  const refused = faultsOf(save.error, true);
  const ofCharges = (charges.data?.charges ?? []).flatMap((charge) => {
    const name = charge.invoice_display_name || charge.billable_metric_code;
    const own = { value: `charge:${charge.lago_id}`, label: name, detail: charge.code };
    return [
      own,
      ...charge.filters.map((filter) => ({
        value: `charge:${charge.lago_id}:${filter.lago_id}`,
        label: `${name} · ${filter.invoice_display_name || Object.values(filter.values).flat().join(", ")}`,
        detail: charge.code,
      })),
    ];
  });
  const ofFixed = (fixed.data?.fixed_charges ?? []).map((charge) => ({
    value: `fixed:${charge.lago_id}`,
    label: charge.invoice_display_name || charge.code,
    detail: "Fixed charge",
  }));
  const count = decimalOf(typed.units);
  const [kind, id, filter] = chosen.split(":");
  const asked = {
    subscription_id: subscription.lago_id,
    ...(kind === "fixed" ? { fixed_charge_id: id! } : { charge_id: id! }),
    ...(filter && { charge_filter_id: filter }),
    ...fieldsOf(typed),
  };
  return (
    <Drawer
      title="Add fee"
      isOpen
      onClose={onClose}
      isDirty={Boolean(chosen || typed.units)}
      footer={
        <FormButtons
          onCancel={onClose}
          isBusy={save.isPending}
          isDisabled={!chosen || count === null || Object.keys(problemsOf(typed)).length > 0}
          onSave={() =>
            save.mutate({
              params: { path: { lago_id: invoice.lago_id } },
              body: { adjusted_fee: asked },
            })
          }
        >
          Add fee
        </FormButtons>
      }
    >
      {refused.rest !== null && <Banner look="bad">{explain(refused.rest)}</Banner>}
      {invoice.subscriptions.length > 1 && (
        <Field label="Subscription">
          <Picker
            label="Subscription"
            value={subscription.lago_id}
            choices={invoice.subscriptions.map((one) => ({
              value: one.lago_id,
              label: one.name || one.plan_code,
              detail: one.external_id,
            }))}
            onChange={(value) => {
              setSubscription(invoice.subscriptions.find((one) => one.lago_id === value)!);
              setChosen("");
            }}
          />
        </Field>
      )}
      <Field label="Charge" hint="One that has no fee on this draft yet.">
        <Picker
          label="Charge"
          value={chosen}
          isLoading={charges.isPending || fixed.isPending}
          choices={[...ofCharges, ...ofFixed]}
          onChange={setChosen}
        />
      </Field>
      <AdjustFields
        typed={typed}
        currency={invoice.currency}
        refused={refused.faults}
        onChange={(change) => setTyped({ ...typed, ...change })}
      />
      <Preview
        typed={typed}
        invoice={invoice}
        asked={chosen && Object.keys(problemsOf(typed)).length === 0 ? asked : null}
      />
    </Drawer>
  );
}

/** "51.0" of the wire as one types it. */
function plain(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
