/** Progressive billing: amounts of usage at which an invoice is issued before the period ends. */
import { Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { toCents, toDecimal } from "@/lib/money";
import { Money } from "@/ui/amounts";
import { Banner, Button, Section } from "@/ui/basics";
import { Checkbox, Field, MoneyInput, Switch, TextInput } from "@/ui/fields";
import { FieldRow } from "@/ui/form";
import { useOpened } from "@/ui/opened";
import { Drawer, FormButtons } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import { Table } from "@/ui/table";
import type { TabProps } from "./page";
import type { Detailed } from "./reads";

export function Thresholds({ subscription }: TabProps) {
  const can = useCan();
  const currency = subscription.plan.amount_currency;
  const thresholds = subscription.applicable_usage_thresholds;
  const mayChange = subscription.status === "active" && can("subscriptions:update");
  const [isEditing, setEditing] = useOpened("thresholds", mayChange);
  const update = useUpdate("Progressive billing saved");
  const set = (fields: Record<string, unknown>) =>
    update.mutate({
      params: { path: { external_id: subscription.external_id } },
      body: { subscription: fields },
    });
  return (
    <div className="tab-body">
      <Section
        title="Progressive billing"
        actions={
          mayChange && (
            <>
              <Button size="sm" isBusy={update.isPending} onClick={() => set({ usage_thresholds: [] })}>
                Reset to the plan
              </Button>
              <Button size="sm" onClick={() => setEditing(true)}>
                {thresholds.length > 0 ? "Edit thresholds" : "Add thresholds"}
              </Button>
            </>
          )
        }
      >
        {mayChange && (
          <Switch
            label="Bill at thresholds"
            hint="Off, usage is billed at the end of the period only."
            isOn={!subscription.progressive_billing_disabled}
            onChange={(isOn) => set({ progressive_billing_disabled: !isOn })}
            isDisabled={update.isPending}
          />
        )}
        {thresholds.length === 0 ? (
          <Empty
            title={subscription.progressive_billing_disabled ? "Progressive billing is off" : "No thresholds"}
          >
            With a threshold, an invoice is issued as soon as usage reaches its amount.
          </Empty>
        ) : (
          <Table
            label="Thresholds"
            rows={thresholds}
            keyOf={(one) => `${one.amount_cents} ${one.recurring}`}
            columns={[
              { head: "Name", fold: "f1", cell: (one) => one.threshold_display_name || "Threshold" },
              {
                head: "",
                fold: "f3",
                cell: (one) => (one.recurring ? "then again after each such amount" : "once"),
              },
              {
                head: "Usage",
                isNumber: true,
                fold: "f2",
                cell: (one) => <Money cents={one.amount_cents} currency={currency} />,
              },
            ]}
          />
        )}
      </Section>
      {isEditing && <Editor subscription={subscription} onClose={() => setEditing(false)} />}
    </div>
  );
}

function useUpdate(done: string, onDone?: () => void) {
  return useChange("put", "/api/v1/subscriptions/{external_id}", {
    done,
    ...(onDone && { onDone, isQuiet: true }),
  });
}

interface Row {
  key: number;
  amount: string;
  name: string;
  isRecurring: boolean;
}

function Editor({ subscription, onClose }: { subscription: Detailed; onClose: () => void }) {
  const currency = subscription.plan.amount_currency;
  const [rows, setRows] = useState<Row[]>(() =>
    subscription.applicable_usage_thresholds.length > 0
      ? subscription.applicable_usage_thresholds.map((one, key) => ({
          key,
          amount: toDecimal(one.amount_cents, currency),
          name: one.threshold_display_name ?? "",
          isRecurring: one.recurring,
        }))
      : [{ key: 0, amount: "", name: "", isRecurring: false }],
  );
  const [isTouched, setTouched] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const update = useUpdate("Thresholds saved", onClose);
  const change = (key: number, fields: Partial<Row>) => {
    setTouched(true);
    setRows(rows.map((row) => (row.key === key ? { ...row, ...fields } : row)));
  };
  const cents = rows.map((row) => toCents(row.amount, currency));
  const submit = () => {
    setTouched(true);
    if (cents.some((one) => one === null)) return;
    setError(null);
    update.mutate(
      {
        params: { path: { external_id: subscription.external_id } },
        body: {
          subscription: {
            usage_thresholds: rows.map((row, index) => ({
              amount_cents: cents[index]!,
              threshold_display_name: row.name.trim() || null,
              recurring: row.isRecurring,
            })),
          },
        },
      },
      { onError: setError },
    );
  };
  return (
    <Drawer
      title="Thresholds of this subscription"
      isOpen
      isDirty={isTouched}
      onClose={onClose}
      footer={
        <FormButtons onCancel={onClose} isBusy={update.isPending} onSave={submit}>
          Save thresholds
        </FormButtons>
      }
    >
      {error !== null && <Banner look="bad">{explain(error)}</Banner>}
      {rows.map((row, index) => (
        <div className="stack" key={row.key}>
          <FieldRow>
            <Field
              label="Usage of"
              error={isTouched && cents[index] === null ? "This is no amount." : undefined}
            >
              <MoneyInput
                currency={currency}
                value={row.amount}
                onChange={(event) => change(row.key, { amount: event.target.value })}
              />
            </Field>
            <Field label="Name" isOptional>
              <TextInput
                value={row.name}
                onChange={(event) => change(row.key, { name: event.target.value })}
              />
            </Field>
          </FieldRow>
          <div className="row between">
            <Checkbox
              label="Again after each such amount"
              isOn={row.isRecurring}
              onChange={(isRecurring) => change(row.key, { isRecurring })}
            />
            <Button
              look="ghost"
              isIcon
              size="sm"
              aria-label={`Remove threshold ${index + 1}`}
              onClick={() => {
                setTouched(true);
                setRows(rows.filter((one) => one.key !== row.key));
              }}
            >
              <Trash2 className="i" aria-hidden="true" />
            </Button>
          </div>
        </div>
      ))}
      <div>
        <Button
          size="sm"
          onClick={() =>
            setRows([
              ...rows,
              {
                key: Math.max(0, ...rows.map((row) => row.key)) + 1,
                amount: "",
                name: "",
                isRecurring: false,
              },
            ])
          }
        >
          <Plus className="i" aria-hidden="true" />
          Add threshold
        </Button>
      </div>
    </Drawer>
  );
}
