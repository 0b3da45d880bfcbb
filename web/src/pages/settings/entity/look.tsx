/** The logo and the colour of a billing entity: on documents, in e-mails, on the customer portal. */
import { useForm } from "react-hook-form";
import { useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { Button, Section } from "@/ui/basics";
import { Field, TextInput } from "@/ui/fields";
import { LeaveGuard, messageOf } from "@/ui/form";
import { orNull } from "../editor";
import { Refused, SaveRow } from "../organization";
import type { Entity } from "./page";
import { useEntitySave } from "./save";

export function Look({ entity }: { entity: Entity }) {
  return (
    <Section title="Logo and colour">
      <p className="settings-note">On documents, in e-mails, and on the customer portal.</p>
      <div className="settings-form">
        <Logo entity={entity} />
        <Colour entity={entity} />
      </div>
    </Section>
  );
}

function Logo({ entity }: { entity: Entity }) {
  const isFixed = !useCan()("billing_entities:update");
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done: "Logo changed",
    touches: ["/api/v1/billing_entities"],
  });
  const set = (logo: string | null) =>
    change.mutate({
      params: { path: { code: entity.code } },
      body: { billing_entity: { logo } } as never,
    });
  return (
    <div className="field">
      <span className="label">Logo</span>
      {entity.logo_url && <img className="logo-shown" src={entity.logo_url} alt={`Logo of ${entity.name}`} />}
      {!entity.logo_url && isFixed && <span className="dim">None</span>}
      {!isFixed && (
        <span className="row logo-acts">
          <label className="btn btn-sm">
            {entity.logo_url ? "Replace" : "Upload"}
            <input
              type="file"
              className="sr"
              accept="image/png,image/jpeg"
              disabled={change.isPending}
              onChange={async (event) => {
                const field = event.target;
                const file = field.files?.[0];
                if (file) set(await dataUri(file));
                field.value = "";
              }}
            />
          </label>
          {entity.logo_url && (
            <Button size="sm" look="ghost" onClick={() => set(null)}>
              Remove
            </Button>
          )}
          <span className="hint">PNG or JPEG, up to 800 kB.</span>
        </span>
      )}
    </div>
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

const HEX = /^#[0-9a-f]{6}$/i;

function Colour({ entity }: { entity: Entity }) {
  const isFixed = !useCan()("billing_entities:update");
  const form = useForm({ values: { brand_color: entity.brand_color ?? "" }, mode: "onTouched" });
  const { save, error, isBusy } = useEntitySave(entity, form, "Colour changed");
  const { errors, isDirty } = form.formState;
  const written = form.watch("brand_color").trim();
  return (
    <form
      className="form-fields"
      onSubmit={form.handleSubmit(({ brand_color }) => save({ brand_color: orNull(brand_color) }))}
    >
      <LeaveGuard isDirty={isDirty && !isBusy} />
      <Refused error={error} />
      <Field
        label="Colour"
        isOptional
        hint="Of totals and buttons, as six digits: #0e5c63. Empty: Tallymark's."
        error={messageOf(errors, "brand_color")}
      >
        <TextInput
          maxLength={7}
          disabled={isFixed}
          before={
            <i
              className="brand-swatch"
              style={{ background: HEX.test(written) ? written : "transparent" }}
              aria-hidden="true"
            />
          }
          {...form.register("brand_color", {
            validate: (color) =>
              !color.trim() || HEX.test(color.trim()) || "# and six digits, such as #0e5c63.",
          })}
        />
      </Field>
      <SaveRow isShown={!isFixed && isDirty} isDirty={isDirty} isBusy={isBusy}>
        Save colour
      </SaveRow>
    </form>
  );
}
