/** Which e-mails the customers of an entity get, and what each looks like in a language and on a screen. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Mail } from "lucide-react";
import { useState } from "react";
import { read, useChange } from "@/api/client";
import { EmailPreview, type PreviewPath, SampleEmail } from "@/app/email-preview";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { languages } from "@/lib/choices";
import { Button, Section } from "@/ui/basics";
import { useChosen } from "@/ui/chosen";
import { Field, Segments, Select, Switch } from "@/ui/fields";
import { FieldRow } from "@/ui/form";
import { useOpenedRow } from "@/ui/opened";
import { Drawer } from "@/ui/overlays";
import { Loaded, Skeleton } from "@/ui/states";
import { Look } from "./look";
import type { Entity, PartProps } from "./page";

interface Scenario {
  setting: string;
  label: string;
  document: "invoice" | "credit_note" | "payment_receipt";
  /** Of a document that is there. */
  path: PreviewPath;
}

const SCENARIOS: readonly Scenario[] = [
  {
    setting: "invoice.finalized",
    label: "An invoice is final",
    document: "invoice",
    path: "/app/v1/email_previews/invoices/{lago_id}",
  },
  {
    setting: "credit_note.created",
    label: "A credit note is made",
    document: "credit_note",
    path: "/app/v1/email_previews/credit_notes/{lago_id}",
  },
  {
    setting: "payment_receipt.created",
    label: "A payment is received",
    document: "payment_receipt",
    path: "/app/v1/email_previews/payment_receipts/{lago_id}",
  },
];

export function EntityEmails({ entity }: PartProps) {
  return (
    <Loaded query={entity} what="The billing entity">
      {({ billing_entity: shown }) => (
        <>
          <Scenarios entity={shown} />
          <Look entity={shown} />
        </>
      )}
    </Loaded>
  );
}

function Scenarios({ entity }: { entity: Entity }) {
  const can = useCan();
  const [shown, setShown] = useOpenedRow("email", SCENARIOS, (one) => one.setting);
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done: "E-mails changed",
    touches: ["/api/v1/billing_entities"],
  });
  const [chosen, choose] = useChosen(entity.email_settings, (email_settings) =>
    change.mutateAsync({
      params: { path: { code: entity.code } },
      body: { billing_entity: { email_settings } },
    }),
  );
  return (
    <Section title="Sent to customers when">
      <div className="form-fields">
        {SCENARIOS.map((scenario) => (
          <div className="row between" key={scenario.setting}>
            <Switch
              label={scenario.label}
              isOn={chosen.includes(scenario.setting)}
              isDisabled={!can("billing_entities:update")}
              onChange={(isOn) => choose(scenario.setting, isOn)}
            />
            <Button
              size="sm"
              look="ghost"
              aria-label={`See the e-mail: ${scenario.label}`}
              onClick={() => setShown(scenario)}
            >
              <Mail className="i" aria-hidden="true" />
              See the e-mail
            </Button>
          </div>
        ))}
      </div>
      {!entity.email && (
        <p className="hint">
          Nothing is sent: the entity has no e-mail address to send from.{" "}
          <Link className="link" to={paths.entity(entity.code)}>
            Name one
          </Link>
        </p>
      )}
      {shown && <Example scenario={shown} entity={entity} onClose={() => setShown(null)} />}
    </Section>
  );
}

interface ExampleProps {
  scenario: Scenario;
  entity: Entity;
  onClose: () => void;
}

function Example({ scenario, entity, onClose }: ExampleProps) {
  const [locale, setLocale] = useState<string>(entity.document_locale);
  const [screen, setScreen] = useState<"wide" | "phone">("wide");
  const newest = useNewest(scenario.document, entity.code);
  return (
    <Drawer title={scenario.label} isOpen onClose={onClose} width={720}>
      <FieldRow>
        <Field label="Language">
          <Select value={locale} options={languages()} onChange={setLocale} />
        </Field>
        <div className="field">
          <span className="label">Screen</span>
          <Segments
            label="Screen"
            value={screen}
            options={[
              { value: "wide", label: "Desktop" },
              { value: "phone", label: "Phone" },
            ]}
            onChange={setScreen}
          />
        </div>
      </FieldRow>
      {newest.isLoading ? (
        <Skeleton width="60%" />
      ) : newest.id ? (
        <EmailPreview path={scenario.path} id={newest.id} locale={locale} isNarrow={screen === "phone"} />
      ) : (
        <>
          <p className="dim">An example, of an imagined customer.</p>
          <SampleEmail
            kind={scenario.document}
            entity={entity.code}
            locale={locale}
            isNarrow={screen === "phone"}
          />
        </>
      )}
    </Drawer>
  );
}

/** The entity's document that was made last, as the example of an e-mail. */
function useNewest(document: Scenario["document"], entity: string) {
  const can = useCan();
  const query = { per_page: "1", "billing_entity_codes[]": [entity] };
  const invoices = useQuery({
    ...read("/api/v1/invoices", { params: { query: { ...query, status: "finalized" } as never } }),
    enabled: document === "invoice" && can("invoices:view"),
  });
  const notes = useQuery({
    ...read("/api/v1/credit_notes", { params: { query: query as never } }),
    enabled: document === "credit_note" && can("credit_notes:view"),
  });
  const receipts = useQuery({
    ...read("/api/v1/payment_receipts", { params: { query: query as never } }),
    enabled: document === "payment_receipt" && can("payment_receipts:view"),
  });
  const [newest] =
    invoices.data?.invoices ?? notes.data?.credit_notes ?? receipts.data?.payment_receipts ?? [];
  return { isLoading: [invoices, notes, receipts].some((one) => one.isLoading), id: newest?.lago_id };
}
