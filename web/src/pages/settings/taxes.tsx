import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { percent } from "@/lib/money";
import { Button } from "@/ui/basics";
import { Field, NumberInput, Switch, TextArea, TextInput } from "@/ui/fields";
import { codeFrom, messageOf } from "@/ui/form";
import { List, useListState } from "@/ui/list";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { Settings } from "./layout";

type Tax = Schema<"TaxOutput">;

const columns: Column<Tax>[] = [
  { head: "Name", fold: "f1", cell: (tax) => <b className="med">{tax.name}</b> },
  { head: "Code", fold: "f3", cell: (tax) => <span className="id">{tax.code}</span> },
  {
    head: "Applied",
    fold: "f4",
    cell: (tax) =>
      tax.applied_to_organization ? "By default" : <span className="dim">Where it is chosen</span>,
  },
  { head: "Customers", isNumber: true, isLow: true, cell: (tax) => <Count of={tax.customers_count} /> },
  { head: "Plans", isNumber: true, isLow: true, cell: (tax) => <Count of={tax.plans_count} /> },
  { head: "Rate", isNumber: true, fold: "f2", cell: (tax) => percent(tax.rate) },
];

function Count({ of = 0 }: { of?: number | undefined }) {
  return <span className={of ? "num" : "num dim"}>{of.toLocaleString()}</span>;
}

export function Taxes() {
  const can = useCan();
  const list = useListState();
  const taxes = useQuery(read("/api/v1/taxes", { params: { query: list.asked } }));
  const [edited, setEdited] = useState<Tax | "new" | null>(null);
  const [doomed, setDoomed] = useState<Tax | null>(null);
  const remove = useChange("delete", "/api/v1/taxes/{code}", {
    done: "Tax deleted",
    onDone: () => setDoomed(null),
  });
  const mayEdit = can("organization:taxes:update");
  const create = mayEdit && (
    <Button look="primary" size="sm" data-create="" onClick={() => setEdited("new")}>
      <Plus className="i" aria-hidden="true" />
      New tax
    </Button>
  );
  return (
    <Settings title="Taxes">
      <div>
        <List
          what="taxes"
          controls={list}
          query={taxes}
          rowsOf={(page) => page.taxes}
          columns={columns}
          keyOf={(tax) => tax.lago_id}
          {...(mayEdit ? { onOpen: setEdited } : {})}
          toolbar={create}
          actions={(tax) => (
            <ActionMenu
              label={`Actions for ${tax.name}`}
              actions={[
                {
                  label: "Edit",
                  icon: <Pencil className="i" />,
                  onSelect: () => setEdited(tax),
                  isShown: mayEdit,
                },
                {
                  label: "Delete",
                  icon: <Trash2 className="i" />,
                  isDanger: true,
                  onSelect: () => setDoomed(tax),
                  isShown: mayEdit,
                },
              ]}
            />
          )}
          empty={
            <Empty title="No taxes yet" actions={create}>
              A tax is applied to fees by default, or where a customer, a plan or a charge names it.
            </Empty>
          }
        />
      </div>
      {edited && <TaxEditor tax={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      <Confirm
        title={`Delete the tax “${doomed?.name}”?`}
        verb="Delete tax"
        isOpen={doomed !== null}
        isBusy={remove.isPending}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && remove.mutate({ params: { path: { code: doomed.code } } })}
      >
        <p>
          It is named by <b>{doomed?.customers_count ?? 0} customers</b>,{" "}
          <b>{doomed?.plans_count ?? 0} plans</b> and <b>{doomed?.charges_count ?? 0} charges</b>. Invoices
          that are final keep it; drafts are refreshed without it.
        </p>
      </Confirm>
    </Settings>
  );
}

interface Values {
  name: string;
  code: string;
  rate: string;
  description: string;
  applied_to_organization: boolean;
}

function TaxEditor({ tax, onClose }: { tax: Tax | null; onClose: () => void }) {
  const create = useChange("post", "/api/v1/taxes", { done: "Tax created", isQuiet: true });
  const update = useChange("put", "/api/v1/taxes/{code}", { done: "Tax saved", isQuiet: true });
  return (
    <Editor<Values>
      title={tax ? `Edit ${tax.name}` : "New tax"}
      verb={tax ? "Save tax" : "Create tax"}
      values={{
        name: tax?.name ?? "",
        code: tax?.code ?? "",
        rate: tax ? String(tax.rate) : "",
        description: tax?.description ?? "",
        applied_to_organization: tax?.applied_to_organization ?? false,
      }}
      onClose={onClose}
      onSave={(values) => {
        const body = {
          tax: { ...values, rate: values.rate.replace(",", "."), description: orNull(values.description) },
        };
        return tax
          ? update.mutateAsync({ params: { path: { code: tax.code } }, body })
          : create.mutateAsync({ body });
      }}
    >
      {(form) => {
        const { errors, dirtyFields } = form.formState;
        return (
          <>
            <Field label="Name" error={messageOf(errors, "name")}>
              <TextInput
                autoFocus
                placeholder="German VAT"
                {...form.register("name", {
                  ...NEEDED,
                  onChange: (event: { target: { value: string } }) => {
                    if (!tax && !dirtyFields.code) form.setValue("code", codeFrom(event.target.value));
                  },
                })}
              />
            </Field>
            <Field label="Code" error={messageOf(errors, "code")}>
              <TextInput {...form.register("code", NEEDED)} />
            </Field>
            <Field label="Rate" error={messageOf(errors, "rate")}>
              <NumberInput
                after="%"
                {...form.register("rate", {
                  ...NEEDED,
                  pattern: { value: /^\d+([.,]\d+)?$/, message: "A number, such as 19 or 5.5." },
                })}
              />
            </Field>
            <Field label="Description" isOptional error={messageOf(errors, "description")}>
              <TextArea {...form.register("description")} />
            </Field>
            <Switch
              label="Apply by default"
              hint="To every fee of the default billing entity that names no other tax."
              isOn={form.watch("applied_to_organization")}
              onChange={(isOn) => form.setValue("applied_to_organization", isOn, { shouldDirty: true })}
            />
          </>
        );
      }}
    </Editor>
  );
}
