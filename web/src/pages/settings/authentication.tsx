import { useQuery } from "@tanstack/react-query";
import { Pencil, Plus, Trash2 } from "lucide-react";
import { read, type Schema, useChange } from "@/api/client";
import { useCan } from "@/app/session";
import { Button, Copy, Section } from "@/ui/basics";
import { useChosen } from "@/ui/chosen";
import { Field, Switch, TextInput } from "@/ui/fields";
import { messageOf } from "@/ui/form";
import { useOpenedRow } from "@/ui/opened";
import { ActionMenu, Confirm } from "@/ui/overlays";
import { Loaded } from "@/ui/states";
import { Table } from "@/ui/table";
import { Editor, NEEDED, orNull } from "./editor";
import { Settings } from "./layout";

type Provider = Schema<"ProviderOutput">;
type Kind = "okta" | "entra_id" | "oidc";

const METHODS: [method: string, label: string, hint: string][] = [
  ["email_password", "Password", "An e-mail address and a password."],
  ["google_oauth", "Google", "Where the installation has a client at Google."],
  ["okta", "Okta", "Needs a connection below."],
  ["entra_id", "Microsoft Entra ID", "Needs a connection below."],
  ["oidc", "OpenID Connect", "Any provider that has an issuer. Needs a connection below."],
];

const NAMES: Record<string, string> = {
  okta: "Okta",
  entra_id: "Microsoft Entra ID",
  oidc: "OpenID Connect",
};
const CALLBACKS: Record<Kind, string> = {
  okta: "/auth/okta/callback",
  entra_id: "/auth/entra-id/callback",
  oidc: "/auth/oidc/callback",
};

export function Authentication() {
  const can = useCan();
  const methods = useQuery(read("/app/v1/authentication_methods"));
  const providers = useQuery(read("/app/v1/identity_providers"));
  const remove = useChange("delete", "/app/v1/identity_providers/{kind}", {
    done: "Connection deleted",
    touches: ["/app/v1/identity_providers", "/app/v1/authentication_methods"],
    onDone: () => setDoomed(null),
  });
  const mayConnect = can("organization:integrations:update");
  const known = providers.data?.identity_providers ?? [];
  const missing = (Object.keys(CALLBACKS) as Kind[]).filter(
    (kind) => !known.some((one) => one.kind === kind),
  );
  const keyOf = (one: Provider) => one.kind;
  const [added, setAdded] = useOpenedRow("add", providers.data && missing, (kind) => kind, mayConnect);
  const [edited, setEdited] = useOpenedRow("edit", known, keyOf, mayConnect);
  const [doomed, setDoomed] = useOpenedRow("delete", known, keyOf, can("organization:integrations:delete"));
  return (
    <Settings title="Signing in">
      <Section title="How members may sign in">
        <Loaded query={methods} what="Ways to sign in">
          {({ authentication_methods }) => <Methods saved={authentication_methods} />}
        </Loaded>
      </Section>
      <Section
        title="Connections"
        actions={
          mayConnect &&
          missing.length > 0 && (
            <ActionMenu
              label="Add a connection"
              trigger={
                <Button size="sm">
                  <Plus className="i" aria-hidden="true" />
                  Add
                </Button>
              }
              actions={missing.map((kind) => ({
                label: NAMES[kind]!,
                onSelect: () => setAdded(kind),
              }))}
            />
          )
        }
      >
        <Loaded query={providers} what="Connections">
          {({ identity_providers: shown }) =>
            shown.length === 0 ? (
              <p className="dim">None. A connection lets members come in by your identity provider.</p>
            ) : (
              <Table
                label="Connections"
                columns={[
                  {
                    head: "Provider",
                    fold: "f1",
                    cell: (one) => <b className="med">{NAMES[one.kind] ?? one.kind}</b>,
                  },
                  { head: "Domain", fold: "f2", cell: (one) => one.domain },
                  {
                    head: "Issuer",
                    fold: "f3",
                    isLow: true,
                    cell: (one) => <span className="id">{one.issuer}</span>,
                  },
                ]}
                rows={shown}
                keyOf={keyOf}
                actions={(one) => (
                  <ActionMenu
                    label={`Actions for ${NAMES[one.kind]}`}
                    actions={[
                      {
                        label: "Edit",
                        icon: <Pencil className="i" />,
                        onSelect: () => setEdited(one),
                        isShown: mayConnect,
                      },
                      {
                        label: "Delete",
                        icon: <Trash2 className="i" />,
                        isDanger: true,
                        onSelect: () => setDoomed(one),
                        isShown: can("organization:integrations:delete"),
                      },
                    ]}
                  />
                )}
              />
            )
          }
        </Loaded>
      </Section>
      {added && <ProviderEditor kind={added} provider={null} onClose={() => setAdded(null)} />}
      {edited && (
        <ProviderEditor kind={edited.kind as Kind} provider={edited} onClose={() => setEdited(null)} />
      )}
      <Confirm
        title={`Delete the connection to ${NAMES[doomed?.kind ?? ""]}?`}
        verb="Delete connection"
        isOpen={doomed !== null}
        isBusy={remove.isPending}
        onClose={() => setDoomed(null)}
        onConfirm={() =>
          doomed && remove.mutate({ params: { path: { kind: doomed.kind as Kind } } as never })
        }
      >
        Members who came in by it are signed out, and it is no way to sign in any more.
      </Confirm>
    </Settings>
  );
}

function Methods({ saved }: { saved: readonly string[] }) {
  const can = useCan();
  const change = useChange("put", "/app/v1/authentication_methods", {
    done: "Ways to sign in changed",
    touches: ["/app/v1/authentication_methods"],
  });
  const [chosen, choose] = useChosen(saved, (authentication_methods) =>
    change.mutateAsync({ body: { authentication_methods } }),
  );
  return (
    <div className="form-fields">
      {METHODS.map(([method, label, hint]) => (
        <Switch
          key={method}
          label={label}
          hint={hint}
          isOn={chosen.includes(method)}
          isDisabled={!can("authentication_methods:update")}
          onChange={(isOn) => choose(method, isOn)}
        />
      ))}
    </div>
  );
}

interface Values {
  domain: string;
  client_id: string;
  client_secret: string;
  host: string;
  organization_name: string;
  tenant_id: string;
  issuer: string;
}

function ProviderEditor({
  kind,
  provider,
  onClose,
}: {
  kind: Kind;
  provider: Provider | null;
  onClose: () => void;
}) {
  const save = useChange("put", "/app/v1/identity_providers/{kind}", {
    done: "Connection saved",
    isQuiet: true,
    touches: ["/app/v1/identity_providers", "/app/v1/authentication_methods"],
  });
  return (
    <Editor<Values>
      title={NAMES[kind]}
      verb="Save connection"
      values={{
        domain: provider?.domain ?? "",
        client_id: provider?.client_id ?? "",
        client_secret: "",
        host: provider?.host ?? "",
        organization_name: provider?.organization_name ?? "",
        tenant_id: provider?.tenant_id ?? "",
        issuer: kind === "oidc" ? (provider?.issuer ?? "") : "",
      }}
      onClose={onClose}
      onSave={(values) =>
        save.mutateAsync({
          params: { path: { kind } } as never,
          body: {
            domain: values.domain,
            client_id: values.client_id,
            client_secret: orNull(values.client_secret),
            host: kind === "okta" ? orNull(values.host) : null,
            organization_name: kind === "okta" ? orNull(values.organization_name) : null,
            tenant_id: kind === "entra_id" ? orNull(values.tenant_id) : null,
            issuer: kind === "oidc" ? orNull(values.issuer) : null,
          },
        })
      }
    >
      {(form) => {
        const { errors } = form.formState;
        return (
          <>
            <div className="field">
              <span className="label">Callback</span>
              <Copy text={location.origin + CALLBACKS[kind]} what="callback" />
              <span className="hint">Allow it at the provider.</span>
            </div>
            <Field label="Domain" hint="Whose addresses it speaks for." error={messageOf(errors, "domain")}>
              <TextInput placeholder="acme.example" {...form.register("domain", NEEDED)} />
            </Field>
            {kind === "okta" && (
              <>
                <Field label="Okta organization" error={messageOf(errors, "organization_name")}>
                  <TextInput {...form.register("organization_name")} />
                </Field>
                <Field
                  label="Host"
                  isOptional
                  hint="Where it is not the organization's at okta.com."
                  error={messageOf(errors, "host")}
                >
                  <TextInput {...form.register("host")} />
                </Field>
              </>
            )}
            {kind === "entra_id" && (
              <Field label="Tenant ID" error={messageOf(errors, "tenant_id")}>
                <TextInput {...form.register("tenant_id")} />
              </Field>
            )}
            {kind === "oidc" && (
              <Field label="Issuer" error={messageOf(errors, "issuer")}>
                <TextInput placeholder="https://id.acme.example" {...form.register("issuer")} />
              </Field>
            )}
            <Field label="Client ID" error={messageOf(errors, "client_id")}>
              <TextInput {...form.register("client_id", NEEDED)} />
            </Field>
            <Field
              label="Client secret"
              hint={provider ? "Empty: the one that is kept stays." : undefined}
              error={messageOf(errors, "client_secret")}
            >
              <TextInput type="password" autoComplete="new-password" {...form.register("client_secret")} />
            </Field>
          </>
        );
      }}
    </Editor>
  );
}
