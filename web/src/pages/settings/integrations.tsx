/** What Tallymark works together with: what is connected, and how everything else is (ui §6). */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { API_REFERENCE } from "@/app/places";
import { useCan, useOrganization } from "@/app/session";
import { countWords } from "@/lib/words";
import { PROVIDERS } from "@/pages/payment-providers/kinds";
import { useConnections } from "@/pages/payment-providers/reads";
import { buttonClass, Copy, Section } from "@/ui/basics";
import { Loaded } from "@/ui/states";
import { Status } from "@/ui/status";
import { Settings } from "./layout";

export function Integrations() {
  const can = useCan();
  const { slug } = useOrganization();
  const installation = useQuery(read("/app/v1/installation"));
  const providers = useQuery(read("/app/v1/identity_providers"));
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  const connections = useConnections();
  const endpoints = useQuery({
    ...read("/api/v1/webhook_endpoints", { params: { query: { per_page: "1" } } }),
    enabled: can("developers:manage"),
  });
  const taxed = entities.data?.billing_entities.filter((entity) => entity.eu_tax_management).length ?? 0;
  const told = endpoints.data?.meta.total_count ?? 0;
  const known = providers.data?.identity_providers.length ?? 0;
  return (
    <Settings title="Integrations">
      <Kind title="Payment">
        {PROVIDERS.map(({ kind, name, about }) => {
          const count = connections.data?.payment_providers.filter((one) => one.kind === kind).length;
          return (
            <Card
              key={kind}
              name={name}
              mark={
                count !== undefined && (
                  <Connected is={count > 0}>{count > 1 && countWords(count, "connection")}</Connected>
                )
              }
              foot={<Open href={paths.settings("integrations", "payment", kind)} what={name} />}
            >
              {about}
            </Card>
          );
        })}
      </Kind>
      {can("billing_entities:view") && (
        <Kind title="Tax">
          <Card
            name="European VAT"
            mark={entities.data && <Connected is={taxed > 0}>{countWords(taxed, "entity")}</Connected>}
            foot={<Open href={paths.settings("integrations", "european-vat")} what="European VAT" />}
          >
            Taxes follow from where customers are, and from their VAT number, which the register of the
            European Commission checks.
          </Card>
        </Kind>
      )}
      <Kind title="Systems of yours">
        <Card name="REST API" foot={<ReferenceLink />}>
          Everything that is shown here can be read and done by the API, with clients of the Lago API, version
          1, too.
        </Card>
        {can("developers:manage") && (
          <Card
            name="Webhooks"
            mark={endpoints.data && <Connected is={told > 0}>{countWords(told, "endpoint")}</Connected>}
            foot={<Open href={paths.developers("webhooks")} what="Webhooks" />}
          >
            Your systems are told what happens: an invoice is issued, a payment is recorded, an alert goes
            off.
          </Card>
        )}
        <Card name="Assistants" foot={<Told where="docs/assistants.md" />}>
          Assistants that speak the Model Context Protocol look up and do what an API key of theirs allows, at{" "}
          <Copy text={`${location.origin}/mcp`} what="address for assistants" />
        </Card>
        {can("invoices:export") && (
          <Card name="Data exports" foot={<Open href={paths.invoices.list()} what="Invoices" />}>
            Lists of invoices and their fees, and of credit notes, as CSV files: “Export” above each list.
          </Card>
        )}
        <Card name="Metabase" foot={<Told where="docs/operations/metabase.md" />}>
          Views of MRR, revenue, usage and receivables, with five dashboards, for Metabase and whatever else
          reads PostgreSQL: <Command text={`tallymark analytics grant metabase --organization ${slug}`} />
        </Card>
      </Kind>
      <Kind title="People">
        <Card
          name="Single sign-on"
          mark={providers.data && <Connected is={known > 0}>{countWords(known, "provider")}</Connected>}
          foot={<Open href={paths.settings("authentication")} what="Signing in" />}
        >
          Members come in by Okta, Microsoft Entra ID or any provider that speaks OpenID Connect.
        </Card>
      </Kind>
      <Kind title="Moving here">
        <Card name="Import from Lago" foot={<Told where="docs/migration.md" />}>
          Copies plans, customers, subscriptions, wallets and usage, and compares the invoices of both to the
          cent: <Command text={`tallymark import lago --url URL --into ${slug}`} />
        </Card>
      </Kind>
      <Loaded query={installation} what="What the installation is connected with">
        {({ installation: has }) => (
          <Kind title="Set by whoever runs this Tallymark">
            <Card
              name="Mail server"
              mark={<Connected is={has.emails} />}
              foot={<Told where="TALLYMARK_SMTP_HOST" />}
            >
              Sends invoices, credit notes and receipts to customers, and invitations to members.
              {!has.emails && " Until there is one, no e-mail is sent."}
            </Card>
            <Card
              name="OpenTelemetry"
              mark={<Connected is={has.telemetry} />}
              foot={<Told where="TALLYMARK_OTLP_ENDPOINT" />}
            >
              A collector takes traces, metrics and logs.
            </Card>
            <Card
              name="Sentry"
              mark={<Connected is={has.error_reports} />}
              foot={<Told where="TALLYMARK_SENTRY_DSN" />}
            >
              A project is told of errors, without what customers' data holds.
            </Card>
          </Kind>
        )}
      </Loaded>
      <p className="settings-note">
        Accounting and CRM systems are not connected: none ships. Webhooks and the API bring invoices and
        payments to other systems, and payments from other providers come by{" "}
        <span className="id">POST /api/v1/payments</span>. Ask for one where Tallymark's source is kept, as an
        issue.
      </p>
    </Settings>
  );
}

function Kind({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Section title={title}>
      <div className="integrations">{children}</div>
    </Section>
  );
}

interface CardProps {
  name: string;
  mark?: ReactNode;
  foot: ReactNode;
  children: ReactNode;
}

function Card({ name, mark, foot, children }: CardProps) {
  return (
    <article className="card integration">
      <header className="row between">
        <h3>{name}</h3>
        {mark}
      </header>
      <p>{children}</p>
      <footer>{foot}</footer>
    </article>
  );
}

/** Whether it is connected; `children` count with what. */
export function Connected({ is, children }: { is: boolean; children?: ReactNode }) {
  if (!is) return <Status status="closed" glyph="draft" word="Not connected" />;
  return (
    <span className="row">
      <Status status="active" word="Connected" />
      {children && <span className="dim">{children}</span>}
    </span>
  );
}

function Open({ href, what }: { href: string; what: string }) {
  return (
    <Link to={href} className={buttonClass({ size: "sm" })}>
      {what}
    </Link>
  );
}

function ReferenceLink() {
  return (
    <a href={API_REFERENCE} target="_blank" rel="noreferrer" className={buttonClass({ size: "sm" })}>
      API reference
    </a>
  );
}

/** Which page of the documentation tells more, or which setting it is. */
function Told({ where }: { where: string }) {
  return (
    <span className="dim">
      {where.startsWith("docs/") ? "Documentation: " : "Setting: "}
      <span className="id">{where}</span>
    </span>
  );
}

function Command({ text }: { text: string }) {
  return <Copy text={text} what="command" />;
}
