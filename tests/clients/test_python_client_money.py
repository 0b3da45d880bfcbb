"""The unmodified official Python client keeps all that has to do with money and usage: prices, coupons, wallets, alerts, notes, payments.

What it can't do with any server is left out: it asks for lists of what hangs on a customer, a plan or a subscription without a key
(platform §18), tries expressions without sending one, and reads no invoice without an id, as a preview is.
"""

from __future__ import annotations

import httpx
import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError
from lago_python_client.models import (
    AddOn,
    Alert,
    AlertsList,
    AlertThreshold,
    AlertThresholdList,
    AppliedCoupon,
    BillableMetric,
    BillableMetricFilter,
    BillableMetricFilters,
    Charge,
    ChargeFilter,
    Coupon,
    CreditNote,
    CreditNoteEstimate,
    CreditNoteUpdate,
    Customer,
    Event,
    Fee,
    FixedCharge,
    FixedChargeProperties,
    Invoice,
    InvoiceFee,
    InvoiceFeesList,
    Item,
    Items,
    OneOffInvoice,
    Payment,
    PaymentRequest,
    Plan,
    Subscription,
    Tax,
    Wallet,
    WalletTransaction,
    WebhookEndpoint,
)


@pytest.fixture
def client(live):
    return Client(api_key=live.api_key, api_url=live.url)


def advance(live, to: str) -> None:
    headers = {"Authorization": f"Bearer {live.api_key}"}
    body = {"test_clock": {"to": to}}
    moved = httpx.post(f"{live.url}/api/v1/test_clock/advance", headers=headers, json=body, timeout=60)
    assert moved.status_code == 200, moved.text


def test_prices_of_a_plan_and_of_a_subscription(client):
    metric = client.billable_metrics.create(
        BillableMetric(
            name="GB",
            code="gb",
            aggregation_type="sum_agg",
            field_name="gb",
            recurring=False,
            filters=BillableMetricFilters(__root__=[BillableMetricFilter(key="region", values=["eu", "us"])]),
        )
    )
    client.add_ons.create(AddOn(name="Help", code="help", amount_cents=500, amount_currency="EUR"))
    client.plans.create(
        Plan(
            name="Team", code="team", interval="monthly", amount_cents=100, amount_currency="EUR", pay_in_advance=False,
        )
    )  # fmt: skip
    charge = {"charge_model": "standard", "properties": {"amount": "1"}}
    client.plan_charges.create("team", Charge(billable_metric_id=metric.lago_id, code="storage", **charge))
    dearer = client.plan_charges.update(
        "team", "storage", Charge(**{**charge, "properties": {"amount": "2"}})
    )
    assert dearer.properties["amount"] == "2"
    assert client.plan_charges.find("team", "storage").billable_metric_code == "gb"
    eu = ChargeFilter(values={"region": ["eu"]}, properties={"amount": "3"})
    made = client.plans.create_charge_filter("team", "storage", eu)
    cheaper = client.plans.update_charge_filter(
        "team", "storage", made.lago_id, ChargeFilter(properties={"amount": "2.5"})
    )
    assert cheaper.properties["amount"] == "2.5"
    assert client.plans.find_charge_filter("team", "storage", made.lago_id).values == {"region": ["eu"]}
    assert len(client.plans.find_all_charge_filters("team", "storage")["filters"]) == 1
    properties = FixedChargeProperties(amount="10")
    fixed = FixedCharge(
        add_on_code="help", code="support", charge_model="standard", units=2, properties=properties
    )
    client.plan_fixed_charges.create("team", fixed)
    shown = client.plan_fixed_charges.find("team", "support")
    assert (shown.add_on_code, shown.units, shown.properties.amount) == ("help", 2.0, "10")
    assert client.plans.replace_metadata("team", {"a": "1"}) == {"a": "1"}
    assert client.plans.merge_metadata("team", {"b": "2"}) == {"a": "1", "b": "2"}
    assert client.plans.delete_metadata_key("team", "a") == {"b": "2"}
    assert not client.plans.delete_all_metadata("team")

    client.customers.create(Customer(external_id="c", currency="EUR"))
    client.subscriptions.create(
        Subscription(external_customer_id="c", plan_code="team", external_id="s", name="Main")
    )
    assert client.subscriptions.update(Subscription(name="Other"), "s").name == "Other"
    assert [row.external_id for row in client.subscriptions.find_all()["subscriptions"]] == ["s"]
    own = client.subscription_charges.update("s", "storage", Charge(properties={"amount": "4"}))
    assert own.properties["amount"] == "4"
    assert client.subscription_charges.find("s", "storage").properties["amount"] == "4"
    assert client.subscription_fixed_charges.find("s", "support").code == "support"
    us = ChargeFilter(values={"region": ["us"]}, properties={"amount": "5"})
    made = client.subscriptions.create_charge_filter("s", "storage", us)
    assert client.subscriptions.find_charge_filter("s", "storage", made.lago_id).values == {"region": ["us"]}
    changed = client.subscriptions.update_charge_filter(
        "s", "storage", made.lago_id, ChargeFilter(properties={"amount": "6"})
    )
    assert changed.properties["amount"] == "6"
    assert client.subscriptions.destroy_charge_filter("s", "storage", made.lago_id).lago_id == made.lago_id
    told = client.subscriptions.update_lifetime_usage("s", 500)
    assert told.external_historical_usage_amount_cents == 500
    assert client.subscriptions.lifetime_usage("s").external_subscription_id == "s"
    threshold = AlertThresholdList(__root__=[AlertThreshold(code="warn", value="1000", recurring=False)])
    high = Alert(alert_type="current_usage_amount", code="high", name="High", thresholds=threshold)
    (alert,) = client.subscriptions.create_alerts("s", AlertsList(alerts=[high]))["alerts"]
    assert (alert.code, alert.thresholds.__root__[0].value) == ("high", "1000.0")
    assert client.subscriptions.delete_alerts("s") is None
    assert client.subscriptions.destroy("s").status == "terminated"
    assert client.plan_fixed_charges.destroy("team", "support").code == "support"
    assert client.plan_charges.destroy("team", "storage").code == "storage"


def test_coupons_and_wallets(client):
    """10.00 granted, 4.00 taken out again."""
    client.customers.create(Customer(external_id="c", currency="EUR"))
    terms = {
        "coupon_type": "percentage", "percentage_rate": 10.0, "frequency": "once", "expiration": "no_expiration",
    }  # fmt: skip
    client.coupons.create(Coupon(name="Ten", code="ten", **terms))
    assert client.coupons.update(Coupon(name="A tenth", code="ten", **terms), "ten").name == "A tenth"
    assert client.coupons.find("ten").percentage_rate == 10.0
    assert [row.code for row in client.coupons.find_all()["coupons"]] == ["ten"]
    given = client.applied_coupons.create(AppliedCoupon(external_customer_id="c", coupon_code="ten"))
    assert [row.lago_id for row in client.applied_coupons.find_all()["applied_coupons"]] == [given.lago_id]
    assert client.applied_coupons.destroy("c", given.lago_id).status == "terminated"
    assert client.coupons.destroy("ten").code == "ten"

    wallet = client.wallets.create(
        Wallet(external_customer_id="c", name="Main", code="main", rate_amount="1", currency="EUR", granted_credits="10")
    )  # fmt: skip
    taken = client.wallet_transactions.create(
        WalletTransaction(wallet_id=wallet.lago_id, voided_credits="4")
    )["wallet_transactions"]
    assert [(one.transaction_type, one.credit_amount) for one in taken] == [("outbound", "4.0")]
    moves = client.wallet_transactions.find_all(wallet.lago_id)["wallet_transactions"]
    granted = next(one for one in moves if one.transaction_type == "inbound")
    used = client.wallet_transactions.consumptions(granted.lago_id)["wallet_transaction_consumptions"]
    assert [(one.amount_cents, one.wallet_transaction.lago_id) for one in used] == [(400, taken[0].lago_id)]
    from_where = client.wallet_transactions.fundings(taken[0].lago_id)["wallet_transaction_fundings"]
    assert [(one.amount_cents, one.wallet_transaction.lago_id) for one in from_where] == [
        (400, granted.lago_id)
    ]
    with pytest.raises(LagoApiError) as refused:
        client.wallet_transactions.payment_url(taken[0].lago_id)
    assert refused.value.status_code in (405, 422)
    assert client.wallets.update(Wallet(name="Prepaid"), wallet.lago_id).name == "Prepaid"
    found = client.wallets.find(wallet.lago_id)
    assert (found.balance_cents, found.credits_balance, found.status) == (600, "6.0", "active")
    assert len(client.wallets.find_all({"external_customer_id": "c"})["wallets"]) == 1
    assert client.wallets.replace_metadata(wallet.lago_id, {"a": "1"}) == {"a": "1"}
    assert client.wallets.merge_metadata(wallet.lago_id, {"b": "2"}) == {"a": "1", "b": "2"}
    assert client.wallets.delete_metadata_key(wallet.lago_id, "a") == {"b": "2"}
    assert not client.wallets.delete_all_metadata(wallet.lago_id)
    assert client.wallets.destroy(wallet.lago_id).status == "terminated"

    own = client.customers.wallets
    made = own.create("c", Wallet(name="Other", code="other", rate_amount="2", currency="EUR"))
    assert (own.find("c", "other").lago_id, own.update("c", "other", Wallet(name="Another")).name) == (
        made.lago_id,
        "Another",
    )
    assert "other" in {row.code for row in own.find_all("c")["wallets"]}
    threshold = AlertThresholdList(__root__=[AlertThreshold(value="100", recurring=False)])
    low = Alert(alert_type="wallet_balance_amount", code="low", thresholds=threshold)
    assert own.alerts.create("c", "other", low).wallet_code == "other"
    assert own.alerts.update("c", "other", "low", Alert(name="Low")).name == "Low"
    assert own.alerts.find("c", "other", "low").alert_type == "wallet_balance_amount"
    assert [row.code for row in own.alerts.find_all("c", "other")["alerts"]] == ["low"]
    assert own.alerts.destroy("c", "other", "low").code == "low"
    assert own.metadata.replace("c", "other", {"a": "1"}) == {"a": "1"}
    assert own.metadata.merge("c", "other", {"b": "2"}) == {"a": "1", "b": "2"}
    assert own.metadata.delete_key("c", "other", "a") == {"b": "2"}
    assert own.destroy("c", "other").status == "terminated"


def test_a_bill_is_credited_paid_and_asked_for(client, live):
    """100.00 and 20 % tax are 120.00; 12.00 are credited, 40.00 paid, 80.00 are asked for."""
    client.taxes.create(Tax(name="VAT", code="vat", rate=20.0, applied_to_organization=True))
    assert client.taxes.update(Tax(name="Value added tax"), "vat").name == "Value added tax"
    assert client.taxes.find("vat").rate == 20.0
    client.add_ons.create(AddOn(name="Setup", code="setup", amount_cents=10_000, amount_currency="EUR"))
    client.customers.create(Customer(external_id="c", currency="EUR", email="ap@c.test"))
    assert "/customer-portal/" in client.customers.portal_url("c")
    one_off = OneOffInvoice(
        external_customer_id="c",
        currency="EUR",
        fees=InvoiceFeesList(__root__=[InvoiceFee(add_on_code="setup", units=1.0)]),
    )
    bill = client.invoices.create(one_off)
    (fee,) = bill.fees.__root__
    assert (bill.invoice_type, bill.total_amount_cents, fee.amount_cents) == ("one_off", 12_000, 10_000)
    assert client.fees.find(fee.lago_id).total_amount_cents == 12_000
    assert len(client.fees.find_all({"external_customer_id": "c"})["fees"]) == 1

    items = Items(__root__=[Item(fee_id=fee.lago_id, amount_cents=1_000)])
    told = client.credit_notes.estimate(CreditNoteEstimate(invoice_id=bill.lago_id, items=items))
    assert (told.max_creditable_amount_cents, told.taxes_amount_cents) == (1_200, 200)
    note = client.credit_notes.create(
        CreditNote(invoice_id=bill.lago_id, reason="other", credit_amount_cents=1_200, items=items)
    )
    assert client.credit_notes.find(note.lago_id).total_amount_cents == 1_200
    assert len(client.credit_notes.find_all()["credit_notes"]) == 1
    assert ".pdf" in client.credit_notes.download(note.lago_id).file_url
    changed = client.credit_notes.update(CreditNoteUpdate(metadata={"a": "1"}), note.lago_id)
    assert changed.metadata == {"a": "1"}
    assert client.credit_notes.merge_metadata(note.lago_id, {"b": "2"}) == {"a": "1", "b": "2"}
    assert client.credit_notes.delete_metadata_key(note.lago_id, "a") == {"b": "2"}
    assert client.credit_notes.void(note.lago_id).credit_status == "voided"

    paid = client.payments.create(Payment(invoice_id=bill.lago_id, amount_cents=4_000, reference="wire"))
    assert client.payments.find(paid.lago_id).invoice_ids == [bill.lago_id]
    assert [row.reference for row in client.payments.find_all()["payments"]] == ["wire"]
    (receipt,) = client.payment_receipts.find_all()["payment_receipts"]
    assert client.payment_receipts.find(receipt.lago_id).payment.amount_cents == 4_000
    advance(live, "2026-01-12T01:00:00Z")
    asked = client.payment_requests.create(
        PaymentRequest(external_customer_id="c", lago_invoice_ids=[bill.lago_id], email="cfo@c.test")
    )
    assert (asked.amount_cents, asked.invoices.__root__[0].lago_id) == (8_000, bill.lago_id)
    assert len(client.payment_requests.find_all()["payment_requests"]) == 1
    settled = client.invoices.update(Invoice(payment_status="succeeded"), bill.lago_id)
    assert settled.payment_status == "succeeded"
    for refusal in (client.invoices.payment_url, client.invoices.retry):
        with pytest.raises(LagoApiError) as refused:
            refusal(bill.lago_id)
        assert refused.value.status_code in (404, 405, 422)
    assert client.invoices.lose_dispute(bill.lago_id).payment_dispute_lost_at is not None


def test_usage_is_estimated_and_told_of(client, live):
    """2 calls in advance at 1.50 are 3.00; a third is estimated at 1.50."""
    metric = client.billable_metrics.create(
        BillableMetric(name="Calls", code="calls", aggregation_type="count_agg", recurring=False)
    )
    client.plans.create(
        Plan(
            name="P", code="p", interval="monthly", amount_cents=0, amount_currency="EUR", pay_in_advance=False,
        )
    )  # fmt: skip
    charge = Charge(
        billable_metric_id=metric.lago_id, code="calls", charge_model="standard", properties={"amount": "1.5"},
        pay_in_advance=True, invoiceable=False,
    )  # fmt: skip
    client.plan_charges.create("p", charge)
    client.customers.create(Customer(external_id="c", currency="EUR"))
    client.subscriptions.create(Subscription(external_customer_id="c", plan_code="p", external_id="s"))
    for name in ("t1", "t2"):
        client.events.create(Event(transaction_id=name, external_subscription_id="s", code="calls"))
    estimated = client.events.estimate_fees(
        Event(transaction_id="t3", external_subscription_id="s", code="calls")
    )
    assert [fee.amount_cents for fee in estimated["fees"]] == [150]
    made = client.fees.find_all({"external_customer_id": "c", "fee_type": "charge"})["fees"]
    assert [fee.amount_cents for fee in made] == [150, 150]
    assert client.fees.update(Fee(payment_status="succeeded"), made[0].lago_id).payment_status == "succeeded"
    assert client.fees.destroy(made[1].lago_id).lago_id == made[1].lago_id
    assert client.customers.projected_usage("c", "s").currency == "EUR"
    assert client.customers.past_usage("c", "s")["usage_periods"] == []
    advance(live, "2026-02-02T01:00:00Z")
    january, february = client.gross_revenues.find_all({"currency": "EUR"})["gross_revenues"]
    assert (january.amount_cents, february.amount_cents) == (150, 0)
    for told, root in (
        (client.mrrs, "mrrs"),
        (client.invoice_collections, "invoice_collections"),
        (client.invoiced_usages, "invoiced_usages"),
        (client.overdue_balances, "overdue_balances"),
        (client.usages, "usages"),
    ):
        assert root in told.find_all({"currency": "EUR"})

    hook = WebhookEndpoint(
        webhook_url="https://hooks.test/a", signature_algo="hmac", event_types=["invoice.created"]
    )
    endpoint = client.webhook_endpoints.create(hook)
    assert client.webhook_endpoints.update(WebhookEndpoint(name="A"), endpoint.lago_id).name == "A"
    assert client.webhook_endpoints.find(endpoint.lago_id).event_types == ["invoice.created"]
    assert len(client.webhook_endpoints.find_all()["webhook_endpoints"]) == 1
    assert client.webhook_endpoints.destroy(endpoint.lago_id).webhook_url == "https://hooks.test/a"
    assert b"PUBLIC KEY" in client.webhooks.public_key()
