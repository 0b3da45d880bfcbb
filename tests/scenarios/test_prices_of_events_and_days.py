"""Charges in advance and by the day, sentence by sentence (pricing §8 to §10). Prices in EUR, no taxes unless said."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    client = (await make_organization("2026-06-01T00:00:00Z")).client
    client.who = await kit.customer(client)
    return client


async def sold(seller, metric, model="standard", properties=None, code="p", **more):
    """A subscription `s` to a free plan with one charge, paid in advance unless said otherwise."""
    price = kit.charge(metric, model, **(properties or {}))
    charge = {**price, "code": "use", "pay_in_advance": True, **more}
    plan = await kit.plan(seller, charge, code=code)
    await kit.subscribe(seller, seller.who, plan, external_id="s")
    return plan


async def use(seller, metric, value, when=None, **properties):
    """Send one event, and return the fee that it made, if any."""
    body = {
        "transaction_id": f"t{len(await charge_fees(seller))}_{value}_{properties}_{when}",
        "external_subscription_id": "s",
        "code": metric["code"],
        "properties": {"value": value, **properties},
    }
    if when is not None:
        body["timestamp"] = kit.epoch(when)
    await kit.post(seller, "/events", {"event": body})
    made = [fee for fee in await charge_fees(seller) if fee["event_transaction_id"] == body["transaction_id"]]
    return made[0] if made else None


async def charge_fees(seller):
    return (await kit.get(seller, "/fees", fee_type="charge", per_page=100))["fees"]


def tiers(first, second, key="graduated_ranges", price="per_unit_amount"):
    return {
        key: [
            {"from_value": 0, "to_value": 10, price: first, "flat_amount": "5"},
            {"from_value": 11, "to_value": None, price: second, "flat_amount": "3"},
        ]
    }


class TestOneEvent:
    """§8.1."""

    async def test_what_its_fee_says(self, seller):
        """Metering §8.4: one event, its units as the total, its values as the group, the period that holds it."""
        metric = await kit.metric(seller, filters=[{"key": "region", "values": ["eu"]}])
        price = {"amount": "2", "pricing_group_keys": ["team", "seat"]}
        eu = {"properties": price, "values": {"region": ["eu"]}}
        await sold(seller, metric, properties=price, filters=[eu], invoiceable=False)
        fees = [await use(seller, metric, 3, region=region, team="red") for region in ("eu", "us")]
        shown = (
            "units",
            "total_aggregated_units",
            "events_count",
            "amount_cents",
            "pay_in_advance",
            "payment_status",
        )
        for fee in fees:
            assert [fee[name] for name in shown] == ["3.0", "3.0", 1, 600, True, "pending"]
            assert fee["item"]["grouped_by"] == {"team": "red", "seat": None}
            assert (fee["item"]["type"], fee["lago_invoice_id"]) == ("charge", None)
            assert (fee["from_date"][:19], fee["to_date"][:19]) == (
                "2026-06-01T00:00:00",
                "2026-06-30T23:59:59",
            )
        assert [fee["lago_charge_filter_id"] is None for fee in fees] == [False, True]

    async def test_metric_rounding_is_not_applied(self, seller):
        """1.4 units at 10.00 are 14.00, though the metric rounds to whole units; the estimate of one more says the same."""
        metric = await kit.metric(seller, rounding_function="round", rounding_precision=0)
        await sold(seller, metric, properties={"amount": "10"})
        fee = await use(seller, metric, 1.4)
        assert (fee["units"], fee["amount_cents"]) == ("1.4", 1400)
        asked = {
            "code": metric["code"],
            "external_subscription_id": "s",
            "properties": {"value": 1.4},
        }
        (told,) = (await kit.post(seller, "/events/estimate_fees", {"event": asked}))["fees"]
        assert (told["units"], told["amount_cents"]) == ("1.4", 1400)

    async def test_the_first_flat_amount_is_paid_once_in_each_filter_and_group(self, seller):
        """1.00 a unit and 5.00 for the first tier, in the filter `eu` and in the rest, for each team apart."""
        metric = await kit.metric(seller, filters=[{"key": "region", "values": ["eu", "us"]}])
        price = {**tiers("1", "2"), "pricing_group_keys": ["team"]}
        one = {"values": {"region": ["eu"]}, "properties": price}
        await sold(seller, metric, "graduated", price, filters=[one])
        made = [
            (await use(seller, metric, 1, "2026-06-01", **where))["amount_cents"]
            for where in (
                {"region": "eu", "team": "a"},
                {"region": "eu", "team": "b"},
                {"region": "us", "team": "a"},
                {"team": "a"},
            )
        ]
        again = await use(seller, metric, 2, "2026-06-01", region="eu", team="a")
        # `us` and no region are one bucket: that of what no filter has.
        assert (made, again["amount_cents"]) == ([600, 600, 600, 100], 200)

    async def test_a_graduated_percentage_pays_its_first_flat_amount_with_the_first_event(self, seller):
        """2 % of 8 and 5.00; then 2 % of 2, 1 % of 5, and 3.00 for the second tier."""
        metric = await kit.metric(seller)
        ranges = tiers("2", "1", "graduated_percentage_ranges", "rate")
        await sold(seller, metric, "graduated_percentage", ranges)
        made = [(await use(seller, metric, units))["amount_cents"] for units in (8, 7)]
        assert made == [516, 309]

    async def test_the_unit_amount_is_of_the_rounded_amount(self, seller):
        """3 units at 0.333 are 0.999, so 1.00, a third of it each; 2 at 0.001 are nothing each."""
        metric = await kit.metric(seller)
        await sold(seller, metric, properties={"amount": "0.333"})
        fee = await use(seller, metric, 3)
        assert (fee["amount_cents"], fee["precise_amount"]) == (100, "0.999")
        assert fee["precise_unit_amount"] == "0.333333333333333"
        assert fee["amount_details"] == {}
        small = await use(seller, metric, 0.003)
        assert (small["amount_cents"], small["precise_amount"], small["precise_unit_amount"]) == (
            0,
            "0.000999",
            "0.0",
        )

    async def test_details_are_what_the_event_adds_at_the_rates_of_all(self, seller):
        """1.5 % and 0.25 an event, the first one free: the second of 40 adds 0.60 and 0.25."""
        metric = await kit.metric(seller)
        terms = {"rate": "1.5", "fixed_amount": "0.25", "free_units_per_events": 1}
        await sold(seller, metric, "percentage", terms)
        first, second = await use(seller, metric, 100), await use(seller, metric, 40)
        assert (first["amount_cents"], second["amount_cents"]) == (0, 85)
        details = second["amount_details"]
        assert (details["rate"], details["per_unit_total_amount"], details["fixed_fee_total_amount"]) == (
            "1.5",
            "0.6",
            "0.25",
        )
        assert details["fixed_fee_unit_amount"] == "0.25"

    @pytest.mark.parametrize(
        ("aggregation", "properties", "is_billed"),
        [
            ("sum_agg", {}, False),
            ("sum_agg", {"value": None}, False),
            ("unique_count_agg", {"value": " "}, False),
            ("count_agg", {}, True),
        ],
    )
    async def test_an_event_without_the_field_makes_no_fee(self, seller, aggregation, properties, is_billed):
        metric = await kit.metric(seller, aggregation)
        await sold(seller, metric)
        event = {"transaction_id": "t", "external_subscription_id": "s", "code": metric["code"]}
        await kit.post(seller, "/events", {"event": {**event, "properties": properties}})
        assert [fee["amount_cents"] for fee in await charge_fees(seller)] == ([100] if is_billed else [])


class TestInvoices:
    """§8.2."""

    async def test_everything_is_taken_off_that_an_invoice_can_take_off(self, seller):
        """10.00, less 10 %: 9.00, with 20 % 10.80; a wallet pays 4.00 of it."""
        await kit.tax(seller, "20")
        coupon = {
            "name": "c", "code": "c", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "forever",
            "expiration": "no_expiration",
        }  # fmt: skip
        await kit.post(seller, "/coupons", {"coupon": coupon})
        given = {"external_customer_id": seller.who["external_id"], "coupon_code": "c"}
        await kit.post(seller, "/applied_coupons", {"applied_coupon": given})
        wallet = {
            "external_customer_id": seller.who["external_id"],
            "rate_amount": "1",
            "currency": "EUR",
            "granted_credits": "4",
        }
        await kit.post(seller, "/wallets", {"wallet": wallet})
        metric = await kit.metric(seller)
        await sold(seller, metric, properties={"amount": "10"})
        await use(seller, metric, 1)
        (invoice,) = await kit.invoices(seller, seller.who)
        amounts = ("coupons", "taxes", "prepaid_credit", "total")
        assert [invoice[f"{name}_amount_cents"] for name in amounts] == [100, 180, 400, 680]

    @pytest.mark.parametrize(("setting", "seen"), [("finalize", [0]), ("skip", [])])
    async def test_of_nothing_the_setting_decides(self, seller, setting, seen):
        who = {"external_id": seller.who["external_id"], "finalize_zero_amount_invoice": setting}
        await kit.post(seller, "/customers", {"customer": who})
        metric = await kit.metric(seller)
        await sold(seller, metric)
        await use(seller, metric, 0)
        made = await kit.invoices(seller, seller.who)
        assert [invoice["total_amount_cents"] for invoice in made] == seen

    async def test_a_renewal_shows_the_period_that_begins(self, seller):
        """5 carried units at 2.00 are billed for July when June ends, on a plan in arrears too."""
        metric = await kit.metric(seller, recurring=True)
        await sold(seller, metric, properties={"amount": "2"})
        await use(seller, metric, 5)
        await kit.advance(seller, "2026-07-01T00:10")
        renewal = (await charge_fees(seller))[-1]
        assert (renewal["amount_cents"], renewal["from_date"][:10], renewal["to_date"][:10]) == (
            1000,
            "2026-07-01",
            "2026-07-31",
        )


class TestDays:
    """§9: 10 units before June, 6 more on 11 June, at 3.00 a unit and month; June has 30 days."""

    @pytest.fixture
    async def seats(self, make_organization):
        client = (await make_organization("2026-05-01T00:00:00Z")).client
        client.who = await kit.customer(client)
        client.metric = await kit.metric(client, recurring=True)
        charge = {**kit.charge(client.metric, amount="3"), "prorated": True}
        await kit.plan(client, charge, code="basic", amount_cents=100)
        await kit.plan(client, charge, code="dear", amount_cents=200)
        await kit.plan(client, charge, code="cheap", amount_cents=50)
        await kit.subscribe(client, client.who, {"code": "basic"}, external_id="s")
        await kit.send(client, {"external_id": "s"}, client.metric, 10)
        await kit.advance(client, "2026-06-11T12:00")
        await kit.send(client, {"external_id": "s"}, client.metric, 6)
        return client

    async def usage_of(self, seats):
        return [(fee["units"], fee["amount_cents"]) for fee in (await charge_fees(seats))[1:]]

    async def test_a_period(self, seats):
        """10 + 6 x 20/30 = 14; shown are 16."""
        await kit.advance(seats, "2026-07-01T00:10")
        assert await self.usage_of(seats) == [("16.0", 4200)]

    async def test_an_end_counts_its_day(self, seats):
        """On the 20th: 10 x 20/30 + 6 x 10/30 = 8.66667, at 3.00 26.00."""
        await kit.advance(seats, "2026-06-20T12:00")
        await kit.call(seats, "DELETE", "/subscriptions/s")
        assert await self.usage_of(seats) == [("16.0", 2600)]

    async def test_an_upgrade_takes_its_day_off_what_was_carried(self, seats):
        """10 x 19/30 + 6 x 10/30 = 8.33334: 25.00; then 16 x 11/30 = 5.86667: 17.60."""
        await kit.advance(seats, "2026-06-20T12:00")
        await kit.subscribe(seats, seats.who, {"code": "dear"}, external_id="s")
        assert await self.usage_of(seats) == [("16.0", 2500)]
        await kit.advance(seats, "2026-07-01T00:10")
        assert await self.usage_of(seats) == [("16.0", 2500), ("16.0", 1760)]

    async def test_a_downgrade_has_whole_periods_on_both_sides(self, seats):
        """14 for June; 16 for July, all of it carried."""
        await kit.subscribe(seats, seats.who, {"code": "cheap"}, external_id="s")
        await kit.advance(seats, "2026-08-01T00:10")
        assert await self.usage_of(seats) == [("16.0", 4200), ("16.0", 4800)]

    async def test_what_is_taken_back_counts_for_the_days_left(self, seats):
        """-4 on 21 June takes off 4 x 10/30: 12.66667 units, 38.00; shown are 12."""
        await kit.advance(seats, "2026-06-21T09:00")
        await kit.send(seats, {"external_id": "s"}, seats.metric, -4)
        await kit.advance(seats, "2026-07-01T00:10")
        assert await self.usage_of(seats) == [("12.0", 3800)]

    async def test_a_late_event_is_in_what_is_carried(self, seats):
        """3 of 31 May that come when May is billed: 13 + 6 x 20/30 = 17, at 3.00 51.00."""
        await kit.send(
            seats, {"external_id": "s"}, seats.metric, 3, timestamp=kit.epoch("2026-05-31T23:59:59")
        )
        await kit.advance(seats, "2026-07-01T00:10")
        assert await self.usage_of(seats) == [("19.0", 5100)]


class TestMinimums:
    """§10."""

    @pytest.fixture
    async def floor(self, make_organization):
        """At least 90.00 a month of 30 days, from 1 April 2026 on."""
        client = (await make_organization("2026-04-01T00:00:00Z")).client
        client.who = await kit.customer(client)
        client.metric = await kit.metric(client)
        charge = {**kit.charge(client.metric, amount="1"), "min_amount_cents": 9000, "code": "use"}
        await kit.plan(client, charge, code="basic", amount_cents=100)
        await kit.plan(client, code="dear", amount_cents=200)
        await kit.subscribe(client, client.who, {"code": "basic"}, external_id="s")
        return client

    async def test_is_due_without_usage_beside_a_fee_of_nothing(self, floor):
        await kit.advance(floor, "2026-05-01T00:10")
        parent, true_up = sorted(await charge_fees(floor), key=lambda fee: fee["amount_cents"])
        assert (parent["units"], parent["amount_cents"], parent["events_count"]) == ("0.0", 0, 0)
        assert (true_up["units"], true_up["amount_cents"], true_up["events_count"]) == ("1.0", 9000, 0)
        assert true_up["lago_true_up_parent_fee_id"] == parent["lago_id"]
        assert parent["lago_true_up_fee_id"] == true_up["lago_id"]

    async def test_an_upgrade_counts_a_day_less(self, floor):
        """On 16 April 15 days count: 45.00, of which 12.00 were used."""
        await kit.send(floor, {"external_id": "s"}, floor.metric, 12)
        await kit.advance(floor, "2026-04-16T10:00")
        await kit.subscribe(floor, floor.who, {"code": "dear"}, external_id="s")
        assert sorted(fee["amount_cents"] for fee in await charge_fees(floor)) == [1200, 3300]

    async def test_an_end_counts_its_day(self, floor):
        """On 16 April 16 days count: 48.00."""
        await kit.advance(floor, "2026-04-16T10:00")
        await kit.call(floor, "DELETE", "/subscriptions/s")
        assert sorted(fee["amount_cents"] for fee in await charge_fees(floor)) == [0, 4800]

    async def test_usage_shown_has_none(self, floor):
        used = await kit.usage(floor, floor.who, {"external_id": "s"})
        assert used["amount_cents"] == 0
