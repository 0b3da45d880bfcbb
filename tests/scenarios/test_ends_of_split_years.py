"""Ends on the first day of a month of a plan that bills less than all by the month (subscriptions §3.4 to §3.6): 2025, years of 365.00."""

import pytest
from tests import kit

YEAR = {"interval": "yearly", "amount_cents": 36500}


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-01-01T00:00:00Z")
    body = {"name": "Seats", "code": "seats", "amount_cents": 1, "amount_currency": "EUR"}
    made.client.seats = (await kit.post(made.client, "/add_ons", {"add_on": body}))["add_on"]["lago_id"]
    made.client.metric = await kit.metric(made.client)
    made.client.who = await kit.customer(made.client)
    return made.client


async def subscribe(seller, *, ending_at=None, prorated=True, **plan):
    """Ten seats at 3.10, and units at 2.00."""
    fixed = {
        "add_on_id": seller.seats,
        "code": "seats",
        "charge_model": "standard",
        "units": "10",
        "prorated": prorated,
        "properties": {"amount": "3.10"},
    }
    sold = await kit.plan(seller, kit.charge(seller.metric, amount="2"), fixed_charges=[fixed], **YEAR | plan)
    more = {"ending_at": ending_at} if ending_at else {}
    return await kit.subscribe(seller, seller.who, sold, external_id="s", **more)


async def fees(seller):
    """The cents of each kind of fee, by invoice, oldest first."""
    return [
        {fee["item"]["type"]: fee["amount_cents"] for fee in invoice["fees"]}
        for invoice in await kit.invoices(seller, seller.who)
    ]


async def use(seller, units, when):
    await kit.send(seller, {"external_id": "s"}, seller.metric, units, timestamp=kit.epoch(when))


EARLY = ["ending", "2025-03-01T00:00", "2025-03-01T00:05"]
"""By its date, and by hand at the billing instant and before its invoice settles: nobody has billed February."""


async def end(seller, how, **plan):
    """Live until 1 March, or until a DELETE at some time of that day, and long past it; 7 units of January, 5 of February."""
    await subscribe(seller, ending_at="2025-03-01T18:00:00Z" if how == "ending" else None, **plan)
    await use(seller, 7, "2025-01-10T00:00:00")
    await kit.advance(seller, "2025-02-02")
    await use(seller, 5, "2025-02-01T10:00:00")
    if how != "ending":
        await kit.advance(seller, how)
        await kit.call(seller, "DELETE", "/subscriptions/s")
    await kit.advance(seller, "2025-05-02T00:10")


class TestWithFixedChargesByTheMonth:
    """The year's usage and base price run to the end and have the day it is on, 60 of 365; of seats February is billed."""

    @pytest.mark.parametrize("how", EARLY)
    async def test_the_month_that_ended_is_billed_whole_and_nothing_of_the_day(self, seller, how):
        await end(seller, how, bill_fixed_charges_monthly=True)
        assert await fees(seller) == [
            {"fixed_charge": 3100},
            {"subscription": 6000, "charge": 2400, "fixed_charge": 3100},
        ]

    @pytest.mark.parametrize("how", EARLY)
    async def test_of_a_plan_in_advance_too(self, seller, how):
        await end(seller, how, bill_fixed_charges_monthly=True, pay_in_advance=True)
        assert await fees(seller) == [
            {"subscription": 36500},
            {"fixed_charge": 3100},
            {"charge": 2400, "fixed_charge": 3100},
        ]

    async def test_of_a_half_year_too(self, seller):
        """60 of its 181 days of 181.00."""
        await end(
            seller, "ending", bill_fixed_charges_monthly=True, interval="semiannual", amount_cents=18100
        )
        assert (await fees(seller))[1] == {"subscription": 6000, "charge": 2400, "fixed_charge": 3100}

    @pytest.mark.parametrize(("prorated", "cents"), [(True, 100), (False, 3100)])
    async def test_once_that_has_its_invoice_the_day_is_billed(self, seller, prorated, cents):
        """1 of 31 days of 31.00; all of it where seats are not prorated (pricing §13.3)."""
        await end(seller, "2025-03-01T00:11", bill_fixed_charges_monthly=True, prorated=prorated)
        assert await fees(seller) == [
            {"fixed_charge": 3100},
            {"fixed_charge": 3100},
            {"subscription": 6000, "charge": 2400, "fixed_charge": cents},
        ]


class TestWithChargesByTheMonth:
    """Nothing of 1 March is billed, so the base price is of 31 + 28 = 59 days of the year, 1.00 each."""

    @pytest.mark.parametrize("how", EARLY)
    @pytest.mark.parametrize("seats_too", [True, False])
    async def test_the_base_price_is_of_the_year_up_to_the_end_of_that_month(self, seller, how, seats_too):
        await end(seller, how, bill_charges_monthly=True, bill_fixed_charges_monthly=seats_too)
        seats = {"fixed_charge": 3100} if seats_too else {}
        assert await fees(seller) == [
            {"charge": 1400, **seats},
            {"subscription": 5900, "charge": 1000, **seats},
        ]

    async def test_a_year_that_was_billed_is_not_billed_again(self, seller):
        """At the turn of the year 2025 is billed, of 2026 its first 59 days with the end."""
        await subscribe(seller, bill_charges_monthly=True, ending_at="2026-03-01T18:00:00Z")
        await kit.advance(seller, "2026-03-02")
        prices = [made["subscription"] for made in await fees(seller) if "subscription" in made]
        assert prices == [36500, 5900]

    async def test_the_end_of_a_year_bills_all_of_it(self, seller):
        await subscribe(seller, bill_charges_monthly=True, ending_at="2026-01-01T18:00:00Z")
        await kit.advance(seller, "2026-02-02")
        assert (await fees(seller))[-1]["subscription"] == 36500

    async def test_a_commitment_is_of_those_days(self, seller):
        """730.00 a year are 2.00 a day, 118.00 for 59 days, of which 59.00 and the usage of 24.00 were spent."""
        await end(seller, "ending", bill_charges_monthly=True, minimum_commitment={"amount_cents": 73000})
        assert (await fees(seller))[-1] == {"subscription": 5900, "charge": 1000, "commitment": 3500}

    async def test_once_that_has_its_invoice_the_day_is_billed(self, seller):
        await end(seller, "2025-03-01T09:00", bill_charges_monthly=True)
        assert (await fees(seller))[1:] == [{"charge": 1000}, {"subscription": 6000}]
