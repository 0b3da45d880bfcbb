"""What a charge that is being edited would cost (ui §3.2): the rating of bills, at any units."""

from __future__ import annotations

from typing import Any

import pytest
from tests import kit
from tests.people import sign_up
from tests.rooms.test_people_rights import become

TIERS: list[dict[str, Any]] = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1.00", "flat_amount": "5.00"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.50", "flat_amount": "0"},
]
RATES: list[dict[str, Any]] = [
    {"from_value": 0, "to_value": 1000, "rate": "1", "flat_amount": "2"},
    {"from_value": 1001, "to_value": None, "rate": "0.5", "flat_amount": "0"},
]


@pytest.fixture(scope="module")
async def person(application):
    found = await sign_up(application)
    found.browser.headers["X-Lago-Organization"] = found.organization_id
    yield found
    await found.browser.aclose()


async def ask(person, model, properties, *units, expect=200, **more):
    """The points of a price, or what is wrong with it."""
    asked = {"charge_model": model, "properties": properties, "currency": "EUR", "units": list(units), **more}
    answer = await person.browser.post("/charge_prices", json={"charge_price": asked})
    assert answer.status_code == expect, answer.text
    return answer.json()["charge_price"]["points"] if expect == 200 else answer.json()["error_details"]


class TestAPrice:
    async def test_of_tiers_is_told_tier_by_tier(self, person):
        """The example of ui §11.4: ten at 1.00 and 5.00 flat, two at 0.50."""
        nothing, few, more = await ask(person, "graduated", {"graduated_ranges": TIERS}, "0", "10", "12")
        assert more["lines"] == [
            {
                "from_value": "0", "to_value": "10", "units": "10", "unit_amount": "1", "rate": None, "flat_amount": "5",
                "amount": "15",
            },
            {
                "from_value": "10", "to_value": None, "units": "2", "unit_amount": "0.5", "rate": None, "flat_amount": "0",
                "amount": "1",
            },
        ]  # fmt: skip
        assert (more["amount"], more["amount_cents"], more["unit_amount"]) == (
            "16.0",
            1600,
            "1.333333333333333",
        )
        assert [one["amount_cents"] for one in (nothing, few)] == [500, 1500]
        assert (more["package"], more["percentage"], more["saved"], more["difference_amount_cents"]) == (
            None,
        ) * 4

    async def test_of_rates_by_tiers(self, person):
        """1 % of 1,000 and 2.00 flat, 0.5 % of 500."""
        (point,) = await ask(person, "graduated_percentage", {"graduated_percentage_ranges": RATES}, "1500")
        assert [(line["rate"], line["unit_amount"], line["amount"]) for line in point["lines"]] == [
            ("1", None, "12"),
            ("0.5", None, "2.5"),
        ]
        assert point["amount_cents"] == 1450

    async def test_of_the_volume_is_that_of_the_tier_it_ends_in(self, person):
        ten, eleven = await ask(person, "volume", {"volume_ranges": TIERS}, "10", "11")
        assert [ten["amount_cents"], eleven["amount_cents"]] == [1500, 550]
        assert [len(ten["lines"]), len(eleven["lines"])] == [1, 1]

    async def test_of_packages_counts_those_that_are_opened(self, person):
        """31 units, ten of them free: three packages of ten at 5.00."""
        properties = {"amount": "5", "package_size": 10, "free_units": 10}
        free, paid = await ask(person, "package", properties, "10", "31")
        assert (free["amount_cents"], free["package"]["packages"]) == (0, 0)
        assert (paid["amount_cents"], paid["package"]) == (
            1500,
            {
                "free_units": "10.0",
                "paid_units": "21.0",
                "packages": 3,
                "package_size": 10,
                "package_amount": "5.0",
            },
        )

    @pytest.mark.parametrize(
        ("code", "amount", "cents"), [("EUR", "3.7035", 370), ("JPY", "3.7035", 4), ("KWD", "3.7035", 3704)]
    )
    async def test_is_exact_and_rounded_once_as_its_currency_is(self, person, code, amount, cents):
        (point,) = await ask(person, "standard", {"amount": "1.2345"}, "3", currency=code)
        assert (point["amount"], point["amount_cents"], point["unit_amount"]) == (amount, cents, "1.2345")

    async def test_of_fixed_charges_is_theirs(self, person):
        (point,) = await ask(person, "volume", {"volume_ranges": TIERS}, "11", kind="fixed_charge")
        assert (point["amount_cents"], point["events_count"]) == (550, 0)

    async def test_without_properties_is_that_of_a_plan_without_any(self, person):
        """Pricing §5.1: a price of zero."""
        (point,) = await ask(person, "package", {}, "5")
        assert (point["amount_cents"], point["package"]["package_size"]) == (0, 1)

    async def test_has_a_minimum_for_a_whole_period(self, person):
        below, above = await ask(person, "standard", {"amount": "1"}, "3", "11", min_amount_cents=1000)
        assert [below[name] for name in ("amount_cents", "true_up_amount_cents", "total_amount_cents")] == [
            300,
            700,
            1000,
        ]
        assert [above[name] for name in ("amount_cents", "true_up_amount_cents", "total_amount_cents")] == [
            1100,
            0,
            1100,
        ]

    async def test_is_compared_with_the_one_that_is_kept(self, person):
        saved = {"charge_model": "standard", "properties": {"amount": "2"}, "min_amount_cents": 500}
        few, many = await ask(person, "graduated", {"graduated_ranges": TIERS}, "1", "12", saved=saved)
        assert few["saved"] == {
            "amount": "2.0",
            "amount_cents": 200,
            "unit_amount": "2.0",
            "true_up_amount_cents": 300,
            "total_amount_cents": 500,
        }
        assert [few["difference_amount_cents"], many["difference_amount_cents"]] == [100, -800]


class TestAPercentage:
    async def test_spreads_units_over_events(self, person):
        """1.5 % and 0.10 an event, two events free: 300 by three events are 100 at 1.5 % and one event."""
        properties = {"rate": "1.5", "fixed_amount": "0.1", "free_units_per_events": 2}
        (point,) = await ask(person, "percentage", properties, "300", events_count=3)
        assert (point["amount"], point["amount_cents"]) == ("1.6", 160)
        assert point["percentage"] == {
            "free_units": "200.0",
            "free_events": 2,
            "paid_units": "100.0",
            "paid_events": 1,
            "rate": "1.5",
            "per_unit_total_amount": "1.5",
            "fixed_fee_unit_amount": "0.1",
            "fixed_fee_total_amount": "0.1",
            "min_max_adjustment_total_amount": "0.0",
        }

    async def test_without_anything_free_charges_for_all(self, person):
        (point,) = await ask(
            person, "percentage", {"rate": "2", "fixed_amount": "0.5"}, "100", events_count=4
        )
        assert point["amount_cents"] == 400

    async def test_of_a_count_has_an_event_for_each_unit(self, person):
        """Five free units of eight leave three at 10 %; the fixed amounts of four events are free (quirk, pricing §7.6)."""
        properties = {"rate": "10", "fixed_amount": "0.2", "free_units_per_total_aggregation": "5"}
        (point,) = await ask(person, "percentage", properties, "8", aggregation_type="count_agg")
        assert (point["amount"], point["events_count"]) == ("1.1", 8)

    async def test_prices_events_one_by_one_where_they_are_bounded(self, person):
        """1 % of 10 is 0.10, at least 1.00; of 1,000 it is 10.00, at most 5.00."""
        properties = {"rate": "1", "per_transaction_min_amount": "1", "per_transaction_max_amount": "5"}
        (point,) = await ask(person, "percentage", properties, event_values=["10", "1000"])
        assert (point["units"], point["events_count"], point["amount_cents"]) == ("1010.0", 2, 600)
        assert point["percentage"]["min_max_adjustment_total_amount"] == "-4.1"
        (nothing,) = await ask(person, "percentage", properties, "0", events_count=5)
        assert nothing["amount_cents"] == 0, "what was not used had no events"

    async def test_of_the_greatest_value_bounds_the_event_that_had_it(self, person):
        properties = {"rate": "1", "per_transaction_min_amount": "1"}
        (point,) = await ask(
            person, "percentage", properties, "1000", events_count=3, aggregation_type="max_agg"
        )
        assert point["amount_cents"] == 1200, "10.00, and 1.00 for each of the others"


async def test_it_is_what_usage_costs(person, application, make_organization):
    """The same prices in a plan, and the same events."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    metric = await kit.metric(client)
    priced: dict[str, dict[str, Any]] = {
        "standard": {"amount": "0.333"},
        "graduated": {"graduated_ranges": TIERS},
        "volume": {"volume_ranges": TIERS},
        "package": {"amount": "5", "package_size": 10, "free_units": 3},
        "percentage": {"rate": "1.5", "fixed_amount": "0.1", "free_units_per_events": 1, "per_transaction_min_amount": "0.2"},
        "graduated_percentage": {"graduated_percentage_ranges": RATES},
    }  # fmt: skip
    plan = await kit.plan(
        client, *(kit.charge(metric, model, **properties) for model, properties in priced.items())
    )
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    values = ["3.5", "8", "0.25"]
    await kit.send(client, subscription, metric, *values)
    used = await kit.usage(client, who, subscription)
    billed = {one["charge"]["charge_model"]: one["amount_cents"] for one in used["charges_usage"]}
    computed = {
        model: (await ask(person, model, properties, event_values=values))[0]["amount_cents"]
        for model, properties in priced.items()
    }
    assert computed == billed
    assert len(set(billed.values())) > 4


class TestWhatIsWrong:
    @pytest.mark.parametrize(("model", "properties"), [
        ("standard", {"amount": "-1"}),
        ("standard", {"amount": 5}),
        ("graduated", {"graduated_ranges": []}),
        ("graduated", {"graduated_ranges": [{**TIERS[0], "flat_amount": "x"}, {**TIERS[1], "from_value": 12}]}),
        ("volume", {"volume_ranges": TIERS[:1]}),
        ("package", {"amount": "x", "package_size": 0, "free_units": -1}),
        ("percentage", {"rate": "x", "fixed_amount": "y", "free_units_per_events": 0}),
        ("percentage", {"rate": "1", "per_transaction_min_amount": "2", "per_transaction_max_amount": "1"}),
        ("graduated_percentage", {"graduated_percentage_ranges": [{**RATES[0], "rate": None}]}),
        ("standard", {"amount": "1", "grouped_by": [""]}),
        ("standard", []),
    ])  # fmt: skip
    async def test_is_told_as_when_a_plan_is_saved(self, person, client, model, properties):
        metric = await kit.metric(client)
        charge = {"billable_metric_id": metric["lago_id"], "charge_model": model, "properties": properties}
        body = {
            "name": "p",
            "code": "p",
            "interval": "monthly",
            "amount_cents": 0,
            "amount_currency": "EUR",
            "pay_in_advance": False,
        }
        refused = await kit.post(client, "/plans", {"plan": {**body, "charges": [charge]}}, expect=422)
        assert await ask(person, model, properties, "1", expect=422) == refused["error_details"]
        if properties:
            saved = {"charge_model": model, "properties": properties}
            found = await ask(person, "standard", {"amount": "1"}, "1", saved=saved, expect=422)
            assert found == {"saved": refused["error_details"]["properties"]}

    async def test_is_told_for_the_metric(self, person):
        """Pricing §7.3, §7.6."""
        for kind, properties in (
            ("latest_agg", {"rate": "1"}),
            ("weighted_sum_agg", {"rate": "1", "per_transaction_min_amount": "1"}),
        ):
            found = await ask(person, "percentage", properties, "1", aggregation_type=kind, expect=422)
            assert found == {"properties": ["invalid_value"]}

    @pytest.mark.parametrize(("more", "wrong"), [
        ({"charge_model": "dynamic"}, {"charge_model": ["value_is_invalid"]}),
        ({"charge_model": "custom"}, {"charge_model": ["value_is_invalid"]}),
        ({"charge_model": "magic"}, {"charge_model": ["value_is_invalid"]}),
        ({"charge_model": "package", "kind": "fixed_charge"}, {"charge_model": ["value_is_invalid"]}),
        ({"kind": "subscription"}, {"kind": ["value_is_invalid"]}),
        ({"kind": "fixed_charge", "min_amount_cents": 1}, {"min_amount_cents": ["value_must_be_blank"]}),
        ({"min_amount_cents": -1}, {"min_amount_cents": ["value_is_out_of_range"]}),
        ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
        ({"aggregation_type": "median_agg"}, {"aggregation_type": ["value_is_invalid"]}),
        ({"units": ["1"] * 201}, {"units": ["value_is_too_long"]}),
        ({"units": [""]}, {"units": ["value_is_invalid"]}),
        ({"units": ["-1"]}, {"units": ["value_is_invalid"]}),
        ({"units": ["1e9"]}, {"units": ["value_is_invalid"]}),
        ({"units": [1.5]}, {"units": ["value_is_invalid"]}),
        ({"units": [True]}, {"units": ["value_is_invalid"]}),
        ({"units": ["9" * 16]}, {"units": ["value_is_invalid"]}),
        ({"units": "1"}, {"units": ["value_is_invalid"]}),
        ({"events_count": 0}, {"events_count": ["value_is_out_of_range"]}),
        ({"events_count": 1001}, {"events_count": ["value_is_out_of_range"]}),
        ({"units": ["1"], "event_values": ["1"]}, {"event_values": ["value_is_invalid"]}),
        ({"units": [], "event_values": ["1"], "aggregation_type": "max_agg"}, {"event_values": ["value_is_invalid"]}),
        ({"units": [], "event_values": ["1"] * 1001}, {"event_values": ["value_is_too_long"]}),
        ({"saved": {"charge_model": "dynamic"}}, {"saved": ["value_is_invalid"]}),
    ])  # fmt: skip
    async def test_is_told_by_its_field(self, person, more, wrong):
        asked = {"charge_model": "standard", "properties": None, "units": ["1"], **more}
        assert (
            await ask(person, asked.pop("charge_model"), asked.pop("properties"), expect=422, **asked)
            == wrong
        )

    @pytest.mark.parametrize(
        ("kind", "units"),
        [("sum_agg", ["1"] * 21), ("count_agg", ["15000", "5001"]), ("count_agg", ["9" * 15])],
    )
    async def test_is_more_events_than_can_be_made_up(self, person, kind, units):
        properties = {"rate": "1", "per_transaction_min_amount": "1"}
        more = {"aggregation_type": kind, "events_count": 1000}
        assert await ask(person, "percentage", properties, *units, expect=422, **more) == {
            "units": ["value_is_out_of_range"]
        }
        assert len(await ask(person, "percentage", {"rate": "1"}, *units, **more)) == len(units), (
            "nothing has to be made up"
        )

    async def test_is_more_tiers_than_can_be_walked_along(self, person):
        tiers = [
            {
                "from_value": n,
                "to_value": n + 1 if n < 100 else None,
                "per_unit_amount": "1",
                "flat_amount": "0",
            }
            for n in range(101)
        ]
        properties = {"graduated_ranges": tiers}
        assert len(await ask(person, "graduated", properties, *["101"] * 198)) == 198
        refused = await ask(person, "graduated", properties, *["101"] * 199, expect=422)
        assert refused == {"units": ["value_is_out_of_range"]}


async def test_whoever_sees_plans_may_ask(application, database, organization):
    somebody = await sign_up(application)
    somebody.browser.headers["X-Lago-Organization"] = somebody.organization_id
    await become(database, somebody, "finance")
    await ask(somebody, "standard", {"amount": "1"}, "1", expect=200)
    await become(database, somebody)
    answer = await somebody.browser.post("/charge_prices", json={})
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_nothing_is_written(person, count_statements):
    with count_statements() as statements:
        await ask(person, "standard", {"amount": "1"}, "1")
    assert not [one for one in statements if one.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
