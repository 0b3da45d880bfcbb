// The guide, in the order in which one would read it.

const category = (label, folder, names, collapsed = false) => ({
  type: "category",
  label,
  collapsed,
  items: names.map((name) => `${folder}/${name}`),
});

export default {
  guide: [
    "index",
    "getting-started",
    "concepts",
    "clients",
    category("Templates", "templates", ["per-seat", "ai-tokens", "prepaid-credits", "hybrid"]),
    category("Metering", "metering", ["events", "aggregations", "filters", "expressions", "usage", "corrections"]),
    category("Pricing", "pricing", [
      "models",
      "standard",
      "graduated",
      "volume",
      "package",
      "percentage",
      "graduated-percentage",
      "dynamic",
      "custom",
      "fixed-charges",
      "minimums",
      "advance",
      "proration",
      "pricing-units",
      "overrides",
    ]),
    category("Billing", "billing", [
      "calendar",
      "plan-changes",
      "invoices",
      "progressive",
      "coupons",
      "taxes",
      "credit-notes",
      "wallets",
      "payments",
      "adyen",
      "gocardless",
    ]),
    "explanations",
    "alerts",
    "webhooks",
    "entitlements",
    "test-clocks",
  ],
};
