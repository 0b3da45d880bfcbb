"""What is billed is corrected as the organization wants it: the difference is documented, and nothing else changes (beyond.md §3)."""

import random

import pytest
from tests import kit

WHY = "the meter was wrong"
NOW = {"metering": {"event_correction_policy": "document_now"}}
NEXT = {"metering": {"event_correction_policy": "next_invoice"}}


async def begin(make_organization, policy=NOW):
    organization = await make_organization("2026-01-01T00:00:00Z")
    await kit.call(organization.client, "PUT", "/organizations", {"organization": policy})
    return organization, organization.client


async def send(client, transaction_id, value, **more):
    event = {"transaction_id": transaction_id, "external_subscription_id": "sub", "code": "calls"}
    properties = {"value": value, **(more.pop("properties", None) or {})}
    await kit.post(client, "/events", {"event": {**event, "properties": properties, **more}})


async def correct(client, transaction_id, how="amend", *, expect=200, **changes):
    body = {"event": {"external_subscription_id": "sub", "reason": WHY, **changes}}
    return await kit.call(client, "POST", f"/events/{transaction_id}/{how}", body, expect=expect)


async def one_offs(client, who):
    return [one for one in await kit.invoices(client, who) if one["invoice_type"] == "one_off"]


async def notes(client):
    return (await kit.get(client, "/credit_notes"))["credit_notes"]


async def fees_of(client, invoice):
    found = (await kit.get(client, f"/invoices/{invoice['lago_id']}"))["invoice"]["fees"]
    return [fee for fee in found if fee["item"]["type"] == "charge"]


async def test_a_difference_is_documented_at_once(make_organization, database):
    """10 and 5 calls at 2.00 and 20 %: 30.00 and 6.00. 12 for 10 are 4.00 more, with 0.80; then 1 for 12 are 22.00 less.

    Of these, 4.00 are given back of the one-off invoice, and 18.00 of the first.
    """
    organization, client = await begin(make_organization)
    await kit.tax(client, "20", code="vat", applied_to_organization=True)
    calls = await kit.metric(client, code="calls")
    who = await kit.customer(client, external_id="acme", currency="EUR")
    plan = await kit.plan(client, kit.charge(calls, amount="2"))
    await kit.subscribe(client, who, plan, external_id="sub")
    await send(client, "one", 10)
    await send(client, "two", 5)
    await kit.advance(client, "2026-02-02T00:00")
    (january,) = await kit.invoices(client, who)
    assert (january["fees_amount_cents"], january["total_amount_cents"]) == (3000, 3600)

    await correct(client, "one", properties={"value": 12})
    (more,) = await one_offs(client, who)
    assert (more["fees_amount_cents"], more["taxes_amount_cents"], more["issuing_date"]) == (
        400,
        80,
        "2026-02-02",
    )
    (fee,) = await fees_of(client, more)
    assert fee["item"]["type"] == "charge"
    assert fee["item"]["invoice_display_name"] == "calls (adjustment 2026-01-01 – 2026-01-31)"
    assert (fee["from_date"][:10], fee["to_date"][:10]) == ("2026-01-01", "2026-01-31")
    assert (fee["units"], fee["amount_cents"]) == ("1.0", 400)
    told = (await kit.get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"]
    assert [step["step"] for step in told["steps"]] == ["period", "correction", "rounding"]
    (line,) = told["steps"][1]["lines"]
    assert (line["amount_cents"], line["billed_cents"], told["amount_cents"]) == (3400, 3000, 400)
    assert [step["step"] for step in line["steps"]] == ["period", "aggregation", "pricing", "rounding"]
    assert await notes(client) == []

    await correct(client, "one", properties={"value": 1})
    given = {note["lago_invoice_id"]: note for note in await notes(client)}
    assert {key: note["sub_total_excluding_taxes_amount_cents"] for key, note in given.items()} == {
        january["lago_id"]: 1800,
        more["lago_id"]: 400,
    }
    assert given[january["lago_id"]]["taxes_amount_cents"] == 360
    assert given[january["lago_id"]]["credit_amount_cents"] == 2160
    assert given[january["lago_id"]]["reason"] == "other"
    assert given[january["lago_id"]]["description"] == "calls (adjustment 2026-01-01 – 2026-01-31)"
    (same,) = [one for one in await kit.invoices(client, who) if one["invoice_type"] == "subscription"]
    assert same["fees_amount_cents"] == 3000

    # Back to what it was: 18.00 more than what is left.
    await correct(client, "one", properties={"value": 10})
    assert [one["fees_amount_cents"] for one in await one_offs(client, who)] == [1800, 400]
    await kit.assert_audit_clean(database, organization.id)


def graduated(*tiers):
    ranges, start = [], 0
    for end, price, flat in tiers:
        ranges.append({"from_value": start, "to_value": end, "per_unit_amount": price, "flat_amount": flat})
        start = end
    return ranges


async def rich_plan(client):
    """Charges of many kinds on one code: filters, groups, a minimum, days; each event changes them all."""
    regions = [{"key": "region", "values": ["eu", "us"]}]
    calls = await kit.metric(client, code="calls", filters=regions)
    tiers = graduated((10, "2", "1"), (50, "1", "0"), (None, "0.333", "7"))
    steps = kit.charge(calls, "graduated", graduated_ranges=tiers)
    by_region = {
        **kit.charge(calls, amount="1.337", pricing_group_keys=["team"]),
        "filters": [
            {"values": {"region": ["eu"]}, "properties": {"amount": "0.777"}},
            {"values": {"region": ["us"]}, "properties": {"amount": "3"}},
        ],
    }
    boxes = {
        **kit.charge(calls, "package", amount="5", package_size=7, free_units=3),
        "min_amount_cents": 9000,
    }
    volume = kit.charge(
        calls, "volume", volume_ranges=[
            {"from_value": 0, "to_value": 40, "per_unit_amount": "1", "flat_amount": "2"},
            {"from_value": 41, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
        ],
    )  # fmt: skip
    share = kit.charge(calls, "percentage", rate="3.7", fixed_amount="0.11", free_units_per_events=2)
    charges = [steps, by_region, boxes, volume, share]
    return await kit.plan(
        client, *({**one, "code": f"c{place}"} for place, one in enumerate(charges)), code="rich"
    )


async def billed(client, subscription):
    """What the charges of a subscription were billed, adjustments added and notes taken off, before coupons and taxes."""
    query = {"external_subscription_id": subscription, "fee_type": "charge", "per_page": 500}
    total: dict[str, int] = {}
    fees = (await kit.get(client, "/fees", **query))["fees"]
    given: dict[str, int] = {}
    for note in (await kit.get(client, "/credit_notes", per_page=500))["credit_notes"]:
        for item in (await kit.get(client, f"/credit_notes/{note['lago_id']}"))["credit_note"]["items"]:
            given[item["fee"]["lago_id"]] = given.get(item["fee"]["lago_id"], 0) + item["amount_cents"]
    for fee in fees:
        code = fee["lago_charge_id"]
        total[code] = total.get(code, 0) + fee["amount_cents"] - given.get(fee["lago_id"], 0)
    return {code: cents for code, cents in total.items() if cents}


@pytest.mark.parametrize(("seed", "policy"), [(0, NOW), (1, NOW), (0, NEXT)])
async def test_what_was_billed_and_its_adjustments_are_what_the_corrected_events_cost(
    make_organization, database, seed, policy
):
    """Whatever is amended, voided and moved; and when all of it is taken back, what was billed at first."""
    chance = random.Random(seed)
    organization, client = await begin(make_organization, policy)
    plan = await rich_plan(client)
    who = await kit.customer(client, external_id="acme", currency="EUR")
    twin = await kit.customer(client, external_id="twin", currency="EUR")
    await kit.subscribe(client, who, plan, external_id="sub")
    await kit.subscribe(client, twin, plan, external_id="twin")

    def an_event():
        region, team = chance.choice(("eu", "us", "cn", None)), chance.choice(("a", "b", None))
        properties = {"value": str(chance.choice((1, 3, "0.25", 12, 30))), "region": region, "team": team}
        day = chance.choice((3, 17, 31 + 5, 31 + 28))
        return {"timestamp": kit.epoch("2026-01-01") + day * 86_400, "properties": properties}

    first = {f"e{place}": an_event() for place in range(14)}
    last = dict(first)
    edits = []
    for name in chance.sample(sorted(first), 7):
        changed = None if chance.random() < 0.3 else an_event()
        edits.append((name, changed))
        last[name] = changed
    for name, event in first.items():
        await send(client, name, 0, **event)
    for name, event in last.items():
        if event is not None:
            body = {"transaction_id": name, "external_subscription_id": "twin", "code": "calls", **event}
            await kit.post(client, "/events", {"event": body})
    await kit.advance(client, "2026-03-02T00:00")
    before = await billed(client, "sub")
    # Came too late for both months: on no bill, and so on no adjustment.
    await send(client, "late", 1000, timestamp=kit.epoch("2026-01-20"))
    for name, changed in edits:
        if changed is None:
            await correct(client, name, "void")
        else:
            await correct(client, name, **changed)
    if policy is NEXT:
        await kit.assert_audit_clean(database, organization.id)
        # A month later, for which both have the same minimum to pay.
        await kit.advance(client, "2026-04-02T00:00")
        assert await billed(client, "sub") == await billed(client, "twin") != before
        assert await one_offs(client, who) == []
        await kit.assert_audit_clean(database, organization.id)
        return
    assert await billed(client, "sub") == await billed(client, "twin") != before
    await kit.assert_audit_clean(database, organization.id)
    for name, _ in reversed(edits):
        await correct(client, name, **first[name])
    assert await billed(client, "sub") == before
    await kit.assert_audit_clean(database, organization.id)


async def simple(client, **more):
    """A customer who pays 2 for each call of January: 10 of them are billed, 20.00."""
    calls = await kit.metric(client, code="calls", **more.pop("metric", {}))
    who = await kit.customer(client, external_id="acme", currency="EUR", **more.pop("customer", {}))
    plan = await kit.plan(client, kit.charge(calls, amount="2"), code="plan", **more)
    await kit.subscribe(client, who, plan, external_id="sub")
    await send(client, "one", 10)
    return who, plan


async def adjusted(client, who):
    """Amounts of the one-off invoices, and of the notes, before taxes, the latest first; those of one instant as they were made."""
    return (
        [one["fees_amount_cents"] for one in await one_offs(client, who)],
        [note["sub_total_excluding_taxes_amount_cents"] for note in await notes(client)],
    )


async def test_each_aggregation_is_rated_again_and_what_carries_over_in_later_periods(
    make_organization, database
):
    """Of two months: counts, greatest and latest values, distinct ones, levels over time and prorated units."""
    chance = random.Random(7)
    organization, client = await begin(make_organization)
    kinds: dict[str, tuple[str, dict, dict]] = {
        "count": ("count_agg", {"field_name": None}, {}),
        "greatest": ("max_agg", {}, {}),
        "latest": ("latest_agg", {}, {}),
        "distinct": ("unique_count_agg", {"recurring": True}, {"prorated": True}),
        "level": ("weighted_sum_agg", {"recurring": True, "weighted_interval": "seconds"}, {}),
        "prorated": ("sum_agg", {"recurring": True}, {"prorated": True}),
    }
    charges = []
    for code, (aggregation, more, of_charge) in kinds.items():
        metric = await kit.metric(client, aggregation, code=code, **more)
        charges.append({**kit.charge(metric, amount="3.7"), **of_charge, "code": code})
    plan = await kit.plan(client, *charges, code="kinds")
    for name in ("sub", "twin"):
        who = await kit.customer(client, external_id=f"of {name}", currency="EUR")
        await kit.subscribe(client, who, plan, external_id=name)

    def an_event():
        at = kit.epoch("2026-01-01") + chance.randrange(58 * 24) * 3_600
        return {"timestamp": at, "properties": {"value": str(chance.randrange(1, 9))}}

    first = {f"{code} {place}": an_event() for code in kinds for place in range(4)}
    edits = {
        f"{code} {place}": None if chance.random() < 0.4 else an_event() for code in kinds for place in (1, 2)
    }
    for name, event in first.items():
        await send(client, name, 0, code=name.split()[0], **event)
    for name, event in {**first, **edits}.items():
        if event is not None:
            body = {"transaction_id": name, "external_subscription_id": "twin", "code": name.split()[0]}
            await kit.post(client, "/events", {"event": {**body, **event}})
    await kit.advance(client, "2026-03-02T00:00")
    before = await billed(client, "sub")
    for name, changed in edits.items():
        if changed is None:
            await correct(client, name, "void")
        else:
            await correct(client, name, **changed)
    assert await billed(client, "sub") == await billed(client, "twin") != before
    await kit.assert_audit_clean(database, organization.id)
    for name in reversed(edits):
        await correct(client, name, **first[name])
    assert await billed(client, "sub") == before


class TestTheTerms:
    async def test_are_those_of_the_bill_whatever_became_of_the_plan(self, make_organization, database):
        """12 for 10 are 4.00 more at 2, though a call is 5 by now, and the customer lives elsewhere."""
        organization, client = await begin(make_organization)
        who, plan = await simple(client)
        await kit.advance(client, "2026-02-02T00:00")
        (charge,) = plan["charges"]
        changed = {"id": charge["lago_id"], "billable_metric_id": charge["lago_billable_metric_id"]}
        changed |= {"charge_model": "standard", "properties": {"amount": "5"}, "code": charge["code"]}
        await kit.call(client, "PUT", "/plans/plan", {"plan": {"charges": [changed]}})
        moved = {"external_id": "acme", "timezone": "Asia/Tokyo"}
        await kit.post(client, "/customers", {"customer": moved})
        await correct(client, "one", properties={"value": 12})
        assert await adjusted(client, who) == ([400], [])
        await correct(client, "one", properties={"value": 3})
        assert await adjusted(client, who) == ([400], [400, 1400])
        lifetime = await kit.get(client, "/subscriptions/sub/lifetime_usage")
        assert lifetime["lifetime_usage"]["invoiced_usage_amount_cents"] == 600
        await kit.assert_audit_clean(database, organization.id)

    async def test_of_each_later_period_where_units_carry_over(self, make_organization, database):
        """10 seats in January and February: with 13 each of the two invoices lacks 6.00; without, both are given back."""
        organization, client = await begin(make_organization)
        who, _ = await simple(client, metric={"recurring": True})
        await kit.advance(client, "2026-03-02T00:00")
        await correct(client, "one", properties={"value": 13})
        (both,) = await one_offs(client, who)
        fees = await fees_of(client, both)
        assert [(fee["from_date"][:10], fee["amount_cents"]) for fee in fees] == [
            ("2026-01-01", 600),
            ("2026-02-01", 600),
        ]
        await correct(client, "one", "void")
        assert sorted((await adjusted(client, who))[1]) == [1200, 2000, 2000]
        await kit.assert_audit_clean(database, organization.id)


class TestWhatCameTooLate:
    async def test_stays_unbilled_unless_its_time_is_corrected(self, make_organization, database):
        """Amended, voided and restored it is as late as it was; one that is moved into January counts there."""
        organization, client = await begin(make_organization)
        who, _ = await simple(client)
        await kit.advance(client, "2026-02-02T00:00")
        await send(client, "late", 100, timestamp=kit.epoch("2026-01-10"))
        await send(client, "february", 3)
        await correct(client, "late", properties={"value": 200})
        await correct(client, "late", "void")
        await correct(client, "late")
        assert await adjusted(client, who) == ([], [])
        unmatched = (await kit.get(client, "/events", unmatched="true"))["events"]
        assert [(one["transaction_id"], one["unmatched_reason"]) for one in unmatched] == [
            ("late", "too_late")
        ]
        await correct(client, "february", timestamp=kit.epoch("2026-01-20"))
        await correct(client, "february", properties={"value": 5})
        assert await adjusted(client, who) == ([400, 600], [])
        assert len((await kit.get(client, "/events", unmatched="true"))["events"]) == 1
        # Now that it is billed, nobody changes it where the organization wants none of that.
        await kit.call(
            client,
            "PUT",
            "/organizations",
            {"organization": {"metering": {"event_correction_policy": "refuse"}}},
        )
        await correct(client, "february", "void", expect=405)
        await correct(client, "late", "void")
        await kit.assert_audit_clean(database, organization.id)


class TestBackfills:
    async def test_are_documented_and_reverted(self, make_organization, database):
        """10 and 5 of January become 1 and 2, 24.00 less; reverted they cost what they did. What came late stays so."""
        organization, client = await begin(make_organization)
        who, _ = await simple(client)
        await send(client, "two", 5, timestamp=kit.epoch("2026-01-20"))
        await kit.advance(client, "2026-02-02T00:00")
        await send(client, "late", 100, timestamp=kit.epoch("2026-01-10"))
        body = {"external_subscription_id": "sub", "code": "calls", "from": "2026-01-01", "to": "2026-01-31"}
        made = await kit.post(client, "/event_backfills", {"event_backfill": {**body, "reason": WHY}})
        path = f"/event_backfills/{made['event_backfill']['lago_id']}"
        new = [
            {"transaction_id": "one", "properties": {"value": 1}, "timestamp": kit.epoch("2026-01-05")},
            {"transaction_id": "new", "properties": {"value": 2}, "timestamp": kit.epoch("2026-01-06")},
        ]
        await kit.post(client, f"{path}/events", {"events": new})
        closed = (await kit.post(client, f"{path}/close", {}))["event_backfill"]
        (january,) = closed["periods"]
        assert (january["from_datetime"][:10], january["amount_change_cents"]) == ("2026-01-01", -2400)
        assert (january["charges"][0]["units_before"], january["charges"][0]["units_after"]) == (
            "15.0",
            "3.0",
        )
        assert await adjusted(client, who) == ([], [2400])
        await kit.post(client, f"{path}/revert", {})
        assert await adjusted(client, who) == ([2400], [2400])
        unmatched = (await kit.get(client, "/events", unmatched="true"))["events"]
        assert [one["transaction_id"] for one in unmatched] == ["late"]
        await correct(client, "one", properties={"value": 11})
        assert await adjusted(client, who) == ([200, 2400], [2400])
        await kit.assert_audit_clean(database, organization.id)


class TestWhatIsLeft:
    async def test_is_all_that_is_given_back(self, make_organization, database):
        """Of 20.00 a note by hand gave 15.00 back: of 16.00 less, 5.00 are left; back again it is these that are billed."""
        organization, client = await begin(make_organization)
        who, _ = await simple(client)
        await kit.advance(client, "2026-02-02T00:00")
        (january,) = await kit.invoices(client, who)
        (fee,) = await fees_of(client, january)
        by_hand = {"invoice_id": january["lago_id"], "reason": "other", "credit_amount_cents": 1500}
        items = [{"fee_id": fee["lago_id"], "amount_cents": 1500}]
        await kit.post(client, "/credit_notes", {"credit_note": {**by_hand, "items": items}})
        await correct(client, "one", properties={"value": 2})
        assert await adjusted(client, who) == ([], [500, 1500])
        await correct(client, "one", properties={"value": 1})
        assert await adjusted(client, who) == ([], [500, 1500])
        await correct(client, "one", properties={"value": 10})
        assert await adjusted(client, who) == ([500], [500, 1500])
        await kit.assert_audit_clean(database, organization.id)

    async def test_is_nothing_where_a_coupon_took_all(self, make_organization, database):
        organization, client = await begin(make_organization)
        coupon = {"name": "all", "code": "all", "coupon_type": "percentage", "percentage_rate": "100"}
        await kit.post(
            client, "/coupons", {"coupon": {**coupon, "frequency": "forever", "expiration": "no_expiration"}}
        )
        who, _ = await simple(client)
        applied = {"external_customer_id": "acme", "coupon_code": "all"}
        await kit.post(client, "/applied_coupons", {"applied_coupon": applied})
        await kit.advance(client, "2026-02-02T00:00")
        await correct(client, "one", properties={"value": 2})
        await correct(client, "one", properties={"value": 10})
        assert await adjusted(client, who) == ([], [])
        await correct(client, "one", properties={"value": 11})
        assert await adjusted(client, who) == ([200], [])
        await kit.assert_audit_clean(database, organization.id)

    async def test_counts_no_invoice_that_was_voided(self, make_organization, database):
        organization, client = await begin(make_organization)
        who, _ = await simple(client)
        await kit.advance(client, "2026-02-02T00:00")
        await correct(client, "one", properties={"value": 12})
        (more,) = await one_offs(client, who)
        await kit.post(client, f"/invoices/{more['lago_id']}/void", {})
        await correct(client, "one", properties={"value": 13})
        found = await one_offs(client, who)
        assert [(one["status"], one["fees_amount_cents"]) for one in found] == [
            ("finalized", 600),
            ("voided", 400),
        ]
        await kit.assert_audit_clean(database, organization.id)


class TestRefused:
    async def test_what_nobody_can_tell_the_difference_of(self, make_organization):
        """A fee told by hand: nothing is changed."""
        _, client = await begin(make_organization)
        grace = {"invoice_grace_period": 3}
        who, _ = await simple(client, customer={"billing_configuration": grace})
        await kit.advance(client, "2026-02-02T00:00")
        (draft,) = await kit.invoices(client, who)
        (fee,) = await fees_of(client, draft)
        told = {"fee_id": fee["lago_id"], "units": 3}
        await kit.post(client, f"/invoices/{draft['lago_id']}/adjusted_fees", {"adjusted_fee": told})
        await kit.advance(client, "2026-02-10T00:00")
        refused = await correct(client, "one", "void", expect=405)
        assert refused["code"] == "billed_otherwise"
        (versions,) = (await kit.get(client, "/events/one/versions", external_subscription_id="sub"))[
            "versions"
        ]
        assert versions["version"] == 1

    async def test_a_policy_that_is_none(self, make_organization):
        _, client = await begin(make_organization)
        settings = (await kit.get(client, "/organizations"))["organization"]["metering"]
        assert settings["event_correction_policy"] == "document_now"
        wrong = {"organization": {"metering": {"event_correction_policy": "sometimes"}}}
        found = await kit.call(client, "PUT", "/organizations", wrong, expect=422)
        assert found["error_details"] == {"event_correction_policy": ["value_is_invalid"]}


class TestInAdvance:
    async def test_the_prices_of_later_events_follow(self, make_organization, database):
        """2.00 for each of ten calls, 1.00 beyond: 8, 5 and 4 were 16.00, 7.00 and 4.00.

        With 2 for 8 they are 4.00, 10.00 and 7.00: 12.00 less and 6.00 more, 6.00 to be given back of the first. The next call is the
        twelfth: 1.00. Without the first the others are 10.00, 8.00 and 2.00, for together they are ten.
        """
        organization, client = await begin(make_organization)
        calls = await kit.metric(client, code="calls")
        tiers = graduated((10, "2", "0"), (None, "1", "0"))
        at_once = {**kit.charge(calls, "graduated", graduated_ranges=tiers), "pay_in_advance": True}
        who = await kit.customer(client, external_id="acme", currency="EUR")
        subscription = await kit.subscribe(client, who, await kit.plan(client, at_once), external_id="sub")
        for name, value in (("one", 8), ("two", 5), ("three", 4)):
            await send(client, name, value)
        first = (await kit.get(client, "/fees", event_transaction_id="one"))["fees"][0]
        await correct(client, "one", properties={"value": 2})
        (note,) = await notes(client)
        assert (note["lago_invoice_id"], note["credit_amount_cents"]) == (first["lago_invoice_id"], 600)
        (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
        assert charge["amount_cents"] == 2100
        await send(client, "four", 1)
        (fee,) = (await kit.get(client, "/fees", event_transaction_id="four"))["fees"]
        assert fee["amount_cents"] == 100
        await correct(client, "one", "void")
        assert sum((await billed(client, "sub")).values()) == 1000 + 800 + 200
        await kit.assert_audit_clean(database, organization.id)
        await correct(client, "one", properties={"value": 8})
        assert sum((await billed(client, "sub")).values()) == 1600 + 700 + 400 + 100
        (more,) = await one_offs(client, who)
        (fee,) = await fees_of(client, more)
        told = (await kit.get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"]
        assert [step["step"] for step in told["steps"]] == ["period", "correction", "rounding"]
        fees = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        assert len([fee for fee in fees if fee["event_transaction_id"] == "one"]) == 1
        await kit.assert_audit_clean(database, organization.id)

    @pytest.mark.parametrize("seed", range(2))
    async def test_what_was_billed_and_its_adjustments_are_what_the_corrected_events_cost(
        self, make_organization, database, seed
    ):
        chance = random.Random(seed)
        organization, client = await begin(make_organization)
        regions = [{"key": "region", "values": ["eu", "us"]}]
        calls = await kit.metric(client, code="calls", filters=regions)
        tiers = graduated((10, "2", "1"), (50, "1", "0"), (None, "0.333", "7"))
        by_region = {
            **kit.charge(calls, "graduated", graduated_ranges=tiers, pricing_group_keys=["team"]),
            "filters": [{"values": {"region": ["eu"]}, "properties": {"graduated_ranges": tiers}}],
        }
        boxes = kit.charge(calls, "package", amount="5", package_size=7, free_units=3)
        share = kit.charge(calls, "percentage", rate="3.7", fixed_amount="0.11", free_units_per_events=2)
        charges = [{**one, "pay_in_advance": True} for one in (by_region, boxes, share)]
        plan = await kit.plan(client, *charges, kit.charge(calls, amount="2"), code="rich")
        for name in ("sub", "twin"):
            who = await kit.customer(client, external_id=f"of {name}", currency="EUR")
            await kit.subscribe(client, who, plan, external_id=name)

        def an_event(day):
            region, team = chance.choice(("eu", "us", None)), chance.choice(("a", "b", None))
            properties = {"value": str(chance.choice((1, 3, "0.25", 12, 30))), "region": region, "team": team}
            return {"timestamp": kit.epoch("2026-01-01") + day * 86_400, "properties": properties}

        first = {f"e{place}": an_event(5 if place < 8 else 31) for place in range(12)}
        edits = {
            # What comes in February is dated in it: for January it would be too late.
            name: None
            if chance.random() < 0.3
            else an_event(35 if int(name[1:]) > 7 else chance.choice((3, 35)))
            for name in chance.sample(sorted(first), 6)
        }

        async def send_all(names):
            for name in names:
                await send(client, name, 0, **first[name])
                event = {**first, **edits}[name]
                if event is not None:
                    body = {"transaction_id": name, "external_subscription_id": "twin", "code": "calls"}
                    await kit.post(client, "/events", {"event": {**body, **event}})

        await send_all([f"e{place}" for place in range(8)])
        await kit.advance(client, "2026-02-02T00:00")
        await send_all([f"e{place}" for place in range(8, 12)])
        before = await billed(client, "sub")
        for name, changed in edits.items():
            if changed is None:
                await correct(client, name, "void")
            else:
                await correct(client, name, **changed)
        assert await billed(client, "sub") == await billed(client, "twin") != before
        await kit.assert_audit_clean(database, organization.id)
        for name in reversed(edits):
            await correct(client, name, **first[name])
        assert await billed(client, "sub") == before
        await kit.assert_audit_clean(database, organization.id)


class TestTheNextInvoice:
    async def test_has_one_fee_for_each_charge_named_as_an_adjustment(self, make_organization, database):
        """12 and then 13 calls for 10 are 6.00 more, 20 % tax; back to 10 in between it was nothing."""
        organization, client = await begin(make_organization, NEXT)
        await kit.tax(client, "20", code="vat", applied_to_organization=True)
        who, plan = await simple(client)
        await kit.advance(client, "2026-02-02T00:00")
        await send(client, "two", 1)
        for value in (12, 10, 13):
            await correct(client, "one", properties={"value": value})
        assert await adjusted(client, who) == ([], [])
        lifetime = await kit.get(client, "/subscriptions/sub/lifetime_usage")
        assert lifetime["lifetime_usage"]["invoiced_usage_amount_cents"] == 2600
        # Its terms are those of January, whatever became of the plan.
        (charge,) = plan["charges"]
        changed = {"id": charge["lago_id"], "billable_metric_id": charge["lago_billable_metric_id"]}
        changed |= {"charge_model": "standard", "properties": {"amount": "5"}, "code": charge["code"]}
        await kit.call(client, "PUT", "/plans/plan", {"plan": {"charges": [changed]}})
        await kit.advance(client, "2026-03-02T00:00")
        _, february = await kit.invoices(client, who)
        assert (february["fees_amount_cents"], february["total_amount_cents"]) == (1100, 1320)
        usage, fee = await fees_of(client, february)
        assert (usage["amount_cents"], usage["from_date"][:10]) == (500, "2026-02-01")
        assert (fee["amount_cents"], fee["taxes_amount_cents"]) == (600, 120)
        assert (fee["from_date"][:10], fee["to_date"][:10]) == ("2026-01-01", "2026-01-31")
        assert fee["item"]["invoice_display_name"] == "calls (adjustment 2026-01-01 – 2026-01-31)"
        told = (await kit.get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"]
        assert [step["step"] for step in told["steps"]] == ["period", "correction", "rounding"]
        past = await kit.get(client, "/customers/acme/past_usage", external_subscription_id="sub")
        amounts = [
            [one["amount_cents"] for one in period["charges_usage"]] for period in past["usage_periods"]
        ]
        assert amounts == [[500], [2000]]
        await kit.assert_audit_clean(database, organization.id)
        # A decrease is given back, first of the adjustment, and is credit for the invoice after it.
        await correct(client, "one", properties={"value": 9})
        assert sorted((await adjusted(client, who))[1]) == [200, 600]
        await send(client, "three", 2)
        await kit.advance(client, "2026-04-02T00:00")
        march = (await kit.invoices(client, who))[-1]
        assert (march["credit_notes_amount_cents"], march["total_amount_cents"]) == (960, 240)
        await kit.assert_audit_clean(database, organization.id)

    async def test_may_be_a_draft_that_follows_corrections(self, make_organization, database):
        organization, client = await begin(make_organization, NEXT)
        who, _ = await simple(client, customer={"billing_configuration": {"invoice_grace_period": 5}})
        await kit.advance(client, "2026-02-10T00:00")
        await correct(client, "one", properties={"value": 12})
        await kit.advance(client, "2026-03-02T00:00")
        _, draft = await kit.invoices(client, who)
        assert (draft["status"], draft["fees_amount_cents"]) == ("draft", 400)
        (fee,) = await fees_of(client, draft)
        told = {"fee_id": fee["lago_id"], "units": 3}
        path = f"/invoices/{draft['lago_id']}"
        await kit.post(client, f"{path}/adjusted_fees", {"adjusted_fee": told}, expect=422)
        await correct(client, "one", properties={"value": 14})
        refreshed = (await kit.call(client, "PUT", f"{path}/refresh"))["invoice"]
        assert refreshed["fees_amount_cents"] == 800
        await kit.assert_audit_clean(database, organization.id)
        await correct(client, "one", properties={"value": 11})
        await kit.advance(client, "2026-03-10T00:00")
        _, final = await kit.invoices(client, who)
        assert (final["status"], final["fees_amount_cents"]) == ("finalized", 200)
        await kit.advance(client, "2026-04-10T00:00")
        assert [one["fees_amount_cents"] for one in await kit.invoices(client, who)] == [2000, 200, 0]
        await kit.assert_audit_clean(database, organization.id)

    async def test_of_a_subscription_that_has_ended_is_one_of_today(self, make_organization, database):
        organization, client = await begin(make_organization, NEXT)
        who, _ = await simple(client)
        await kit.advance(client, "2026-02-02T00:00")
        await correct(client, "one", properties={"value": 12})
        await kit.call(client, "DELETE", "/subscriptions/sub")
        last = (await kit.invoices(client, who))[-1]
        assert last["fees_amount_cents"] == 400
        await correct(client, "one", properties={"value": 13})
        assert await adjusted(client, who) == ([200], [])
        await kit.assert_audit_clean(database, organization.id)
