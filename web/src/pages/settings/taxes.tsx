import { useQuery } from "@tanstack/react-query";
import { read, type Schema, useChange } from "@/api/client";
import { withoutOne } from "@/api/foresight";
import { useCan } from "@/app/session";
import { percent } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Deletion } from "@/pages/catalog/actions";
import { Field, NumberInput, Switch } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { useListState, useRows } from "@/ui/list";
import { DescriptionField } from "@/ui/named";
import type { Column } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { NameAndCode, Objects } from "./objects";

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
  { head: "Rate", isNumber: true, fold: "f2", cell: (tax) => percent(tax.rate) },
];

export function Taxes() {
  const can = useCan();
  const list = useListState();
  const mayEdit = can("organization:taxes:update");
  return (
    <Objects
      title="Taxes"
      one="tax"
      many="taxes"
      controls={list}
      query={useRows(list, (asked) => read("/api/v1/taxes", { params: { query: asked } }))}
      rowsOf={(page) => page.taxes}
      columns={columns}
      may={{ create: mayEdit, update: mayEdit, delete: mayEdit }}
      purpose="A tax is applied to fees by default, or where a customer, a plan or a charge names it."
      editor={(tax, close) => <TaxEditor tax={tax} onClose={close} />}
      deletion={(tax, close) => <DeleteTax tax={tax} onClose={close} />}
    />
  );
}

function DeleteTax({ tax, onClose }: { tax: Tax; onClose: () => void }) {
  const counted = useQuery(consequencesOf(tax));
  const remove = useChange("delete", "/api/v1/taxes/{code}", {
    done: "Tax deleted",
    foresees: withoutOne<Tax>("/api/v1/taxes", "taxes", (one) => one.lago_id === tax.lago_id),
  });
  return (
    <Deletion
      what="tax"
      name={tax.name}
      counted={counted}
      otherwise="Invoices that are final keep it; drafts are refreshed without it."
      onClose={onClose}
      onConfirm={() => {
        remove.mutate({ params: { path: { code: tax.code } } });
        onClose();
      }}
    >
      {({ consequences }) => (
        <p>
          <Bearers {...consequences} /> It leaves{" "}
          <b>{countWords(consequences.draft_invoices_count, "draft")}</b>; invoices that are final keep it.
        </p>
      )}
    </Deletion>
  );
}

function consequencesOf(tax: Tax) {
  return read("/app/v1/consequences/taxes/{code}", { params: { path: { code: tax.code } } });
}

/** Who and what bears a tax, counted. */
function Bearers(found: Schema<"TaxDeletionOutput">) {
  return (
    <>
      It is paid by <b>{countWords(found.customers_count, "customer")}</b> and named by{" "}
      <b>{countWords(found.plans_count, "plan")}</b>,{" "}
      <b>{countWords(found.charges_count + found.fixed_charges_count, "charge")}</b> and{" "}
      <b>{countWords(found.add_ons_count, "add-on")}</b>.
    </>
  );
}

/** What saving an edited tax touches. */
function Touched({ tax }: { tax: Tax }) {
  const counted = useQuery(consequencesOf(tax));
  return (
    <>
      {counted.data && <Bearers {...counted.data.consequences} />} Drafts follow what is saved; invoices that
      are final stay as they are.
    </>
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
        const { errors } = form.formState;
        return (
          <>
            <NameAndCode form={form} isNew={!tax} example="German VAT" />
            <Field label="Rate" error={messageOf(errors, "rate")}>
              <NumberInput
                after="%"
                {...form.register("rate", {
                  ...NEEDED,
                  pattern: { value: /^\d+([.,]\d+)?$/, message: "A number, such as 19 or 5.5." },
                })}
              />
            </Field>
            <DescriptionField form={form} />
            {tax && (
              <p className="ink2">
                <Touched tax={tax} />
              </p>
            )}
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
