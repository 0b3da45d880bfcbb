/** Taxes that a billing entity's customers pay. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read, WHOLE } from "@/api/client";
import { paths } from "@/app/paths";
import { percent } from "@/lib/money";
import { buttonClass, Section } from "@/ui/basics";
import { Loaded } from "@/ui/states";
import { Choices } from "./choices";
import type { Entity, PartProps } from "./page";

export function EntityTaxes({ entity }: PartProps) {
  const taxes = useQuery(read("/api/v1/taxes", { params: { query: WHOLE } }));
  return (
    <Loaded query={entity} what="The billing entity">
      {({ billing_entity: shown }) => (
        <>
          <Loaded query={taxes} what="Taxes">
            {({ taxes: known }) => (
              <Choices
                entity={shown}
                field="tax_codes"
                title="Taxes"
                note="Applied to fees of its customers that name no other tax."
                saved={shown.taxes.map((tax) => tax.code)}
                options={known.map((tax) => ({
                  code: tax.code,
                  label: `${tax.name}, ${percent(tax.rate)}`,
                  hint: tax.description ?? undefined,
                }))}
                source={{
                  href: paths.settings("taxes"),
                  purpose: "A tax is made once for the organization, and applied here.",
                }}
              />
            )}
          </Loaded>
          <EuropeanVat entity={shown} />
        </>
      )}
    </Loaded>
  );
}

/** Whether they are chosen by countries instead: it is turned on and off where it is explained. */
function EuropeanVat({ entity }: { entity: Entity }) {
  return (
    <Section
      title="European VAT"
      actions={
        <Link to={paths.settings("integrations", "european-vat")} className={buttonClass({ size: "sm" })}>
          {entity.eu_tax_management ? "See its rules" : "Connect"}
        </Link>
      }
    >
      <p className="settings-note">
        {entity.eu_tax_management
          ? "Connected: the tax of each customer follows from countries and their VAT number."
          : "Not connected. It chooses the tax of each customer by countries and their VAT number."}
      </p>
    </Section>
  );
}
