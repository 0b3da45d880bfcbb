import { useState } from "react";
import type { UseFormReturn } from "react-hook-form";
import { useChange } from "@/api/client";
import { Editor, NEEDED } from "@/pages/settings/editor";
import { NameAndCode } from "@/pages/settings/objects";
import { Field, NumberInput, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { SwitchField } from "@/ui/named";
import {
  type Connection,
  type ConnectionForm,
  type Credential,
  findProvider,
  type Kind,
  LONGEST_WAIT,
  readConnection,
  writeConnection,
} from "./kinds";

interface Props {
  kind: Kind;
  saved: Connection | null;
  onClose: () => void;
}

/** The drawer in which a connection is made or changed; only what is changed is sent. */
export function ConnectionEditor({ kind, saved, onClose }: Props) {
  const provider = findProvider(kind)!;
  const [initial] = useState(() => readConnection(saved));
  const quiet = { isQuiet: true };
  const create = useChange("post", "/app/v1/payment_providers", {
    ...quiet,
    done: `${provider.name} connected`,
  });
  const update = useChange("put", "/app/v1/payment_providers/{lago_id}", {
    ...quiet,
    done: "Connection saved",
  });
  return (
    <Editor<ConnectionForm>
      title={saved ? `Edit ${saved.name}` : `Connect ${provider.name}`}
      verb={saved ? "Save connection" : "Connect"}
      values={initial}
      onClose={onClose}
      onSave={(values) => {
        const body = { payment_provider: writeConnection(kind, values, saved) } as never;
        return saved
          ? update.mutateAsync({ params: { path: { lago_id: saved.lago_id } }, body })
          : create.mutateAsync({ body });
      }}
    >
      {(form) => (
        <>
          <NameAndCode form={form} isNew={!saved} example={`${provider.name} Europe`} />
          {provider.credentials.map((credential) => (
            <CredentialField key={credential.name} form={form} credential={credential} saved={saved} />
          ))}
          {kind === "stripe" && <StripeOptions form={form} />}
          <Field
            label="Page after a payment"
            isOptional
            hint="Where customers are led from pages of the provider’s."
            error={messageOf(form.formState.errors, "success_redirect_url")}
          >
            <TextInput
              inputMode="url"
              maxLength={1024}
              placeholder="https://example.com/thanks"
              {...form.register("success_redirect_url")}
            />
          </Field>
          {provider.charges && provider.hasPages && <Wait form={form} />}
        </>
      )}
    </Editor>
  );
}

interface Part {
  form: UseFormReturn<ConnectionForm>;
}

function CredentialField({
  form,
  credential,
  saved,
}: Part & { credential: Credential; saved: Connection | null }) {
  const { name, label, hint, isSecret, isOptional, isFixed, longest } = credential;
  const error = messageOf(form.formState.errors, name);
  const kept = saved?.secrets?.[name];
  if (saved && isFixed) {
    return (
      <Field label={label} hint="It cannot be changed. Make another connection for another key.">
        <TextInput disabled value={kept ?? "…"} readOnly />
      </Field>
    );
  }
  return (
    <Field
      label={label}
      isOptional={isOptional ?? false}
      hint={kept ? `The one that ends in ${kept} stays if this is empty.` : hint}
      error={error}
    >
      <TextInput
        maxLength={longest}
        {...(isSecret && { type: "password", autoComplete: "new-password" })}
        {...form.register(name, isOptional || kept ? {} : NEEDED)}
      />
    </Field>
  );
}

function StripeOptions({ form }: Part) {
  return (
    <>
      <SwitchField
        form={form}
        name="supports_3ds"
        label="3-D Secure"
        hint="A payment that the customer’s bank wants confirmed waits for the customer, in place of failing."
      />
      <SwitchField
        form={form}
        name="require_terms_of_service_consent"
        label="Ask for consent to the terms of service"
        hint="On payment pages; the terms’ address is set at Stripe."
      />
    </>
  );
}

function Wait({ form }: Part) {
  return (
    <>
      <SwitchField
        form={form}
        name="waits_for_page"
        label="Let customers pay on a page first"
        hint="The first automatic attempt waits, so that who pays by a link is not charged as well."
      />
      {form.watch("waits_for_page") && (
        <Field label="It waits" error={messageOf(form.formState.errors, "link_first_minutes")}>
          <NumberInput
            after="minutes"
            inputMode="numeric"
            {...form.register("link_first_minutes", {
              validate: (typed) =>
                (/^\d+$/.test(typed) && +typed >= 1 && +typed <= LONGEST_WAIT) ||
                `From 1 to ${LONGEST_WAIT.toLocaleString()}.`,
            })}
          />
        </Field>
      )}
    </>
  );
}
