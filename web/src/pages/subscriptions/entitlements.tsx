/** Which features the customer may use, as the plan grants them or otherwise for this subscription. */
import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, RotateCcw, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { PrivilegeField } from "@/pages/plans/privilege-field";
import { featuresRead } from "@/pages/plans/reads";
import { typed } from "@/pages/plans/wire";
import { Banner, Button, Section } from "@/ui/basics";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm, Dialog } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { Empty, Loaded, Skeleton } from "@/ui/states";
import { Table } from "@/ui/table";
import type { TabProps } from "./page";
import { type Detailed, inStatus } from "./reads";

type Entitlement = Schema<"EntitlementOutput">;
type Privilege = Schema<"EntitledPrivilegeOutput">;
type Feature = Schema<"FeatureOutput">;

/** A privilege of a feature; a feature that is granted without any has a row, too. */
interface Row {
  feature: Entitlement;
  privilege: Privilege | null;
}

const keyOf = ({ feature, privilege }: Row) => [feature.code, privilege?.code].filter(Boolean).join(" ");

/** What can be taken away: each privilege, and the feature as a whole. */
function removalsOf(feature: Entitlement): Row[] {
  return [{ feature, privilege: null }, ...rowsOf(feature).filter((row) => row.privilege !== null)];
}

export function Entitlements({ subscription }: TabProps) {
  const can = useCan();
  const mayChange = can("subscriptions:update");
  const params = { path: { external_id: subscription.external_id }, query: inStatus(subscription) };
  const entitlements = useQuery(read("/api/v1/subscriptions/{external_id}/entitlements", { params }));
  const features = useQuery({ ...featuresRead(), enabled: mayChange && can("features:view") });
  const known = features.data?.features ?? [];
  const granted = entitlements.data?.entitlements ?? [];
  const left = known.filter(({ code }) => !granted.some((one) => one.code === code));
  const reset = useChange("patch", "/api/v1/subscriptions/{external_id}/entitlements", {
    done: "Back to the plan's value",
  });
  const mayAdd = mayChange && left.length > 0;
  const [isAdding, setAdding] = useOpened("add-feature", mayAdd && entitlements.data !== undefined);
  const [edited, setEdited] = useOpenedRow("change-feature", granted, (one) => one.code, mayChange);
  const [removed, setRemoved] = useOpenedRow("take-away", granted.flatMap(removalsOf), keyOf, mayChange);
  const add = mayAdd && (
    <Button size="sm" onClick={() => setAdding(true)}>
      <Plus className="i" aria-hidden="true" />
      Add feature
    </Button>
  );
  return (
    <div className="tab-body">
      <Section title="Entitlements" actions={add}>
        <Loaded query={entitlements} what="Entitlements" skeleton={<Skeleton width="60%" />}>
          {({ entitlements: found }) =>
            found.length === 0 ? (
              <Empty title="No entitlements">
                Features are granted in the plan, or here for this subscription alone.
              </Empty>
            ) : (
              <Table
                label="Entitlements"
                rows={found.flatMap(rowsOf)}
                keyOf={keyOf}
                {...(mayChange && { onOpen: ({ feature }: Row) => setEdited(feature) })}
                columns={[
                  {
                    head: "Feature",
                    fold: "f1",
                    cell: ({ feature }) => <b className="med">{feature.name || feature.code}</b>,
                  },
                  {
                    head: "Privilege",
                    fold: "f3",
                    cell: ({ privilege }) =>
                      privilege ? privilege.name || privilege.code : <span className="dim">–</span>,
                  },
                  {
                    head: "Value",
                    fold: "f2",
                    cell: ({ privilege }) => (privilege ? wordOf(privilege.value) : "Granted"),
                  },
                  {
                    head: "In the plan",
                    isLow: true,
                    cell: ({ privilege }) =>
                      privilege && privilege.plan_value !== null ? (
                        wordOf(privilege.plan_value)
                      ) : (
                        <span className="dim">–</span>
                      ),
                  },
                  {
                    head: "",
                    fold: "f4",
                    cell: ({ privilege }) =>
                      privilege &&
                      privilege.override_value !== null && <span className="tag accent">Own</span>,
                  },
                ]}
                actions={({ feature, privilege }) => (
                  <ActionMenu
                    label={`More for ${privilege?.name || privilege?.code || feature.name || feature.code}`}
                    actions={[
                      {
                        label: "Change values",
                        icon: <Pencil className="i" aria-hidden="true" />,
                        onSelect: () => setEdited(feature),
                        isShown: mayChange,
                      },
                      {
                        label: "Reset to the plan",
                        icon: <RotateCcw className="i" aria-hidden="true" />,
                        // The plan's own value drops what the subscription has instead (platform §11).
                        onSelect: () =>
                          reset.mutate({
                            params,
                            body: {
                              entitlements: { [feature.code]: { [privilege!.code]: privilege!.plan_value } },
                            },
                          } as never),
                        isShown:
                          mayChange &&
                          privilege !== null &&
                          privilege.override_value !== null &&
                          privilege.plan_value !== null,
                      },
                      {
                        label: "Take away privilege",
                        icon: <Trash2 className="i" aria-hidden="true" />,
                        onSelect: () => setRemoved({ feature, privilege }),
                        isDanger: true,
                        isShown: mayChange && privilege !== null,
                      },
                      {
                        label: "Take away feature",
                        icon: <Trash2 className="i" aria-hidden="true" />,
                        onSelect: () => setRemoved({ feature, privilege: null }),
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
      {(isAdding || edited) && (
        <Editor
          subscription={subscription}
          granted={edited}
          features={edited ? known : left}
          onRemove={(feature) => setRemoved({ feature, privilege: null })}
          onClose={() => setEdited(null)}
        />
      )}
      {removed && <Removal subscription={subscription} row={removed} onClose={() => setRemoved(null)} />}
    </div>
  );
}

function rowsOf(feature: Entitlement): Row[] {
  if (feature.privileges.length === 0) return [{ feature, privilege: null }];
  return feature.privileges.map((privilege) => ({ feature, privilege }));
}

function wordOf(value: boolean | number | string): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "number" ? value.toLocaleString() : value;
}

interface RemovalProps {
  subscription: Detailed;
  row: Row;
  onClose: () => void;
}

function Removal({ subscription, row: { feature, privilege }, onClose }: RemovalProps) {
  const path = { external_id: subscription.external_id, feature_code: feature.code };
  const query = inStatus(subscription);
  const change = { done: privilege ? "Privilege taken away" : "Feature taken away", onDone: onClose };
  const ofFeature = useChange(
    "delete",
    "/api/v1/subscriptions/{external_id}/entitlements/{feature_code}",
    change,
  );
  const ofPrivilege = useChange(
    "delete",
    "/api/v1/subscriptions/{external_id}/entitlements/{feature_code}/privileges/{privilege_code}",
    change,
  );
  const name = privilege ? privilege.name || privilege.code : feature.name || feature.code;
  return (
    <Confirm
      title={`Take “${name}” away from ${subscription.name || subscription.external_id}?`}
      verb={privilege ? "Take away privilege" : "Take away feature"}
      isOpen
      isBusy={ofFeature.isPending || ofPrivilege.isPending}
      onClose={onClose}
      onConfirm={() =>
        privilege
          ? ofPrivilege.mutate({ params: { path: { ...path, privilege_code: privilege.code }, query } })
          : ofFeature.mutate({ params: { path, query } })
      }
    >
      This subscription does without it, whatever its plan grants; others keep theirs. It can be added again.
    </Confirm>
  );
}

interface EditorProps {
  subscription: Detailed;
  /** What is changed; null gives a feature that the subscription has not. */
  granted: Entitlement | null;
  features: readonly Feature[];
  onRemove: (feature: Entitlement) => void;
  onClose: () => void;
}

function Editor({ subscription, granted, features, onRemove, onClose }: EditorProps) {
  const [code, setCode] = useState(granted?.code ?? "");
  const before = Object.fromEntries(
    (granted?.privileges ?? []).map((one) => [one.code, String(one.value)]),
  ) as Record<string, string>;
  const [values, setValues] = useState(before);
  const feature = features.find((one) => one.code === code);
  const privileges: readonly Pick<Privilege, "code" | "name" | "value_type" | "config">[] =
    feature?.privileges ?? granted?.privileges ?? [];
  const faults = Object.fromEntries(
    privileges.flatMap((one): [string, string][] => {
      const value = values[one.code] ?? "";
      if (value === "") return before[one.code] === undefined ? [] : [[one.code, "This is needed."]];
      const isWrong = one.value_type === "integer" && !/^-?\d+$/.test(value);
      return isWrong ? [[one.code, "This is no whole number."]] : [];
    }),
  );
  const given = privileges.filter((one) => {
    const value = values[one.code] ?? "";
    return value !== "" && value !== before[one.code];
  });
  const save = useChange("patch", "/api/v1/subscriptions/{external_id}/entitlements", {
    done: granted ? "Entitlement saved" : "Feature added",
    isQuiet: true,
    onDone: onClose,
  });
  const planned = (name: string) => granted?.privileges.find((one) => one.code === name)?.plan_value ?? null;
  return (
    <Dialog
      title={granted ? granted.name || granted.code : "Add feature"}
      isOpen
      isDirty={given.length > 0}
      onClose={onClose}
      footer={
        <>
          {granted && (
            <Button look="ghost" onClick={() => onRemove(granted)}>
              Take away feature
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            isBusy={save.isPending}
            disabled={
              code === "" || Object.keys(faults).length > 0 || (granted !== null && given.length === 0)
            }
            onClick={() =>
              save.mutate({
                params: { path: { external_id: subscription.external_id }, query: inStatus(subscription) },
                body: {
                  entitlements: {
                    [code]: Object.fromEntries(
                      given.map((one) => [one.code, typed(values[one.code]!, one.value_type)]),
                    ),
                  },
                },
              })
            }
          >
            {granted ? "Save entitlement" : "Add feature"}
          </Button>
        </>
      }
    >
      {save.error && <Banner look="bad">{explain(save.error)}</Banner>}
      {!granted && (
        <Picker
          label="Feature"
          placeholder="Choose a feature"
          value={code}
          choices={features.map((one) => ({
            value: one.code,
            label: one.name || one.code,
            detail: one.code,
          }))}
          onChange={(next) => {
            setCode(next);
            setValues({});
          }}
        />
      )}
      {privileges.map((one) => {
        const plan = planned(one.code);
        return (
          <PrivilegeField
            key={one.code}
            privilege={one}
            value={values[one.code] ?? ""}
            isKept={before[one.code] !== undefined}
            error={faults[one.code]}
            hint={plan === null ? undefined : `In the plan: ${wordOf(plan)}`}
            onChange={(value) => setValues({ ...values, [one.code]: value })}
          />
        );
      })}
    </Dialog>
  );
}
