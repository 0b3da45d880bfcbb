import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { Controller, type UseFormReturn, useForm } from "react-hook-form";
import { read, type Schema, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan, useNow, useOrganization } from "@/app/session";
import { countries } from "@/lib/countries";
import { countryName } from "@/pages/customers/customer";
import { Button, Copy, Section } from "@/ui/basics";
import { useChosen } from "@/ui/chosen";
import { Checkbox, Field, NumberInput, Select, Switch, TextArea, TextInput } from "@/ui/fields";
import { codeFrom, FieldRow, messageOf, placeErrors } from "@/ui/form";
import { useOpened } from "@/ui/opened";
import { Dialog } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import { Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import { TermField } from "@/ui/term";
import { currencies, languages, NUMBERINGS, numberPreview, zones } from "./choices";
import { EntityDunning, useEntityDunning } from "./dunning";
import { Editor, NEEDED, orNull } from "./editor";
import { EntityEmails } from "./emails";
import { Settings } from "./layout";
import { Refused, SaveRow } from "./organization";

export type Entity = Schema<"DetailedEntityOutput">;
type EntityInput = Schema<"EntityUpdateInput">;

export function Entities() {
  const can = useCan();
  const navigate = useNavigate();
  const entities = useQuery(read("/api/v1/billing_entities"));
  const [isMaking, setMaking] = useOpened("new", can("billing_entities:create"));
  const create = useChange("post", "/api/v1/billing_entities", {
    done: "Entity created",
    isQuiet: true,
    touches: ["/api/v1/billing_entities"],
    onDone: ({ billing_entity }) => void navigate({ to: paths.settings("entities", billing_entity.code) }),
  });
  return (
    <Settings title="Billing entities">
      <Section
        title="Billing entities"
        actions={
          can("billing_entities:create") && (
            <Button look="primary" size="sm" data-create="" onClick={() => setMaking(true)}>
              <Plus className="i" aria-hidden="true" />
              New entity
            </Button>
          )
        }
      >
        <p className="settings-note">
          Who invoices: legal identity, numbering, taxes, terms. A customer belongs to one.
        </p>
        <Loaded query={entities} what="Billing entities">
          {({ billing_entities: shown }) => (
            <Table
              label="Billing entities"
              columns={[
                {
                  head: "Name",
                  fold: "f1",
                  cell: (entity) => (
                    <span>
                      <b className="med">{entity.name}</b>{" "}
                      {entity.is_default && <span className="tag">Default</span>}
                    </span>
                  ),
                },
                { head: "Code", fold: "f3", cell: (entity) => <span className="id">{entity.code}</span> },
                {
                  head: "Country",
                  isLow: true,
                  cell: (entity) => countryName(entity.country) ?? <span className="dim">–</span>,
                },
                { head: "Currency", fold: "f2", cell: (entity) => entity.default_currency },
                { head: "Time zone", isLow: true, cell: (entity) => entity.timezone },
              ]}
              rows={shown}
              keyOf={(entity) => entity.lago_id}
              hrefOf={(entity) => paths.settings("entities", entity.code)}
            />
          )}
        </Loaded>
      </Section>
      {isMaking && (
        <Editor<{ name: string; code: string }>
          title="New billing entity"
          verb="Create entity"
          values={{ name: "", code: "" }}
          onClose={() => setMaking(false)}
          onSave={(values) => create.mutateAsync({ body: { billing_entity: values } })}
        >
          {(form) => (
            <>
              <Field label="Name" error={messageOf(form.formState.errors, "name")}>
                <TextInput
                  autoFocus
                  {...form.register("name", {
                    ...NEEDED,
                    onChange: (event: { target: { value: string } }) => {
                      if (!form.formState.dirtyFields.code)
                        form.setValue("code", codeFrom(event.target.value));
                    },
                  })}
                />
              </Field>
              <Field label="Code" error={messageOf(form.formState.errors, "code")}>
                <TextInput {...form.register("code", NEEDED)} />
              </Field>
            </>
          )}
        </Editor>
      )}
    </Settings>
  );
}

export function EntitySettings() {
  const { code } = useParams({ strict: false }) as { code: string };
  const can = useCan();
  const entity = useQuery(read("/api/v1/billing_entities/{code}", { params: { path: { code } } }));
  const everything = { params: { query: { per_page: "100" } } };
  const taxes = useQuery({ ...read("/api/v1/taxes", everything), enabled: can("organization:taxes:view") });
  const sections = useQuery({
    ...read("/api/v1/invoice_custom_sections", everything),
    enabled: can("invoice_custom_sections:view"),
  });
  const dunning = useEntityDunning(code);
  return (
    <Settings title={entity.data?.billing_entity.name ?? "Billing entity"}>
      <Loaded query={entity} what="The billing entity">
        {({ billing_entity: shown }) => (
          <>
            <IdentitySection entity={shown} />
            <InvoicingSection entity={shown} />
            <EntityEmails entity={shown} />
            <EntityDunning code={code} reads={dunning} />
            <ChoiceSection
              entity={shown}
              title="Taxes"
              field="tax_codes"
              note="Applied to fees of its customers that name no other tax."
              saved={shown.taxes.map((tax) => tax.code)}
              options={(taxes.data?.taxes ?? []).map((tax) => [tax.code, `${tax.name}, ${tax.rate}%`])}
            />
            <ChoiceSection
              entity={shown}
              title="Custom sections"
              field="invoice_custom_section_codes"
              note="On its invoices, unless a customer chooses others."
              saved={shown.selected_invoice_custom_sections.map((section) => section.code)}
              options={(sections.data?.invoice_custom_sections ?? []).map((one) => [one.code, one.name])}
            />
          </>
        )}
      </Loaded>
    </Settings>
  );
}

/** Who archives an entity, and what that takes: nobody does it here (platform §4). */
function ArchiveNotice({ entity }: { entity: Entity }) {
  const { slug } = useOrganization();
  const [isOpen, setOpen] = useOpened("archive");
  const close = () => setOpen(false);
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        Archive entity
      </Button>
      <Dialog
        title={`Archiving “${entity.name}”`}
        isOpen={isOpen}
        onClose={close}
        footer={<Button onClick={close}>Close</Button>}
      >
        <p>
          Whoever runs this installation archives billing entities. Send them this command:{" "}
          <Copy text={`tallymark orgs archive-entity ${entity.code} --organization ${slug}`} what="command" />
        </p>
        <p>
          Before that, another entity has to take on its customers, subscriptions and wallets, and its drafts
          have to be finalized. Then it is not listed any more and takes nobody on. Its invoices stay, and so
          do their numbers.
        </p>
      </Dialog>
    </>
  );
}

function useEntitySave(entity: Entity, form: UseFormReturn<never>, done: string) {
  const [error, setError] = useState<unknown>();
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done,
    isQuiet: true,
    touches: ["/api/v1/billing_entities", "/api/v1/organizations"],
  });
  const save = async (billing_entity: EntityInput) => {
    setError(undefined);
    try {
      await change.mutateAsync({ params: { path: { code: entity.code } }, body: { billing_entity } });
    } catch (refused) {
      setError(placeErrors(form, refused));
    }
  };
  return { save, error, isBusy: change.isPending };
}

const TEXTS = [
  "legal_name",
  "legal_number",
  "tax_identification_number",
  "email",
  "phone",
  "address_line1",
  "address_line2",
  "zipcode",
  "city",
  "state",
] as const;

function IdentitySection({ entity }: { entity: Entity }) {
  const can = useCan();
  const texts = Object.fromEntries(TEXTS.map((name) => [name, entity[name] ?? ""])) as Record<
    (typeof TEXTS)[number],
    string
  >;
  const form = useForm({
    values: { name: entity.name, timezone: entity.timezone, country: entity.country ?? "", ...texts },
  });
  const { save, error, isBusy } = useEntitySave(entity, form as never, "Entity saved");
  const logo = useChange("put", "/api/v1/billing_entities/{code}", {
    done: "Logo changed",
    touches: ["/api/v1/billing_entities"],
  });
  const { errors } = form.formState;
  const isFixed = !can("billing_entities:update");
  const text = (name: (typeof TEXTS)[number], label: string, type = "text") => (
    <Field label={label} isOptional error={messageOf(errors, name)}>
      <TextInput type={type} disabled={isFixed} {...form.register(name)} />
    </Field>
  );
  return (
    <Section
      title="Identity"
      meta={
        <>
          <Copy text={entity.code} what="code" /> {entity.is_default && <span className="tag">Default</span>}
        </>
      }
      actions={!isFixed && <ArchiveNotice entity={entity} />}
    >
      <form
        className="settings-form"
        onSubmit={form.handleSubmit((values) =>
          save({
            ...values,
            country: orNull(values.country),
            ...Object.fromEntries(TEXTS.map((name) => [name, orNull(values[name])])),
          }),
        )}
      >
        <Refused error={error} />
        <Field label="Name" error={messageOf(errors, "name")}>
          <TextInput disabled={isFixed} {...form.register("name", NEEDED)} />
        </Field>
        <FieldRow>
          {text("legal_name", "Legal name")}
          {text("legal_number", "Legal number")}
        </FieldRow>
        <FieldRow>
          {text("tax_identification_number", "Tax number")}
          {text("email", "E-mail", "email")}
        </FieldRow>
        {text("address_line1", "Address")}
        {text("address_line2", "Address, second line")}
        <FieldRow>
          {text("zipcode", "Postal code")}
          {text("city", "City")}
          {text("state", "State")}
        </FieldRow>
        <FieldRow>
          <Field label="Country" isOptional error={messageOf(errors, "country")}>
            <Controller
              control={form.control}
              name="country"
              render={({ field }) => (
                <Picker
                  label="Country"
                  value={field.value}
                  choices={countries()}
                  onChange={field.onChange}
                  isDisabled={isFixed}
                />
              )}
            />
          </Field>
          <Field label="Time zone" error={messageOf(errors, "timezone")}>
            <Controller
              control={form.control}
              name="timezone"
              render={({ field }) => (
                <Picker
                  label="Time zone"
                  value={field.value}
                  choices={zones()}
                  onChange={field.onChange}
                  isDisabled={isFixed}
                />
              )}
            />
          </Field>
        </FieldRow>
        {text("phone", "Phone")}
        <SaveRow isShown={!isFixed} isDirty={form.formState.isDirty} isBusy={isBusy}>
          Save identity
        </SaveRow>
      </form>
      <div className="settings-form" style={{ marginTop: 16 }}>
        <span className="label">Logo</span>
        {entity.logo_url && (
          <img className="logo-shown" src={entity.logo_url} alt={`Logo of ${entity.name}`} />
        )}
        {!isFixed && (
          <span className="row" style={{ justifyContent: "flex-start" }}>
            <label className="btn btn-sm">
              {entity.logo_url ? "Replace" : "Upload"}
              <input
                type="file"
                className="sr"
                accept="image/png,image/jpeg"
                onChange={async (event) => {
                  const file = event.target.files?.[0];
                  if (!file) return;
                  const body = { billing_entity: { logo: await dataUri(file) } } as never;
                  logo.mutate({ params: { path: { code: entity.code } }, body });
                }}
              />
            </label>
            {entity.logo_url && (
              <Button
                size="sm"
                look="ghost"
                onClick={() =>
                  logo.mutate({
                    params: { path: { code: entity.code } },
                    body: { billing_entity: { logo: null } },
                  })
                }
              >
                Remove
              </Button>
            )}
            <span className="hint">PNG or JPEG, up to 800 kB. On invoices, e-mails and the portal.</span>
          </span>
        )}
      </div>
    </Section>
  );
}

function dataUri(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}

const ANCHORS = [
  { value: "next_period_start", label: "The first day of the next period" },
  { value: "current_period_end", label: "The last day of the period" },
] as const;

const ADJUSTMENTS = [
  { value: "align_with_finalization_date", label: "The day on which it becomes final" },
  { value: "keep_anchor", label: "That day, whenever it becomes final" },
] as const;

const WHOLE = { pattern: { value: /^\d+$/, message: "Whole days." } } as const;

function InvoicingSection({ entity }: { entity: Entity }) {
  const can = useCan();
  const now = useNow();
  const form = useForm({
    values: {
      default_currency: entity.default_currency,
      document_locale: entity.document_locale,
      document_numbering: entity.document_numbering as string,
      document_number_prefix: entity.document_number_prefix,
      net_payment_term: String(entity.net_payment_term),
      invoice_grace_period: String(entity.invoice_grace_period),
      invoice_footer: entity.invoice_footer ?? "",
      finalize_zero_amount_invoice: entity.finalize_zero_amount_invoice,
      anchor: entity.subscription_invoice_issuing_date_anchor,
      adjustment: entity.subscription_invoice_issuing_date_adjustment,
      einvoicing: entity.einvoicing,
      eu_tax_management: entity.eu_tax_management,
    },
  });
  const { save, error, isBusy } = useEntitySave(entity, form as never, "Invoicing saved");
  const { errors } = form.formState;
  const isFixed = !can("billing_entities:update");
  const watched = form.watch();
  const set = (name: keyof typeof watched, value: unknown) =>
    form.setValue(name, value as never, { shouldDirty: true });
  return (
    <Section title="Invoicing">
      <form
        className="settings-form"
        onSubmit={form.handleSubmit((values) =>
          save({
            default_currency: values.default_currency,
            document_numbering: values.document_numbering,
            document_number_prefix: values.document_number_prefix,
            net_payment_term: Number(values.net_payment_term),
            finalize_zero_amount_invoice: values.finalize_zero_amount_invoice,
            einvoicing: values.einvoicing,
            eu_tax_management: values.eu_tax_management,
            billing_configuration: {
              document_locale: values.document_locale,
              invoice_grace_period: Number(values.invoice_grace_period),
              invoice_footer: orNull(values.invoice_footer),
              subscription_invoice_issuing_date_anchor: values.anchor,
              subscription_invoice_issuing_date_adjustment: values.adjustment,
            },
          }),
        )}
      >
        <Refused error={error} />
        <FieldRow>
          <Field label="Currency" error={messageOf(errors, "default_currency")}>
            <Picker
              label="Currency"
              value={watched.default_currency}
              choices={currencies()}
              onChange={(value) => set("default_currency", value)}
              isDisabled={isFixed}
            />
          </Field>
          <Field label="Language of documents">
            <Select
              value={watched.document_locale}
              options={languages()}
              onChange={(value) => set("document_locale", value)}
              isDisabled={isFixed}
            />
          </Field>
        </FieldRow>
        <FieldRow>
          <Field
            label="Prefix of numbers"
            hint={`Next: ${numberPreview(watched.document_number_prefix, watched.document_numbering, new Date(now))}`}
            error={messageOf(errors, "document_number_prefix")}
          >
            <TextInput
              maxLength={10}
              disabled={isFixed}
              {...form.register("document_number_prefix", NEEDED)}
            />
          </Field>
          <Field label="Numbering" error={messageOf(errors, "document_numbering")}>
            <Select
              value={watched.document_numbering}
              options={NUMBERINGS}
              onChange={(value) => set("document_numbering", value)}
              isDisabled={isFixed}
            />
          </Field>
        </FieldRow>
        <FieldRow>
          <Controller
            control={form.control}
            name="net_payment_term"
            rules={WHOLE}
            render={({ field }) => (
              <TermField
                value={field.value}
                onChange={field.onChange}
                isDisabled={isFixed}
                error={messageOf(errors, "net_payment_term")}
              />
            )}
          />
          <Field
            label="Grace period"
            hint="How long invoices stay drafts."
            error={messageOf(errors, "invoice_grace_period")}
          >
            <NumberInput
              after="days"
              disabled={isFixed}
              {...form.register("invoice_grace_period", {
                ...WHOLE,
                validate: (days) => Number(days) <= 365 || "A year at most.",
              })}
            />
          </Field>
        </FieldRow>
        <FieldRow>
          <Field label="Issuing date of a draft">
            <Select
              value={watched.anchor}
              options={ANCHORS}
              onChange={(value) => set("anchor", value)}
              isDisabled={isFixed}
            />
          </Field>
          <Field label="When it becomes final">
            <Select
              value={watched.adjustment}
              options={ADJUSTMENTS}
              onChange={(value) => set("adjustment", value)}
              isDisabled={isFixed}
            />
          </Field>
        </FieldRow>
        <Field
          label="Footer of invoices"
          isOptional
          hint={`${watched.invoice_footer.length} of 600`}
          error={messageOf(errors, "invoice_footer")}
        >
          <TextArea maxLength={600} disabled={isFixed} {...form.register("invoice_footer")} />
        </Field>
        <Switch
          label="Make invoices of zero final"
          hint="Else a period in which nothing is due has none."
          isOn={watched.finalize_zero_amount_invoice}
          onChange={(isOn) => set("finalize_zero_amount_invoice", isOn)}
          isDisabled={isFixed}
        />
        <Switch
          label="Electronic invoices"
          hint="The PDF carries the invoice as data, and the XML can be downloaded."
          isOn={watched.einvoicing}
          onChange={(isOn) => set("einvoicing", isOn)}
          isDisabled={isFixed}
        />
        <Switch
          label="European VAT"
          hint="Taxes follow from the countries and the customer's VAT number."
          isOn={watched.eu_tax_management}
          onChange={(isOn) => set("eu_tax_management", isOn)}
          isDisabled={isFixed}
        />
        <SaveRow isShown={!isFixed} isDirty={form.formState.isDirty} isBusy={isBusy}>
          Save invoicing
        </SaveRow>
      </form>
    </Section>
  );
}

interface ChoiceProps {
  entity: Entity;
  title: string;
  note: string;
  field: "tax_codes" | "invoice_custom_section_codes";
  saved: string[];
  options: [code: string, label: string][];
}

function ChoiceSection({ entity, title, note, field, saved, options }: ChoiceProps) {
  const can = useCan();
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done: `${title} changed`,
    touches: ["/api/v1/billing_entities", "/api/v1/taxes"],
  });
  const [chosen, choose] = useChosen(saved, (codes) =>
    change.mutateAsync({
      params: { path: { code: entity.code } },
      body: { billing_entity: { [field]: codes } },
    }),
  );
  if (options.length === 0) return null;
  return (
    <Section title={title}>
      <p className="settings-note">{note}</p>
      <div className="form-fields">
        {options.map(([code, label]) => (
          <Checkbox
            key={code}
            label={label}
            isOn={chosen.includes(code)}
            isDisabled={!can("billing_entities:update")}
            onChange={(isOn) => choose(code, isOn)}
          />
        ))}
      </div>
    </Section>
  );
}
