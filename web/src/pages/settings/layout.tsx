/** The settings: a list of pages at the left, one of them at the right. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { read } from "@/api/client";
import { paths } from "@/app/paths";
import { useCan } from "@/app/session";
import { type Crumb, Page, useCurrentInSight } from "@/ui/page";
import "./settings.css";

interface Entry {
  label: string;
  href: string;
  permissions?: string[];
  /** Whether pages below it are its own. */
  hasParts?: boolean;
}

interface SettingsProps {
  title: string;
  /** Whose they are, where it is not the organization. */
  of?: string;
  /** Pages between the settings and this one. */
  crumbs?: readonly Crumb[];
  children: ReactNode;
}

export function Settings({ title, of, crumbs = [], children }: SettingsProps) {
  const can = useCan();
  const entities = useQuery({ ...read("/api/v1/billing_entities"), enabled: can("billing_entities:view") });
  const shown = entities.data?.billing_entities ?? [];
  const nav = useCurrentInSight(shown.length);
  const groups: [title: string, entries: Entry[]][] = [
    [
      "Organization",
      [
        { label: "General", href: paths.settings(), permissions: ["organization:view"] },
        { label: "Members", href: paths.settings("members"), permissions: ["organization:members:view"] },
        {
          label: "Invitations",
          href: paths.settings("invitations"),
          permissions: ["organization:members:view"],
        },
        { label: "Roles", href: paths.settings("roles"), permissions: ["roles:view"] },
        {
          label: "Signing in",
          href: paths.settings("authentication"),
          permissions: ["authentication_methods:view"],
        },
        {
          label: "Integrations",
          href: paths.settings("integrations"),
          hasParts: true,
          permissions: ["organization:integrations:view"],
        },
        { label: "Limits", href: paths.settings("limits"), permissions: ["organization:view"] },
      ],
    ],
    [
      "Billing entities",
      [
        ...shown.map((entity) => ({
          label: entity.name,
          href: paths.settings("entities", entity.code),
          hasParts: true,
          permissions: ["billing_entities:view"],
        })),
        { label: "All entities", href: paths.settings("entities"), permissions: ["billing_entities:view"] },
      ],
    ],
    [
      "Invoices",
      [
        { label: "Taxes", href: paths.settings("taxes"), permissions: ["organization:taxes:view"] },
        {
          label: "Custom sections",
          href: paths.settings("sections"),
          permissions: ["invoice_custom_sections:view"],
        },
        { label: "Dunning", href: paths.settings("dunning"), permissions: ["dunning_campaigns:view"] },
        {
          label: "Pricing units",
          href: paths.settings("pricing-units"),
          permissions: ["pricing_units:view"],
        },
      ],
    ],
    ["You", [{ label: "Your account", href: paths.settings("account") }]],
  ];
  return (
    <Page title={title} of={of} crumbs={[{ label: "Settings", href: paths.settings() }, ...crumbs]} isHeading>
      <div className="settings" style={{ paddingTop: 24 }}>
        <nav className="settings-nav" aria-label="Settings" ref={nav}>
          {groups.map(([name, entries]) => {
            const allowed = entries.filter((entry) => !entry.permissions || can(...entry.permissions));
            if (allowed.length === 0) return null;
            return [
              <h2 key={name}>{name}</h2>,
              ...allowed.map((entry) => (
                <Link
                  key={entry.href}
                  to={entry.href}
                  activeOptions={{ exact: !entry.hasParts, includeSearch: false }}
                  activeProps={{ "aria-current": "page" }}
                >
                  {entry.label}
                </Link>
              )),
            ];
          })}
        </nav>
        <div className="settings-body">{children}</div>
      </div>
    </Page>
  );
}

/** Above a list: what it is of, and what can be done with it. */
export function SettingsHead({ note, actions }: { note: string; actions: ReactNode }) {
  return (
    <div className="row between settings-head">
      <p className="settings-note">{note}</p>
      {actions}
    </div>
  );
}
