/** How a customer is asked again for what is overdue: as the billing entity has it, by a campaign of their own, or not at all. */
import { useState } from "react";
import { type Schema, useChange } from "@/api/client";
import { explain } from "@/api/errors";
import { useCan } from "@/app/session";
import { optionsOf, rhythm, useCampaigns } from "@/pages/settings/dunning";
import { Moment } from "@/ui/amounts";
import { Banner, Button } from "@/ui/basics";
import { Field, Select } from "@/ui/fields";
import { useOpened } from "@/ui/opened";
import { Dialog, FormButtons } from "@/ui/overlays";
import { Loaded, Skeleton } from "@/ui/states";
import type { Customer } from "./customer";
import type { TabProps } from "./page";

type Dunning = Schema<"CustomerDunningOutput">;

export function DunningSetting({ customer, reads }: TabProps) {
  const can = useCan();
  const mayChange = can("customers:update") && customer.account_type !== "partner";
  const [isOpen, setOpen] = useOpened("change-dunning", mayChange);
  return (
    <section className="setting">
      <div>
        <h3>Dunning</h3>
        <span className="hint">Whether the customer is asked again for what is overdue, and how often.</span>
      </div>
      <Loaded query={reads.dunning} what="Dunning" skeleton={<Skeleton width="60%" />}>
        {({ dunning }) => (
          <div>
            {words(dunning, customer)} <Whose dunning={dunning} customer={customer} />
            <Asked dunning={dunning} zone={customer.applicable_timezone} />
            {isOpen && <Editor dunning={dunning} customer={customer} onClose={() => setOpen(false)} />}
          </div>
        )}
      </Loaded>
      {mayChange ? (
        <Button size="sm" aria-label="Change Dunning" onClick={() => setOpen(true)}>
          Change
        </Button>
      ) : (
        <span />
      )}
    </section>
  );
}

function words({ dunning_campaign: campaign }: Dunning, customer: Customer): string {
  if (campaign) return `${campaign.name}. ${rhythm(campaign)}.`;
  return customer.account_type === "partner" ? "Never: partners are left alone." : "Never";
}

function Whose({ dunning, customer }: { dunning: Dunning; customer: Customer }) {
  if (customer.account_type === "partner") return null;
  const isOwn = dunning.exclude_from_dunning_campaign || dunning.chosen_by === "customer";
  return isOwn ? (
    <span className="tag accent">Own</span>
  ) : (
    <span className="tag">From the billing entity</span>
  );
}

/** How often the customer was asked, by currency, and when that may be again. */
function Asked({ dunning, zone }: { dunning: Dunning; zone: string }) {
  const { dunning_campaign: campaign, last_attempt_at: last, next_attempt_at: next } = dunning;
  if (!campaign || !last) return null;
  const counts = dunning.attempts
    .filter((one) => one.attempts > 0)
    .map((one) => `${one.attempts} of ${campaign.max_attempts} in ${one.currency}`);
  const goesOn = dunning.attempts.some((one) => one.attempts < campaign.max_attempts);
  return (
    <p className="hint">
      Asked {counts.join(", ")}, last <Moment value={last} zone={zone} />
      {goesOn && next && (
        <>
          , again after <Moment value={next} zone={zone} />
        </>
      )}
    </p>
  );
}

interface EditorProps {
  dunning: Dunning;
  customer: Customer;
  onClose: () => void;
}

const INHERIT = " inherit";
const NEVER = " never";

function Editor({ dunning, customer, onClose }: EditorProps) {
  const campaigns = useCampaigns(true);
  const own = dunning.chosen_by === "customer" ? dunning.dunning_campaign : null;
  const now = dunning.exclude_from_dunning_campaign ? NEVER : (own?.code ?? INHERIT);
  const [choice, setChoice] = useState(now);
  const [error, setError] = useState<unknown>(null);
  const save = useChange("put", "/app/v1/customers/{external_id}/dunning", {
    done: "Dunning saved",
    touches: [
      "/app/v1/customers",
      "/app/v1/dunning_campaigns",
      "/api/v1/payment_requests",
      "/api/v1/activity_logs",
    ],
    isQuiet: true,
    onDone: onClose,
  });
  const submit = () => {
    setError(null);
    const isCode = choice !== INHERIT && choice !== NEVER;
    const body = {
      dunning_campaign_code: isCode ? choice : null,
      exclude_from_dunning_campaign: choice === NEVER,
    };
    save.mutate({ params: { path: { external_id: customer.external_id } }, body }, { onError: setError });
  };
  return (
    <Dialog
      title="Dunning"
      isOpen
      onClose={onClose}
      isDirty={choice !== now}
      footer={
        <FormButtons onCancel={onClose} isBusy={save.isPending} onSave={submit}>
          Save setting
        </FormButtons>
      }
    >
      <div className="form-fields">
        {error !== null && <Banner look="bad">{explain(error)}</Banner>}
        <Field label="Campaign" hint="Another choice begins anew: attempts so far do not count.">
          <Select
            value={choice}
            options={[
              { value: INHERIT, label: "From the billing entity" },
              { value: NEVER, label: "Never", detail: "Left alone, whatever is overdue" },
              ...optionsOf(campaigns.data?.dunning_campaigns ?? (own ? [own] : [])),
            ]}
            onChange={setChoice}
          />
        </Field>
      </div>
    </Dialog>
  );
}
