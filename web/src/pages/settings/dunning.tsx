/** Dunning campaigns: how customers who owe are asked again, and how often. */

import { useQuery } from "@tanstack/react-query";
import { Mail, Plus, Trash2 } from "lucide-react";
import { Controller } from "react-hook-form";
import { read, type Schema, useChange, WHOLE } from "@/api/client";
import { EmailPreview, SampleEmail } from "@/app/email-preview";
import { useEntityNames } from "@/app/entity-name";
import { useCan, useOrganization } from "@/app/session";
import { currencies } from "@/lib/choices";
import { money } from "@/lib/money";
import { countWords } from "@/lib/words";
import { Button } from "@/ui/basics";
import { ChipsInput, Field, MoneyInput, NumberInput } from "@/ui/fields";
import { FieldRow, messageOf } from "@/ui/form";
import { useListState, useRows } from "@/ui/list";
import { DescriptionField, SwitchField } from "@/ui/named";
import { useOpened } from "@/ui/opened";
import { Confirm, Drawer } from "@/ui/overlays";
import { Picker } from "@/ui/picker";
import type { Column } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { NameAndCode, Objects } from "./objects";
import { rowsOf, type ThresholdRow, thresholdsOf, withRow, wrongRows } from "./thresholds";

export type Campaign = Schema<"CampaignOutput">;

export const TOUCHED = ["/app/v1/dunning_campaigns", "/app/v1/billing_entities", "/app/v1/customers"];

const times = (count: number) => (count === 1 ? "once" : `${count.toLocaleString()} times`);
const everyDays = (count: number) => (count === 1 ? "every day" : `every ${count.toLocaleString()} days`);

/** "Twice at the most, every 3 days": how a campaign asks. */
export function rhythm({ max_attempts, days_between_attempts }: Campaign): string {
  if (max_attempts === 1) return "Once";
  const words = times(max_attempts);
  return `${words[0]!.toUpperCase()}${words.slice(1)}, ${everyDays(days_between_attempts)}`;
}

function whoseIs(campaign: Campaign, nameOf: (entity: string) => string): string {
  const own = campaign.customers_count;
  return [
    ...campaign.billing_entity_codes.map(nameOf),
    ...(own > 0 ? [countWords(own, "customer")] : []),
  ].join(", ");
}

const columnsOf = (nameOf: (entity: string) => string): Column<Campaign>[] => [
  {
    head: "Name",
    fold: "f1",
    cell: (campaign) => (
      <span>
        <b className="med">{campaign.name}</b>{" "}
        {campaign.applied_to_organization && <span className="tag">Default</span>}
      </span>
    ),
  },
  { head: "Code", fold: "f3", isLow: true, cell: (campaign) => <span className="id">{campaign.code}</span> },
  {
    head: "Asks from",
    fold: "f4",
    cell: (campaign) => campaign.thresholds.map((one) => money(one.amount_cents, one.currency)).join(", "),
  },
  { head: "Attempts", fold: "f2", cell: rhythm },
  {
    head: "Applies to",
    isLow: true,
    cell: (campaign) => whoseIs(campaign, nameOf) || <span className="dim">Nobody yet</span>,
  },
];

export function DunningCampaigns() {
  const can = useCan();
  const list = useListState();
  const campaigns = useRows(list, (asked) =>
    read("/app/v1/dunning_campaigns", { params: { query: { ...asked, ...list.sought } } }),
  );
  const newest = useNewestRequest();
  const nameOf = useEntityNames();
  return (
    <Objects
      title="Dunning"
      about="Customers whose overdue balance reaches a threshold are asked for it by e-mail, some days apart and so often at the most. A billing entity has one campaign for its customers; a customer may have another, or none."
      one="campaign"
      many="campaigns"
      controls={list}
      query={campaigns}
      rowsOf={(page) => page.dunning_campaigns}
      columns={columnsOf(nameOf)}
      may={{
        create: can("dunning_campaigns:create"),
        update: can("dunning_campaigns:update"),
        delete: can("dunning_campaigns:delete"),
      }}
      searchHint="Name and code"
      tools={newest.isKnown && <ExampleButton request={newest.id} />}
      purpose="Nobody is asked again by itself."
      editor={(campaign, close) => <CampaignEditor campaign={campaign} onClose={close} />}
      deletion={(campaign, close) => <DeleteCampaign campaign={campaign} onClose={close} />}
    />
  );
}

function DeleteCampaign({ campaign, onClose }: { campaign: Campaign; onClose: () => void }) {
  const remove = useChange("delete", "/app/v1/dunning_campaigns/{code}", {
    done: "Campaign deleted",
    touches: TOUCHED,
    onDone: onClose,
  });
  const whose = whoseIs(campaign, useEntityNames());
  return (
    <Confirm
      title={`Delete the campaign “${campaign.name}”?`}
      verb="Delete campaign"
      isOpen
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { code: campaign.code } } })}
    >
      {whose
        ? `${whose}: nobody is asked by it any more. Requests that it made stay.`
        : "It applies to nobody. Requests that it made stay."}
    </Confirm>
  );
}

/** The request that was sent last, as an example of what campaigns send; known once it is asked for, or may not be. */
function useNewestRequest(): { isKnown: boolean; id: string | undefined } {
  const can = useCan();
  const requests = useQuery({
    ...read("/api/v1/payment_requests", { params: { query: { per_page: "1" } } }),
    enabled: can("payments:view"),
  });
  return { isKnown: !requests.isLoading, id: requests.data?.payment_requests[0]?.lago_id };
}

function ExampleButton({ request }: { request: string | undefined }) {
  const [isOpen, setOpen] = useOpened("email");
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        <Mail className="i" aria-hidden="true" />
        See the e-mail
      </Button>
      {isOpen && (
        <Drawer title="What is sent" isOpen onClose={() => setOpen(false)} width={720}>
          {request ? (
            <>
              <p className="dim">
                The newest payment request, as its customer reads it: in their language, with what was due of
                each invoice.
              </p>
              <EmailPreview path="/app/v1/email_previews/payment_requests/{lago_id}" id={request} />
            </>
          ) : (
            <>
              <p className="dim">An example, of an imagined customer. Theirs is in their language.</p>
              <SampleEmail kind="payment_request" />
            </>
          )}
        </Drawer>
      )}
    </>
  );
}

interface Values {
  name: string;
  code: string;
  description: string;
  thresholds: ThresholdRow[];
  days_between_attempts: string;
  max_attempts: string;
  bcc_emails: string[];
  applied_to_organization: boolean;
}

const COUNT = {
  ...NEEDED,
  pattern: { value: /^[1-9]\d*$/, message: "This is a whole number from 1 on." },
} as const;

function CampaignEditor({ campaign, onClose }: { campaign: Campaign | null; onClose: () => void }) {
  const { default_currency } = useOrganization();
  const create = useChange("post", "/app/v1/dunning_campaigns", {
    done: "Campaign created",
    isQuiet: true,
    touches: TOUCHED,
  });
  const update = useChange("put", "/app/v1/dunning_campaigns/{code}", {
    done: "Campaign saved",
    isQuiet: true,
    touches: TOUCHED,
  });
  const common = [...new Set([default_currency, "USD", "EUR", "GBP", "CHF", "JPY"])];
  return (
    <Editor<Values>
      title={campaign ? `Edit ${campaign.name}` : "New campaign"}
      verb={campaign ? "Save campaign" : "Create campaign"}
      values={{
        name: campaign?.name ?? "",
        code: campaign?.code ?? "",
        description: campaign?.description ?? "",
        thresholds: campaign ? rowsOf(campaign.thresholds) : withRow([], common),
        days_between_attempts: String(campaign?.days_between_attempts ?? 7),
        max_attempts: String(campaign?.max_attempts ?? 3),
        bcc_emails: campaign?.bcc_emails ?? [],
        applied_to_organization: campaign?.applied_to_organization ?? false,
      }}
      onClose={onClose}
      onSave={(values) => {
        const dunning_campaign = {
          ...values,
          description: orNull(values.description),
          thresholds: thresholdsOf(values.thresholds),
          days_between_attempts: Number(values.days_between_attempts),
          max_attempts: Number(values.max_attempts),
        };
        return campaign
          ? update.mutateAsync({ params: { path: { code: campaign.code } }, body: { dunning_campaign } })
          : create.mutateAsync({ body: { dunning_campaign } });
      }}
    >
      {(form) => {
        const { errors } = form.formState;
        return (
          <>
            <FieldRow>
              <NameAndCode form={form} isNew={!campaign} example="Reminders" />
            </FieldRow>
            <Controller
              control={form.control}
              name="thresholds"
              rules={{ validate: (rows) => wrongRows(rows).every((one) => !one) || "See the thresholds." }}
              render={({ field, fieldState }) => (
                <Thresholds
                  rows={field.value}
                  currencies={common}
                  isChecked={fieldState.invalid}
                  onChange={field.onChange}
                />
              )}
            />
            <FieldRow>
              <Field label="Days between attempts" error={messageOf(errors, "days_between_attempts")}>
                <NumberInput
                  inputMode="numeric"
                  after="days"
                  {...form.register("days_between_attempts", COUNT)}
                />
              </Field>
              <Field label="Attempts at the most" error={messageOf(errors, "max_attempts")}>
                <NumberInput inputMode="numeric" {...form.register("max_attempts", COUNT)} />
              </Field>
            </FieldRow>
            <Controller
              control={form.control}
              name="bcc_emails"
              render={({ field }) => (
                <Field
                  label="Blind copies to"
                  isOptional
                  hint="Each request goes to these addresses, too. The customer does not see them."
                  error={messageOf(errors, "bcc_emails")}
                >
                  <ChipsInput values={field.value} onChange={field.onChange} placeholder="name@example.com" />
                </Field>
              )}
            />
            <DescriptionField form={form} hint="For you alone." />
            <SwitchField
              form={form}
              name="applied_to_organization"
              label="Default billing entity"
              hint="Its customers are asked by this campaign, unless they have a choice of their own."
            />
          </>
        );
      }}
    </Editor>
  );
}

interface ThresholdsProps {
  rows: ThresholdRow[];
  currencies: readonly string[];
  isChecked: boolean;
  onChange: (rows: ThresholdRow[]) => void;
}

function Thresholds({ rows, currencies: common, isChecked, onChange }: ThresholdsProps) {
  const wrong = wrongRows(rows);
  const change = (key: number, fields: Partial<ThresholdRow>) =>
    onChange(rows.map((row) => (row.key === key ? { ...row, ...fields } : row)));
  return (
    <div className="stack">
      {rows.map((row, index) => (
        <div className="threshold-row" key={row.key}>
          <Field
            label={
              index === 0 ? "Overdue balance from which on it asks" : `Overdue balance in ${row.currency}`
            }
            error={isChecked ? wrong[index] : undefined}
          >
            <MoneyInput
              currency={row.currency}
              value={row.amount}
              onChange={(event) => change(row.key, { amount: event.target.value })}
            />
          </Field>
          <Picker
            label={`Currency of threshold ${index + 1}`}
            value={row.currency}
            shown={row.currency}
            choices={currencies()}
            onChange={(currency) => change(row.key, { currency })}
          />
          <Button
            look="ghost"
            isIcon
            aria-label={`Remove the threshold in ${row.currency}`}
            disabled={rows.length === 1}
            onClick={() => onChange(rows.filter((one) => one.key !== row.key))}
          >
            <Trash2 className="i" aria-hidden="true" />
          </Button>
        </div>
      ))}
      <div>
        <Button size="sm" onClick={() => onChange(withRow(rows, common))}>
          <Plus className="i" aria-hidden="true" />
          Add currency
        </Button>
      </div>
    </div>
  );
}

/** All campaigns, to choose from. */
export function useCampaigns(isWanted: boolean) {
  const can = useCan();
  return useQuery({
    ...read("/app/v1/dunning_campaigns", { params: { query: WHOLE } }),
    enabled: isWanted && can("dunning_campaigns:view"),
  });
}

/** Campaigns to choose from, by code. */
export const optionsOf = (campaigns: readonly Campaign[]) =>
  campaigns.map((one) => ({ value: one.code, label: one.name, detail: rhythm(one) }));
