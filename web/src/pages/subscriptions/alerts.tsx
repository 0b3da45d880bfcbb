/** What one is told of while usage grows. */
import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { money, toCents, toDecimal, units } from "@/lib/money";
import { Banner, Button, Section } from "@/ui/basics";
import { Checkbox, Field, MoneyInput, NumberInput, Select, TextInput } from "@/ui/fields";
import { codeFrom, FieldRow } from "@/ui/form";
import { ActionMenu, Confirm, Drawer } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Table } from "@/ui/table";
import type { TabProps } from "./page";
import { type Detailed, inStatus } from "./reads";

type Alert = Schema<"AlertOutput">;

const TYPES: Record<string, string> = {
  current_usage_amount: "Amount of the current period",
  billable_metric_current_usage_amount: "Amount of a metric in the current period",
  billable_metric_current_usage_units: "Units of a metric in the current period",
  lifetime_usage_amount: "Amount since the start",
  billable_metric_lifetime_usage_units: "Units of a metric since the start",
};

export function Alerts({ subscription }: TabProps) {
  const can = useCan();
  const mayChange = can("subscriptions:update");
  const [open, setOpen] = useState<Alert | "new" | null>(null);
  const [deleted, setDeleted] = useState<Alert | null>(null);
  const currency = subscription.plan.amount_currency;
  const alerts = useQuery(
    read("/api/v1/subscriptions/{external_id}/alerts", {
      params: {
        path: { external_id: subscription.external_id },
        query: { ...inStatus(subscription), per_page: "100" },
      },
    }),
  );
  const remove = useChange("delete", "/api/v1/subscriptions/{external_id}/alerts/{code}", {
    done: "Alert deleted",
    onDone: () => setDeleted(null),
  });
  const add = mayChange && (
    <Button size="sm" onClick={() => setOpen("new")}>
      <Plus className="i" aria-hidden="true" />
      Add alert
    </Button>
  );
  return (
    <div className="tab-body">
      <Section title="Alerts" actions={add}>
        <Loaded query={alerts} what="Alerts" skeleton={<Skeleton width="60%" />}>
          {({ alerts: found }) =>
            found.length === 0 ? (
              <Empty title="No alerts">
                An alert sends a webhook as soon as usage reaches one of its thresholds.
              </Empty>
            ) : (
              <Table
                label="Alerts"
                isTall
                rows={found}
                keyOf={(one) => one.lago_id}
                columns={[
                  {
                    head: "Alert",
                    fold: "f1",
                    cell: (one) => (
                      <>
                        <b className="med">{one.name || one.code}</b>
                        <span className="sub id">{one.code}</span>
                      </>
                    ),
                  },
                  {
                    head: "Watches",
                    fold: "f3",
                    cell: (one) => (
                      <>
                        {TYPES[one.alert_type] ?? one.alert_type}
                        {one.billable_metric && <span className="sub">{one.billable_metric.name}</span>}
                      </>
                    ),
                  },
                  {
                    head: "Thresholds",
                    fold: "f4",
                    cell: (one) =>
                      one.thresholds.map((at) => valueWords(one.alert_type, at.value, currency)).join(", "),
                  },
                  {
                    head: "Now",
                    isNumber: true,
                    fold: "f2",
                    cell: (one) => valueWords(one.alert_type, one.previous_value, currency),
                  },
                ]}
                actions={(one) => (
                  <ActionMenu
                    label={`More for ${one.name || one.code}`}
                    actions={[
                      {
                        label: "Edit alert",
                        icon: <Pencil className="i" aria-hidden="true" />,
                        onSelect: () => setOpen(one),
                        isShown: mayChange,
                      },
                      {
                        label: "Delete alert",
                        icon: <Trash2 className="i" aria-hidden="true" />,
                        onSelect: () => setDeleted(one),
                        isDanger: true,
                        isShown: mayChange,
                      },
                    ]}
                  />
                )}
              />
            )
          }
        </Loaded>
      </Section>
      {open && (
        <Editor
          subscription={subscription}
          {...(open !== "new" && { alert: open })}
          onClose={() => setOpen(null)}
        />
      )}
      {deleted && (
        <Confirm
          title={`Delete the alert “${deleted.name || deleted.code}”?`}
          verb="Delete alert"
          isOpen
          isBusy={remove.isPending}
          onClose={() => setDeleted(null)}
          onConfirm={() =>
            remove.mutate({
              params: {
                path: { external_id: subscription.external_id, code: deleted.code },
                query: inStatus(subscription),
              },
            })
          }
        >
          <p>Its {deleted.thresholds.length} thresholds are not watched any more.</p>
        </Confirm>
      )}
    </div>
  );
}

const isOfAmount = (type: string) => type.endsWith("_amount");

/** The wire has thresholds as decimals of minor units, or of units. */
function valueWords(type: string, value: string, currency: string): string {
  return isOfAmount(type) ? money(value.split(".")[0] ?? "0", currency) : units(value);
}

interface Row {
  key: number;
  value: string;
  code: string;
  isRecurring: boolean;
}

interface EditorProps {
  subscription: Detailed;
  alert?: Alert;
  onClose: () => void;
}

function Editor({ subscription, alert, onClose }: EditorProps) {
  const currency = subscription.plan.amount_currency;
  const metrics = useQuery(read("/api/v1/billable_metrics", { params: { query: { per_page: "100" } } }));
  const [type, setType] = useState(alert?.alert_type ?? "current_usage_amount");
  const [metric, setMetric] = useState(alert?.billable_metric?.code ?? "");
  const [name, setName] = useState(alert?.name ?? "");
  const [code, setCode] = useState(alert?.code ?? "");
  const [rows, setRows] = useState<Row[]>(
    () =>
      alert?.thresholds.map((one, key) => ({
        key,
        value: isOfAmount(alert.alert_type)
          ? toDecimal(one.value.split(".")[0] ?? "0", currency)
          : units(one.value, "en").replaceAll(",", ""),
        code: one.code ?? "",
        isRecurring: one.recurring,
      })) ?? [{ key: 0, value: "", code: "", isRecurring: false }],
  );
  const [isTouched, setTouched] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const finish = { done: "Alert saved", isQuiet: true, onDone: onClose };
  const create = useChange("post", "/api/v1/subscriptions/{external_id}/alerts", finish);
  const update = useChange("put", "/api/v1/subscriptions/{external_id}/alerts/{code}", finish);
  const ofMetric = type.startsWith("billable_metric_");
  const written = rows.map((row) => {
    if (!isOfAmount(type)) return /^\d+(\.\d+)?$/.test(row.value.trim()) ? row.value.trim() : null;
    const cents = toCents(row.value, currency);
    return cents === null ? null : String(cents);
  });
  const change = (key: number, fields: Partial<Row>) => {
    setTouched(true);
    setRows(rows.map((row) => (row.key === key ? { ...row, ...fields } : row)));
  };
  const submit = () => {
    setTouched(true);
    if (written.some((one) => one === null) || (ofMetric && !metric)) return;
    setError(null);
    const fields = {
      alert_type: type,
      code: code.trim() || codeFrom(name) || type,
      name: name.trim(),
      ...(ofMetric && { billable_metric_code: metric }),
      thresholds: rows.map((row, index) => ({
        value: written[index]!,
        code: row.code.trim(),
        recurring: row.isRecurring,
      })),
    };
    const query = inStatus(subscription);
    const path = { external_id: subscription.external_id };
    if (alert) {
      update.mutate(
        { params: { path: { ...path, code: alert.code }, query }, body: { alert: fields } } as never,
        { onError: setError },
      );
    } else {
      create.mutate({ params: { path, query }, body: { alert: fields } } as never, { onError: setError });
    }
  };
  return (
    <Drawer
      title={alert ? "Edit alert" : "Add alert"}
      isOpen
      isDirty={isTouched}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" isBusy={create.isPending || update.isPending} onClick={submit}>
            {alert ? "Save alert" : "Add alert"}
          </Button>
        </>
      }
    >
      {error !== null && <Banner look="bad">{explain(error)}</Banner>}
      <Field label="Watches">
        <Select
          value={type}
          isDisabled={alert !== undefined}
          options={Object.entries(TYPES).map(([value, label]) => ({ value, label }))}
          onChange={(next) => {
            setTouched(true);
            setType(next);
          }}
        />
      </Field>
      {ofMetric && (
        <Field label="Metric" error={isTouched && !metric ? "Choose a metric." : undefined}>
          <Picker
            label="Metric"
            value={metric}
            isLoading={metrics.isLoading}
            choices={(metrics.data?.billable_metrics ?? []).map((one) => ({
              value: one.code,
              label: one.name,
            }))}
            onChange={(next) => {
              setTouched(true);
              setMetric(next);
            }}
          />
        </Field>
      )}
      <FieldRow>
        <Field label="Name" isOptional>
          <TextInput
            value={name}
            onChange={(event) => {
              setTouched(true);
              setName(event.target.value);
            }}
          />
        </Field>
        <Field label="Code">
          <TextInput
            value={code}
            placeholder={codeFrom(name) || type}
            onChange={(event) => {
              setTouched(true);
              setCode(event.target.value);
            }}
          />
        </Field>
      </FieldRow>
      {rows.map((row, index) => (
        <div className="stack" key={row.key}>
          <FieldRow>
            <Field
              label={`Threshold ${index + 1}`}
              error={isTouched && written[index] === null ? "This is no number." : undefined}
            >
              {isOfAmount(type) ? (
                <MoneyInput
                  currency={currency}
                  value={row.value}
                  onChange={(event) => change(row.key, { value: event.target.value })}
                />
              ) : (
                <NumberInput
                  value={row.value}
                  onChange={(event) => change(row.key, { value: event.target.value })}
                />
              )}
            </Field>
            <Field label="Its code" isOptional>
              <TextInput
                value={row.code}
                onChange={(event) => change(row.key, { code: event.target.value })}
              />
            </Field>
          </FieldRow>
          <div className="row between">
            {index === rows.length - 1 ? (
              <Checkbox
                label="Again after each such step"
                isOn={row.isRecurring}
                onChange={(isRecurring) => change(row.key, { isRecurring })}
              />
            ) : (
              <span />
            )}
            {rows.length > 1 && (
              <Button
                look="ghost"
                isIcon
                size="sm"
                aria-label={`Remove threshold ${index + 1}`}
                onClick={() => setRows(rows.filter((one) => one.key !== row.key))}
              >
                <Trash2 className="i" aria-hidden="true" />
              </Button>
            )}
          </div>
        </div>
      ))}
      <div>
        <Button
          size="sm"
          onClick={() =>
            setRows([
              ...rows.map((row) => ({ ...row, isRecurring: false })),
              { key: Math.max(...rows.map((row) => row.key)) + 1, value: "", code: "", isRecurring: false },
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
