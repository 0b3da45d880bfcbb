/** Custom sections of invoices, and pricing units: small objects that are listed and edited in a drawer. */
import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { read, type Schema, useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { Day } from "@/ui/amounts";
import { Button } from "@/ui/basics";
import { Field, TextArea, TextInput } from "@/ui/fields";
import { codeFrom, messageOf } from "@/ui/form";
import { List, useListState } from "@/ui/list";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty } from "@/ui/states";
import type { Column } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { Settings } from "./layout";

type CustomSection = Schema<"SectionOutput">;
type PricingUnit = Schema<"PricingUnitOutput">;

const sectionColumns: Column<CustomSection>[] = [
  { head: "Name", fold: "f1", cell: (section) => <b className="med">{section.name}</b> },
  { head: "Code", fold: "f3", cell: (section) => <span className="id">{section.code}</span> },
  {
    head: "Heading on the invoice",
    cell: (section) => section.display_name ?? <span className="dim">–</span>,
  },
  {
    head: "Applied",
    fold: "f4",
    isLow: true,
    cell: (section) =>
      section.applied_to_organization ? "By default" : <span className="dim">Where chosen</span>,
  },
];

export function CustomSections() {
  const can = useCan();
  const list = useListState();
  const sections = useQuery(read("/api/v1/invoice_custom_sections", { params: { query: list.asked } }));
  const [edited, setEdited] = useState<CustomSection | "new" | null>(null);
  const [doomed, setDoomed] = useState<CustomSection | null>(null);
  const remove = useChange("delete", "/api/v1/invoice_custom_sections/{code}", {
    done: "Section deleted",
    onDone: () => setDoomed(null),
  });
  const create = can("invoice_custom_sections:create") && (
    <Button look="primary" size="sm" data-create="" onClick={() => setEdited("new")}>
      <Plus className="i" aria-hidden="true" />
      New section
    </Button>
  );
  const mayEdit = can("invoice_custom_sections:update");
  return (
    <Settings title="Custom sections">
      <div>
        <p className="settings-note">
          Texts below the totals of invoices: bank details, terms, notices. A billing entity or a customer
          chooses which ones.
        </p>
        <List
          what="sections"
          controls={list}
          query={sections}
          rowsOf={(page) => page.invoice_custom_sections}
          columns={sectionColumns}
          keyOf={(section) => section.lago_id}
          {...(mayEdit ? { onOpen: setEdited } : {})}
          toolbar={create}
          actions={(section) => (
            <ActionMenu
              label={`Actions for ${section.name}`}
              actions={[
                {
                  label: "Edit",
                  icon: <Pencil className="i" />,
                  onSelect: () => setEdited(section),
                  isShown: mayEdit,
                },
                {
                  label: "Delete",
                  icon: <Trash2 className="i" />,
                  isDanger: true,
                  onSelect: () => setDoomed(section),
                  isShown: can("invoice_custom_sections:delete"),
                },
              ]}
            />
          )}
          empty={<Empty title="No custom sections yet" actions={create} />}
        />
      </div>
      {edited && <SectionEditor section={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
      <Confirm
        title={`Delete the section “${doomed?.name}”?`}
        verb="Delete section"
        isOpen={doomed !== null}
        isBusy={remove.isPending}
        onClose={() => setDoomed(null)}
        onConfirm={() => doomed && remove.mutate({ params: { path: { code: doomed.code } } })}
      >
        Entities and customers that chose it lose it. Invoices that are final keep it.
      </Confirm>
    </Settings>
  );
}

interface SectionValues {
  name: string;
  code: string;
  description: string;
  display_name: string;
  details: string;
}

function SectionEditor({ section, onClose }: { section: CustomSection | null; onClose: () => void }) {
  const create = useChange("post", "/api/v1/invoice_custom_sections", {
    done: "Section created",
    isQuiet: true,
  });
  const update = useChange("put", "/api/v1/invoice_custom_sections/{code}", {
    done: "Section saved",
    isQuiet: true,
  });
  return (
    <Editor<SectionValues>
      title={section ? `Edit ${section.name}` : "New section"}
      verb={section ? "Save section" : "Create section"}
      values={{
        name: section?.name ?? "",
        code: section?.code ?? "",
        description: section?.description ?? "",
        display_name: section?.display_name ?? "",
        details: section?.details ?? "",
      }}
      onClose={onClose}
      onSave={({ code, name, ...texts }) => {
        const shown = {
          name,
          description: orNull(texts.description),
          display_name: orNull(texts.display_name),
          details: orNull(texts.details),
        };
        return section
          ? update.mutateAsync({
              params: { path: { code: section.code } },
              body: { invoice_custom_section: shown },
            })
          : create.mutateAsync({ body: { invoice_custom_section: { ...shown, code } } });
      }}
    >
      {(form) => {
        const { errors, dirtyFields } = form.formState;
        const heading = form.watch("display_name");
        const details = form.watch("details");
        return (
          <>
            <Field label="Name" error={messageOf(errors, "name")}>
              <TextInput
                autoFocus
                {...form.register("name", {
                  ...NEEDED,
                  onChange: (event: { target: { value: string } }) => {
                    if (!section && !dirtyFields.code) form.setValue("code", codeFrom(event.target.value));
                  },
                })}
              />
            </Field>
            <Field label="Code" error={messageOf(errors, "code")}>
              <TextInput disabled={section !== null} {...form.register("code", NEEDED)} />
            </Field>
            <Field label="Heading on the invoice" isOptional error={messageOf(errors, "display_name")}>
              <TextInput {...form.register("display_name")} />
            </Field>
            <Field label="Text" isOptional error={messageOf(errors, "details")}>
              <TextArea rows={6} {...form.register("details")} />
            </Field>
            <Field
              label="Description"
              isOptional
              hint="For you alone."
              error={messageOf(errors, "description")}
            >
              <TextArea {...form.register("description")} />
            </Field>
            {(heading || details) && (
              <div className="well">
                {heading && <h3>{heading}</h3>}
                <p className="ink2" style={{ whiteSpace: "pre-wrap" }}>
                  {details}
                </p>
              </div>
            )}
          </>
        );
      }}
    </Editor>
  );
}

const unitColumns: Column<PricingUnit>[] = [
  { head: "Name", fold: "f1", cell: (unit) => <b className="med">{unit.name}</b> },
  { head: "Code", fold: "f3", cell: (unit) => <span className="id">{unit.code}</span> },
  { head: "Short name", fold: "f2", cell: (unit) => unit.short_name },
  { head: "Since", isLow: true, cell: (unit) => <Day value={unit.created_at} /> },
];

export function PricingUnits() {
  const can = useCan();
  const list = useListState();
  const units = useQuery(read("/api/v1/pricing_units", { params: { query: list.asked } }));
  const [edited, setEdited] = useState<PricingUnit | "new" | null>(null);
  const create = can("pricing_units:create") && (
    <Button look="primary" size="sm" data-create="" onClick={() => setEdited("new")}>
      <Plus className="i" aria-hidden="true" />
      New pricing unit
    </Button>
  );
  return (
    <Settings title="Pricing units">
      <div>
        <p className="settings-note">
          Prices in credits or tokens of your own: a charge names a unit and what one of it costs in its
          plan's currency. A unit stays for good.
        </p>
        <List
          what="pricing units"
          controls={list}
          query={units}
          rowsOf={(page) => page.pricing_units}
          columns={unitColumns}
          keyOf={(unit) => unit.lago_id}
          {...(can("pricing_units:update") ? { onOpen: setEdited } : {})}
          toolbar={create}
          empty={<Empty title="No pricing units yet" actions={create} />}
        />
      </div>
      {edited && <UnitEditor unit={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </Settings>
  );
}

interface UnitValues {
  name: string;
  code: string;
  short_name: string;
  description: string;
}

function UnitEditor({ unit, onClose }: { unit: PricingUnit | null; onClose: () => void }) {
  const create = useChange("post", "/api/v1/pricing_units", { done: "Pricing unit created", isQuiet: true });
  const update = useChange("put", "/api/v1/pricing_units/{code}", {
    done: "Pricing unit saved",
    isQuiet: true,
  });
  return (
    <Editor<UnitValues>
      title={unit ? `Edit ${unit.name}` : "New pricing unit"}
      verb={unit ? "Save pricing unit" : "Create pricing unit"}
      values={{
        name: unit?.name ?? "",
        code: unit?.code ?? "",
        short_name: unit?.short_name ?? "",
        description: unit?.description ?? "",
      }}
      onClose={onClose}
      onSave={({ code, description, ...rest }) => {
        const shown = { ...rest, description: orNull(description) };
        return unit
          ? update.mutateAsync({
              params: { path: { code: unit.code } },
              body: { pricing_unit: shown } as never,
            })
          : create.mutateAsync({ body: { pricing_unit: { ...shown, code } } });
      }}
    >
      {(form) => {
        const { errors, dirtyFields } = form.formState;
        return (
          <>
            <Field label="Name" error={messageOf(errors, "name")}>
              <TextInput
                autoFocus
                placeholder="Compute credits"
                {...form.register("name", {
                  ...NEEDED,
                  onChange: (event: { target: { value: string } }) => {
                    if (!unit && !dirtyFields.code) form.setValue("code", codeFrom(event.target.value));
                  },
                })}
              />
            </Field>
            <Field label="Code" error={messageOf(errors, "code")}>
              <TextInput disabled={unit !== null} {...form.register("code", NEEDED)} />
            </Field>
            <Field
              label="Short name"
              hint="Up to three characters, shown beside amounts."
              error={messageOf(errors, "short_name")}
            >
              <TextInput maxLength={3} {...form.register("short_name", NEEDED)} />
            </Field>
            <Field label="Description" isOptional error={messageOf(errors, "description")}>
              <TextArea {...form.register("description")} />
            </Field>
          </>
        );
      }}
    </Editor>
  );
}
