/** Who a billing entity is: its name, its legal identity, where it is reached, its time. */
import { useForm } from "react-hook-form";
import { useCan, useOrganization } from "@/app/session";
import { countries, zones } from "@/lib/choices";
import { Button, Copy, Section } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { FieldRow, LeaveGuard, messageOf } from "@/ui/form";
import { PickerField, SwitchField } from "@/ui/named";
import { useOpened } from "@/ui/opened";
import { Dialog } from "@/ui/overlays";
import { Loaded } from "@/ui/states";
import { NEEDED, orNull } from "../editor";
import { Refused, SaveRow } from "../organization";
import type { Entity, PartProps } from "./page";
import { useEntitySave } from "./save";

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

type TextName = (typeof TEXTS)[number];

export function General({ entity }: PartProps) {
  return (
    <Loaded query={entity} what="The billing entity">
      {({ billing_entity }) => <Identity entity={billing_entity} />}
    </Loaded>
  );
}

function Identity({ entity }: { entity: Entity }) {
  const isFixed = !useCan()("billing_entities:update");
  const texts = Object.fromEntries(TEXTS.map((name) => [name, entity[name] ?? ""])) as Record<
    TextName,
    string
  >;
  const form = useForm({
    values: {
      name: entity.name,
      timezone: entity.timezone,
      country: entity.country ?? "",
      einvoicing: entity.einvoicing,
      ...texts,
    },
  });
  const { save, error, isBusy } = useEntitySave(entity, form, "Entity saved");
  const { errors, isDirty } = form.formState;
  const text = (name: TextName, label: string, type = "text") => (
    <Field label={label} isOptional error={messageOf(errors, name)}>
      <TextInput type={type} disabled={isFixed} {...form.register(name)} />
    </Field>
  );
  return (
    <form
      className="settings-parts"
      onSubmit={form.handleSubmit((values) =>
        save({
          ...values,
          country: orNull(values.country),
          ...Object.fromEntries(TEXTS.map((name) => [name, orNull(values[name])])),
        }),
      )}
    >
      <LeaveGuard isDirty={isDirty && !isBusy} />
      <Section
        title="Identity"
        meta={
          <>
            <Copy text={entity.code} what="code" />{" "}
            {entity.is_default && <span className="tag">Default</span>}
          </>
        }
        actions={!isFixed && <ArchiveNotice entity={entity} />}
      >
        <div className="settings-form">
          <Refused error={error} />
          <Field label="Name" error={messageOf(errors, "name")}>
            <TextInput disabled={isFixed} {...form.register("name", NEEDED)} />
          </Field>
          <FieldRow>
            {text("legal_name", "Legal name")}
            {text("legal_number", "Legal number")}
          </FieldRow>
          {text("tax_identification_number", "Tax number")}
        </div>
      </Section>
      <Section title="Contact and address">
        <div className="settings-form">
          <FieldRow>
            {text("email", "E-mail", "email")}
            {text("phone", "Phone", "tel")}
          </FieldRow>
          {text("address_line1", "Address")}
          {text("address_line2", "Address, second line")}
          <FieldRow>
            {text("zipcode", "Postal code")}
            {text("city", "City")}
            {text("state", "State")}
          </FieldRow>
          <PickerField
            form={form}
            name="country"
            label="Country"
            isOptional
            choices={countries()}
            isDisabled={isFixed}
          />
        </div>
      </Section>
      <Section title="Time and documents">
        <div className="settings-form">
          <PickerField
            form={form}
            name="timezone"
            label="Time zone"
            hint="In which its customers' periods begin and end, unless they have one of their own."
            choices={zones()}
            isDisabled={isFixed}
          />
          <SwitchField
            form={form}
            name="einvoicing"
            label="Electronic invoices"
            hint="The PDF carries the invoice as data, and the XML can be downloaded."
            isDisabled={isFixed}
          />
          <SaveRow isShown={!isFixed} isDirty={isDirty} isBusy={isBusy}>
            Save entity
          </SaveRow>
        </div>
      </Section>
    </form>
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
