/** The payment providers that there are: what each is called, what it does, and by what it is connected (wallets-and-payments §12). */
import type { Schema } from "@/api/client";

export type Connection = Schema<"ConnectionOutput">;
export type Kind = Schema<"PaymentMethodOutput">["payment_provider_type"];

/** What a connection is made by, by its name on the wire. */
export interface Credential {
  name: CredentialName;
  label: string;
  hint?: string;
  /** Never shown again once it is saved. */
  isSecret?: boolean;
  isOptional?: boolean;
  /** What it means that there is none. */
  lacking?: string;
  /** Stays as it was when the connection was made. */
  isFixed?: boolean;
  longest?: number;
}

export type CredentialName =
  | "secret_key"
  | "access_token"
  | "api_key"
  | "merchant_account"
  | "live_prefix"
  | "hmac_key"
  | "client_id"
  | "client_secret"
  | "flow_id";

interface Provider {
  kind: Kind;
  name: string;
  /** What it is used for, in a sentence or two. */
  about: string;
  /** Whether it collects without the customer, and whether it has pages on which an invoice is paid. */
  charges: boolean;
  hasPages: boolean;
  /** Whether it pays back what a credit note refunds; otherwise somebody does so by hand (§14). */
  paysBack: boolean;
  credentials: readonly Credential[];
  /** How events come to be sent to us. */
  events: string;
}

export const PROVIDERS: readonly Provider[] = [
  {
    kind: "stripe",
    name: "Stripe",
    about:
      "Cards, direct debits and bank transfers. Invoices are collected by themselves or paid on a page, and refunds are sent back.",
    charges: true,
    hasPages: true,
    paysBack: true,
    credentials: [
      {
        name: "secret_key",
        label: "Secret key",
        hint: "Begins with sk_live_, or rk_live_ of a restricted one. It cannot be changed later.",
        isSecret: true,
        isFixed: true,
      },
    ],
    events: "Stripe is told this address when the connection is made: nothing is to be done there.",
  },
  {
    kind: "gocardless",
    name: "GoCardless",
    about:
      "Direct debits from bank accounts. Invoices are collected by themselves once a customer has given a mandate, and refunds are sent back.",
    charges: true,
    hasPages: false,
    paysBack: true,
    credentials: [
      {
        name: "access_token",
        label: "Access token",
        hint: "Made at GoCardless under Developers, with the right to read and write.",
        isSecret: true,
      },
    ],
    events: "Make a webhook endpoint at GoCardless with this address and this secret.",
  },
  {
    kind: "adyen",
    name: "Adyen",
    about:
      "Cards and other methods of an Adyen account. Invoices are collected by themselves or paid on a page, and refunds are sent back.",
    charges: true,
    hasPages: true,
    paysBack: true,
    credentials: [
      { name: "api_key", label: "API key", isSecret: true },
      { name: "merchant_account", label: "Merchant account" },
      {
        name: "live_prefix",
        label: "Live prefix",
        hint: "Of the live account’s addresses. Without one it is the test account.",
        isOptional: true,
        lacking: "None: it is the test account",
      },
      {
        name: "hmac_key",
        label: "HMAC key",
        hint: "Of the webhook that is made at Adyen. Without it every event is refused.",
        isSecret: true,
        isOptional: true,
        lacking: "None: every event is refused",
      },
    ],
    events: "Make a standard webhook at Adyen with this address, and enter its HMAC key here.",
  },
  {
    kind: "cashfree",
    name: "Cashfree",
    about: "Payment links for customers in India. Nothing is collected by itself.",
    charges: false,
    hasPages: true,
    paysBack: false,
    credentials: [
      { name: "client_id", label: "Client ID" },
      { name: "client_secret", label: "Client secret", isSecret: true },
    ],
    events: "Enter this address as webhook for payment links at Cashfree.",
  },
  {
    kind: "flutterwave",
    name: "Flutterwave",
    about: "Payment pages for customers in Africa. Nothing is collected by itself.",
    charges: false,
    hasPages: true,
    paysBack: false,
    credentials: [{ name: "secret_key", label: "Secret key", isSecret: true }],
    events: "Enter this address as webhook at Flutterwave, with this secret as its secret hash.",
  },
  {
    kind: "moneyhash",
    name: "MoneyHash",
    about:
      "One account for many providers. Invoices are collected by themselves from a saved card, or paid on a page.",
    charges: true,
    hasPages: true,
    paysBack: false,
    credentials: [
      { name: "api_key", label: "API key", isSecret: true },
      {
        name: "flow_id",
        label: "Flow ID",
        hint: "Of the flow by which MoneyHash picks the provider.",
        longest: 20,
      },
    ],
    events: "Enter this address as webhook at MoneyHash.",
  },
];

const BY_KIND = new Map<string, Provider>(PROVIDERS.map((one) => [one.kind, one]));

export function findProvider(kind: string): Provider | undefined {
  return BY_KIND.get(kind);
}

/** What a provider is called: "gocardless" is GoCardless. */
export function providerName(kind: string): string {
  return BY_KIND.get(kind)?.name ?? kind;
}

/** The longest that the first automatic attempt can wait for a customer who pays on a page: a day (§11.1). */
export const LONGEST_WAIT = 1440;

export interface ConnectionForm extends Record<CredentialName, string> {
  name: string;
  code: string;
  success_redirect_url: string;
  supports_3ds: boolean;
  require_terms_of_service_consent: boolean;
  waits_for_page: boolean;
  link_first_minutes: string;
}

/** How long it waits where somebody turns waiting on and says no more. */
const USUAL_WAIT = 10;

export function readConnection(saved: Connection | null): ConnectionForm {
  const options = saved?.options ?? {};
  const text = (name: string) => (typeof options[name] === "string" ? (options[name] as string) : "");
  const minutes = Number(options.link_first_minutes ?? 0);
  return {
    name: saved?.name ?? "",
    code: saved?.code ?? "",
    success_redirect_url: saved?.success_redirect_url ?? "",
    secret_key: "",
    access_token: "",
    api_key: "",
    merchant_account: text("merchant_account"),
    live_prefix: text("live_prefix"),
    hmac_key: "",
    client_id: text("client_id"),
    client_secret: "",
    flow_id: text("flow_id"),
    supports_3ds: options.supports_3ds === true,
    require_terms_of_service_consent: options.require_terms_of_service_consent === true,
    waits_for_page: minutes > 0,
    link_first_minutes: String(minutes || USUAL_WAIT),
  };
}

/** What has to be sent: of a new connection all of it, of one that is there only what has been changed; an empty secret stays. */
export function writeConnection(
  kind: Kind,
  form: ConnectionForm,
  saved: Connection | null,
): Schema<"NewConnectionInput"> {
  const before = readConnection(saved);
  const changed = (name: keyof ConnectionForm) => saved === null || form[name] !== before[name];
  const credentials = findProvider(kind)!
    .credentials.filter(({ name, isFixed }) => changed(name) && !(saved && isFixed))
    .map(({ name }) => [name, form[name].trim() || null] as const)
    .filter(([name, value]) => value !== null || (saved !== null && before[name] !== ""));
  const waitOf = (one: ConnectionForm) => (one.waits_for_page ? Number(one.link_first_minutes) : 0);
  return {
    ...(saved === null && { kind }),
    ...(changed("name") && { name: form.name.trim() }),
    ...(changed("code") && { code: form.code.trim() }),
    ...(changed("success_redirect_url") && {
      success_redirect_url: form.success_redirect_url.trim() || null,
    }),
    ...Object.fromEntries(credentials),
    ...(kind === "stripe" && changed("supports_3ds") && { supports_3ds: form.supports_3ds }),
    ...(kind === "stripe" &&
      changed("require_terms_of_service_consent") && {
        require_terms_of_service_consent: form.require_terms_of_service_consent,
      }),
    ...((saved === null || waitOf(form) !== waitOf(before)) && { link_first_minutes: waitOf(form) }),
  };
}
