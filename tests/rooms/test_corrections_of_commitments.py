"""What lacks of a commitment is settled anew where usage that it was held against is corrected (pricing §15, beyond.md §3)."""

import pytest
from tests import kit
from tests.rooms.test_corrections_in_advance import replace
from tests.rooms.test_corrections_of_what_is_billed import (
    NEXT,
    NOW,
    adjusted,
    begin,
    correct,
    notes,
    one_offs,
    send,
)


async def committed(client, cents, **more):
    """A customer who pays 2.00 for each call, and so much for a period at the least."""
    calls = await kit.metric(client, code="calls", **more.pop("metric", {}))
    who = await kit.customer(client, external_id="acme", currency="EUR", **more.pop("customer", {}))
    charge = {**kit.charge(calls, amount="2"), **more.pop("charge", {})}
    plan = await kit.plan(client, charge, code="plan", minimum_commitment={"amount_cents": cents}, **more)
    await kit.subscribe(client, who, plan, external_id="sub")
    return who


async def lines(client, invoice):
    found = (await kit.get(client, f"/invoices/{invoice['lago_id']}"))["invoice"]["fees"]
    return [(fee["item"]["type"], fee["amount_cents"]) for fee in found if fee["amount_cents"]]


async def given_back(client):
    """What notes gave back, by the type of the fee."""
    found = []
    for note in await notes(client):
        items = (await kit.get(client, f"/credit_notes/{note['lago_id']}"))["credit_note"]["items"]
        found += [(item["fee"]["item"]["type"], item["amount_cents"]) for item in items]
    return sorted(found)


async def test_what_is_used_more_lacks_no_longer(make_organization, database):
    """10 calls are 20.00 of 50.00: 30.00 lack. 12 are 4.00 more, and 26.00 lack; 40 are 80.00, and nothing does.

    Then 5, and 40.00 lack: of 80.00 70.00 go back, and the commitment is billed again, what had been given back of it at first.
    """
    organization, client = await begin(make_organization)
    who = await committed(client, 5000)
    await send(client, "one", 10)
    await kit.advance(client, "2026-02-02T00:00")
    (january,) = await kit.invoices(client, who)
    assert await lines(client, january) == [("charge", 2000), ("commitment", 3000)]

    await correct(client, "one", properties={"value": 12})
    (more,) = await one_offs(client, who)
    assert await lines(client, more) == [("charge", 400)]
    assert await given_back(client) == [("commitment", 400)]
    (note,) = await notes(client)
    assert note["lago_invoice_id"] == january["lago_id"]
    assert note["description"] == "Minimum commitment (adjustment 2026-01-01 – 2026-01-31)"

    await correct(client, "one", properties={"value": 40})
    assert (await adjusted(client, who))[0] == [5600, 400]
    assert await given_back(client) == [("commitment", 400), ("commitment", 2600)]
    await kit.assert_audit_clean(database, organization.id)

    await correct(client, "one", properties={"value": 5})
    latest = (await one_offs(client, who))[0]
    (fee,) = (await kit.get(client, f"/invoices/{latest['lago_id']}"))["invoice"]["fees"]
    assert (fee["item"]["type"], fee["amount_cents"]) == ("commitment", 4000)
    assert fee["item"]["invoice_display_name"] == "Minimum commitment (adjustment 2026-01-01 – 2026-01-31)"
    told = (await kit.get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"]
    assert [step["step"] for step in told["steps"]] == ["period", "correction", "rounding"]
    (line,) = told["steps"][1]["lines"]
    assert (line["amount_cents"], line["billed_cents"], told["amount_cents"]) == (4000, 3000, 4000)
    assert [step["step"] for step in line["steps"]] == [
        "period",
        "base_amount",
        "proration",
        "rounding",
        "minimum",
    ]
    # 80.00 were billed of usage, and 70.00 given back.
    assert sum(cents for kind, cents in await given_back(client) if kind == "charge") == 7000
    lifetime = await kit.get(client, "/subscriptions/sub/lifetime_usage")
    assert lifetime["lifetime_usage"]["invoiced_usage_amount_cents"] == 1000
    await kit.assert_audit_clean(database, organization.id)

    await correct(client, "one", properties={"value": 10})
    billed = sum(one["fees_amount_cents"] for one in await kit.invoices(client, who))
    back = sum(note["sub_total_excluding_taxes_amount_cents"] for note in await notes(client))
    assert billed - back == 5000
    await kit.assert_audit_clean(database, organization.id)


async def test_the_next_invoice_has_what_lacks_more(make_organization, database):
    """7 for 10 calls are 6.00 less, given back at once, and 6.00 more that lack: February has these beside its own 50.00."""
    organization, client = await begin(make_organization, NEXT)
    who = await committed(client, 5000)
    await send(client, "one", 10)
    await kit.advance(client, "2026-02-02T00:00")
    await correct(client, "one", properties={"value": 7})
    assert await given_back(client) == [("charge", 600)]
    await kit.assert_audit_clean(database, organization.id)
    await kit.advance(client, "2026-03-02T00:00")
    _, february = await kit.invoices(client, who)
    assert await lines(client, february) == [("commitment", 5000), ("commitment", 600)]
    assert february["credit_notes_amount_cents"] == 600
    await kit.assert_audit_clean(database, organization.id)
    # The other way, what lacked is given back, of the latest fee first, and the charge waits.
    await correct(client, "one", properties={"value": 10})
    assert await given_back(client) == [("charge", 600), ("commitment", 600)]
    await kit.advance(client, "2026-04-02T00:00")
    march = (await kit.invoices(client, who))[-1]
    assert await lines(client, march) == [("commitment", 5000), ("charge", 600)]
    await kit.assert_audit_clean(database, organization.id)


@pytest.mark.parametrize("policy", [NOW, NEXT], ids=["document now", "next invoice"])
async def test_a_year_counts_the_corrections_of_its_months(make_organization, database, policy):
    """Billed 20.00 in January and 10.00 in February: 4 for 10 calls are 12.00 less, 8 for 5 are 6.00 more.

    Of 100.00 for the year 100.00 − 8.00 − 16.00 lack; what is corrected after the year has been settled changes that.
    """
    organization, client = await begin(make_organization, policy)
    who = await committed(client, 10_000, interval="yearly", bill_charges_monthly=True)
    await send(client, "one", 10)
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "two", 5)
    await kit.advance(client, "2026-03-02T00:00")
    await correct(client, "one", properties={"value": 4})
    await correct(client, "two", properties={"value": 8})
    assert await given_back(client) == [("charge", 1200)]
    await kit.advance(client, "2027-01-02T00:00")
    year = (await kit.invoices(client, who))[-1]
    assert await lines(client, year) == [("commitment", 7600)]
    await correct(client, "two", properties={"value": 9})
    assert await given_back(client) == [("charge", 1200), ("commitment", 200)]
    await kit.assert_audit_clean(database, organization.id)


async def test_of_a_plan_in_advance_it_is_that_of_the_period_before(make_organization, database):
    """10.00 in advance and 10 calls of January, of 50.00: 20.00 lack, on February's invoice. With 13 calls 14.00 do."""
    organization, client = await begin(make_organization)
    who = await committed(client, 5000, amount_cents=1000, pay_in_advance=True)
    await send(client, "one", 10)
    await kit.advance(client, "2026-02-02T00:00")
    february = (await kit.invoices(client, who))[-1]
    assert await lines(client, february) == [("subscription", 1000), ("charge", 2000), ("commitment", 2000)]
    await correct(client, "one", properties={"value": 13})
    assert await given_back(client) == [("commitment", 600)]
    assert (await adjusted(client, who))[0] == [600]
    await kit.assert_audit_clean(database, organization.id)


async def test_events_in_advance_count_as_well(make_organization, database):
    """10 calls, paid at once: 20.00 of 50.00. With 15 of them 20.00 lack for 30.00."""
    organization, client = await begin(make_organization)
    who = await committed(client, 5000, charge={"pay_in_advance": True})
    await send(client, "one", 10)
    await correct(client, "one", properties={"value": 9})
    await kit.advance(client, "2026-02-02T00:00")
    january = (await kit.invoices(client, who))[-1]
    assert await lines(client, january) == [("commitment", 3200)]
    await correct(client, "one", properties={"value": 15})
    assert await given_back(client) == [("charge", 200), ("commitment", 1200)]
    assert (await adjusted(client, who))[0] == [1200]
    await kit.assert_audit_clean(database, organization.id)


async def test_an_end_without_a_last_invoice_bills_what_waits(make_organization, database):
    """12 for 10 calls of January are 4.00 that wait: February's usage is let go of, these are not."""
    organization, client = await begin(make_organization, NEXT)
    await kit.tax(client, "20", code="vat", applied_to_organization=True)
    who = await committed(client, 1)
    await send(client, "one", 10)
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "two", 10)
    await correct(client, "one", properties={"value": 12})
    await kit.call(client, "DELETE", "/subscriptions/sub?on_termination_invoice=skip")
    (last,) = await one_offs(client, who)
    assert (last["fees_amount_cents"], last["total_amount_cents"]) == (400, 480)
    (fee,) = (await kit.get(client, f"/invoices/{last['lago_id']}"))["invoice"]["fees"]
    assert fee["item"]["invoice_display_name"] == "calls (adjustment 2026-01-01 – 2026-01-31)"
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one", properties={"value": 11})
    assert await adjusted(client, who) == ([400], [200])
    await kit.assert_audit_clean(database, organization.id)


async def test_what_a_backfill_brought_is_spent_in_its_period(make_organization, database):
    """5 calls are 10.00, billed at once, of 50.00: 40.00 lack. 3 more of January are 6.00 more, and 6.00 less lack; reverted, what it was."""
    organization, client = await begin(make_organization)
    await committed(client, 5000, charge={"pay_in_advance": True})
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-02T00:00")
    sent = [("one", 5, "2026-01-05"), ("new", 3, "2026-01-06")]
    path, _ = await replace(client, sent)
    await kit.advance(client, "2026-02-02T01:00")
    (fee,) = (await kit.get(client, "/fees", event_transaction_id="new"))["fees"]
    assert fee["amount_cents"] == 600
    assert await given_back(client) == [("commitment", 600)]
    await kit.assert_audit_clean(database, organization.id)
    await kit.post(client, f"{path}/revert", {})
    assert await given_back(client) == [("charge", 600), ("commitment", 600)]
    (more,) = await one_offs(client, {"external_id": "acme"})
    assert await lines(client, more) == [("commitment", 600)]
    await kit.assert_audit_clean(database, organization.id)


async def test_a_late_event_in_advance_is_no_part_of_it(make_organization, database):
    """5 calls are 10.00, billed at once, of 50.00: 40.00 lack. 3 that come late are 6.00 beside that; none of them, 10, and 3 again:
    40.00 lack all the same. 4 for the first 5 are 2.00 less, and 2.00 more that lack.

    What a backfill has again counts: 4 for the late 3 are 8.00 in all, by which less lacks. Reverted it is late again.
    """
    organization, client = await begin(make_organization)
    who = await committed(client, 5000, charge={"pay_in_advance": True})
    await send(client, "one", 5)
    await kit.advance(client, "2026-02-02T00:00")
    await send(client, "late", 3, timestamp=kit.epoch("2026-01-06"))
    await kit.advance(client, "2026-02-02T01:00")
    (fee,) = (await kit.get(client, "/fees", event_transaction_id="late"))["fees"]
    assert fee["amount_cents"] == 600
    await correct(client, "late", "void")
    assert await given_back(client) == [("charge", 600)]
    await correct(client, "late", properties={"value": 10})
    await correct(client, "late", properties={"value": 3})
    assert await given_back(client) == [("charge", 600), ("charge", 1400)]
    (again,) = await one_offs(client, who)
    assert await lines(client, again) == [("charge", 2000)]
    await kit.assert_audit_clean(database, organization.id)
    await correct(client, "one", properties={"value": 4})
    (lacks, _) = await one_offs(client, who)
    assert await lines(client, lacks) == [("commitment", 200)]
    await correct(client, "one", properties={"value": 5})

    assert await in_all(client, who) == {"charge": 1600, "commitment": 4000}
    path, _ = await replace(client, [("one", 5, "2026-01-05"), ("late", 4, "2026-01-06")])
    assert await in_all(client, who) == {"charge": 1800, "commitment": 3200}
    await kit.post(client, f"{path}/revert", {})
    assert await in_all(client, who) == {"charge": 1600, "commitment": 4000}
    await correct(client, "late", "void")
    assert await in_all(client, who) == {"charge": 1000, "commitment": 4000}
    await kit.assert_audit_clean(database, organization.id)


async def in_all(client, who):
    """What was billed and is not void, less what was given back, by the type of the fee."""
    found: dict[str, int] = {}
    standing = [one for one in await kit.invoices(client, who) if one["status"] != "voided"]
    for invoice in standing:
        for kind, cents in await lines(client, invoice):
            found[kind] = found.get(kind, 0) + cents
    for kind, cents in await given_back(client):
        found[kind] -= cents
    return found
