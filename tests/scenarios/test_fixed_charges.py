"""Fixed charges over the life of a subscription (pricing §13): April 2025, 30 days, unless said otherwise."""

import pytest
from tests import kit

TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "6", "flat_amount": "2"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "4", "flat_amount": "1"},
]


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-04-01T00:00:00Z")
    body = {"name": "Seats", "code": "seats", "amount_cents": 1, "amount_currency": "EUR"}
    made.client.seats = (await kit.post(made.client, "/add_ons", {"add_on": body}))["add_on"]["lago_id"]
    return made.client


def seats(seller, units, **more):
    """A fixed charge for a plan's body, 12.50 a unit."""
    return {
        "add_on_id": seller.seats,
        "code": "seats",
        "charge_model": "standard",
        "units": units,
        "properties": {"amount": "12.50"},
        **more,
    }


async def subscribe(seller, fixed, *, subscription=None, **plan):
    sold = await kit.plan(seller, fixed_charges=[fixed], **plan)
    who = await kit.customer(seller)
    return who, await kit.subscribe(seller, who, sold, **(subscription or {}))


async def change(seller, of, units, *, immediately=True):
    body = {"units": units, "apply_units_immediately": immediately}
    path = f"/subscriptions/{of['external_id']}/fixed_charges/seats"
    return (await kit.call(seller, "PUT", path, {"fixed_charge": body}))["fixed_charge"]


async def fixed_fees(seller, who):
    """(units, cents) of each fixed charge's fee, by invoice."""
    return [
        [
            (fee["units"], fee["amount_cents"])
            for fee in invoice["fees"]
            if fee["item"]["type"] == "fixed_charge"
        ]
        for invoice in await kit.invoices(seller, who)
    ]


class TestInArrears:
    async def test_prorated_units_count_by_the_day_and_the_last_are_shown(self, seller):
        """§17.9: 10 for 15 days and 16 for 15 days are 13 units: 162.50."""
        who, subscription = await subscribe(seller, seats(seller, "10", prorated=True))
        await kit.advance(seller, "2025-04-16T10:00")
        await change(seller, subscription, "16")
        await kit.advance(seller, "2025-05-01T01:00")
        assert await fixed_fees(seller, who) == [[("16.0", 16250)]]

    async def test_deferred_units_count_from_the_next_period_on(self, seller):
        """§13.2: 10 in April, whatever was asked for; 16 in May."""
        who, subscription = await subscribe(seller, seats(seller, "10"))
        await kit.advance(seller, "2025-04-16T10:00")
        assert (await change(seller, subscription, "16", immediately=False))["units"] == "16.0"
        await kit.advance(seller, "2025-06-01T01:00")
        assert await fixed_fees(seller, who) == [[("10.0", 12500)], [("16.0", 20000)]]

    @pytest.mark.parametrize(("prorated", "cents"), [(True, 5000), (False, 12500)])
    async def test_an_end_bills_the_elapsed_days_of_prorated_units(self, seller, prorated, cents):
        """§13.3: 10 units for 12 of 30 days are 4: 50.00; and in full where they are not prorated."""
        who, subscription = await subscribe(seller, seats(seller, "10", prorated=prorated))
        await kit.advance(seller, "2025-04-12T10:00")
        await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}")
        assert await fixed_fees(seller, who) == [[("10.0", cents)]]


class TestInAdvance:
    @pytest.mark.parametrize(("prorated", "cents"), [(True, 6250), (False, 12500)])
    async def test_a_start_within_a_period(self, seller, prorated, cents):
        """§13.3: from the 16th, 15 of 30 days of 125.00 if prorated, else all of it; then each period in full."""
        await kit.advance(seller, "2025-04-16T10:00")
        fixed = seats(seller, "10", pay_in_advance=True, prorated=prorated)
        who, _ = await subscribe(seller, fixed)
        await kit.advance(seller, "2025-05-01T01:00")
        assert await fixed_fees(seller, who) == [[("10.0", cents)], [("10.0", 12500)]]

    async def test_more_units_are_invoiced_at_once_for_the_days_left(self, seller):
        """§17.9: 6 more on the 16th are 6 × 15/30 × 12.50 = 37.50."""
        who, subscription = await subscribe(seller, seats(seller, "10", pay_in_advance=True, prorated=True))
        await kit.advance(seller, "2025-04-16T23:00")
        await change(seller, subscription, "16")
        assert await fixed_fees(seller, who) == [[("10.0", 12500)], [("6.0", 3750)]]

    async def test_days_left_are_local_ones(self, seller):
        """§13.3 (mended): at 23:00 UTC on the 16th it is the 17th in Tokyo: 14 of 30 days of 6 × 12.50 are 35.00."""
        sold = await kit.plan(seller, fixed_charges=[seats(seller, "10", pay_in_advance=True, prorated=True)])
        who = await kit.customer(seller, timezone="Asia/Tokyo")
        subscription = await kit.subscribe(seller, who, sold)
        await kit.advance(seller, "2025-04-16T23:00")
        await change(seller, subscription, "16")
        assert (await fixed_fees(seller, who))[1] == [("6.0", 3500)]

    async def test_more_units_are_priced_where_the_tiers_stand(self, seller):
        """§13.3 (mended): 8 cost 50.00, 12 cost 71.00: the difference, and no first flat amount again."""
        fixed = seats(
            seller,
            "8",
            pay_in_advance=True,
            charge_model="graduated",
            properties={"graduated_ranges": TIERS},
        )
        who, subscription = await subscribe(seller, fixed)
        await kit.advance(seller, "2025-04-16T10:00")
        await change(seller, subscription, "12")
        assert await fixed_fees(seller, who) == [[("8.0", 5000)], [("4.0", 2100)]]

    async def test_fewer_units_are_no_refund_and_count_from_the_next_period_on(self, seller):
        who, subscription = await subscribe(seller, seats(seller, "10", pay_in_advance=True))
        await kit.advance(seller, "2025-04-16T10:00")
        await change(seller, subscription, "4")
        await kit.advance(seller, "2025-05-01T01:00")
        assert await fixed_fees(seller, who) == [[("10.0", 12500)], [("0.0", 0)], [("4.0", 5000)]]

    @pytest.mark.parametrize(("price", "cents"), [("12.50", 0), ("20", 3750)])
    async def test_an_upgrade_takes_off_what_was_paid_for_its_days(self, seller, price, cents):
        """§13.3: 15 of 30 days of 125.00 were paid; of 10 × 20 × 15/30 = 100.00 they leave 37.50, of 62.50 nothing."""
        fixed = seats(seller, "10", pay_in_advance=True, prorated=True)
        who, subscription = await subscribe(seller, fixed, amount_cents=1000)
        dearer = await kit.plan(
            seller, amount_cents=2000, fixed_charges=[fixed | {"properties": {"amount": price}}]
        )
        await kit.advance(seller, "2025-04-16T10:00")
        await kit.subscribe(seller, who, dearer, external_id=subscription["external_id"])
        assert (await fixed_fees(seller, who))[1] == [("10.0", cents)]

    async def test_a_second_upgrade_takes_off_what_the_first_one_did(self, seller):
        """§13.3 (mended): 125.00 paid for April; 62.50 of them for the 15 days from the 16th, 25.00 for the 6 from the 25th.

        Of 20.00 a unit the first upgrade leaves 37.50; of 25.00 a unit 50.00 are due for 6 days, of which 40.00 are paid.
        """
        fixed = seats(seller, "10", pay_in_advance=True, prorated=True)
        who, subscription = await subscribe(seller, fixed, amount_cents=1000)
        for day, cents, price in (16, 2000, "20"), (25, 3000, "25"):
            dearer = fixed | {"properties": {"amount": price}}
            to = await kit.plan(seller, amount_cents=cents, fixed_charges=[dearer])
            await kit.advance(seller, f"2025-04-{day}T10:00")
            await kit.subscribe(seller, who, to, external_id=subscription["external_id"])
        assert await fixed_fees(seller, who) == [[("10.0", 12500)], [("10.0", 3750)], [("10.0", 1000)]]

    async def test_an_upgrade_takes_it_off_once_where_charges_share_an_add_on(self, seller):
        """§13.3 (mended): the 62.50 paid for the days left cover 12.50 of one, 50.00 of the other: 12.50 are due."""
        fixed = seats(seller, "10", pay_in_advance=True, prorated=True)
        who, subscription = await subscribe(seller, fixed, amount_cents=1000)
        fixed_charges = [fixed | {"units": "2"}, fixed | {"code": "more"}]
        dearer = await kit.plan(seller, amount_cents=2000, fixed_charges=fixed_charges)
        await kit.advance(seller, "2025-04-16T10:00")
        await kit.subscribe(seller, who, dearer, external_id=subscription["external_id"])
        assert sorted((await fixed_fees(seller, who))[1]) == [("10.0", 1250), ("2.0", 0)]

    async def test_they_are_billed_at_the_start_in_whatever_month_a_year_is_begun(self, seller):
        """Subscriptions §3.5 (mended): charges by the month, fixed charges by the year, begun in April."""
        who, _ = await subscribe(
            seller, seats(seller, "1", pay_in_advance=True), interval="yearly", bill_charges_monthly=True
        )
        await kit.advance(seller, "2026-01-01T01:00")
        billed = [fees for fees in await fixed_fees(seller, who) if fees]
        assert billed == [[("1.0", 1250)], [("1.0", 1250)]]

    async def test_a_trial_does_not_suspend_them_and_its_end_does_not_bill_them_again(self, seller):
        """Subscriptions §4.5: 10 days of trial, then 20 of 30 days of 30.00."""
        who, _ = await subscribe(
            seller,
            seats(seller, "1", pay_in_advance=True),
            amount_cents=3000,
            pay_in_advance=True,
            trial_period=10,
        )
        await kit.advance(seller, "2025-04-12")
        found = await kit.invoices(seller, who)
        assert [[(f["item"]["type"], f["amount_cents"]) for f in one["fees"]] for one in found] == [
            [("fixed_charge", 1250)],
            [("subscription", 2000)],
        ]


async def test_units_of_a_subscription_shield_it_from_its_plans(seller):
    """§13.3: the plan's new units reach the other subscription only."""
    sold = await kit.plan(seller, fixed_charges=[seats(seller, "10")])
    payers = [await kit.customer(seller) for _ in range(2)]
    first, _ = [await kit.subscribe(seller, who, sold) for who in payers]
    await change(seller, first, "2")
    body = {"fixed_charge": {"units": "3", "apply_units_immediately": True}}
    await kit.call(seller, "PUT", f"/plans/{sold['code']}/fixed_charges/seats", body)
    await kit.advance(seller, "2025-05-01T01:00")
    assert [await fixed_fees(seller, who) for who in payers] == [[[("2.0", 2500)]], [[("3.0", 3750)]]]


async def test_a_draft_keeps_what_was_paid_in_advance_when_units_change_meanwhile(seller):
    """§13.3, invoicing §6: 10 seats wait as a draft of 1 May; 6 more on the 2nd are billed at once, and only once."""
    who, subscription = await subscribe(seller, seats(seller, "10", pay_in_advance=True))
    await kit.customer(
        seller, external_id=who["external_id"], billing_configuration={"invoice_grace_period": 3}
    )
    await kit.advance(seller, "2025-05-02T10:00")
    await change(seller, subscription, "16")
    await kit.advance(seller, "2025-05-05")
    assert [invoice["status"] for invoice in await kit.invoices(seller, who)] == ["finalized"] * 3
    assert await fixed_fees(seller, who) == [[("10.0", 12500)], [("10.0", 12500)], [("6.0", 7500)]]


@pytest.mark.parametrize("ends", ["upgrade", "termination"])
async def test_a_draft_keeps_what_was_paid_in_advance_though_its_subscription_ends(seller, ends):
    """3 at 12.50 for 20 of 30 days, from 11 April on: 25.00, which an end two days later does not make fewer days."""
    await kit.advance(seller, "2025-04-11T06:00")
    sold = await kit.plan(
        seller, pay_in_advance=True, fixed_charges=[seats(seller, "3", pay_in_advance=True, prorated=True)]
    )
    dear = await kit.plan(seller, amount_cents=100)
    who = await kit.customer(seller, billing_configuration={"invoice_grace_period": 3})
    subscription = await kit.subscribe(seller, who, sold)
    await kit.advance(seller, "2025-04-13T10:00")
    if ends == "upgrade":
        await kit.subscribe(seller, who, dear, external_id=subscription["external_id"])
    else:
        await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}")
    await kit.advance(seller, "2025-04-14T01:00")
    first, *_ = await kit.invoices(seller, who)
    assert (first["status"], (await fixed_fees(seller, who))[0]) == ("finalized", [("3.0", 2500)])
