"""What is billed by fees on no invoice is adjusted by such fees, or once they are on one (pricing §8.2, beyond.md §3)."""

import pytest
from tests import kit
from tests.rooms.test_corrections_in_advance import in_advance
from tests.rooms.test_corrections_of_what_is_billed import (
    NEXT,
    NOW,
    begin,
    billed,
    correct,
    notes,
    one_offs,
    send,
)

ALONE = {"invoiceable": False}
REGROUPED = {"invoiceable": False, "regroup_paid_fees": "invoice"}


async def fees(client, **query):
    """The fees of the subscription's charges, the latest first, as their ids are in order."""
    found = await kit.get(client, "/fees", external_subscription_id="sub", fee_type="charge", **query)
    return sorted(found["fees"], key=lambda fee: fee["lago_id"], reverse=True)


async def pay(client):
    for fee in await fees(client, payment_status="pending"):
        if fee["lago_invoice_id"] is None:
            paid = {"fee": {"payment_status": "succeeded"}}
            await kit.call(client, "PUT", f"/fees/{fee['lago_id']}", paid)


async def two_a_call(client, **charge):
    """A customer who pays 2.00 for each call at once, by fees on no invoice, since half past nine."""
    calls = await kit.metric(client, code="calls")
    at_once = {**kit.charge(calls, amount="2"), "pay_in_advance": True, **charge}
    who = await kit.customer(client, external_id="acme", currency="EUR")
    await kit.advance(client, "2026-01-01T09:30")
    await kit.subscribe(client, who, await kit.plan(client, at_once, code="plan"), external_id="sub")
    return who


@pytest.mark.parametrize("policy", [NOW, NEXT])
async def test_a_fee_on_no_invoice_is_adjusted_by_others(make_organization, database, policy):
    """5 calls are 10.00 and 2.00 of tax. Of 3 they are 4.00 less; of 8 then 10.00 more; of none 16.00 less."""
    organization, client = await begin(make_organization, policy)
    await kit.tax(client, "20", code="vat", applied_to_organization=True)
    who = await two_a_call(client, **ALONE)
    await send(client, "one", 5)
    (first,) = await fees(client)
    await correct(client, "one", properties={"value": 3})
    less, same = await fees(client)
    assert same == first
    assert (less["amount_cents"], less["taxes_amount_cents"], less["total_amount_cents"]) == (-400, -80, -480)
    assert (less["lago_invoice_id"], less["payment_status"], less["units"]) == (None, "pending", "1.0")
    assert less["item"]["invoice_display_name"] == "calls (adjustment 2026-01-01 – 2026-01-31)"
    assert (less["pay_in_advance"], less["invoiceable"], less["event_transaction_id"]) == (True, False, None)
    told = (await kit.get(client, f"/fees/{less['lago_id']}/explanation"))["explanation"]
    assert [step["step"] for step in told["steps"]] == ["period", "correction", "rounding"]
    await kit.assert_audit_clean(database, organization.id)

    await correct(client, "one", properties={"value": 8})
    await correct(client, "one", "void")
    await correct(client, "one", properties={"value": 5})
    assert [fee["amount_cents"] for fee in await fees(client)] == [1000, -1600, 1000, -400, 1000]
    lifetime = (await kit.get(client, "/subscriptions/sub/lifetime_usage"))["lifetime_usage"]
    assert lifetime["invoiced_usage_amount_cents"] == 1000
    await pay(client)
    await kit.advance(client, "2026-02-02T00:00")
    assert [one["fees_amount_cents"] for one in await kit.invoices(client, who)] == [0]
    assert await notes(client) == []
    await kit.assert_audit_clean(database, organization.id)


async def test_regrouped_ones_are_given_back_when_they_are_on_an_invoice(make_organization, database):
    """5 and 2 calls are 14.00. With 3 for 5 they are 10.00, with 4 for 2 what they were; with 1, 8.00.

    So 6.00 are given back of the invoice of 14.00. With 6 for 3 they are 14.00 again: a fee that is on the next one.
    Without them 12.00 are given back: 6.00 of that one, and 6.00 of the first.
    """
    organization, client = await begin(make_organization)
    await kit.tax(client, "20", code="vat", applied_to_organization=True)
    who = await two_a_call(client, **REGROUPED)
    await send(client, "one", 5)
    await send(client, "two", 2)
    await pay(client)
    for name, value in (("one", 3), ("two", 4), ("two", 1)):
        await correct(client, name, properties={"value": value})
        assert (len(await fees(client)), await notes(client)) == (2, [])
    await kit.assert_audit_clean(database, organization.id)
    await kit.advance(client, "2026-02-02T00:00")
    (first,) = [one for one in await kit.invoices(client, who) if one["invoice_type"] == "advance_charges"]
    (note,) = await notes(client)
    assert (first["fees_amount_cents"], first["total_amount_cents"]) == (1400, 1680)
    assert (note["lago_invoice_id"], note["credit_amount_cents"]) == (first["lago_id"], 720)
    assert note["description"] == "calls (adjustment 2026-01-01 – 2026-01-31)"
    assert sum((await billed(client, "sub")).values()) == 800
    await kit.assert_audit_clean(database, organization.id)

    await correct(client, "one", properties={"value": 6})
    (more,) = await fees(client, payment_status="pending")
    assert (more["amount_cents"], more["lago_invoice_id"]) == (600, None)
    await pay(client)
    await kit.advance(client, "2026-03-02T00:00")
    regrouped = [one for one in await kit.invoices(client, who) if one["invoice_type"] == "advance_charges"]
    assert sorted(one["fees_amount_cents"] for one in regrouped) == [600, 1400]
    await correct(client, "one", "void")
    assert sorted(one["sub_total_excluding_taxes_amount_cents"] for one in await notes(client)) == [600] * 3
    assert sum((await billed(client, "sub")).values()) == 200
    assert await one_offs(client, who) == []
    await kit.assert_audit_clean(database, organization.id)


@pytest.mark.parametrize("grace_days", [0, 20])
async def test_what_was_renewed_follows(make_organization, database, grace_days):
    """5 seats are 10.00 in January, and again in February; 4 are 8.00, and 7 are 12.00. Be the bill that renewed them a draft or not."""
    organization, client = await begin(make_organization)
    who = await in_advance(client, recurring=True, **ALONE)
    grace = {"invoice_grace_period": grace_days}
    body = {"external_id": who["external_id"], "billing_configuration": grace}
    await kit.post(client, "/customers", {"customer": body})
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-10T00:00")
    assert sum((await billed(client, "sub")).values()) == 1000 + 1000
    await correct(client, "one", properties={"value": 4})
    assert sorted(fee["amount_cents"] for fee in await fees(client)) == [-200, -200, 1000, 1000]
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one", properties={"value": 7})
    assert sum((await billed(client, "sub")).values()) == 1200 + 1200
    await kit.advance(client, "2026-02-25T00:00")
    await correct(client, "one", properties={"value": 5})
    assert sum((await billed(client, "sub")).values()) == 1000 + 1000
    await kit.assert_audit_clean(database, organization.id)


@pytest.mark.parametrize("grace_days", [0, 20])
async def test_what_came_after_the_renewal_stays_off_it(make_organization, database, grace_days):
    """5 seats are 10.00 in January, and again in February; 3 more of January that come then are 3.00, and March has all of them: 13.00.

    4 for 3 are 1.00 more, none 4.00 less, all of January; February's renewal knew nothing of them, and March's is 1.00 less, 3.00 less.
    """
    organization, client = await begin(make_organization)
    who = await in_advance(client, recurring=True, **ALONE)
    grace = {"invoice_grace_period": grace_days}
    body = {"external_id": who["external_id"], "billing_configuration": grace}
    await kit.post(client, "/customers", {"customer": body})
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-10T00:00")
    await send(client, "late", 3, timestamp=kit.epoch("2026-01-20"))
    await kit.advance(client, "2026-02-10T01:00")
    assert await by_month(client) == {"2026-01": 1300, "2026-02": 1000}
    await correct(client, "late", properties={"value": 4})
    assert await by_month(client) == {"2026-01": 1400, "2026-02": 1000}
    await correct(client, "late", properties={"value": 3})
    assert await by_month(client) == {"2026-01": 1300, "2026-02": 1000}
    await kit.assert_audit_clean(database, organization.id)
    await kit.advance(client, "2026-03-02T00:00")
    assert await by_month(client) == {"2026-01": 1300, "2026-02": 1000, "2026-03": 1300}
    await correct(client, "late", properties={"value": 2})
    assert await by_month(client) == {"2026-01": 1200, "2026-02": 1000, "2026-03": 1200}
    await correct(client, "late", "void")
    assert await by_month(client) == {"2026-01": 1000, "2026-02": 1000, "2026-03": 1000}
    # What is dated otherwise is put there: of the second of January it was to be on February's.
    await correct(client, "late", properties={"value": 3}, timestamp=kit.epoch("2026-01-02"))
    assert await by_month(client) == {"2026-01": 1300, "2026-02": 1300, "2026-03": 1300}
    await kit.assert_audit_clean(database, organization.id)


async def by_month(client):
    """What the charges of the subscription were billed, by the month that it was for."""
    found: dict[str, int] = {}
    for fee in await fees(client):
        month = fee["from_date"][:7]
        found[month] = found.get(month, 0) + fee["amount_cents"]
    return found


async def test_nothing_is_billed_of_a_fee_that_was_deleted(make_organization, database):
    """8 calls are 13.00, and 5 after them 5.00. Without a fee of the first, 2 for 8 make the others 8.00: 3.00 more.

    Taken back that is 3.00 less; and where that fee is deleted, too, the same correction has nothing to tell.
    """
    organization, client = await begin(make_organization)
    await in_advance(client, **ALONE)
    await send(client, "one", 8)
    await send(client, "two", 5)
    second, first = await fees(client)
    assert (first["amount_cents"], second["amount_cents"]) == (1300, 500)
    await kit.call(client, "DELETE", f"/fees/{first['lago_id']}")
    await correct(client, "one", properties={"value": 2})
    assert [fee["amount_cents"] for fee in await fees(client)] == [300, 500]
    await correct(client, "one", properties={"value": 8})
    less, *_ = await fees(client)
    assert less["amount_cents"] == -300
    await kit.assert_audit_clean(database, organization.id)
    await kit.call(client, "DELETE", f"/fees/{less['lago_id']}")
    await correct(client, "one", properties={"value": 2})
    assert [fee["amount_cents"] for fee in await fees(client)] == [300, 500]
    await kit.assert_audit_clean(database, organization.id)
