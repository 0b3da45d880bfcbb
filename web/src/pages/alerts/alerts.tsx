/** What one is told of while usage grows, or a balance falls: the alerts of a subscription or a wallet, and their editor. */
import { type UseQueryResult, useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { money, units } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Banner, Button, Section } from "@/ui/basics";
import { Checkbox, Field, MoneyInput, NumberInput, Select, TextInput } from "@/ui/fields";
import { codeFrom, FieldRow } from "@/ui/form";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm, Drawer, FormButtons } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Table } from "@/ui/table";
import { isOfAmount, rereadThreshold, writeThreshold, wrongThresholds } from "./thresholds";

type Alert = Schema<"AlertOutput">;

export type AlertFields = NonNullable<Schema<"AlertRequest">["alert"]>;

interface Settled {
  onSuccess?: () => void;
  onError?: (error: unknown) => void;
}

/** The alerts of one thing, and what may be done with them. */
export interface Watched {
  alerts: UseQueryResult<{ alerts: Alert[] }>;
  create: (alert: AlertFields, settled: Settled) => void;
  update: (code: string, alert: AlertFields, settled: Settled) => void;
  remove: (code: string) => void;
  isBusy: boolean;
}

interface Props {
  watched: Watched;
  /** What can be watched, by type of the wire; the first one is proposed. */
  types: Record<string, string>;
  currency: string;
  mayChange: boolean;
  /** Thresholds are met from above, so each is below the one before it. */
  isFalling?: boolean;
  /** When an alert is sent. */
  about: string;
}

export function Alerts(props: Props) {
  const { watched, types, currency, mayChange, about } = props;
  const found = watched.alerts.data?.alerts;
  const [edited, setEdited] = useOpenedRow("edit-alert", found, keyOf, mayChange);
  const [deleted, setDeleted] = useOpenedRow("delete-alert", found, keyOf, mayChange);
  // There is one alert of a type, of a metric's types one for each metric.
  const used = new Set(watched.alerts.data?.alerts.map((one) => one.alert_type));
  const can = useCan();
  const free = Object.fromEntries(
    Object.entries(types).filter(([type]) =>
      isOfMetric(type) ? can("billable_metrics:view") : !used.has(type),
    ),
  );
  const mayAdd = mayChange && Object.keys(free).length > 0;
  const [isAdding, setAdding] = useOpened("add-alert", mayAdd && found !== undefined);
  const add = mayAdd && (
    <Button size="sm" onClick={() => setAdding(true)}>
      <Plus className="i" aria-hidden="true" />
      Add alert
    </Button>
  );
  return (
    <div className="tab-body">
      <Section title="Alerts" actions={add}>
        <Loaded query={watched.alerts} what="Alerts" skeleton={<Skeleton width="60%" />}>
          {({ alerts: found }) =>
            found.length === 0 ? (
              <Empty title="No alerts">{about}</Empty>
            ) : (
              <Table
                label="Alerts"
                isTall
                rows={found}
                keyOf={keyOf}
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
                        {types[one.alert_type] ?? one.alert_type}
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
                        onSelect: () => setEdited(one),
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
      {isAdding && <Editor {...props} types={free} onClose={() => setAdding(false)} />}
      {edited && <Editor {...props} alert={edited} onClose={() => setEdited(null)} />}
      {deleted && (
        <Confirm
          title={`Delete the alert “${deleted.name || deleted.code}”?`}
          verb="Delete alert"
          isOpen
          onClose={() => setDeleted(null)}
          onConfirm={() => {
            watched.remove(deleted.code);
            setDeleted(null);
          }}
        >
          <p>
            {countWords(deleted.thresholds.length, "threshold")}{" "}
            {deleted.thresholds.length === 1 ? "is" : "are"} not watched any more.
          </p>
        </Confirm>
      )}
    </div>
  );
}

const keyOf = (alert: Alert) => alert.lago_id;

const isOfMetric = (type: string) => type.startsWith("billable_metric_");

/** The wire has thresholds as decimals of minor units, or of units. */
function valueWords(type: string, value: string, currency: string): string {
  return isOfAmount(type) ? money(value.split(".")[0] ?? "0", currency) : units(value);
}

interface Row {
  key: number;
  value: string;
  /** As the wire has it, of one that is there already. */
  was?: string;
  code: string;
  isRecurring: boolean;
}

interface EditorProps extends Props {
  alert?: Alert;
  onClose: () => void;
}

function Editor({ watched, types, currency, isFalling, alert, onClose }: EditorProps) {
  const metrics = useQuery({
    ...read("/api/v1/billable_metrics", { params: { query: { per_page: "100" } } }),
    enabled: Object.keys(types).some(isOfMetric),
  });
  const [type, setType] = useState(alert?.alert_type ?? Object.keys(types)[0] ?? "");
  const [metric, setMetric] = useState(alert?.billable_metric?.code ?? "");
  const [name, setName] = useState(alert?.name ?? "");
  const [code, setCode] = useState(alert?.code ?? "");
  const [rows, setRows] = useState<Row[]>(
    () =>
      alert?.thresholds.map((one, key) => ({
        key,
        value: writeThreshold(alert.alert_type, one.value, currency),
        was: one.value,
        code: one.code ?? "",
        isRecurring: one.recurring,
      })) ?? [{ key: 0, value: "", code: "", isRecurring: false }],
  );
  const [isTouched, setTouched] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const ofMetric = isOfMetric(type);
  const written = rows.map((row) => rereadThreshold(type, row, currency));
  const wrong = wrongThresholds(written, rows.at(-1)?.isRecurring ?? false, isFalling ?? false);
  const change = (key: number, fields: Partial<Row>) => {
    setTouched(true);
    setRows(rows.map((row) => (row.key === key ? { ...row, ...fields } : row)));
  };
  const submit = () => {
    setTouched(true);
    if (wrong.some(Boolean) || (ofMetric && !metric)) return;
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
    const settled = { onSuccess: onClose, onError: setError };
    if (alert) watched.update(alert.code, fields, settled);
    else watched.create(fields, settled);
  };
  return (
    <Drawer
      title={alert ? "Edit alert" : "Add alert"}
      isOpen
      isDirty={isTouched}
      onClose={onClose}
      footer={
        <FormButtons onCancel={onClose} isBusy={watched.isBusy} onSave={submit}>
          {alert ? "Save alert" : "Add alert"}
        </FormButtons>
      }
    >
      {error !== null && <Banner look="bad">{explain(error)}</Banner>}
      <Field label="Watches">
        <Select
          value={type}
          isDisabled={alert !== undefined}
          options={Object.entries(types).map(([value, label]) => ({ value, label }))}
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
            read={metrics}
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
            <Field label={`Threshold ${index + 1}`} error={isTouched ? wrong[index] : undefined}>
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
                label={isFalling ? "Again each time it falls by as much" : "Again after each such step"}
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
