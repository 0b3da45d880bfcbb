"""The unmodified official Python client drives the server: from a metric to the PDF of an invoice."""

from __future__ import annotations

import httpx
from lago_python_client import Client
from lago_python_client.models import (
    BatchEvent,
    BillableMetric,
    Charge,
    Charges,
    Customer,
    Event,
    Plan,
    Subscription,
    Tax,
)


def test_a_metric_a_plan_a_customer_usage_and_the_invoice(live):
    client = Client(api_key=live.api_key, api_url=live.url)

    client.taxes.create(Tax(name="VAT", code="vat", rate=20.0, applied_to_organization=True))
    metric = client.billable_metrics.create(
        BillableMetric(
            name="Tokens", code="tokens", aggregation_type="sum_agg", field_name="count", recurring=False
        )
    )
    assert client.billable_metrics.find("tokens").lago_id == metric.lago_id

    plan = client.plans.create(
        Plan(
            name="Scale",
            code="scale",
            interval="monthly",
            amount_cents=3100,
            amount_currency="EUR",
            pay_in_advance=False,
            charges=Charges(
                __root__=[
                    Charge(
                        billable_metric_id=metric.lago_id,
                        charge_model="package",
                        properties={"amount": "1.5", "package_size": 100, "free_units": 50},
                    )
                ]
            ),
        )
    )
    assert plan.charges.__root__[0].charge_model == "package"

    customer = client.customers.create(Customer(external_id="halden", name="Halden & Rowe", currency="EUR"))
    assert customer.external_id == "halden"
    subscription = client.subscriptions.create(
        Subscription(external_customer_id="halden", plan_code="scale", external_id="halden-1")
    )
    assert subscription.status == "active"

    client.events.create(
        Event(
            transaction_id="t1", external_subscription_id="halden-1", code="tokens", properties={"count": 120}
        )
    )
    client.events.batch_create(
        BatchEvent(
            events=[
                Event(
                    transaction_id=f"b{n}",
                    external_subscription_id="halden-1",
                    code="tokens",
                    properties={"count": "31"},
                )
                for n in range(2)
            ]
        )
    )
    assert client.events.find("t1").properties == {"count": 120}

    # 182 units, 50 of them free: two packages of 100, 3.00.
    usage = client.customers.current_usage("halden", "halden-1")
    assert (usage.amount_cents, usage.total_amount_cents) == (300, 360)
    assert usage.charges_usage[0].units == "182.0"

    headers = {"Authorization": f"Bearer {live.api_key}"}
    moved = httpx.post(
        f"{live.url}/api/v1/test_clock/advance",
        headers=headers,
        json={"test_clock": {"to": "2026-02-01T01:00:00Z"}},
        timeout=60,
    )
    assert moved.status_code == 200, moved.text

    listed = client.invoices.find_all({"external_customer_id": "halden"})
    (row,) = listed["invoices"]
    invoice = client.invoices.find(row.lago_id)
    # 22 of 31 days of 31.00 are 22.00; with 3.00 of usage and 20 % tax 30.00.
    assert (invoice.fees_amount_cents, invoice.taxes_amount_cents, invoice.total_amount_cents) == (
        2500,
        500,
        3000,
    )
    assert (invoice.status, invoice.payment_status) == ("finalized", "pending")
    assert [fee.item.type for fee in invoice.fees.__root__] == ["subscription", "charge"]

    downloaded = client.invoices.download(row.lago_id)
    document = httpx.get(downloaded.file_url)
    assert document.headers["content-type"] == "application/pdf"
    assert document.content.startswith(b"%PDF-")

    assert client.subscriptions.destroy("halden-1").status == "terminated"
    assert client.customers.destroy("halden").external_id == "halden"
