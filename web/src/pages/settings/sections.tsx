/** Custom sections of invoices, and pricing units. */
import { read, type Schema, useChange } from "@/api/client";
import { withoutOne } from "@/api/foresight";
import { useCan } from "@/app/session";
import { Day } from "@/ui/amounts";
import { Field, TextArea, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { useListState, useRows } from "@/ui/list";
import { DescriptionField } from "@/ui/named";
import { Confirm } from "@/ui/overlays";
import type { Column } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { NameAndCode, Objects } from "./objects";

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
  return (
    <Objects
      title="Custom sections"
      about="Texts below the totals of invoices: bank details, terms, notices. A billing entity or a customer chooses which ones."
      one="section"
      many="custom sections"
      controls={list}
      query={useRows(list, (asked) => read("/api/v1/invoice_custom_sections", { params: { query: asked } }))}
      rowsOf={(page) => page.invoice_custom_sections}
      columns={sectionColumns}
      may={{
        create: can("invoice_custom_sections:create"),
        update: can("invoice_custom_sections:update"),
        delete: can("invoice_custom_sections:delete"),
      }}
      editor={(section, close) => <SectionEditor section={section} onClose={close} />}
      deletion={(section, close) => <DeleteSection section={section} onClose={close} />}
    />
  );
}

function DeleteSection({ section, onClose }: { section: CustomSection; onClose: () => void }) {
  const remove = useChange("delete", "/api/v1/invoice_custom_sections/{code}", {
    done: "Section deleted",
    foresees: withoutOne<CustomSection>(
      "/api/v1/invoice_custom_sections",
      "invoice_custom_sections",
      (one) => one.lago_id === section.lago_id,
    ),
  });
  return (
    <Confirm
      title={`Delete the section “${section.name}”?`}
      verb="Delete section"
      isOpen
      onClose={onClose}
      onConfirm={() => {
        remove.mutate({ params: { path: { code: section.code } } });
        onClose();
      }}
    >
      Entities and customers that chose it lose it. Invoices that are final keep it.
    </Confirm>
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
        const { errors } = form.formState;
        const [name, heading, details] = form.watch(["name", "display_name", "details"]);
        return (
          <>
            <NameAndCode form={form} isNew={!section} isCodeFixed />
            <Field label="Heading on the invoice" isOptional error={messageOf(errors, "display_name")}>
              <TextInput placeholder={name} {...form.register("display_name")} />
            </Field>
            <Field label="Text" isOptional error={messageOf(errors, "details")}>
              <TextArea rows={6} {...form.register("details")} />
            </Field>
            <DescriptionField form={form} hint="For you alone." />
            <OnInvoice heading={heading.trim() || name.trim()} text={details.trim()} />
          </>
        );
      }}
    </Editor>
  );
}

/** Where it stands on an invoice, whose other texts are left out: below the totals, at the left. */
function OnInvoice({ heading, text }: { heading: string; text: string }) {
  return (
    <figure className="on-invoice">
      <figcaption className="label">On an invoice</figcaption>
      <div className="invoice-sheet">
        <div className="rest" aria-hidden="true">
          <div className="head">
            <i style={{ width: "34%" }} />
            <b>Invoice</b>
          </div>
          <div className="parties">
            {[56, 64, 48].map((width) => (
              <div key={width}>
                <i style={{ width: `${width}%` }} />
                <i style={{ width: `${width + 20}%` }} />
                <i style={{ width: `${width + 8}%` }} />
              </div>
            ))}
          </div>
          <div className="lines">
            {[52, 40, 46].map((width) => (
              <div key={width}>
                <i style={{ width: `${width}%` }} />
                <i style={{ width: "12%" }} />
              </div>
            ))}
          </div>
          <div className="totals">
            <i style={{ width: "100%" }} />
            <i style={{ width: "72%" }} />
          </div>
        </div>
        <div className="section">
          <h3>{heading || <span className="dim">Heading</span>}</h3>
          <p>{text || <span className="dim">Text</span>}</p>
        </div>
      </div>
    </figure>
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
  return (
    <Objects
      title="Pricing units"
      about="Prices in credits or tokens of your own: a charge names a unit and what one of it costs in its plan's currency. A unit stays for good."
      one="pricing unit"
      many="pricing units"
      controls={list}
      query={useRows(list, (asked) => read("/api/v1/pricing_units", { params: { query: asked } }))}
      rowsOf={(page) => page.pricing_units}
      columns={unitColumns}
      may={{ create: can("pricing_units:create"), update: can("pricing_units:update") }}
      editor={(unit, close) => <UnitEditor unit={unit} onClose={close} />}
    />
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
        const { errors } = form.formState;
        return (
          <>
            <NameAndCode form={form} isNew={!unit} isCodeFixed example="Compute credits" />
            <Field
              label="Short name"
              hint="Up to three characters, shown beside amounts."
              error={messageOf(errors, "short_name")}
            >
              <TextInput maxLength={3} {...form.register("short_name", NEEDED)} />
            </Field>
            <DescriptionField form={form} />
          </>
        );
      }}
    </Editor>
  );
}
