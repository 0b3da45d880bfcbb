/** What a customer does otherwise than its billing entity: each setting says whether it is inherited. */

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { languageName, languages } from "@/lib/choices";
import { percent } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Banner, Button } from "@/ui/basics";
import { Checkbox, Field, NumberInput, Select } from "@/ui/fields";
import { useOpenedRow } from "@/ui/opened";
import { Dialog, FormButtons } from "@/ui/overlays";
import { Loaded } from "@/ui/states";
import { TermField } from "@/ui/term";
import type { Customer } from "./customer";
import { DunningSetting } from "./dunning";
import type { TabProps } from "./page";

type Entity = Schema<"DetailedEntityOutput">;
type Fields = Omit<Schema<"CustomerFields">, "external_id">;

interface Setting {
  key: string;
  title: string;
  about: string;
  own: (customer: Customer, entity: Entity) => ReactNode | null;
  inherited: (entity: Entity) => ReactNode;
  /** What is written when it is inherited again. */
  reset: Fields;
  /** What a member has to see beside the customer, to choose from. */
  permission?: string;
}

const ZERO_INVOICES = { skip: "Not issued", finalize: "Issued" };
const ANCHORS: Record<string, string> = {
  current_period_end: "The last day of the period",
  next_period_start: "The first day of the next period",
};
const ADJUSTMENTS: Record<string, string> = {
  keep_anchor: "Stays, whenever it is finalized",
  align_with_finalization_date: "Moves to the day of finalization",
};

const days = (count: number) => countWords(count, "day");
const namesOf = (sections: readonly { name: string }[]) => sections.map((one) => one.name).join(", ");

const SETTINGS: Setting[] = [
  {
    key: "locale",
    title: "Language of documents",
    about: "Invoices, credit notes, receipts, e-mails and the portal.",
    own: ({ billing_configuration: { document_locale } }) => document_locale && languageName(document_locale),
    inherited: ({ document_locale }) => languageName(document_locale),
    reset: { billing_configuration: { document_locale: null } },
  },
  {
    key: "zero",
    title: "Invoices without an amount",
    about: "Whether an invoice whose total is zero is issued.",
    own: ({ finalize_zero_amount_invoice: own }) => (own === "inherit" ? null : ZERO_INVOICES[own]),
    inherited: ({ finalize_zero_amount_invoice }) => (finalize_zero_amount_invoice ? "Issued" : "Not issued"),
    reset: { finalize_zero_amount_invoice: "inherit" },
  },
  {
    key: "grace",
    title: "Grace period",
    about: "How long an invoice stays a draft, so that late events count.",
    own: ({ billing_configuration: { invoice_grace_period } }) =>
      invoice_grace_period === null ? null : days(invoice_grace_period),
    inherited: ({ invoice_grace_period }) => days(invoice_grace_period),
    reset: { billing_configuration: { invoice_grace_period: null } },
  },
  {
    key: "issuing",
    title: "Issuing date",
    about: "Which day stands on invoices of subscriptions.",
    own: ({ billing_configuration: config }) => {
      const { subscription_invoice_issuing_date_anchor: anchor } = config;
      const { subscription_invoice_issuing_date_adjustment: adjustment } = config;
      const words = [anchor && ANCHORS[anchor], adjustment && ADJUSTMENTS[adjustment]].filter(Boolean);
      return words.length > 0 ? words.join(". ") : null;
    },
    inherited: (entity) => ANCHORS[entity.subscription_invoice_issuing_date_anchor],
    reset: {
      billing_configuration: {
        subscription_invoice_issuing_date_anchor: null,
        subscription_invoice_issuing_date_adjustment: null,
      },
    },
  },
  {
    key: "term",
    title: "Payment term",
    about: "How many days after its issuing date an invoice is due.",
    own: ({ net_payment_term }) => (net_payment_term === null ? null : days(net_payment_term)),
    inherited: ({ net_payment_term }) => days(net_payment_term),
    reset: { net_payment_term: null },
  },
  {
    key: "taxes",
    title: "Taxes",
    about: "Taxes of the customer take the place of the entity's.",
    own: ({ taxes }) =>
      taxes.length > 0 ? taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ") : null,
    inherited: () => "The entity's taxes",
    reset: { tax_codes: [] },
    permission: "organization:taxes:view",
  },
  {
    key: "sections",
    title: "Custom sections of invoices",
    about: "Texts below the totals.",
    own: (customer, entity) => {
      const { skip_invoice_custom_sections: skips, applicable_invoice_custom_sections: own } = customer;
      if (skips) return "None";
      const codes = (sections: readonly { code: string }[]) => sections.map(({ code }) => code).sort();
      const isSame = String(codes(own)) === String(codes(entity.selected_invoice_custom_sections));
      return isSame ? null : namesOf(own);
    },
    inherited: ({ selected_invoice_custom_sections: sections }) => namesOf(sections) || "None",
    reset: { skip_invoice_custom_sections: false, invoice_custom_section_codes: [] },
    permission: "invoice_custom_sections:view",
  },
];

export function CustomerSettings({ customer, reads }: TabProps) {
  const can = useCan();
  const mayChange = ({ permission }: Setting) =>
    can("customers:update") && (permission === undefined || can(permission));
  const [open, setOpen] = useOpenedRow("change", SETTINGS.filter(mayChange), (one) => one.key);
  // With what it chose for all of its customers, which lists do not tell.
  const issuer = useQuery(
    read("/api/v1/billing_entities/{code}", { params: { path: { code: customer.billing_entity_code } } }),
  );
  return (
    <Loaded query={issuer} what="Settings">
      {({ billing_entity: entity }) => (
        <div className="settings-list">
          {SETTINGS.map((setting) => {
            const own = setting.own(customer, entity);
            return (
              <section className="setting" key={setting.key}>
                <div>
                  <h3>{setting.title}</h3>
                  <span className="hint">{setting.about}</span>
                </div>
                <div>
                  {own ?? setting.inherited(entity)}{" "}
                  {own ? (
                    <span className="tag accent">Own</span>
                  ) : (
                    <span className="tag">From {entity.name}</span>
                  )}
                </div>
                {mayChange(setting) ? (
                  <Button size="sm" aria-label={`Change ${setting.title}`} onClick={() => setOpen(setting)}>
                    Change
                  </Button>
                ) : (
                  <span />
                )}
              </section>
            );
          })}
          <DunningSetting customer={customer} reads={reads} />
          {open && (
            <Editor setting={open} customer={customer} entity={entity} onClose={() => setOpen(null)} />
          )}
        </div>
      )}
    </Loaded>
  );
}

interface EditorProps {
  setting: Setting;
  customer: Customer;
  entity: Entity;
  onClose: () => void;
}

function Editor({ setting, customer, entity, onClose }: EditorProps) {
  const [fields, setFields] = useState<Fields | null>(null);
  const [isOwn, setOwn] = useState(setting.own(customer, entity) !== null);
  const [error, setError] = useState<unknown>(null);
  const save = useChange("post", "/api/v1/customers", {
    done: `${setting.title} saved`,
    touches: ["/api/v1/customers"],
    isQuiet: true,
    onDone: onClose,
  });
  const submit = () => {
    const changed = isOwn ? fields : setting.reset;
    if (changed === null) return onClose();
    setError(null);
    save.mutate(
      { body: { customer: { external_id: customer.external_id, ...changed } } },
      { onError: setError },
    );
  };
  return (
    <Dialog
      title={setting.title}
      isOpen
      onClose={onClose}
      isDirty={fields !== null}
      footer={
        <FormButtons onCancel={onClose} isBusy={save.isPending} onSave={submit}>
          Save setting
        </FormButtons>
      }
    >
      <div className="form-fields">
        {error !== null && <Banner look="bad">{explain(error)}</Banner>}
        <Field label="Value">
          <Select
            value={isOwn ? "own" : "inherit"}
            options={[
              {
                value: "inherit",
                label: `From ${entity.name}`,
                detail: setting.inherited(entity),
              },
              { value: "own", label: "Own value" },
            ]}
            onChange={(value) => setOwn(value === "own")}
          />
        </Field>
        {isOwn && <OwnValue setting={setting} customer={customer} entity={entity} onChange={setFields} />}
      </div>
    </Dialog>
  );
}

interface OwnProps {
  setting: Setting;
  customer: Customer;
  entity: Entity;
  onChange: (fields: Fields) => void;
}

function OwnValue({ setting, customer, entity, onChange }: OwnProps) {
  const config = customer.billing_configuration;
  switch (setting.key) {
    case "locale":
      return (
        <Choice
          label="Language"
          initial={config.document_locale ?? ""}
          options={languages()}
          onChange={(document_locale) => onChange({ billing_configuration: { document_locale } })}
        />
      );
    case "zero":
      return (
        <Choice
          label="Invoices whose total is zero"
          initial={customer.finalize_zero_amount_invoice}
          options={Object.entries(ZERO_INVOICES).map(([value, label]) => ({ value, label }))}
          onChange={(value) => onChange({ finalize_zero_amount_invoice: value })}
        />
      );
    case "grace":
      return (
        <Days
          initial={config.invoice_grace_period ?? entity.invoice_grace_period}
          onChange={(count) => onChange({ billing_configuration: { invoice_grace_period: count } })}
        />
      );
    case "term":
      return (
        <Term
          initial={customer.net_payment_term ?? entity.net_payment_term}
          onChange={(net_payment_term) => onChange({ net_payment_term })}
        />
      );
    case "issuing":
      return <IssuingDate customer={customer} entity={entity} onChange={onChange} />;
    case "taxes":
      return <Taxes customer={customer} onChange={onChange} />;
    default:
      return <Sections customer={customer} onChange={onChange} />;
  }
}

function Choice({
  label,
  initial,
  options,
  onChange,
}: {
  label: string;
  initial: string;
  options: { value: string; label: string }[];
  onChange: (value: string) => void;
}) {
  const [value, setValue] = useState(initial);
  return (
    <Field label={label}>
      <Select
        value={options.some((one) => one.value === value) ? value : ""}
        options={options}
        onChange={(next) => {
          setValue(next);
          onChange(next);
        }}
      />
    </Field>
  );
}

interface DaysProps {
  initial: number;
  onChange: (days: number) => void;
}

function Days(props: DaysProps) {
  const { typed, type, error } = useDays(props);
  return (
    <Field label="Days" error={error}>
      <NumberInput inputMode="numeric" value={typed} onChange={(event) => type(event.target.value)} />
    </Field>
  );
}

function Term(props: DaysProps) {
  const { typed, type, error } = useDays(props);
  return <TermField value={typed} onChange={type} error={error} />;
}

/** A number of days as it is typed; heard of once it is one. */
function useDays({ initial, onChange }: DaysProps) {
  const [typed, setTyped] = useState(String(initial));
  const isWhole = (text: string) => /^\d{1,5}$/.test(text.trim());
  return {
    typed,
    type: (text: string) => {
      setTyped(text);
      if (isWhole(text)) onChange(Number(text));
    },
    error: isWhole(typed) ? undefined : "This is no number of days.",
  };
}

function IssuingDate({ customer, entity, onChange }: Omit<OwnProps, "setting">) {
  const config = customer.billing_configuration;
  const [anchor, setAnchor] = useState(
    config.subscription_invoice_issuing_date_anchor ?? entity.subscription_invoice_issuing_date_anchor,
  );
  const [adjustment, setAdjustment] = useState(
    config.subscription_invoice_issuing_date_adjustment ??
      entity.subscription_invoice_issuing_date_adjustment,
  );
  const change = (nextAnchor: string, nextAdjustment: string) => {
    setAnchor(nextAnchor);
    setAdjustment(nextAdjustment);
    onChange({
      billing_configuration: {
        subscription_invoice_issuing_date_anchor: nextAnchor,
        subscription_invoice_issuing_date_adjustment: nextAdjustment,
      },
    });
  };
  const optionsOf = (words: Record<string, string>) =>
    Object.entries(words).map(([value, label]) => ({ value, label }));
  return (
    <>
      <Field label="Day">
        <Select value={anchor} options={optionsOf(ANCHORS)} onChange={(next) => change(next, adjustment)} />
      </Field>
      <Field label="When it is finalized later">
        <Select
          value={adjustment}
          options={optionsOf(ADJUSTMENTS)}
          onChange={(next) => change(anchor, next)}
        />
      </Field>
    </>
  );
}

function Taxes({ customer, onChange }: Pick<OwnProps, "customer" | "onChange">) {
  const taxes = useQuery(read("/api/v1/taxes", { params: { query: WHOLE } }));
  const [codes, setCodes] = useState(customer.taxes.map((tax) => tax.code));
  return (
    <Loaded query={taxes} what="Taxes" skeleton={<span className="sk" style={{ width: 160 }} />}>
      {(page) =>
        page.taxes.length === 0 ? (
          <p className="dim">There is no tax yet. Add one in the settings.</p>
        ) : (
          page.taxes.map((tax) => (
            <Checkbox
              key={tax.code}
              label={`${tax.name}, ${percent(tax.rate)}`}
              isOn={codes.includes(tax.code)}
              onChange={(isOn) => {
                const next = isOn ? [...codes, tax.code] : codes.filter((code) => code !== tax.code);
                setCodes(next);
                onChange({ tax_codes: next });
              }}
            />
          ))
        )
      }
    </Loaded>
  );
}

function Sections({ customer, onChange }: Pick<OwnProps, "customer" | "onChange">) {
  const sections = useQuery(read("/api/v1/invoice_custom_sections", { params: { query: WHOLE } }));
  const [isNone, setNone] = useState(customer.skip_invoice_custom_sections);
  const [codes, setCodes] = useState(
    customer.applicable_invoice_custom_sections.map((section) => section.code),
  );
  // What is made for the customer, the accounts they send money to, is nobody's to select.
  const listed = sections.data?.invoice_custom_sections.map((section) => section.code) ?? [];
  const change = (none: boolean, next: string[]) => {
    const selected = next.filter((code) => listed.includes(code));
    setNone(none);
    setCodes(selected);
    onChange(
      none
        ? { skip_invoice_custom_sections: true }
        : { skip_invoice_custom_sections: false, invoice_custom_section_codes: selected },
    );
  };
  return (
    <Loaded query={sections} what="Sections" skeleton={<span className="sk" style={{ width: 160 }} />}>
      {(page) => (
        <>
          <Checkbox label="None" isOn={isNone} onChange={(isOn) => change(isOn, codes)} />
          {!isNone &&
            page.invoice_custom_sections.map((section) => (
              <Checkbox
                key={section.code}
                label={section.name}
                isOn={codes.includes(section.code)}
                onChange={(isOn) =>
                  change(
                    false,
                    isOn ? [...codes, section.code] : codes.filter((code) => code !== section.code),
                  )
                }
              />
            ))}
        </>
      )}
    </Loaded>
  );
}
