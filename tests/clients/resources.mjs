// The official JavaScript client keeps every resource of the API; arguments: URL, API key. Prints what came back as JSON.
import { Client } from "lago-javascript-client";

const [url, key] = process.argv.slice(2);
const lago = Client(key, { baseUrl: `${url}/api/v1` });
const found = {};

/** What an answer holds below its root. */
const below = async (answer, root) => (await answer).data[root];
const codes = (rows) => rows.map((row) => row.code);
const refusal = (answer) => answer.then(() => "taken", (told) => [told.status, told.error.code]);
const advance = (to) =>
  fetch(`${url}/api/v1/test_clock/advance`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ test_clock: { to } }),
  });

// What is sold, and who sells it.
await lago.taxes.createTax({ tax: { name: "VAT", code: "vat", rate: 20, applied_to_organization: true } });
const tax = await below(lago.taxes.updateTax("vat", { tax: { name: "Value added tax" } }), "tax");
found.taxes = [tax.name, (await below(lago.taxes.findTax("vat"), "tax")).rate, codes(await below(lago.taxes.findAllTaxes(), "taxes"))];
await lago.addOns.createAddOn({ add_on: { name: "Setup", code: "setup", amount_cents: 5000, amount_currency: "EUR" } });
const addOn = await below(lago.addOns.updateAddOn("setup", { add_on: { amount_cents: 6000 } }), "add_on");
found.addOns = [addOn.amount_cents, (await below(lago.addOns.findAddOn("setup"), "add_on")).name, codes(await below(lago.addOns.findAllAddOns(), "add_ons"))];
const metric = await below(
  lago.billableMetrics.createBillableMetric({
    billable_metric: { name: "Gigabytes", code: "gb", aggregation_type: "sum_agg", field_name: "gb", recurring: false, filters: [{ key: "region", values: ["eu", "us"] }] },
  }),
  "billable_metric",
);
const renamed = await below(lago.billableMetrics.updateBillableMetric("gb", { billable_metric: { name: "GB" } }), "billable_metric");
const tried = { expression: "event.properties.gb * 2", event: { code: "gb", timestamp: 1767225600, properties: { gb: 4 } } };
found.metrics = [
  renamed.name,
  (await below(lago.billableMetrics.findBillableMetric("gb"), "billable_metric")).filters[0].values,
  codes(await below(lago.billableMetrics.findAllBillableMetrics(), "billable_metrics")),
  (await below(lago.billableMetrics.evaluateBillableMetricExpression(tried), "expression_result")).value,
];
const seats = { code: "seats", name: "Seats", privileges: [{ code: "max", value_type: "integer" }, { code: "guests", value_type: "boolean" }] };
await lago.features.createFeature({ feature: seats });
const feature = await below(lago.features.updateFeature("seats", { feature: { name: "Places" } }), "feature");
found.features = [feature.name, (await below(lago.features.findFeature("seats"), "feature")).privileges.length, codes(await below(lago.features.findAllFeatures(), "features"))];
const plan = { name: "Team", code: "team", interval: "monthly", amount_cents: 3100, amount_currency: "EUR", pay_in_advance: false, charges: [] };
await lago.plans.createPlan({ plan });
found.plans = [
  (await below(lago.plans.updatePlan("team", { plan: { name: "Teams" } }), "plan")).name,
  (await below(lago.plans.findPlan("team"), "plan")).amount_cents,
  codes(await below(lago.plans.findAllPlans(), "plans")),
];
const charge = { billable_metric_id: metric.lago_id, code: "storage", charge_model: "standard", properties: { amount: "1" } };
await lago.plans.createPlanCharge("team", { charge });
const dearer = { charge: { charge_model: "standard", properties: { amount: "2" } } };
const filter = { filter: { values: { region: ["eu"] }, properties: { amount: "3" } } };
const eu = await below(lago.plans.createPlanChargeFilter("team", "storage", filter), "filter");
const cheaper = { filter: { properties: { amount: "2.5" } } };
found.charges = [
  (await below(lago.plans.updatePlanCharge("team", "storage", dearer), "charge")).properties.amount,
  codes(await below(lago.plans.findAllPlanCharges("team"), "charges")),
  (await below(lago.plans.findPlanCharge("team", "storage"), "charge")).charge_model,
  (await below(lago.plans.updatePlanChargeFilter("team", "storage", eu.lago_id, cheaper), "filter")).properties.amount,
  (await below(lago.plans.findPlanChargeFilter("team", "storage", eu.lago_id), "filter")).values,
  (await below(lago.plans.findAllPlanChargeFilters("team", "storage"), "filters")).length,
];
const support = { add_on_code: "setup", code: "support", charge_model: "standard", units: 1, properties: { amount: "10" } };
await lago.plans.createPlanFixedCharge("team", { fixed_charge: support });
found.fixedCharges = [
  (await below(lago.plans.updatePlanFixedCharge("team", "support", { fixed_charge: { units: 2, properties: { amount: "10" } } }), "fixed_charge")).units,
  codes(await below(lago.plans.findAllPlanFixedCharges("team"), "fixed_charges")),
  (await below(lago.plans.findPlanFixedCharge("team", "support"), "fixed_charge")).properties.amount,
];
await lago.plans.createEntitlement("team", { entitlements: { seats: { max: 5 } } });
found.entitlements = [
  codes(await below(lago.plans.updateEntitlement("team", { entitlements: { seats: { guests: true } } }), "entitlements")),
  (await below(lago.plans.findEntitlement("team", "seats"), "entitlement")).privileges.map((one) => one.value),
  (await below(lago.plans.findAllEntitlements("team"), "entitlements")).length,
  (await below(lago.plans.removeEntitlementPrivilege("team", "seats", "guests"), "entitlement")).privileges.map((one) => one.value),
];
await lago.plans.replacePlanMetadata("team", { metadata: { a: "1" } });
found.planMetadata = [
  await below(lago.plans.mergePlanMetadata("team", { metadata: { b: "2" } }), "metadata"),
  await below(lago.plans.deletePlanMetadataKey("team", "a"), "metadata"),
  await below(lago.plans.deleteAllPlanMetadata("team"), "metadata"),
];
await lago.billingEntities.createBillingEntity({ billing_entity: { code: "paris", name: "Paris", country: "FR" } });
found.billingEntities = [
  (await below(lago.billingEntities.updateBillingEntity("paris", { billing_entity: { name: "Paris 2" } }), "billing_entity")).name,
  (await below(lago.billingEntities.getBillingEntity("paris"), "billing_entity")).country,
  (await below(lago.billingEntities.listBillingEntities(), "billing_entities")).length,
];
found.organization = [
  (await below(lago.organizations.updateOrganization({ organization: { net_payment_term: 0, timezone: "UTC" } }), "organization")).timezone,
  (await below(lago.organizations.findOrganization(), "organization")).name,
];
const hook = { webhook_url: "https://hooks.test/a", signature_algo: "hmac", event_types: ["invoice.created"] };
const endpoint = await below(lago.webhookEndpoints.createWebhookEndpoint({ webhook_endpoint: hook }), "webhook_endpoint");
found.webhookEndpoints = [
  (await below(lago.webhookEndpoints.updateWebhookEndpoint(endpoint.lago_id, { webhook_endpoint: { name: "A" } }), "webhook_endpoint")).name,
  (await below(lago.webhookEndpoints.findWebhookEndpoint(endpoint.lago_id), "webhook_endpoint")).event_types,
  (await below(lago.webhookEndpoints.findAllWebhookEndpoints(), "webhook_endpoints")).length,
  (await below(lago.webhookEndpoints.destroyWebhookEndpoint(endpoint.lago_id), "webhook_endpoint")).webhook_url,
];
found.publicKey = Buffer.from((await below(lago.webhooks.fetchJsonPublicKey(), "webhook")).public_key, "base64").toString().slice(0, 26);

// Who pays, and what they have.
await lago.customers.createCustomer({ customer: { external_id: "js", name: "JS", currency: "EUR", email: "ap@js.test" } });
found.customers = [
  (await below(lago.customers.createCustomer({ customer: { external_id: "js", name: "Jay" } }), "customer")).name,
  (await below(lago.customers.findCustomer("js"), "customer")).currency,
  (await below(lago.customers.findAllCustomers(), "customers")).length,
  (await below(lago.customers.getCustomerPortalUrl("js"), "customer")).portal_url.includes("/customer-portal/"),
  (await below(lago.customers.findAllCustomersPaymentMethods("js"), "payment_methods")).length,
  await refusal(lago.customers.generateCustomerCheckoutUrl("js")),
];
await lago.subscriptions.createSubscription({ subscription: { external_customer_id: "js", plan_code: "team", external_id: "js-1" } });
found.subscriptions = [
  (await below(lago.subscriptions.updateSubscription("js-1", { subscription: { name: "Main" } }), "subscription")).name,
  (await below(lago.subscriptions.findSubscription("js-1"), "subscription")).status,
  (await below(lago.subscriptions.findAllSubscriptions(), "subscriptions")).length,
  (await below(lago.customers.findAllCustomerSubscriptions("js"), "subscriptions")).length,
];
found.ownPrices = [
  (await below(lago.subscriptions.overrideSubscriptionCharge("js-1", "storage", { charge: { properties: { amount: "4" } } }), "charge")).properties.amount,
  (await below(lago.subscriptions.findSubscriptionCharge("js-1", "storage"), "charge")).properties.amount,
  codes(await below(lago.subscriptions.findAllSubscriptionCharges("js-1"), "charges")),
  (await below(lago.subscriptions.overrideSubscriptionFixedCharge("js-1", "support", { fixed_charge: { invoice_display_name: "Help" } }), "fixed_charge")).invoice_display_name,
  (await below(lago.subscriptions.findSubscriptionFixedCharge("js-1", "support"), "fixed_charge")).code,
  codes(await below(lago.subscriptions.findAllSubscriptionFixedCharges("js-1"), "fixed_charges")),
];
const us = await below(
  lago.subscriptions.createSubscriptionChargeFilter("js-1", "storage", { filter: { values: { region: ["us"] }, properties: { amount: "5" } } }),
  "filter",
);
found.ownFilters = [
  (await below(lago.subscriptions.updateSubscriptionChargeFilter("js-1", "storage", us.lago_id, { filter: { properties: { amount: "6" } } }), "filter")).properties.amount,
  (await below(lago.subscriptions.findSubscriptionChargeFilter("js-1", "storage", us.lago_id), "filter")).values,
  (await below(lago.subscriptions.findAllSubscriptionChargeFilters("js-1", "storage"), "filters")).length,
  (await below(lago.subscriptions.destroySubscriptionChargeFilter("js-1", "storage", us.lago_id), "filter")).lago_id === us.lago_id,
];
found.ownEntitlements = [
  (await below(lago.subscriptions.updateSubscriptionEntitlements("js-1", { entitlements: { seats: { max: 9 } } }), "entitlements"))[0].overrides,
  (await below(lago.subscriptions.findAllSubscriptionEntitlements("js-1"), "entitlements")).length,
  (await below(lago.subscriptions.destroySubscriptionEntitlementPrivilege("js-1", "seats", "max"), "entitlements"))[0].privileges.length,
  (await below(lago.subscriptions.destroySubscriptionEntitlement("js-1", "seats"), "entitlements")).length,
];
const alert = { alert_type: "current_usage_amount", code: "high", name: "High", thresholds: [{ value: "1000", code: "warn" }] };
await lago.subscriptions.createSubscriptionAlert("js-1", { alert });
found.alerts = [
  (await below(lago.subscriptions.updateSubscriptionAlert("js-1", "high", { alert: { name: "Higher" } }), "alert")).name,
  (await below(lago.subscriptions.getSubscriptionAlert("js-1", "high"), "alert")).thresholds[0].value,
  codes(await below(lago.subscriptions.getSubscriptionAlerts("js-1"), "alerts")),
  (await below(lago.subscriptions.deleteSubscriptionAlert("js-1", "high"), "alert")).code,
];
found.lifetimeUsage = [
  (await below(lago.subscriptions.updateSubscriptionLifetimeUsage("js-1", { lifetime_usage: { external_historical_usage_amount_cents: 500 } }), "lifetime_usage"))
    .external_historical_usage_amount_cents,
  (await below(lago.subscriptions.getSubscriptionLifetimeUsage("js-1"), "lifetime_usage")).external_subscription_id,
];
const off = { name: "Ten", code: "ten", coupon_type: "percentage", percentage_rate: "10", frequency: "once", expiration: "no_expiration" };
await lago.coupons.createCoupon({ coupon: off });
await lago.coupons.updateCoupon("ten", { coupon: { ...off, name: "A tenth" } });
const given = await below(lago.appliedCoupons.applyCoupon({ applied_coupon: { external_customer_id: "js", coupon_code: "ten" } }), "applied_coupon");
found.coupons = [
  (await below(lago.coupons.findCoupon("ten"), "coupon")).name,
  codes(await below(lago.coupons.findAllCoupons(), "coupons")),
  (await below(lago.appliedCoupons.findAllAppliedCoupons(), "applied_coupons")).length,
  (await below(lago.customers.findAllCustomerAppliedCoupons("js"), "applied_coupons")).length,
  (await below(lago.customers.deleteAppliedCoupon("js", given.lago_id), "applied_coupon")).lago_id === given.lago_id,
];

// Prepaid credits: 10 given, 4 taken out again; the other wallet is a customer's own route.
const wallet = await below(
  lago.wallets.createWallet({ wallet: { external_customer_id: "js", name: "Main", code: "main", rate_amount: "1", currency: "EUR", granted_credits: "10" } }),
  "wallet",
);
const [taken] = await below(lago.walletTransactions.createWalletTransaction({ wallet_transaction: { wallet_id: wallet.lago_id, voided_credits: "4" } }), "wallet_transactions");
const moves = await below(lago.wallets.findAllWalletTransactions(wallet.lago_id), "wallet_transactions");
const granted = moves.find((one) => one.transaction_type === "inbound");
found.wallets = [
  (await below(lago.wallets.updateWallet(wallet.lago_id, { wallet: { name: "Prepaid" } }), "wallet")).name,
  (await below(lago.wallets.findWallet(wallet.lago_id), "wallet")).balance_cents,
  (await below(lago.wallets.findAllWallets({ external_customer_id: "js" }), "wallets")).length,
  (await below(lago.walletTransactions.findWalletTransaction(taken.lago_id), "wallet_transaction")).credit_amount,
  (await below(lago.walletTransactions.findAllWalletTransactionConsumptions(granted.lago_id), "wallet_transaction_consumptions")).map((one) => one.amount_cents),
  (await below(lago.walletTransactions.findAllWalletTransactionFundings(taken.lago_id), "wallet_transaction_fundings")).map((one) => one.amount_cents),
];
await lago.wallets.replaceWalletMetadata(wallet.lago_id, { metadata: { a: "1" } });
found.walletMetadata = [
  await below(lago.wallets.mergeWalletMetadata(wallet.lago_id, { metadata: { b: "2" } }), "metadata"),
  await below(lago.wallets.deleteWalletMetadataKey(wallet.lago_id, "a"), "metadata"),
  await below(lago.wallets.deleteAllWalletMetadata(wallet.lago_id), "metadata"),
];
await lago.customers.createCustomerWallet("js", { wallet: { name: "Other", code: "other", rate_amount: "2", currency: "EUR" } });
await lago.customers.createCustomerWalletAlert("js", "other", { alert: { alert_type: "wallet_balance_amount", code: "low", thresholds: [{ value: "100" }] } });
await lago.customers.replaceCustomerWalletMetadata("js", "other", { metadata: { a: "1" } });
found.customerWallets = [
  (await below(lago.customers.updateCustomerWallet("js", "other", { wallet: { name: "Another" } }), "wallet")).name,
  (await below(lago.customers.findCustomerWallet("js", "other"), "wallet")).rate_amount,
  codes(await below(lago.customers.findAllCustomerWallets("js"), "wallets")).sort(),
  (await below(lago.customers.updateCustomerWalletAlert("js", "other", "low", { alert: { name: "Low" } }), "alert")).name,
  (await below(lago.customers.getCustomerWalletAlert("js", "other", "low"), "alert")).alert_type,
  codes(await below(lago.customers.getCustomerWalletAlerts("js", "other"), "alerts")),
  (await below(lago.customers.deleteCustomerWalletAlert("js", "other", "low"), "alert")).code,
  await below(lago.customers.mergeCustomerWalletMetadata("js", "other", { metadata: { b: "2" } }), "metadata"),
  await below(lago.customers.deleteCustomerWalletMetadataKey("js", "other", "a"), "metadata"),
  await below(lago.customers.deleteAllCustomerWalletMetadata("js", "other"), "metadata"),
  (await below(lago.customers.destroyCustomerWallet("js", "other"), "wallet")).status,
];

// Usage: 3 GB in Europe at 2.50 and 2 GB elsewhere at 4.00 are 15.50.
const event = { transaction_id: "t1", external_subscription_id: "js-1", code: "gb", properties: { gb: 3, region: "eu" } };
await lago.events.createEvent({ event });
await lago.events.createBatchEvents({ events: [{ ...event, transaction_id: "t2", properties: { gb: 2, region: "asia" } }] });
found.events = [
  (await below(lago.events.findEvent("t1"), "event")).properties,
  (await below(lago.events.findAllEvents(), "events")).length,
  await refusal(lago.events.eventEstimateFees({ event: { ...event, transaction_id: "t3" } })),
];
const asked = { external_subscription_id: "js-1" };
found.usage = [
  (await below(lago.customers.findCustomerCurrentUsage("js", asked), "customer_usage")).amount_cents,
  (await below(lago.customers.findCustomerProjectedUsage("js", asked), "customer_projected_usage")).currency,
  (await below(lago.customers.findAllCustomerPastUsage("js", asked), "usage_periods")).length,
  (await below(lago.invoices.invoicePreview({ customer: { external_id: "js" }, plan_code: "team" }), "invoice")).currency,
];

// January's bill: 22 of 31 days of 31.00, support of 2 × 10.00 and 15.50 of usage, the wallet pays 6.00.
await advance("2026-02-01T01:00:00Z");
const [bill] = await below(lago.customers.findAllCustomerInvoices("js"), "invoices");
const invoice = await below(lago.invoices.findInvoice(bill.lago_id), "invoice");
const fee = invoice.fees.find((one) => one.item.type === "subscription");
found.bill = [
  invoice.status,
  invoice.fees.map((one) => [one.item.type, one.amount_cents]).sort(),
  [invoice.taxes_amount_cents, invoice.prepaid_credit_amount_cents, invoice.total_amount_cents],
  (await below(lago.fees.findFee(fee.lago_id), "fee")).amount_cents,
  (await below(lago.fees.findAllFees({ external_customer_id: "js", fee_type: "charge" }), "fees")).map((one) => one.amount_cents).sort(),
  (await below(lago.invoices.downloadInvoice(bill.lago_id), "invoice")).file_url.includes(".pdf"),
  (await below(lago.invoices.updateInvoice(bill.lago_id, { invoice: { metadata: [{ key: "po", value: "7" }] } }), "invoice")).metadata.map((one) => one.value),
  (await below(lago.customers.findAllCustomerPastUsage("js", asked), "usage_periods")).length,
];
const note = { invoice_id: bill.lago_id, items: [{ fee_id: fee.lago_id, amount_cents: 1000 }] };
found.creditNotes = [(await below(lago.creditNotes.estimateCreditNote({ credit_note: note }), "estimated_credit_note")).max_creditable_amount_cents];
const made = await below(lago.creditNotes.createCreditNote({ credit_note: { ...note, credit_amount_cents: 1200, reason: "other" } }), "credit_note");
await lago.creditNotes.replaceCreditNoteMetadata(made.lago_id, { metadata: { a: "1" } });
found.creditNotes.push(
  made.total_amount_cents,
  (await below(lago.creditNotes.findCreditNote(made.lago_id), "credit_note")).credit_status,
  (await below(lago.creditNotes.findAllCreditNotes(), "credit_notes")).length,
  (await below(lago.customers.findAllCustomerCreditNotes("js"), "credit_notes")).length,
  (await below(lago.creditNotes.downloadCreditNote(made.lago_id), "credit_note")).file_url.includes(".pdf"),
  await below(lago.creditNotes.mergeCreditNoteMetadata(made.lago_id, { metadata: { b: "2" } }), "metadata"),
  await below(lago.creditNotes.deleteCreditNoteMetadataKey(made.lago_id, "a"), "metadata"),
  await below(lago.creditNotes.deleteAllCreditNoteMetadata(made.lago_id), "metadata"),
  (await below(lago.creditNotes.voidCreditNote(made.lago_id), "credit_note")).credit_status,
);
const paid = await below(lago.payments.createPayment({ payment: { invoice_id: bill.lago_id, amount_cents: 1000, reference: "wire" } }), "payment");
const [receipt] = await below(lago.paymentReceipts.findAllPaymentReceipts(), "payment_receipts");
await advance("2026-02-03T01:00:00Z");
const reminder = { external_customer_id: "js", lago_invoice_ids: [bill.lago_id], email: "cfo@js.test" };
const request = await below(lago.paymentRequests.createPaymentRequest({ payment_request: reminder }), "payment_request");
found.payments = [
  (await below(lago.payments.findPayment(paid.lago_id), "payment")).reference,
  (await below(lago.payments.findAllPayments(), "payments")).length,
  (await below(lago.customers.findAllCustomerPayments("js"), "payments")).length,
  (await below(lago.paymentReceipts.findPaymentReceipt(receipt.lago_id), "payment_receipt")).payment.amount_cents,
  request.amount_cents,
  (await below(lago.paymentRequests.findPaymentRequest(request.lago_id), "payment_request")).email,
  (await below(lago.paymentRequests.findAllPaymentRequests(), "payment_requests")).length,
  (await below(lago.customers.findAllCustomerPaymentRequests("js"), "payment_requests")).length,
];
const oneOff = { external_customer_id: "js", currency: "EUR", fees: [{ add_on_code: "setup", units: 1 }] };
const setup = await below(lago.invoices.createInvoice({ invoice: oneOff }), "invoice");
found.oneOff = [
  setup.total_amount_cents,
  (await below(lago.invoices.loseDisputeInvoice(setup.lago_id), "invoice")).payment_dispute_lost_at !== null,
  (await below(lago.invoices.findAllInvoices({ invoice_type: "one_off" }), "invoices")).length,
];

// What is told of all this.
found.analytics = [
  (await below(lago.analytics.findAllGrossRevenues({ currency: "EUR" }), "gross_revenues")).length,
  (await below(lago.analytics.findAllInvoiceCollections({ currency: "EUR" }), "invoice_collections")).length,
  (await below(lago.analytics.findAllInvoicedUsages({ currency: "EUR" }), "invoiced_usages")).map((one) => [one.code, one.amount_cents]),
  (await below(lago.analytics.findAllMrrs({ currency: "EUR" }), "mrrs")).length > 0,
  (await below(lago.analytics.findAllOverdueBalances({ currency: "EUR" }), "overdue_balances")).map((one) => one.amount_cents),
  (await below(lago.analytics.findAllUsages({ time_granularity: "monthly" }), "usages")).map((one) => [one.billable_metric_code, one.amount_cents]),
];
const [activity] = await below(lago.activityLogs.findAllActivityLogs({ "activity_types[]": ["coupon.created"] }), "activity_logs");
const [call] = await below(lago.apiLogs.findAllApiLogs({ "http_methods[]": ["put"] }), "api_logs");
found.logs = [
  (await below(lago.activityLogs.findActivityLog(activity.activity_id), "activity_log")).activity_object.code,
  (await below(lago.apiLogs.findApiLog(call.request_id), "api_log")).http_method,
];

// What goes again.
found.gone = [
  (await below(lago.wallets.destroyWallet(wallet.lago_id), "wallet")).status,
  (await below(lago.subscriptions.destroySubscription("js-1"), "subscription")).status,
  (await below(lago.plans.destroyPlanChargeFilter("team", "storage", eu.lago_id), "filter")).lago_id === eu.lago_id,
  (await below(lago.plans.destroyPlanCharge("team", "storage"), "charge")).code,
  (await below(lago.plans.destroyPlanFixedCharge("team", "support"), "fixed_charge")).code,
  (await below(lago.plans.destroyEntitlement("team", "seats"), "entitlement")).code,
  (await below(lago.plans.destroyPlan("team"), "plan")).code,
  (await below(lago.features.deleteFeaturePrivilege("seats", "guests"), "feature")).privileges.length,
  (await below(lago.features.destroyFeature("seats"), "feature")).code,
  (await below(lago.coupons.destroyCoupon("ten"), "coupon")).code,
  (await below(lago.addOns.destroyAddOn("setup"), "add_on")).code,
  (await below(lago.taxes.destroyTax("vat"), "tax")).code,
  (await below(lago.billableMetrics.destroyBillableMetric("gb"), "billable_metric")).code,
  (await below(lago.customers.destroyCustomer("js"), "customer")).external_id,
  await refusal(lago.customers.findCustomer("js")),
];
console.log(JSON.stringify(found));
