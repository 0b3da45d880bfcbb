"""Nothing is billed twice and nothing is left out at the instant of the move, wherever in their lives things are."""

from __future__ import annotations

from tests import kit
from tests.moving import worlds

START = "2025-01-15T09:00:00Z"
MOVE = "2025-03-01T00:30"
LEVELS = [{"amount_cents": 5000}, {"amount_cents": 5000, "recurring": True}]


async def _plans(client):
    calls, jobs = await kit.metric(client, code="calls"), await kit.metric(client, code="jobs")
    sold = {"name": "Seats", "code": "seats", "amount_cents": 100, "amount_currency": "EUR"}
    add_on = (await kit.post(client, "/add_ons", {"add_on": sold}))["add_on"]
    package = kit.charge(jobs, "package", amount="3", package_size=10, free_units=0)
    seats = {
        "add_on_id": add_on["lago_id"], "code": "seats", "charge_model": "standard", "units": "2",
        "pay_in_advance": True, "prorated": True, "properties": {"amount": "31"},
    }  # fmt: skip
    usage = {**kit.charge(calls, amount="1"), "code": "calls"}
    return {
        "arrears": await kit.plan(client, usage, code="arrears", amount_cents=3100),
        "dear": await kit.plan(client, usage, code="dear", amount_cents=6200),
        "cheap": await kit.plan(client, usage, code="cheap", amount_cents=310),
        "jobs": await kit.plan(client, {**package, "pay_in_advance": True, "code": "jobs"}, code="jobs"),
        "ahead": await kit.plan(client, code="ahead", amount_cents=2800, pay_in_advance=True),
        "seats": await kit.plan(client, code="seats", fixed_charges=[seats]),
        "yearly": await kit.plan(
            client, usage, code="yearly", amount_cents=36_500, interval="yearly", pay_in_advance=True,
            bill_charges_monthly=True,
        ),
        "trial": await kit.plan(
            client, usage, code="trial", amount_cents=36_500, interval="yearly", pay_in_advance=True,
            bill_charges_monthly=True, trial_period=60,
        ),
        "levels": await kit.plan(client, usage, code="levels", usage_thresholds=LEVELS),
    }  # fmt: skip


async def _subscribe(client, who, plan, **more):
    """A customer with a subscription, both of one name."""
    customer = await kit.customer(client, external_id=who, **more.pop("customer", {}))
    return await kit.subscribe(client, customer, {"code": plan}, external_id=who, **more)


async def _use(client, who, code, value, at, transaction_id):
    event = {
        "transaction_id": transaction_id, "external_subscription_id": who, "code": code,
        "timestamp": kit.epoch(at), "properties": {"value": value},
    }  # fmt: skip
    await kit.post(client, "/events", {"event": event})


async def _both(*clients, to):
    for client in clients:
        await kit.advance(client, to)


async def test_each_life_goes_on_where_it_stood(make_organization, database):
    there = await make_organization(START)
    source = there.client
    await kit.tax(source, "20", code="vat")
    await _plans(source)
    await _subscribe(source, "month", "arrears")
    await _subscribe(source, "west", "arrears", customer={"timezone": "America/New_York"})
    await _subscribe(source, "upgraded", "arrears", billing_time="anniversary")
    await _subscribe(source, "downgraded", "dear", billing_time="anniversary")
    await _subscribe(source, "jobs", "jobs", billing_time="anniversary")
    await _subscribe(source, "seats", "seats")
    await _subscribe(source, "ended", "ahead", billing_time="anniversary")
    await _subscribe(source, "trial", "trial")
    await _subscribe(source, "again", "trial")
    await kit.advance(source, "2025-02-20T12:00")
    await kit.subscribe(source, {"external_id": "upgraded"}, {"code": "dear"}, external_id="upgraded")
    await kit.subscribe(source, {"external_id": "downgraded"}, {"code": "cheap"}, external_id="downgraded")
    await kit.call(source, "DELETE", "/subscriptions/again")
    await kit.subscribe(source, {"external_id": "again"}, {"code": "trial"}, external_id="again")
    for who, value in (("month", 4), ("west", 5), ("upgraded", 6), ("downgraded", 7), ("trial", 8)):
        await _use(source, who, "calls", value, "2025-02-20T12:00", "february")
    await _use(source, "jobs", "jobs", 7, "2025-02-20T12:00", "february")
    # 28.00 were paid for 15 February to 14 March, 28 days; 22 of them are left: a note of 22.00 and tax.
    await kit.call(source, "DELETE", "/subscriptions/ended")
    await kit.subscribe(source, {"external_id": "ended"}, {"code": "cheap"}, external_id="after")
    await kit.advance(source, MOVE)
    await _subscribe(source, "young", "yearly")

    here = await make_organization(f"{MOVE}:00Z")
    target = here.client
    report = await worlds.importing(there, here, database).run()
    assert report.is_clean, report.as_json()
    assert (await kit.get(target, "/invoices"))["invoices"] == []
    (note,) = report.notes[:1] if "credit notes" in report.notes[0].text else report.notes[1:2]
    # The bill of 1 March took 1.20 of it: 3.10 for 9 of 28 days are 1.00, and tax.
    assert note.text.startswith("2520 EUR")

    # On the day of the move: an end, units that are added, jobs in a package that is open.
    for client in (source, target):
        await kit.call(client, "DELETE", "/subscriptions/month")
        units = {"fixed_charge": {"units": "5", "apply_units_immediately": True}}
        await kit.call(client, "PUT", "/subscriptions/seats/fixed_charges/seats", units)
        await _use(client, "jobs", "jobs", 2, "2025-03-01T00:30", "inside")
        await _use(client, "jobs", "jobs", 3, "2025-03-01T00:30", "beyond")
    await _both(source, target, to="2025-03-10T10:00")
    for client in (source, target):
        for who in ("west", "upgraded", "downgraded", "trial", "young"):
            await _use(client, who, "calls", 9, "2025-03-10T10:00", "march")
    await _both(source, target, to="2025-04-02T06:00")
    for client in (source, target):
        for who in ("west", "upgraded", "downgraded", "jobs", "seats", "after", "trial", "again"):
            await kit.call(client, "DELETE", f"/subscriptions/{who}")
    await _both(source, target, to="2026-01-02T06:00")

    found = await worlds.shadowing(there, here, database).run()
    assert found.mismatches == []
    assert found.equal > 20
    await _assert_by_hand(target)


async def _totals(client, who):
    """What a customer was billed, before taxes, by the day it was issued."""
    listed = (await kit.get(client, "/invoices", external_customer_id=who, per_page="100"))["invoices"]
    return sorted((one["issuing_date"], one["fees_amount_cents"]) for one in listed)


async def _assert_by_hand(client):
    # February was billed there: of March there is the day of the end, a 31st of 31.00.
    assert await _totals(client, "month") == [("2025-03-01", 100)]
    # At the move it is still February in New York: the whole month is billed here, with 5 calls.
    assert (await _totals(client, "west"))[0] == ("2025-03-01", 3600)
    # Since 20 February on the dearer plan: 23 of 28 days until 14 March, 62.00 * 23/28 = 50.93, and 15 calls.
    # The six calls at the instant of the change are in the window of the plan that ended then.
    assert (await _totals(client, "upgraded"))[0] == ("2025-03-15", 5093 + 900)
    # Seven jobs were in the first package; with two more it is still the first, with five it is the second.
    assert (await _totals(client, "jobs"))[:2] == [("2025-03-01", 0), ("2025-03-01", 300)]
    # Two seats were paid there; three more for 31 of 31 days are 93.00.
    assert (await _totals(client, "seats"))[0] == ("2025-03-01", 9300)
    # What was left of the note pays 3.72 of March, and two of 30 days of April: 0.21 and tax.
    paid = (await kit.get(client, "/invoices", external_customer_id="ended"))["invoices"]
    assert sum(one["prepaid_credit_amount_cents"] for one in paid) == 372 + 25
    # 60 days from 15 January end on 16 March: 291 of 365 days at 1.00 are left of the year.
    assert ("2025-03-16", 29_100) in await _totals(client, "trial")
    # One that ended there counts: the trial of its external id is not begun anew.
    assert ("2025-03-16", 29_100) in await _totals(client, "again")
    # The year began on the day of the move, and was billed there: 306 days. Here months of usage, then the next year.
    young = await _totals(client, "young")
    assert [one for one in young if one[1] > 1000] == [("2026-01-01", 36_500)]


async def test_who_has_something_under_way_waits(make_organization, database):
    there = await make_organization(START)
    source = there.client
    await _plans(source)
    await _subscribe(
        source, "graceful", "arrears", customer={"billing_configuration": {"invoice_grace_period": 3}}
    )
    await _subscribe(source, "level", "levels")
    await _subscribe(source, "buyer", "arrears")
    wallet = {"external_customer_id": "buyer", "rate_amount": "1", "currency": "EUR", "paid_credits": "10"}
    await kit.post(source, "/wallets", {"wallet": wallet})
    await kit.advance(source, "2025-02-10T00:00")
    await _use(source, "level", "calls", 60, "2025-02-10T00:00", "passes")
    await kit.advance(source, "2025-03-01T00:30")
    await _use(source, "level", "calls", 70, "2025-03-01T00:30", "again")
    here = await make_organization("2025-03-01T00:30:00Z")
    target = here.client

    report = await worlds.importing(there, here, database).run()
    assert not report.is_clean
    assert {one.key: one.text.split(":")[0] for one in report.held} == {
        "graceful": "1 of their invoices are not final yet",
        "level": "usage of level was billed progressively in the period that runs until 2025-03-31T23",
        "buyer": "1 purchases of credits are not paid yet",
    }
    assert (await kit.get(target, "/subscriptions"))["subscriptions"] == []
    assert len((await kit.get(target, "/customers"))["customers"]) == 3

    (bought,) = (await kit.get(source, "/invoices", invoice_type="credit"))["invoices"]
    paid = {"invoice_id": bought["lago_id"], "amount_cents": 1000, "reference": "x", "paid_at": "2025-03-01"}
    await kit.post(source, "/payments", {"payment": paid})
    await _both(source, target, to="2025-04-05T00:00")
    report = await worlds.importing(there, here, database).run()
    assert report.is_clean, report.as_json()
    # Of the lifetime usage of level, 130 were invoiced there: the threshold of 50 is behind it.
    lifetime = await kit.get(target, "/subscriptions/level/lifetime_usage")
    assert lifetime["lifetime_usage"]["external_historical_usage_amount_cents"] == 13_000
    await _both(source, target, to="2025-05-05T00:00")
    found = await worlds.shadowing(there, here, database).run()
    assert found.mismatches == []
    assert found.equal == 3


async def test_a_day_that_is_not_invoiced_yet_is_waited_for(make_organization, database):
    there = await make_organization(START)
    await _plans(there.client)
    await _subscribe(there.client, "month", "arrears")
    # A period's invoice is made ten minutes after its end.
    await kit.advance(there.client, "2025-03-01T00:05")
    here = await make_organization("2025-03-01T00:05:00Z")
    report = await worlds.importing(there, here, database).run()
    assert [one.text for one in report.held] == ["month has a billing day today that has not been invoiced"]

    await _both(there.client, here.client, to="2025-03-01T00:10")
    assert (await worlds.importing(there, here, database).run()).is_clean
    await _both(there.client, here.client, to="2025-04-02T00:00")
    found = await worlds.shadowing(there, here, database).run()
    assert (found.mismatches, found.equal) == ([], 1)
