"""How subscriptions begin, change and end, rule by rule (subscriptions §2.4 to §2.9)."""

from datetime import timedelta

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    """The clock stands at noon on 10 March 2026; plans in arrears of 10.00, 20.00 and 5.00, one in advance of 31.00."""
    client = (await make_organization("2026-03-10T12:00:00Z")).client
    for code, cents in (("basic", 1000), ("dear", 2000), ("cheap", 500)):
        await kit.plan(client, code=code, amount_cents=cents)
    await kit.plan(client, code="advance", amount_cents=3100, pay_in_advance=True)
    client.who = await kit.customer(client)
    return client


async def subscribe(seller, plan_code="basic", **more):
    return await kit.subscribe(seller, seller.who, {"code": plan_code}, external_id="s", **more)


async def seats_in_advance(seller):
    """A fixed charge of three seats at 10.00."""
    body = {"name": "Seats", "code": "seats", "amount_cents": 100, "amount_currency": "EUR"}
    add_on = (await kit.post(seller, "/add_ons", {"add_on": body}))["add_on"]
    priced = {"charge_model": "standard", "units": "3", "properties": {"amount": "10"}}
    return {"add_on_id": add_on["lago_id"], "pay_in_advance": True, **priced}


async def change(seller, **values):
    return (await kit.call(seller, "PUT", "/subscriptions/s", {"subscription": values}))["subscription"]


async def base_prices(seller):
    """(reason, cents of the base price) of each invoice, oldest first."""
    return [
        (
            invoice["billing_periods"][0]["invoicing_reason"],
            *(fee["amount_cents"] for fee in invoice["fees"] if fee["item"]["type"] == "subscription"),
        )
        for invoice in await kit.invoices(seller, seller.who)
    ]


class TestBeginnings:
    """§2.5."""

    @pytest.mark.parametrize(
        ("option", "started_at"), [("generate", "2026-03-10T12:00:00"), ("skip", "2026-03-02T00:00:00")]
    )
    async def test_a_past_start_does_not_reach_into_what_was_billed(self, seller, option, started_at):
        """The one before it ended at noon, with a last invoice or without."""
        await subscribe(seller)
        await kit.call(seller, "DELETE", "/subscriptions/s", on_termination_invoice=option)
        again = await subscribe(seller, subscription_at="2026-03-02")
        assert (again["started_at"][:19], again["subscription_at"]) == (started_at, "2026-03-02T00:00:00Z")

    async def test_later_today_is_today(self, seller):
        made = await subscribe(seller, "advance", subscription_at="2026-03-10T18:00:00Z")
        assert (made["status"], made["started_at"]) == ("active", "2026-03-10T18:00:00.000Z")
        assert await base_prices(seller) == [("subscription_starting", 2200)]

    async def test_today_is_the_customers(self, seller):
        """It is 11 March in Auckland at noon: the 11th has begun, and the 12th has not."""
        seller.who = await kit.customer(seller, timezone="Pacific/Auckland")
        made = await subscribe(seller, subscription_at="2026-03-11T10:00:00Z")
        assert (made["status"], made["started_at"]) == ("active", "2026-03-11T10:00:00.000Z")
        waiting = await kit.subscribe(
            seller, seller.who, {"code": "basic"}, external_id="t", subscription_at="2026-03-11T11:00:00Z"
        )
        assert (waiting["status"], waiting["started_at"]) == ("pending", None)

    async def test_in_the_past_nothing_is_invoiced_at_creation(self, seller):
        await subscribe(seller, "advance", subscription_at="2026-03-05")
        assert await base_prices(seller) == []
        await kit.advance(seller, "2026-04-01T00:10")
        assert await base_prices(seller) == [("subscription_periodic", 3100)]

    async def test_in_the_past_nothing_is_invoiced_at_creation_though_the_last_one_ended_today(self, seller):
        """It begins where that one ended, today; the day that decides is that of `subscription_at`."""
        await kit.plan(seller, code="seats", fixed_charges=[await seats_in_advance(seller)])
        for plan_code in ("advance", "seats"):
            await subscribe(seller, plan_code)
            await kit.call(seller, "DELETE", "/subscriptions/s")
            before = await base_prices(seller)
            again = await subscribe(seller, plan_code, subscription_at="2026-03-02")
            assert again["started_at"][:19] == "2026-03-10T12:00:00"
            assert await base_prices(seller) == before
            await kit.call(seller, "DELETE", "/subscriptions/s", on_termination_invoice="skip")
        await subscribe(seller, "advance", subscription_at="2026-03-02")
        await kit.advance(seller, "2026-04-01T00:10")
        assert (await base_prices(seller))[-1] == ("subscription_periodic", 3100)

    async def test_in_the_past_after_a_trial_the_running_period_is_invoiced_at_creation(self, seller):
        """§4.5: the trial under the external id was over before this one began, as one that began alone in the past."""
        await kit.plan(seller, code="tried", amount_cents=3100, pay_in_advance=True, trial_period=5)
        await subscribe(seller, "tried")
        await kit.advance(seller, "2026-03-20T12:00")  # 17 days from the 15th on
        await kit.call(seller, "DELETE", "/subscriptions/s")
        await kit.advance(seller, "2026-03-22T12:00")
        again = await subscribe(seller, "tried", subscription_at="2026-03-12")
        assert again["started_at"][:19] == "2026-03-20T12:00:00"
        assert await base_prices(seller) == [
            ("subscription_starting", 1700),
            ("subscription_terminating",),
            ("subscription_starting", 3100),
        ]

    async def test_an_arrears_plan_gets_no_invoice_at_its_start(self, seller):
        await subscribe(seller)
        assert await base_prices(seller) == []


class TestMovedStarts:
    """§2.8: of what waits without a predecessor."""

    @pytest.mark.parametrize(
        ("moved", "status", "started_at", "invoiced"),
        [
            ("2026-03-20", "pending", None, []),
            ("2026-03-10", "active", "2026-03-10T00:00:00.000Z", [("subscription_starting", 2200)]),
            ("2026-03-01", "active", "2026-03-01T00:00:00.000Z", []),
        ],
    )
    async def test_to_the_future_today_and_the_past(self, seller, moved, status, started_at, invoiced):
        await subscribe(seller, "advance", subscription_at="2026-03-15")
        changed = await change(seller, subscription_at=moved)
        assert (changed["status"], changed["started_at"]) == (status, started_at)
        assert await base_prices(seller) == invoiced
        await kit.advance(seller, "2026-03-16")
        assert await base_prices(seller) == invoiced

    async def test_what_has_begun_keeps_its_start(self, seller):
        await subscribe(seller)
        assert (await change(seller, subscription_at="2026-01-01"))[
            "subscription_at"
        ] == "2026-03-10T12:00:00Z"


class TestChanges:
    """§2.4, §2.6."""

    @pytest.mark.parametrize(
        ("plan_code", "overrides", "goes"),
        [
            ("dear", None, "up"),
            ("cheap", None, "down"),
            ("dear", {"amount_cents": 999}, "down"),
            ("cheap", {"amount_cents": 1000}, "up"),
            ("cheap", {"amount_cents": 2000}, "up"),
        ],
    )
    async def test_the_price_asked_for_decides(self, seller, plan_code, overrides, goes):
        await subscribe(seller)
        more = {"plan_overrides": overrides} if overrides else {}
        answer = await subscribe(seller, plan_code, **more)
        assert (answer["plan_code"], answer["next_plan_code"]) == (
            (plan_code, None) if goes == "up" else ("basic", plan_code)
        )

    async def test_a_newer_change_takes_the_place_of_one_that_waits(self, seller):
        await subscribe(seller, "dear")
        await subscribe(seller, "basic")
        assert (await subscribe(seller, "cheap"))["next_plan_code"] == "cheap"
        listed = (await kit.get(seller, "/subscriptions", **{"status[]": "canceled"}))["subscriptions"]
        assert [item["plan_code"] for item in listed] == ["basic"]
        upgraded = await subscribe(seller, "advance")
        assert (upgraded["plan_code"], upgraded["next_plan_code"]) == ("advance", None)
        listed = (await kit.get(seller, "/subscriptions", **{"status[]": "pending"}))["subscriptions"]
        assert listed == []

    async def test_a_chain_keeps_its_anchor(self, seller):
        """§7.9."""
        first = await subscribe(seller, billing_time="anniversary")
        await kit.advance(seller, "2026-03-15")
        second = await subscribe(seller, "dear", billing_time="calendar")
        await subscribe(seller, "cheap")
        await kit.advance(seller, "2026-04-10T00:10")
        third = (await kit.get(seller, "/subscriptions/s"))["subscription"]
        kept = ("external_id", "subscription_at", "billing_time")
        chain = [[one[name] for name in kept] for one in (first, second, third)]
        assert chain == [["s", "2026-03-10T12:00:00Z", "anniversary"]] * 3
        assert [one["plan_code"] for one in (first, second, third)] == ["basic", "dear", "cheap"]

    async def test_nobody_is_charged_for_the_day_of_a_change_twice(self, seller):
        """§7.4: on the 20th, 10 days of 10.00 (10th to 19th) and then 12 of 31 days of 20.00; a month has 31."""
        await subscribe(seller)
        await kit.advance(seller, "2026-03-20T09:00")
        await subscribe(seller, "dear")
        await kit.advance(seller, "2026-04-01T00:10")
        # 323: 1000 × 10 / 31 = 322.58; 774: 2000 × 12 / 31 = 774.19.
        assert await base_prices(seller) == [
            ("subscription_terminating", 323),
            ("subscription_periodic", 774),
        ]


class TestEnds:
    """§2.9."""

    async def test_a_queued_plan_goes_with_it(self, seller):
        await subscribe(seller, "dear")
        await subscribe(seller, "basic")
        await kit.call(seller, "DELETE", "/subscriptions/s")
        await kit.advance(seller, "2026-04-02")
        listed = (await kit.get(seller, "/subscriptions", **{"status[]": ["pending", "active"]}))[
            "subscriptions"
        ]
        assert listed == []

    async def test_the_credit_of_unused_time_pays_the_last_invoice(self, seller):
        """22 of 31 days were paid on 10 March; at the end on the 20th the 11 days left are 11.00, of which usage takes 4.00."""
        metric = await kit.metric(seller)
        await kit.plan(seller, kit.charge(metric), code="metered", amount_cents=3100, pay_in_advance=True)
        made = await subscribe(seller, "metered")
        await kit.send(seller, made, metric, 4)
        await kit.advance(seller, "2026-03-20T09:00")
        await kit.call(seller, "DELETE", "/subscriptions/s")
        (note,) = (await kit.get(seller, "/credit_notes"))["credit_notes"]
        assert (note["total_amount_cents"], note["balance_amount_cents"]) == (1100, 700)
        last = (await kit.invoices(seller, seller.who))[-1]
        assert (last["fees_amount_cents"], last["credit_notes_amount_cents"], last["total_amount_cents"]) == (
            400,
            400,
            0,
        )

    @pytest.mark.parametrize(
        ("stored", "sent", "notes"),
        [("skip", None, 0), ("skip", "credit", 1), (None, "skip", 0), (None, None, 1)],
    )
    async def test_the_calls_option_goes_before_the_stored_one(self, seller, stored, sent, notes):
        await subscribe(seller, "advance", on_termination_credit_note=stored)
        await kit.advance(seller, "2026-03-20")
        query = {"on_termination_credit_note": sent} if sent else {}
        await kit.call(seller, "DELETE", "/subscriptions/s", **query)
        assert len((await kit.get(seller, "/credit_notes"))["credit_notes"]) == notes

    async def test_without_a_last_invoice(self, seller):
        await subscribe(seller, on_termination_invoice="skip")
        await kit.advance(seller, "2026-03-20")
        await kit.call(seller, "DELETE", "/subscriptions/s")
        await kit.advance(seller, "2026-05-02")
        assert await base_prices(seller) == []


class TestGroups:
    """§5.2, §7.11: what shares an invoice, what does not."""

    @pytest.mark.parametrize(
        ("one", "other", "number"),
        [
            ({}, {}, 1),
            ({"plan_code": "basic"}, {"plan_code": "weekly"}, 1),
            ({"purchase_order_number": "1"}, {"purchase_order_number": "1"}, 1),
            ({"purchase_order_number": "1"}, {"purchase_order_number": "2"}, 2),
            ({"purchase_order_number": "1"}, {}, 2),
            ({"plan_code": "yen"}, {}, 2),
            ({"billing_entity_code": "other"}, {}, 2),
            ({"billing_entity_code": "acme"}, {}, 1),
            ({"payment_method": {"payment_method_type": "manual"}}, {}, 2),
            ({"consolidate_invoice": False}, {}, 2),
        ],
    )
    async def test_subscriptions_of_one_day(self, seller, one, other, number):
        """1 June 2026 is a Monday."""
        await kit.plan(seller, code="weekly", interval="weekly", amount_cents=700)
        await kit.plan(seller, code="yen", amount_currency="JPY", amount_cents=700)
        await kit.post(seller, "/billing_entities", {"billing_entity": {"name": "Other", "code": "other"}})
        await kit.advance(seller, "2026-05-31T12:00")
        for external_id, terms in (("a", one), ("b", other)):
            terms = {"plan_code": "basic", **terms}
            await kit.subscribe(
                seller, seller.who, {"code": terms.pop("plan_code")}, external_id=external_id, **terms
            )
        await kit.advance(seller, "2026-06-01T00:10")
        found = await kit.invoices(seller, seller.who)
        assert len(found) == number
        assert sum(len(invoice["billing_periods"]) for invoice in found) == 2


class TestRecurringMetrics:
    """Pricing §8.2: what is carried over is billed once at an upgrade, by the plan that has it then."""

    @pytest.mark.parametrize(
        ("recurring", "shared", "skipped"), [(True, True, True), (True, False, False), (False, True, False)]
    )
    async def test_an_arrears_charge_on_the_last_invoice_of_the_old_plan(
        self, seller, recurring, shared, skipped
    ):
        metric, other = [await kit.metric(seller, recurring=recurring) for _ in range(2)]
        await kit.plan(seller, kit.charge(metric), code="old", amount_cents=1000)
        await kit.plan(seller, kit.charge(metric if shared else other), code="new", amount_cents=2000)
        made = await subscribe(seller, "old")
        await kit.send(seller, made, metric, 5)
        await kit.advance(seller, "2026-03-20")
        await subscribe(seller, "new")
        (invoice,) = await kit.invoices(seller, seller.who)
        charges = [fee["amount_cents"] for fee in invoice["fees"] if fee["item"]["type"] == "charge"]
        assert charges == ([] if skipped else [500])


@pytest.mark.parametrize("grace", [0, 1])
async def test_an_end_in_the_second_of_the_start_leaves_the_first_bill_what_it_was(make_organization, grace):
    """Three of seven days of 70.00, Friday to Sunday, paid in advance and not given back; a draft meanwhile or not."""
    client = (await make_organization("2023-01-06T07:01:00Z")).client
    plan = await kit.plan(client, interval="weekly", amount_cents=7000, pay_in_advance=True)
    who = await kit.customer(client, billing_configuration={"invoice_grace_period": grace})
    made = await kit.subscribe(client, who, plan)
    path = f"/subscriptions/{made['external_id']}"
    await kit.call(client, "DELETE", path, on_termination_credit_note="skip")
    await kit.advance(client, "2023-01-12")
    found = await kit.invoices(client, who)
    assert sorted(invoice["total_amount_cents"] for invoice in found) == [0, 3000]


@pytest.mark.parametrize("grace", [0, 3])
@pytest.mark.parametrize(
    ("in_advance", "billed"), [(False, [1100, 3000, 100]), (True, [1100, 3000, 3000, 0])]
)
async def test_an_end_in_the_second_of_a_renewal_leaves_its_bill_what_it_was(
    make_organization, monkeypatch, database, grace, in_advance, billed
):
    """30.00 a month. Without settling time the first of June is billed at once, and then ended.

    In arrears the first day of June is due beside May; in advance June stays due, and is not given back here.
    """
    monkeypatch.setattr(database, "settling_time", timedelta(0))
    client = (await make_organization("2025-04-20T00:00:00Z")).client
    plan = await kit.plan(client, amount_cents=3000, pay_in_advance=in_advance)
    who = await kit.customer(client, billing_configuration={"invoice_grace_period": grace})
    made = await kit.subscribe(client, who, plan)
    await kit.advance(client, "2025-06-01")
    path = f"/subscriptions/{made['external_id']}"
    options = {"on_termination_credit_note": "skip"} if in_advance else {}
    await kit.call(client, "DELETE", path, **options)
    await kit.advance(client, "2025-06-12")
    found = await kit.invoices(client, who)
    assert sorted(invoice["total_amount_cents"] for invoice in found) == sorted(billed)
