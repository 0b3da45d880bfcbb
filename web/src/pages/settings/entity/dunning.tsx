/** By which campaign a billing entity's customers are asked again. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { buttonClass } from "@/ui/basics";
import { Field, Select } from "@/ui/fields";
import { Loaded, Skeleton } from "@/ui/states";
import { optionsOf, rhythm, TOUCHED, useCampaigns } from "../dunning";
import { SettingsHead } from "../layout";
import type { PartProps } from "./page";

/** What is no code: codes are not blank, and a list of choices needs a value. */
const NONE = " ";

export function EntityDunning({ code }: PartProps) {
  const can = useCan();
  const chosen = useQuery(
    read("/app/v1/billing_entities/{code}/dunning_campaign", { params: { path: { code } } }),
  );
  const campaigns = useCampaigns(can("billing_entities:update"));
  const mayChange = can("billing_entities:update") && can("dunning_campaigns:view");
  const choose = useChange("put", "/app/v1/billing_entities/{code}/dunning_campaign", {
    done: "Dunning changed",
    touches: TOUCHED,
  });
  return (
    <section aria-label="Dunning">
      <SettingsHead
        note="How its customers are asked again for what is overdue, unless they have a choice of their own."
        actions={
          can("dunning_campaigns:view") && (
            <Link to={paths.settings("dunning")} className={buttonClass({ size: "sm" })}>
              All campaigns
            </Link>
          )
        }
      />
      <Loaded query={chosen} what="Dunning" skeleton={<Skeleton width="40%" />}>
        {({ dunning_campaign: campaign }) => (
          <div className="settings-form">
            <Field label="Campaign" hint={campaign ? `${rhythm(campaign)}.` : "Nobody is asked again."}>
              <Select
                value={campaign?.code ?? NONE}
                options={[
                  { value: NONE, label: "None" },
                  ...optionsOf(campaigns.data?.dunning_campaigns ?? (campaign ? [campaign] : [])),
                ]}
                isDisabled={!mayChange || choose.isPending}
                onChange={(next) =>
                  choose.mutate({
                    params: { path: { code } },
                    body: { dunning_campaign_code: next === NONE ? null : next },
                  })
                }
              />
            </Field>
          </div>
        )}
      </Loaded>
    </section>
  );
}
