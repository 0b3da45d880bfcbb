"""The worked examples of metering §12 and pricing §17, from events to current usage, projections and invoices."""

import pytest
from tests import kit


async def sold(make_organization, of, *, starts, price=None, metric=None, **plan):
    """A seller whose clock stands at `starts`, a metric, a customer on a plan with one charge of it."""
    client = (await make_organization(starts)).client
    measured = await kit.metric(client, of, **(metric or {}))
    charge = {**kit.charge(measured, amount="1"), **(price or {})}
    offer = await kit.plan(client, charge, **plan)
    who = await kit.customer(client)
    return client, measured, who, await kit.subscribe(client, who, offer)


async def note(client, to, of, *events):
    """Events as (time, properties)."""
    for when, properties in events:
        await kit.send(client, to, of, 0, timestamp=kit.epoch(when), properties=properties)


def standard(amount, **more):
    return {"properties": {"amount": amount}, **more}


def numbers(item):
    return item["units"], item["amount_cents"], item["events_count"]


async def test_a_level_is_weighted_by_the_seconds_it_was_held(make_organization):
    """Metering E2: (12×10 + 20×10.5 + 15×9.5) / 30 = 15.75; at 2.00 31.50; the level of 15 is carried over."""
    client, metric, who, subscription = await sold(
        make_organization,
        "weighted_sum_agg",
        starts="2026-03-01T00:00:00Z",
        price=standard("2"),
        metric={"weighted_interval": "seconds", "recurring": True},
    )
    await kit.advance(client, "2026-04-22")
    await note(
        client,
        subscription,
        metric,
        ("2026-03-10", {"value": 12}),
        ("2026-04-11", {"value": 8}),
        ("2026-04-21T12:00", {"value": -5}),
    )
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    assert numbers(charge) == ("15.75", 3150, 2)
    assert charge["total_aggregated_units"] == "15.0"
    await kit.advance(client, "2026-05-02")
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    assert charge["units"] == "15.0"


@pytest.mark.parametrize(
    ("function", "precision", "units"), [("round", 2, "12.35"), ("floor", 1, "12.3"), ("ceil", -1, "20.0")]
)
async def test_units_are_rounded_by_the_metric(make_organization, function, precision, units):
    """Metering E10."""
    client, metric, who, subscription = await sold(
        make_organization,
        "sum_agg",
        starts="2026-05-01T00:00:00Z",
        metric={"rounding_function": function, "rounding_precision": precision},
    )
    await kit.send(client, subscription, metric, "12.345")
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    assert charge["units"] == units


async def test_each_event_counts_in_one_filter(make_organization):
    """Metering E9, and §13.5, §13.6: five buckets that add up to all 18 units."""
    client = (await make_organization("2026-05-01T00:00:00Z")).client
    keys = [{"key": "region", "values": ["eu", "us", "ap"]}, {"key": "tier", "values": ["gold", "std"]}]
    metric = await kit.metric(client, filters=keys)
    wanted = [
        {"region": ["__ALL_FILTER_VALUES__"]},
        {"region": ["eu"]},
        {"region": ["eu"], "tier": ["gold"]},
        {"tier": ["gold"]},
    ]
    filters = [{"values": values, "properties": {"amount": "1"}} for values in wanted]
    plan = await kit.plan(client, {**kit.charge(metric), "filters": filters})
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    day = "2026-05-01"
    await note(
        client,
        subscription,
        metric,
        (day, {"region": "eu", "tier": "gold", "value": 5}),
        (day, {"region": "us", "tier": "gold", "value": 7}),
        (day, {"region": "eu", "tier": "std", "value": 2}),
        (day, {"region": "mars", "tier": "std", "value": 3}),
        (day, {"value": 1}),
    )
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    found = [(item["values"], item["units"]) for item in charge["filters"]]
    assert found == [*zip(wanted, ["0.0", "2.0", "5.0", "7.0"], strict=True), (None, "4.0")]
    assert charge["amount_cents"] == sum(item["amount_cents"] for item in charge["filters"]) == 1800


class TestProrated:
    """Metering E4, E5, E6 and pricing §17.6: what recurs is priced by the day and shown in full."""

    @pytest.mark.parametrize(
        ("of", "amount", "starts", "until", "events", "expected"),
        [
            pytest.param(
                "unique_count_agg",
                "10",
                "2026-02-01",
                "2026-05-20",
                [
                    ("2026-03-03", {"value": "A"}),
                    ("2026-05-12", {"value": "B"}),
                    ("2026-04-20", {"value": "C"}),
                    ("2026-05-05", {"value": "C", "operation_type": "remove"}),
                    ("2026-05-08T07:00", {"value": "D"}),
                    ("2026-05-08T09:00", {"value": "D", "operation_type": "remove"}),
                    ("2026-05-10", {"value": "D"}),
                    ("2026-02-01", {"value": "E"}),
                    ("2026-02-11", {"value": "E", "operation_type": "remove"}),
                ],
                ("3.0", 2548),
                id="E4",
            ),
            pytest.param(
                "sum_agg",
                "1.5",
                "2026-04-01",
                "2026-05-26",
                [("2026-04-05", {"value": 40}), ("2026-05-10", {"value": 12}), ("2026-05-25", {"value": -3})],
                ("49.0", 7176),
                id="E5",
            ),
            pytest.param(
                "sum_agg",
                "1000",
                "2026-01-01",
                "2026-01-20",
                [("2026-01-15", {"value": 31})],
                ("31.0", 1700000),
                id="E6",
            ),
            pytest.param(
                "sum_agg",
                "9",
                "2026-03-01",
                "2026-04-22",
                [("2026-03-05", {"value": 8}), ("2026-04-11", {"value": 4}), ("2026-04-21", {"value": -2})],
                ("10.0", 9000),
                id="pricing §17.6",
            ),
        ],
    )
    async def test_by_the_day(self, make_organization, of, amount, starts, until, events, expected):
        client, metric, who, subscription = await sold(
            make_organization,
            of,
            starts=f"{starts}T00:00:00Z",
            price=standard(amount, prorated=True),
            metric={"recurring": True},
        )
        await kit.advance(client, until)
        await note(client, subscription, metric, *events)
        (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
        assert (charge["units"], charge["amount_cents"]) == expected

    async def test_graduated(self, make_organization):
        """Pricing §17.6: 8×6 + 20/30 (2×6 + 2×4) − 10/30 (2×4) = 58.6667; the flat amounts of both tiers: 61.67."""
        tiers = [
            {"from_value": 0, "to_value": 10, "per_unit_amount": "6", "flat_amount": "2"},
            {"from_value": 11, "to_value": None, "per_unit_amount": "4", "flat_amount": "1"},
        ]
        client, metric, who, subscription = await sold(
            make_organization,
            "sum_agg",
            starts="2026-03-01T00:00:00Z",
            price={"charge_model": "graduated", "properties": {"graduated_ranges": tiers}, "prorated": True},
            metric={"recurring": True},
        )
        await kit.advance(client, "2026-04-22")
        await note(
            client,
            subscription,
            metric,
            ("2026-03-05", {"value": 8}),
            ("2026-04-11", {"value": 4}),
            ("2026-04-21", {"value": -2}),
        )
        (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
        assert (charge["units"], charge["amount_cents"]) == ("10.0", 6167)


async def test_usage_at_the_last_instant_is_what_the_invoice_bills(make_organization):
    """Metering §13.13, with a minimum (pricing §17.7): 90.00 for 21 of 30 days is 63.00; 41.60 used, 21.40 more."""
    client, metric, who, subscription = await sold(
        make_organization,
        "sum_agg",
        starts="2026-06-10T00:00:00Z",
        price=standard("0.1", min_amount_cents=9000),
    )
    await kit.send(client, subscription, metric, 416)
    await kit.advance(client, "2026-06-30T23:59:59")
    usage = await kit.usage(client, who, subscription)
    assert usage["amount_cents"] == 4160
    await kit.advance(client, "2026-07-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    charges = [fee for fee in invoice["fees"] if fee["item"]["type"] == "charge"]
    assert sorted(fee["amount_cents"] for fee in charges) == [2140, 4160]
    parent, true_up = sorted(charges, key=lambda fee: fee["lago_true_up_parent_fee_id"] is not None)
    assert true_up["lago_true_up_parent_fee_id"] == parent["lago_id"]


async def test_groups_and_breakdowns_change_no_units(make_organization):
    """Metering §13.4, §13.6, §13.7: 2 + 3 + 4 whoever asks; a breakdown adds up to its group's units."""
    client, metric, who, subscription = await sold(
        make_organization,
        "sum_agg",
        starts="2026-06-01T00:00:00Z",
        price={
            "properties": {
                "amount": "0.005",
                "pricing_group_keys": ["team"],
                "presentation_group_keys": [{"value": "user"}],
            }
        },
    )
    day = "2026-06-01"
    await note(
        client,
        subscription,
        metric,
        (day, {"team": "a", "user": "x", "value": 2}),
        (day, {"team": "a", "user": "y", "value": 3}),
        (day, {"user": "x", "value": 4}),
    )
    (charge,) = (await kit.usage(client, who, subscription))["charges_usage"]
    # 0.025 and 0.02 are rounded before they are summed: 3 + 2.
    assert (charge["units"], charge["amount_cents"]) == ("9.0", 5)
    groups = {item["grouped_by"]["team"]: item for item in charge["grouped_usage"]}
    assert {team: numbers(item) for team, item in groups.items()} == {"a": ("5.0", 3, 2), None: ("4.0", 2, 1)}
    by_user = {
        item["presentation_by"]["user"]: item["units"] for item in groups["a"]["presentation_breakdowns"]
    }
    assert by_user == {"x": "2.0", "y": "3.0"}
    (plain,) = (await kit.usage(client, who, subscription, skip_grouping="true"))["charges_usage"]
    assert (plain["units"], plain["amount_cents"], plain["grouped_usage"]) == ("9.0", 5, [])


async def test_filters_and_groups_break_down_side_by_side(make_organization):
    """Metering §7.2: each bucket has pricing keys of its own, and the units of each line are broken down by its rest."""
    client, metric, who, subscription = await sold(
        make_organization,
        "sum_agg",
        starts="2026-06-01T00:00:00Z",
        metric={"filters": [{"key": "region", "values": ["eu"]}]},
        price={
            "properties": {
                "amount": "1",
                "pricing_group_keys": ["team"],
                "presentation_group_keys": [{"value": "user", "options": {"display_in_invoice": True}}],
            },
            "filters": [{"values": {"region": ["eu"]}, "properties": {"amount": "2"}}],
        },
    )
    day = "2026-06-01"
    await note(
        client,
        subscription,
        metric,
        (day, {"region": "eu", "team": "a", "user": "x", "value": 2}),
        (day, {"region": "eu", "team": "b", "user": "x", "value": 1}),
        (day, {"team": "a", "user": "x", "value": 4}),
        (day, {"team": "a", "user": "y", "value": 5}),
    )
    await kit.advance(client, "2026-07-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    fees = [fee for fee in invoice["fees"] if fee["item"]["type"] == "charge"]
    shown = [
        (
            fee["item"]["grouped_by"],
            fee["amount_cents"],
            [(row["presentation_by"]["user"], row["units"]) for row in fee["presentation_breakdowns"]],
        )
        for fee in fees
    ]
    assert sorted(shown, key=str) == [
        ({"team": "a"}, 900, [("x", "4.0"), ("y", "5.0")]),
        ({}, 600, [("x", "3.0")]),
    ]


class TestProjected:
    """Metering §9.2."""

    async def projected(self, client, who, subscription, **query):
        path = f"/customers/{who['external_id']}/projected_usage"
        query["external_subscription_id"] = subscription["external_id"]
        return (await kit.get(client, path, **query))["customer_projected_usage"]

    async def test_usage_goes_on_as_it_did(self, make_organization):
        """E11: 12 of 30 days, 100 units at 0.03: 250 units, 7.50."""
        client, metric, who, subscription = await sold(
            make_organization, "count_agg", starts="2026-06-01T00:00:00Z", price=standard("0.03")
        )
        await kit.send(client, subscription, metric, *range(100))
        await kit.advance(client, "2026-06-12T15:00")
        usage = await self.projected(client, who, subscription)
        assert (usage["amount_cents"], usage["projected_amount_cents"]) == (300, 750)
        (charge,) = usage["charges_usage"]
        assert (charge["units"], charge["projected_units"]) == ("100.0", "250.0")
        assert charge["projected_amount_cents"] == 750
        assert "total_aggregated_units" not in charge
        assert "code" not in charge["charge"]

    async def test_what_recurs_stays_as_it_is(self, make_organization):
        client, metric, who, subscription = await sold(
            make_organization, "sum_agg", starts="2026-06-01T00:00:00Z", metric={"recurring": True}
        )
        await kit.send(client, subscription, metric, 7)
        await kit.advance(client, "2026-06-12T15:00")
        (charge,) = (await self.projected(client, who, subscription))["charges_usage"]
        assert (charge["projected_units"], charge["projected_amount_cents"]) == ("7.0", 700)

    async def test_tiers_follow_the_projected_units_and_percentages_the_amount(self, make_organization):
        """At 12 of 30 days 40 units become 100: 50×1 + 50×0.5 + 3 flat = 78.00; 2 % of 40 is 0.80, and becomes 2.00."""
        tiers = [
            {"from_value": 0, "to_value": 50, "per_unit_amount": "1", "flat_amount": "3"},
            {"from_value": 51, "to_value": None, "per_unit_amount": "0.5", "flat_amount": "0"},
        ]
        client = (await make_organization("2026-06-01T00:00:00Z")).client
        metric = await kit.metric(client)
        plan = await kit.plan(
            client,
            kit.charge(metric, "graduated", graduated_ranges=tiers),
            kit.charge(metric, "percentage", rate="2"),
        )
        who = await kit.customer(client)
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, metric, 40)
        await kit.advance(client, "2026-06-12T15:00")
        usage = await self.projected(client, who, subscription)
        found = {
            item["charge"]["charge_model"]: item["projected_amount_cents"] for item in usage["charges_usage"]
        }
        assert found == {"graduated": 7800, "percentage": 200}
        assert usage["projected_amount_cents"] == 8000

    async def test_filters_and_groups_are_projected_too(self, make_organization):
        """A charge's projection is the sum over its buckets, the default one included, and their groups."""
        client = (await make_organization("2026-06-01T00:00:00Z")).client
        metric = await kit.metric(client, filters=[{"key": "region", "values": ["eu", "us"]}])
        filters = [
            {
                "values": {"region": ["eu"]},
                "properties": {"amount": "2", "pricing_group_keys": ["team"]},
            }
        ]
        plan = await kit.plan(client, {**kit.charge(metric, amount="1"), "filters": filters})
        who = await kit.customer(client)
        subscription = await kit.subscribe(client, who, plan)
        day = "2026-06-01"
        await note(
            client,
            subscription,
            metric,
            (day, {"region": "eu", "team": "a", "value": 4}),
            (day, {"region": "eu", "team": "b", "value": 2}),
            (day, {"region": "us", "value": 10}),
        )
        await kit.advance(client, "2026-06-12T15:00")
        (charge,) = (await self.projected(client, who, subscription))["charges_usage"]
        assert [(item["projected_units"], item["projected_amount_cents"]) for item in charge["filters"]] == [
            ("15.0", 3000),
            ("25.0", 2500),
        ]
        assert charge["projected_amount_cents"] == 5500
        groups = {str(item["grouped_by"]): item["projected_amount_cents"] for item in charge["grouped_usage"]}
        assert groups == {"{'team': 'a'}": 2000, "{'team': 'b'}": 1000, "{}": 2500}

    async def test_it_is_refused_as_current_usage_is(self, make_organization):
        client = (await make_organization("2026-06-01T00:00:00Z")).client
        answer = await kit.get(client, "/customers/nobody/projected_usage", expect=404)
        assert answer["code"] == "resource_not_found"
        who = await kit.customer(client)
        path = f"/customers/{who['external_id']}/projected_usage"
        assert (await kit.get(client, path, expect=405))["code"] == "no_active_subscription"
