import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useForm } from "react-hook-form";
import { read, type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { sessionQuery, useCan } from "@/app/session";
import { Day } from "@/ui/amounts";
import { Banner, Button, Copy, Facts, Section } from "@/ui/basics";
import { Field, NumberInput, Select, TextInput } from "@/ui/fields";
import { messageOf, placeErrors } from "@/ui/form";
import { Loaded } from "@/ui/states";
import { Settings } from "./layout";

type Organization = Schema<"OrganizationOutput">;

const LATE = [
  { value: "reject", label: "Refuse it" },
  { value: "open_period", label: "Count it in the open period" },
] as const;

const CORRECTIONS = [
  { value: "refuse", label: "Refuse it", detail: "What is billed stays as it is." },
  { value: "next_invoice", label: "Settle it on the next invoice" },
  { value: "document_now", label: "Settle it at once", detail: "By an invoice or a credit note of its own." },
] as const;

export function OrganizationSettings() {
  const organization = useQuery(read("/api/v1/organizations"));
  return (
    <Settings title="General">
      <Loaded query={organization} what="The organization">
        {({ organization: shown }) => (
          <>
            <Section title="Organization">
              <Facts
                facts={[
                  ["Name", shown.name],
                  ["ID", <Copy key="id" text={shown.lago_id} what="organization ID" />],
                  ["Since", <Day key="since" value={shown.created_at} zone={shown.timezone} />],
                ]}
              />
            </Section>
            <SlugSection organization={shown} />
            <MeteringSection organization={shown} />
          </>
        )}
      </Loaded>
    </Settings>
  );
}

function SlugSection({ organization }: { organization: Organization }) {
  const can = useCan();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const form = useForm({ values: { slug: organization.slug } });
  const [error, setError] = useState<unknown>();
  const save = useChange("put", "/api/v1/organizations", {
    done: "Address changed",
    isQuiet: true,
    touches: [],
    onDone: async (answer) => {
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
      void navigate({ href: `/${answer.organization.slug}/settings/organization` });
    },
  });
  return (
    <Section title="Address of these pages">
      <form
        className="settings-form"
        onSubmit={form.handleSubmit(({ slug }) =>
          save
            .mutateAsync({ body: { organization: { slug } } })
            .catch((refused: unknown) => setError(placeErrors(form, refused))),
        )}
      >
        <Refused error={error} />
        <Field
          label="Slug"
          hint="The first step of every address. Links to the old one stop working."
          error={messageOf(form.formState.errors, "slug")}
        >
          <TextInput
            before={`${location.host}/`}
            disabled={!can("organization:update")}
            {...form.register("slug")}
          />
        </Field>
        <SaveRow
          isShown={can("organization:update")}
          isDirty={form.formState.isDirty}
          isBusy={save.isPending}
        >
          Change address
        </SaveRow>
      </form>
    </Section>
  );
}

function MeteringSection({ organization }: { organization: Organization }) {
  const can = useCan();
  const { metering } = organization;
  const form = useForm({
    values: {
      late_event_window_days:
        metering.late_event_window_days === null ? "" : String(metering.late_event_window_days),
      late_event_policy: metering.late_event_policy as string,
      event_correction_policy: metering.event_correction_policy as string,
    },
  });
  const [error, setError] = useState<unknown>();
  const save = useChange("put", "/api/v1/organizations", {
    done: "Metering changed",
    isQuiet: true,
    touches: ["/api/v1/organizations"],
  });
  const isFixed = !can("organization:update");
  return (
    <Section title="Late and corrected events">
      <form
        className="settings-form"
        onSubmit={form.handleSubmit((values) => {
          setError(undefined);
          const days = values.late_event_window_days.trim();
          const wanted = { ...values, late_event_window_days: days ? Number(days) : null };
          return save
            .mutateAsync({ body: { organization: { metering: wanted } } })
            .catch((refused: unknown) => setError(refused));
        })}
      >
        <Refused error={error} />
        <Field
          label="Events may come late by"
          isOptional
          hint="Empty: as long as their period is not on a final invoice."
          error={messageOf(form.formState.errors, "late_event_window_days")}
        >
          <NumberInput
            after="days"
            disabled={isFixed}
            {...form.register("late_event_window_days", {
              pattern: { value: /^\d*$/, message: "Whole days." },
            })}
          />
        </Field>
        <Field label="An event that is later">
          <Select
            value={form.watch("late_event_policy")}
            options={LATE}
            isDisabled={isFixed}
            onChange={(value) => form.setValue("late_event_policy", value, { shouldDirty: true })}
          />
        </Field>
        <Field label="A correction of what is billed">
          <Select
            value={form.watch("event_correction_policy")}
            options={CORRECTIONS}
            isDisabled={isFixed}
            onChange={(value) => form.setValue("event_correction_policy", value, { shouldDirty: true })}
          />
        </Field>
        <SaveRow isShown={!isFixed} isDirty={form.formState.isDirty} isBusy={save.isPending}>
          Save
        </SaveRow>
      </form>
    </Section>
  );
}

export function Refused({ error }: { error: unknown }) {
  if (error === undefined || error === null) return null;
  return (
    <Banner look="bad">
      <p>{explain(error)}</p>
    </Banner>
  );
}

interface SaveRowProps {
  isShown: boolean;
  isDirty: boolean;
  isBusy: boolean;
  children: ReactNode;
}

export function SaveRow({ isShown, isDirty, isBusy, children }: SaveRowProps) {
  if (!isShown) return null;
  return (
    <div className="row">
      <Button look="primary" type="submit" disabled={!isDirty} isBusy={isBusy}>
        {children}
      </Button>
    </div>
  );
}
