/** The connections to one payment provider (ui §6): made, changed and deleted; what to tell the provider can be copied. */
import { useParams } from "@tanstack/react-router";
import { Pencil, Plus, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { useChange } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { countWords } from "@/lib/words";
import { Settings } from "@/pages/settings/layout";
import { Button, Copy, Facts } from "@/ui/basics";
import { useOpened, useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Empty, Loaded, Missing, Skeleton } from "@/ui/states";
import { ConnectionEditor } from "./editor";
import { type Connection, findProvider, type Kind } from "./kinds";
import { useConnections } from "./reads";

const crumbs = () => [{ label: "Integrations", href: paths.settings("integrations") }];

export function PaymentProvider() {
  const { kind } = useParams({ strict: false }) as { kind: string };
  const provider = findProvider(kind);
  if (!provider) {
    return (
      <Settings title="Payment provider" crumbs={crumbs()}>
        <Missing what="Payment provider" />
      </Settings>
    );
  }
  return <Connections key={kind} kind={provider.kind} />;
}

function Connections({ kind }: { kind: Kind }) {
  const can = useCan();
  const query = useConnections();
  const provider = findProvider(kind)!;
  const own = query.data?.payment_providers.filter((one) => one.kind === kind);
  const keyOf = (one: Connection) => one.lago_id;
  const may = {
    create: can("organization:integrations:create"),
    update: can("organization:integrations:update"),
    delete: can("organization:integrations:delete"),
  };
  const [isMaking, setMaking] = useOpened("new", may.create);
  const [edited, setEdited] = useOpenedRow("edit", own, keyOf, may.update);
  const [doomed, setDoomed] = useOpenedRow("delete", own, keyOf, may.delete);
  const create = may.create && (
    <Button look="primary" size="sm" data-create="" onClick={() => setMaking(true)}>
      <Plus className="i" aria-hidden="true" />
      Add connection
    </Button>
  );
  return (
    <Settings title={provider.name} crumbs={crumbs()}>
      <div>
        <div className="row between settings-head">
          <p className="settings-note">{provider.about}</p>
          {(own?.length ?? 0) > 0 && create}
        </div>
        <Loaded query={query} what="Connections" skeleton={<Waiting />}>
          {() =>
            own!.length === 0 ? (
              <Empty title="No connection yet" actions={create}>
                {may.create
                  ? `A connection holds the keys of an account at ${provider.name}. Customers are linked to it one by one.`
                  : `Nobody has connected an account at ${provider.name}.`}
              </Empty>
            ) : (
              <div className="connections">
                {own!.map((one) => (
                  <Card
                    key={one.lago_id}
                    connection={one}
                    menu={
                      <ActionMenu
                        label={`Actions of ${one.name}`}
                        actions={[
                          {
                            label: "Edit connection",
                            icon: <Pencil className="i" aria-hidden="true" />,
                            onSelect: () => setEdited(one),
                            isShown: may.update,
                          },
                          {
                            label: "Delete connection",
                            icon: <Trash2 className="i" aria-hidden="true" />,
                            isDanger: true,
                            onSelect: () => setDoomed(one),
                            isShown: may.delete,
                          },
                        ]}
                      />
                    }
                  />
                ))}
              </div>
            )
          }
        </Loaded>
      </div>
      {isMaking && <ConnectionEditor kind={kind} saved={null} onClose={() => setMaking(false)} />}
      {edited && <ConnectionEditor kind={kind} saved={edited} onClose={() => setEdited(null)} />}
      {doomed && <DeleteConnection connection={doomed} onClose={() => setDoomed(null)} />}
    </Settings>
  );
}

function Waiting() {
  return (
    <div className="card connection" aria-busy="true">
      <Skeleton width="30%" />
      <Skeleton width="70%" />
      <Skeleton width="55%" />
    </div>
  );
}

function Card({ connection, menu }: { connection: Connection; menu: ReactNode }) {
  return (
    <article className="card connection">
      <header className="row between">
        <div className="row">
          <h2>{connection.name}</h2>
          <Copy text={connection.code} what="code" />
        </div>
        {menu}
      </header>
      <Facts facts={factsOf(connection)} />
    </article>
  );
}

type Told = [name: string, value: ReactNode];

/** What is known of a connection; where its events come in is told to whom may see connections. */
function factsOf(connection: Connection): Told[] {
  const { kind, options, secrets, inbound_url, inbound_secret, success_redirect_url } = connection;
  const provider = findProvider(kind)!;
  const credentials = provider.credentials.map(({ name, label, lacking }): Told => {
    const kept = secrets?.[name] ?? (options?.[name] as string | null | undefined);
    const shown = kept && (
      <span key={name} className="id">
        {kept}
      </span>
    );
    return [label, shown || lacking];
  });
  const minutes = Number(options?.link_first_minutes ?? 0);
  return [
    [
      "Customers",
      connection.customers_count === 0 ? "None yet" : connection.customers_count.toLocaleString(),
    ],
    ...(secrets || options ? credentials : []),
    ...(kind === "stripe" && options
      ? ([
          [
            "3-D Secure",
            options.supports_3ds ? "Customers confirm where it is asked for" : "Payments that need it fail",
          ],
          [
            "Terms of service",
            options.require_terms_of_service_consent ? "Agreed to on payment pages" : "Not asked",
          ],
        ] as Told[])
      : []),
    ["After a payment", success_redirect_url && <span className="id">{success_redirect_url}</span>],
    ...(options && provider.charges && provider.hasPages
      ? [
          [
            "First attempt",
            minutes > 0 ? `${countWords(minutes, "minute")} after the invoice` : "At once",
          ] as Told,
        ]
      : []),
    ...(inbound_url
      ? [["Events come to", <Inbound key="url" url={inbound_url} how={provider.events} />] as Told]
      : []),
    ...(inbound_secret
      ? [["Secret", <Copy key="secret" text={inbound_secret} what="secret" />] as Told]
      : []),
  ];
}

function Inbound({ url, how }: { url: string; how: string }) {
  return (
    <span className="inbound">
      <Copy text={url} what="address for events" />
      <span className="hint">{how}</span>
    </span>
  );
}

function DeleteConnection({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { name, abilities, customers_count: count } = connection;
  const remove = useChange("delete", "/app/v1/payment_providers/{lago_id}", {
    done: "Connection deleted",
    onDone: onClose,
  });
  return (
    <Confirm
      title={`Delete the connection “${name}”?`}
      verb="Delete connection"
      isOpen
      isBusy={remove.isPending}
      onClose={onClose}
      onConfirm={() => remove.mutate({ params: { path: { lago_id: connection.lago_id } } })}
    >
      {count === 0 ? (
        <p>No customer is linked to it. Payments that came by it stay.</p>
      ) : (
        <p>
          <b>{countWords(count, "customer")}</b> {count === 1 ? "is" : "are"} unlinked:{" "}
          {abilities.charges
            ? "what they pay with is forgotten, and their invoices are not collected by themselves any more."
            : "there are no pages for their invoices any more."}{" "}
          Payments that came by it stay.
        </p>
      )}
    </Confirm>
  );
}
