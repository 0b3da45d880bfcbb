/** Taxes of the European Union, chosen for every customer of an entity that turns them on (subscriptions §1.7). */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { read, useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { countryName } from "@/pages/customers/customer";
import { Button, Facts, Section } from "@/ui/basics";
import { useOpenedRow } from "@/ui/opened";
import { Confirm } from "@/ui/overlays";
import { Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import type { Entity } from "./entity/page";
import { EUROPEAN_UNION } from "./european-union";
import { Connected } from "./integrations";
import { Settings } from "./layout";

/** By what a customer is; the first that fits (subscriptions §1.7). */
const RULES: [who: string, tax: string][] = [
  ["In a territory with a rate of its own", "That rate: the Canary Islands, for one."],
  [
    "With a VAT number that is valid",
    "Reverse charge, at 0%; the standard rate where the number is of the entity's own country. The register of the European Commission is asked, and invoices wait for its answer.",
  ],
  ["In the European Union", "The standard rate of their country."],
  ["Of no known country", "The standard rate of the entity's country."],
  ["Elsewhere", "None: outside the scope of the VAT of the European Union."],
];

type Listed = Pick<Entity, "lago_id" | "code" | "name" | "country" | "eu_tax_management">;

export function EuropeanVat() {
  const can = useCan();
  const entities = useQuery(read("/api/v1/billing_entities"));
  const known = entities.data?.billing_entities;
  const mayChange = can("billing_entities:update");
  const keyOf = (entity: Listed) => entity.code;
  const [joining, setJoining] = useOpenedRow<Listed>("connect", known, keyOf, mayChange);
  const [leaving, setLeaving] = useOpenedRow<Listed>("disconnect", known, keyOf, mayChange);
  return (
    <Settings title="European VAT" crumbs={[{ label: "Integrations", href: paths.settings("integrations") }]}>
      <Section title="Billing entities">
        <p className="settings-note">
          An entity in the European Union may have the taxes of its customers chosen automatically.
        </p>
        <Loaded query={entities} what="Billing entities">
          {({ billing_entities: shown }) => (
            <Table<Listed>
              label="Billing entities"
              columns={[
                { head: "Name", fold: "f1", cell: (entity) => <b className="med">{entity.name}</b> },
                {
                  head: "Country",
                  fold: "f3",
                  cell: (entity) => countryName(entity.country) ?? <span className="dim">–</span>,
                },
                {
                  head: "European VAT",
                  fold: "f4",
                  cell: (entity) => <Connected is={entity.eu_tax_management} />,
                },
                {
                  head: <span className="sr">Change</span>,
                  fold: "f2",
                  isNumber: true,
                  cell: (entity) =>
                    mayChange && <Turn entity={entity} onConnect={setJoining} onDisconnect={setLeaving} />,
                },
              ]}
              rows={shown}
              keyOf={(entity) => entity.lago_id}
            />
          )}
        </Loaded>
      </Section>
      <Section title="Which tax a customer has">
        <Facts facts={RULES} />
        <p className="settings-note" style={{ marginTop: 12 }}>
          It is chosen when a customer is made, and anew when their country, postal code, VAT number or entity
          changes. Invoices and credit notes without VAT say why. The taxes are among{" "}
          {can("organization:taxes:view") ? <Link to={paths.settings("taxes")}>Taxes</Link> : "the taxes"},
          with codes that begin with <span className="id">lago_eu</span>.
        </p>
      </Section>
      {joining && <Connect entity={joining} onClose={() => setJoining(null)} />}
      {leaving && <Disconnect entity={leaving} onClose={() => setLeaving(null)} />}
    </Settings>
  );
}

interface TurnProps {
  entity: Listed;
  onConnect: (entity: Listed) => void;
  onDisconnect: (entity: Listed) => void;
}

/** What can be done for an entity; one that is elsewhere is told where its country is set. */
function Turn({ entity, onConnect, onDisconnect }: TurnProps) {
  if (entity.eu_tax_management) {
    return (
      <Button
        size="sm"
        aria-label={`Disconnect European VAT from ${entity.name}`}
        onClick={() => onDisconnect(entity)}
      >
        Disconnect
      </Button>
    );
  }
  if (entity.country && EUROPEAN_UNION.has(entity.country)) {
    return (
      <Button
        size="sm"
        aria-label={`Connect European VAT with ${entity.name}`}
        onClick={() => onConnect(entity)}
      >
        Connect
      </Button>
    );
  }
  return (
    <Link to={paths.entity(entity.code)}>
      {entity.country ? "Not in the European Union" : "Set its country first"}
    </Link>
  );
}

function useTurn(entity: Listed, isOn: boolean, onDone: () => void) {
  const change = useChange("put", "/api/v1/billing_entities/{code}", {
    done: `European VAT ${isOn ? "connected" : "disconnected"}`,
    touches: ["/api/v1/billing_entities", "/api/v1/taxes"],
    onDone,
  });
  const turn = () =>
    change.mutate({
      params: { path: { code: entity.code } },
      body: { billing_entity: { eu_tax_management: isOn } },
    });
  return { turn, isBusy: change.isPending };
}

/** How many customers an entity has, in words. */
function Customers({ entity }: { entity: Listed }) {
  const can = useCan();
  const query = { per_page: "1", "billing_entity_codes[]": [entity.code] };
  const counted = useQuery({
    ...read("/api/v1/customers", { params: { query: query as never } }),
    enabled: can("customers:view"),
  });
  if (!counted.data) return <>its customers</>;
  return (
    <>
      its <b>{countWords(counted.data.meta.total_count, "customer")}</b>
    </>
  );
}

function Connect({ entity, onClose }: { entity: Listed; onClose: () => void }) {
  const { turn, isBusy } = useTurn(entity, true, onClose);
  return (
    <Confirm
      title={`Connect European VAT with “${entity.name}”?`}
      verb="Connect"
      keep="Not now"
      look="primary"
      isOpen
      isBusy={isBusy}
      onClose={onClose}
      onConfirm={turn}
    >
      <p>
        The rates of all members and of their territories are made as taxes. New customers get theirs at once;{" "}
        <Customers entity={entity} /> keep their taxes until they are saved again, and get one by these rules
        then.
      </p>
    </Confirm>
  );
}

function Disconnect({ entity, onClose }: { entity: Listed; onClose: () => void }) {
  const { turn, isBusy } = useTurn(entity, false, onClose);
  return (
    <Confirm
      title={`Disconnect European VAT from “${entity.name}”?`}
      verb="Disconnect"
      isOpen
      isBusy={isBusy}
      onClose={onClose}
      onConfirm={turn}
    >
      <p>
        The taxes of <Customers entity={entity} /> stay as they are, and nothing chooses them anew: new
        customers pay what the entity charges by default. Issued invoices stay.
      </p>
    </Confirm>
  );
}
