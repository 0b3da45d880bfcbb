// The official JavaScript client drives the server; arguments: URL, API key. Prints what it found as JSON.
import { Client } from "lago-javascript-client";

const [url, key] = process.argv.slice(2);
const client = Client(key, { baseUrl: `${url}/api/v1` });

const metric = (
  await client.billableMetrics.createBillableMetric({
    billable_metric: { name: "Calls", code: "calls", aggregation_type: "count_agg", recurring: false },
  })
).data.billable_metric;
await client.plans.createPlan({
  plan: {
    name: "Flat",
    code: "flat",
    interval: "monthly",
    amount_cents: 3100,
    amount_currency: "EUR",
    pay_in_advance: false,
    charges: [{ billable_metric_id: metric.lago_id, charge_model: "standard", properties: { amount: "0.25" } }],
  },
});
await client.customers.createCustomer({ customer: { external_id: "js", name: "JS" } });
await client.subscriptions.createSubscription({
  subscription: { external_customer_id: "js", plan_code: "flat", external_id: "js-1" },
});
const events = [1, 2, 3].map((n) => ({ transaction_id: `t${n}`, external_subscription_id: "js-1", code: "calls" }));
await client.events.createEvent({ event: events[0] });
await client.events.createBatchEvents({ events: events.slice(1) });
const usage = (await client.customers.findCustomerCurrentUsage("js", { external_subscription_id: "js-1" })).data;
await fetch(`${url}/api/v1/test_clock/advance`, {
  method: "POST",
  headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
  body: JSON.stringify({ test_clock: { to: "2026-02-01T01:00:00Z" } }),
});
const rows = (await client.invoices.findAllInvoices({ external_customer_id: "js" })).data.invoices;
const invoice = (await client.invoices.findInvoice(rows[0].lago_id)).data.invoice;
const file = (await client.invoices.downloadInvoice(rows[0].lago_id)).data.invoice.file_url;
console.log(
  JSON.stringify({
    usage: usage.customer_usage.amount_cents,
    total: invoice.total_amount_cents,
    fees: invoice.fees.map((fee) => fee.amount_cents),
    pdf: (await (await fetch(file)).text()).slice(0, 5),
  }),
);
