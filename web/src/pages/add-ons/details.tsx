import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { read, type Schema } from "@/api/client";
import { paths } from "@/app/paths";
import { percent } from "@/lib/money";
import { CatalogDetails } from "@/pages/catalog/details";
import { Day, Money } from "@/ui/amounts";
import { Facts, Section } from "@/ui/basics";
import { AddOnActions } from "./actions";

export function AddOnDetails() {
  const { id, tab } = useParams({ strict: false }) as { id: string; tab: string };
  const addOn = useQuery(read("/api/v1/add_ons/{code}", { params: { path: { code: id } } }));
  return (
    <CatalogDetails
      what="Add-on"
      list={{ label: "Add-ons", href: paths.addOns.list() }}
      query={addOn}
      thingOf={(answer) => answer.add_on}
      tab={tab}
      hrefOf={(of) => paths.addOns.show(id, of)}
      sub={(shown) => <Price addOn={shown} />}
      edit={{ right: "addons:update", hrefOf: paths.addOns.update }}
      menu={(shown, trigger) => <AddOnActions addOn={shown} isOnPage trigger={trigger} />}
    >
      {(shown) => (
        <Section title="Settings">
          <Facts
            facts={[
              ["Price", <Price key="price" addOn={shown} />],
              ["Name on invoices", shown.invoice_display_name],
              ["Taxes", shown.taxes.map(({ name, rate }) => `${name} (${percent(rate)})`).join(", ")],
              ["Description", shown.description],
              ["Created", <Day key="created" value={shown.created_at} />],
            ]}
          />
        </Section>
      )}
    </CatalogDetails>
  );
}

function Price({ addOn }: { addOn: Schema<"AddOnOutput"> }) {
  return <Money cents={addOn.amount_cents} currency={addOn.amount_currency} isZeroPlain />;
}
