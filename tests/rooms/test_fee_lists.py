"""Which fees a list shows (invoicing §7.1)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    """`a` has a base price of January and two fees of events, one of them paid; `b` a one-off in dollars."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    metric = await kit.metric(client, "count_agg", code="calls")
    at_once = {"pay_in_advance": True, "invoiceable": False}
    plan = await kit.plan(client, {**kit.charge(metric), **at_once}, amount_cents=3100, pay_in_advance=True)
    made = await kit.subscribe(client, await kit.customer(client, external_id="a"), plan, external_id="s")
    for number in (1, 2):
        event = {"external_subscription_id": "s", "code": "calls", "transaction_id": f"t{number}"}
        await kit.post(client, "/events", {"event": event})
    (paid, _) = [fee for fee in (await kit.get(client, "/fees"))["fees"] if fee["item"]["type"] == "charge"]
    await kit.call(client, "PUT", f"/fees/{paid['lago_id']}", {"fee": {"payment_status": "succeeded"}})
    await kit.customer(client, external_id="b")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 100, "amount_currency": "USD"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    await kit.advance(client, "2026-01-05")
    one_off = {"external_customer_id": "b", "currency": "USD", "fees": [{"add_on_code": "setup"}]}
    await kit.post(client, "/invoices", {"invoice": one_off})
    assert made["status"] == "active"
    return client


@pytest.mark.parametrize(
    ("query", "cents"),
    [
        ({}, [100, 100, 100, 3100]),
        ({"external_customer_id": "a"}, [100, 100, 3100]),
        ({"external_customer_id": "b"}, [100]),
        ({"external_customer_id": "none"}, []),
        ({"external_subscription_id": "s"}, [100, 100, 3100]),
        ({"external_subscription_id": "none"}, []),
        ({"external_customer_id": "b", "external_subscription_id": "s"}, []),
        ({"currency": "usd"}, [100]),
        ({"fee_type": "subscription"}, [3100]),
        ({"fee_type": "add_on"}, [100]),
        ({"billable_metric_code": "calls"}, [100, 100]),
        ({"payment_status": "succeeded"}, [100]),
        ({"event_transaction_id": "t2"}, [100]),
        ({"created_at_from": "2026-01-04"}, [100]),
        ({"created_at_to": "2026-01-04"}, [100, 100, 3100]),
        ({"created_at_to": "2026-01-05T00:00:00Z"}, [100, 100, 100, 3100]),
        ({"succeeded_at_to": "2026-01-01T00:00:00Z"}, [100]),
        ({"succeeded_at_to": "2025-12-31T23:59:59Z"}, []),
    ],
)
async def test_filters(seller, query, cents):
    listed = await kit.get(seller, "/fees", **query)
    assert sorted(fee["amount_cents"] for fee in listed["fees"]) == cents
    assert listed["meta"]["total_count"] == len(cents)


async def test_those_of_a_closed_invoice_are_not_shown(seller):
    """Nor read: nobody sees the invoice."""
    who = await kit.customer(seller, external_id="c", finalize_zero_amount_invoice="skip")
    plan = await kit.plan(seller, amount_cents=0, pay_in_advance=True)
    await kit.subscribe(seller, who, plan)
    assert (await kit.get(seller, "/fees", external_customer_id="c"))["fees"] == []
