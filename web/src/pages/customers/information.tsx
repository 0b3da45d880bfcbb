import { Link } from "@tanstack/react-router";
import { Pencil } from "lucide-react";
import type { ReactNode } from "react";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { languageName } from "@/lib/choices";
import { percent } from "@/lib/money";
import { Moment } from "@/ui/amounts";
import { buttonClass, Copy, Facts } from "@/ui/basics";
import { Block } from "./block";
import { addressLines } from "./customer";
import type { TabProps } from "./page";
import { Paying } from "./paying";

/** All identity and billing fields. */
export function Information({ customer, reads }: TabProps) {
  const can = useCan();
  const zone = customer.applicable_timezone;
  const entity = reads.entities.data?.billing_entities.find(
    (one) => one.code === customer.billing_entity_code,
  );
  const config = customer.billing_configuration;
  return (
    <div className="info-columns">
      <Block
        title="Identity"
        action={
          can("customers:update") && (
            <Link className={buttonClass({ size: "sm" })} to={paths.customers.update(customer.external_id)}>
              <Pencil className="i" aria-hidden="true" />
              Edit
            </Link>
          )
        }
      >
        <Facts
          facts={[
            ["Name", customer.name],
            ["First name", customer.firstname],
            ["Last name", customer.lastname],
            [
              "Type",
              customer.customer_type && (customer.customer_type === "company" ? "Company" : "Individual"),
            ],
            ["Account", customer.account_type === "partner" ? "Partner" : "Customer"],
            ["External ID", <Copy key="external" text={customer.external_id} what="external ID" />],
            ["Tallymark ID", <Copy key="lago" text={customer.lago_id} what="ID" />],
            ["CRM ID", customer.external_salesforce_id],
            ["Time zone", customer.timezone ?? `${zone} (inherited)`],
            ["Created", <Moment key="created" value={customer.created_at} zone={zone} />],
          ]}
        />
      </Block>
      <Block title="Billing">
        <Facts
          facts={[
            ["Billed by", entity?.name ?? customer.billing_entity_code],
            ["Currency", customer.currency],
            ["Legal name", customer.legal_name],
            ["Legal number", customer.legal_number],
            ["Tax number", customer.tax_identification_number],
            ["Taxes", customer.taxes.map((tax) => `${tax.name}, ${percent(tax.rate)}`).join("; ")],
            ["E-mail", customer.email],
            ["Phone", customer.phone],
            ["Website", customer.url],
            ["Language", config.document_locale && languageName(config.document_locale)],
          ]}
        />
      </Block>
      <Block title="Billing address">
        <Address address={customer} />
      </Block>
      <Block title="Shipping address">
        <Address address={customer.shipping_address} />
      </Block>
      <Paying customer={customer} />
      {customer.integration_customers.length > 0 && (
        <Block title="Connections">
          <Facts
            facts={customer.integration_customers.map((one): [string, ReactNode] => [
              one.type,
              one.external_customer_id,
            ])}
          />
        </Block>
      )}
      <Block title="Metadata">
        {customer.metadata.length === 0 ? (
          <p className="dim">None.</p>
        ) : (
          <Facts
            facts={customer.metadata.map((one) => [
              one.key,
              <>
                {one.value} {one.display_in_invoice && <span className="tag">on invoices</span>}
              </>,
            ])}
          />
        )}
      </Block>
    </div>
  );
}

function Address({ address }: { address: Parameters<typeof addressLines>[0] }) {
  const lines = addressLines(address);
  if (lines.length === 0) return <p className="dim">None.</p>;
  return (
    <address>
      {lines.map((line) => (
        <div key={line}>{line}</div>
      ))}
    </address>
  );
}
