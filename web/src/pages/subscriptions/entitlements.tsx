/** Which features the customer may use, as the plan grants them or otherwise for this subscription. */
import { useQuery } from "@tanstack/react-query";
import { Pencil, RotateCcw } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { Button, Section } from "@/ui/basics";
import { Field, NumberInput, Select, TextInput } from "@/ui/fields";
import { Dialog } from "@/ui/overlays";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Table } from "@/ui/table";
import type { TabProps } from "./page";
import { type Detailed, inStatus } from "./reads";

type Privilege = Schema<"EntitledPrivilegeOutput"> & { feature: string; featureName: string };

export function Entitlements({ subscription }: TabProps) {
  const can = useCan();
  const mayChange = can("subscriptions:update");
  const [open, setOpen] = useState<Privilege | null>(null);
  const params = { path: { external_id: subscription.external_id }, query: inStatus(subscription) };
  const entitlements = useQuery(read("/api/v1/subscriptions/{external_id}/entitlements", { params }));
  const reset = useChange(
    "delete",
    "/api/v1/subscriptions/{external_id}/entitlements/{feature_code}/privileges/{privilege_code}",
    { done: "Back to the plan's value" },
  );
  return (
    <div className="tab-body">
      <Section title="Entitlements">
        <Loaded query={entitlements} what="Entitlements" skeleton={<Skeleton width="60%" />}>
          {({ entitlements: found }) => {
            const rows = found.flatMap((one) =>
              one.privileges.map(
                (privilege): Privilege => ({
                  ...privilege,
                  feature: one.code,
                  featureName: one.name || one.code,
                }),
              ),
            );
            if (rows.length === 0) {
              return <Empty title="No entitlements">Features are granted in the plan.</Empty>;
            }
            return (
              <Table
                label="Entitlements"
                rows={rows}
                keyOf={(one) => `${one.feature} ${one.code}`}
                columns={[
                  { head: "Feature", fold: "f1", cell: (one) => <b className="med">{one.featureName}</b> },
                  { head: "Privilege", fold: "f3", cell: (one) => one.name || one.code },
                  { head: "Value", fold: "f2", cell: (one) => wordOf(one.value) },
                  {
                    head: "In the plan",
                    isLow: true,
                    cell: (one) =>
                      one.plan_value === null ? <span className="dim">–</span> : wordOf(one.plan_value),
                  },
                  {
                    head: "",
                    fold: "f4",
                    cell: (one) => one.override_value !== null && <span className="tag accent">Own</span>,
                  },
                ]}
                actions={(one) =>
                  mayChange && (
                    <span className="row">
                      {one.override_value !== null && (
                        <button
                          type="button"
                          className="more"
                          aria-label={`Reset ${one.name || one.code} to the plan`}
                          onClick={() =>
                            reset.mutate({
                              params: {
                                path: {
                                  external_id: subscription.external_id,
                                  feature_code: one.feature,
                                  privilege_code: one.code,
                                },
                                query: inStatus(subscription),
                              },
                            })
                          }
                        >
                          <RotateCcw className="i" aria-hidden="true" />
                        </button>
                      )}
                      <button
                        type="button"
                        className="more"
                        aria-label={`Change ${one.name || one.code}`}
                        onClick={() => setOpen(one)}
                      >
                        <Pencil className="i" aria-hidden="true" />
                      </button>
                    </span>
                  )
                }
              />
            );
          }}
        </Loaded>
      </Section>
      {open && <Editor subscription={subscription} privilege={open} onClose={() => setOpen(null)} />}
    </div>
  );
}

function wordOf(value: boolean | number | string): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "number" ? value.toLocaleString() : value;
}

interface EditorProps {
  subscription: Detailed;
  privilege: Privilege;
  onClose: () => void;
}

function Editor({ subscription, privilege, onClose }: EditorProps) {
  const [value, setValue] = useState(String(privilege.value));
  const options = (privilege.config as { select_options?: string[] }).select_options ?? [];
  const save = useChange("patch", "/api/v1/subscriptions/{external_id}/entitlements", {
    done: "Entitlement saved",
    onDone: onClose,
  });
  const isWrong = privilege.value_type === "integer" && !/^\d+$/.test(value.trim());
  const typed =
    privilege.value_type === "integer"
      ? Number(value)
      : privilege.value_type === "boolean"
        ? value === "true"
        : value;
  const choices =
    privilege.value_type === "boolean"
      ? [
          { value: "true", label: "Yes" },
          { value: "false", label: "No" },
        ]
      : options.map((one) => ({ value: one, label: one }));
  return (
    <Dialog
      title={`${privilege.featureName}: ${privilege.name || privilege.code}`}
      isOpen
      isDirty={value !== String(privilege.value)}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            isBusy={save.isPending}
            disabled={isWrong}
            onClick={() =>
              save.mutate({
                params: { path: { external_id: subscription.external_id }, query: inStatus(subscription) },
                body: { entitlements: { [privilege.feature]: { [privilege.code]: typed } } },
              })
            }
          >
            Save entitlement
          </Button>
        </>
      }
    >
      <Field
        label="Value for this subscription"
        error={isWrong ? "This is no whole number." : undefined}
        hint={privilege.plan_value !== null && `In the plan: ${wordOf(privilege.plan_value)}`}
      >
        {choices.length > 0 ? (
          <Select value={value} options={choices} onChange={setValue} />
        ) : privilege.value_type === "integer" ? (
          <NumberInput value={value} onChange={(event) => setValue(event.target.value)} />
        ) : (
          <TextInput value={value} onChange={(event) => setValue(event.target.value)} />
        )}
      </Field>
    </Dialog>
  );
}
