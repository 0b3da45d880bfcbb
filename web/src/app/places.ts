/** Where the palette leads: every page that needs no object to be shown, and every form that makes one. */
import {
  Banknote,
  BookOpen,
  ChartNoAxesCombined,
  FlaskConical,
  Gauge,
  Layers,
  type LucideIcon,
  Package,
  Plus,
  Receipt,
  ReceiptText,
  Repeat2,
  Settings,
  SquareTerminal,
  TicketPercent,
  ToggleRight,
  UserRound,
  Users,
} from "lucide-react";
import { PROVIDERS } from "@/pages/payment-providers/kinds";
import { paths } from "./paths";

export const API_REFERENCE = "/api-docs";

export interface Place {
  label: string;
  icon: LucideIcon;
  href: string;
  /** Where it is, if its name alone does not say so. */
  area?: string;
  /** One of them is enough; without any, everybody may go there. */
  permissions: readonly string[];
  /** Other words that it is looked for by. */
  words?: string;
}

const GENERAL: [label: string, icon: LucideIcon, href: () => string, permission: string][] = [
  ["Customers", Users, paths.customers.list, "customers:view"],
  ["Subscriptions", Repeat2, paths.subscriptions.list, "subscriptions:view"],
  ["Invoices", ReceiptText, paths.invoices.list, "invoices:view"],
  ["Payments", Banknote, paths.payments.list, "payments:view"],
  ["Credit notes", Receipt, paths.creditNotes.list, "credit_notes:view"],
  ["Plans", Layers, paths.plans.list, "plans:view"],
  ["Billable metrics", Gauge, paths.metrics.list, "billable_metrics:view"],
  ["Features", ToggleRight, paths.features.list, "features:view"],
  ["Add-ons", Package, paths.addOns.list, "addons:view"],
  ["Coupons", TicketPercent, paths.coupons.list, "coupons:view"],
];

const REPORTS: [label: string, tab: string, words: string][] = [
  ["Overview", "overview", "reports dashboard home"],
  ["Revenue", "revenue", "streams gross net by plan by customer"],
  ["MRR", "mrr", "monthly recurring revenue churn expansion"],
  ["Usage", "usage", "units by metric"],
  ["Prepaid credits", "prepaid", "wallets"],
  ["Receivables", "receivables", "overdue outstanding collections"],
];

const DEVELOPERS: [label: string, tab: string, words: string, ...permissions: string[]][] = [
  ["API keys", "api-keys", "secret rotate organization id", "developers:keys:manage"],
  ["Webhooks", "webhooks", "endpoints deliveries", "developers:manage"],
  ["Events", "events", "usage ingestion", "developers:manage"],
  ["Unmatched events", "unmatched", "inbox lost replay", "developers:manage"],
  ["API logs", "logs", "requests calls", "audit_logs:view", "developers:manage"],
  ["Activity logs", "activity", "audit trail changes", "audit_logs:view"],
  ["Security logs", "security", "sign-ins", "security_logs:view"],
];

const SETTINGS: [label: string, tab: string, words: string, permission?: string][] = [
  ["General", "organization", "organization slug late events", "organization:view"],
  ["Members", "members", "team users invite invitations", "organization:members:view"],
  ["Roles", "roles", "permissions", "roles:view"],
  ["Signing in", "authentication", "sso okta google entra password", "authentication_methods:view"],
  [
    "Integrations",
    "integrations",
    "connections european vat assistants mcp metabase sentry opentelemetry smtp lago import",
    "organization:integrations:view",
  ],
  ...PROVIDERS.map(({ kind, name }): [string, string, string, string] => [
    name,
    `integrations/payment/${kind}`,
    "payment provider integration connection cards direct debit",
    "organization:integrations:view",
  ]),
  ["Limits", "limits", "quota", "organization:view"],
  ["Billing entities", "entities", "legal name logo numbering grace period e-mails", "billing_entities:view"],
  ["Taxes", "taxes", "vat rate", "organization:taxes:view"],
  ["Custom sections", "sections", "invoice text", "invoice_custom_sections:view"],
  ["Dunning", "dunning", "campaigns reminders overdue", "dunning_campaigns:view"],
  ["Pricing units", "pricing-units", "credits tokens", "pricing_units:view"],
];

/** The parts of a billing entity. */
const OF_ENTITY: [label: string, part: string, words: string, permission?: string][] = [
  ["General", "general", "legal name identity address contact time zone archive electronic invoices"],
  ["E-mail scenarios", "emails", "e-mails logo colour color preview template"],
  ["Invoicing", "invoicing", "currency language numbering prefix grace period footer payment term"],
  ["Custom sections", "sections", "invoice text", "invoice_custom_sections:view"],
  ["Dunning", "dunning", "campaign reminders overdue"],
  ["Taxes", "taxes", "vat", "organization:taxes:view"],
];

const FORMS: [label: string, href: () => string, permission: string][] = [
  ["New customer", paths.customers.create, "customers:create"],
  ["New subscription", paths.subscriptions.create, "subscriptions:create"],
  ["New one-off invoice", paths.invoices.create, "invoices:create"],
  ["Record payment", paths.payments.create, "payments:create"],
  ["New plan", paths.plans.create, "plans:create"],
  ["New billable metric", paths.metrics.create, "billable_metrics:create"],
  ["New feature", paths.features.create, "features:create"],
  ["New add-on", paths.addOns.create, "addons:create"],
  ["New coupon", paths.coupons.create, "coupons:create"],
];

/** What places there are beyond those that each organization has. */
interface Extent {
  /** Whether the organization's time is simulated. */
  isSimulated?: boolean;
  /** Its billing entities, as far as they are known. */
  entities?: readonly { code: string; name: string }[];
}

function places({ isSimulated = false, entities = [] }: Extent): Place[] {
  return [
    ...GENERAL.map(([label, icon, href, permission]) => ({
      label,
      icon,
      href: href(),
      permissions: [permission],
    })),
    ...REPORTS.map(([label, tab, words]) => ({
      label,
      icon: ChartNoAxesCombined,
      href: paths.analytics(tab),
      area: "Analytics",
      permissions: ["analytics:view"],
      words,
    })),
    ...FORMS.map(([label, href, permission]) => ({
      label,
      icon: Plus,
      href: href(),
      permissions: [permission],
      words: "create add make",
    })),
    ...DEVELOPERS.map(([label, tab, words, ...permissions]) => ({
      label,
      icon: SquareTerminal,
      href: paths.developers(tab),
      area: "Developers",
      permissions,
      words,
    })),
    ...SETTINGS.map(([label, tab, words, permission]) => ({
      label,
      icon: Settings,
      href: paths.settings(...tab.split("/")),
      area: "Settings",
      permissions: permission ? [permission] : [],
      words,
    })),
    ...entities.flatMap(({ code, name }) =>
      OF_ENTITY.map(([label, part, words, permission]) => ({
        label,
        icon: Settings,
        href: paths.entity(code, part),
        area: name,
        permissions: permission ? [permission] : ["billing_entities:view"],
        words: `billing entity ${words}`,
      })),
    ),
    {
      label: "Your account",
      icon: UserRound,
      href: paths.settings("account"),
      permissions: [],
      words: "password profile",
    },
    ...(isSimulated
      ? [
          {
            label: "Test clock",
            icon: FlaskConical,
            href: paths.clock(),
            permissions: [],
            words: "time travel advance",
          },
        ]
      : []),
    {
      label: "API reference",
      icon: BookOpen,
      href: API_REFERENCE,
      permissions: [],
      words: "docs openapi documentation",
    },
  ];
}

/** How many are offered before anything has been typed. */
const AT_FIRST = 16;

/** Those that somebody may go to and that have each of the words in them, those first whose name begins with what is typed. */
export function placesFor(
  typed: string,
  can: (...permissions: string[]) => boolean,
  extent: Extent = {},
): Place[] {
  const sought = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const allowed = places(extent).filter(({ permissions }) => permissions.length === 0 || can(...permissions));
  if (sought.length === 0) return allowed.slice(0, AT_FIRST);
  const found = allowed.filter(({ label, area = "", words = "" }) => {
    const about = `${label} ${area} ${words}`.toLowerCase();
    return sought.every((word) => about.includes(word));
  });
  const rank = ({ label }: Place) => {
    const name = label.toLowerCase();
    return name.startsWith(sought.join(" ")) ? 0 : sought.every((word) => name.includes(word)) ? 1 : 2;
  };
  return found.toSorted((one, other) => rank(one) - rank(other));
}
