/** Where everything is: the one place that knows addresses. Organization's slug first, tabs part of the path (ui §1.2). */
import { currentOrganization } from "@/api/client";

const at = (...steps: string[]) =>
  `/${[currentOrganization() ?? "", ...steps].map(encodeURIComponent).join("/")}`;

const withQuery = (path: string, query: Record<string, string | undefined>) => {
  const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
};

/** The pages of an object that is listed, shown, made, changed and copied. */
const pagesOf = (list: string, one: string) => ({
  list: () => at(list),
  show: (id: string, tab = "overview") => at(one, id, tab),
  create: (query: Record<string, string | undefined> = {}) => withQuery(at("create", one), query),
  update: (id: string) => at("update", one, id),
  duplicate: (id: string) => at("duplicate", one, id),
});

const ofCustomer =
  (one: string) =>
  (customer: string, id: string, tab = "overview") =>
    at("customer", customer, one, id, tab);

export const paths = {
  home: () => at(),
  analytics: (tab = "overview") => at("analytics", tab),
  metrics: pagesOf("billable-metrics", "billable-metric"),
  plans: pagesOf("plans", "plan"),
  features: pagesOf("features", "feature"),
  addOns: pagesOf("add-ons", "add-on"),
  coupons: pagesOf("coupons", "coupon"),
  customers: pagesOf("customers", "customer"),
  subscriptions: {
    list: () => at("subscriptions"),
    show: ofCustomer("subscription"),
    create: (query: { customer?: string; plan?: string } = {}) =>
      withQuery(at("create", "subscription"), query),
    update: (id: string) => at("update", "subscription", id),
    change: (id: string) => at("change", "subscription", id),
  },
  invoices: {
    list: () => at("invoices"),
    show: ofCustomer("invoice"),
    create: (query: { customer?: string } = {}) => withQuery(at("create", "invoice"), query),
    void: (id: string) => at("void", "invoice", id),
    regenerate: (id: string) => at("regenerate", "invoice", id),
  },
  payments: {
    list: () => at("payments"),
    show: (id: string) => at("payment", id),
    create: (query: { invoice?: string; customer?: string } = {}) =>
      withQuery(at("create", "payment"), query),
    request: (customer: string) => withQuery(at("create", "payment-request"), { customer }),
  },
  creditNotes: {
    list: () => at("credit-notes"),
    show: ofCustomer("credit-note"),
    create: (invoice: string) => withQuery(at("create", "credit-note"), { invoice }),
  },
  wallets: {
    show: ofCustomer("wallet"),
    create: (customer: string) => withQuery(at("create", "wallet"), { customer }),
    update: (customer: string, id: string) => withQuery(at("update", "wallet", id), { customer }),
    topUp: (customer: string, id: string) => withQuery(at("top-up", "wallet", id), { customer }),
  },
  developers: (tab = "api-keys", ...more: string[]) => at("developers", tab, ...more),
  clock: () => at("clock"),
  entity: (code: string, part = "general") => at("settings", "entities", code, part),
  settings: (tab = "organization", ...more: string[]) => at("settings", tab, ...more),
} as const;

/** Pages of nobody's organization. */
export const doors = {
  /** `closed` is the slug of an organization that is not open to how somebody signed in. */
  signIn: (back?: string, closed?: string) => withQuery("/sign-in", { back, closed }),
  signUp: () => "/sign-up",
  newOrganization: () => "/new",
  forgotPassword: () => "/forgot-password",
} as const;
