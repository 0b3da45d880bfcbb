"""Whoever holds a fee's explanation can recompute its amount from it alone (beyond.md §1)."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from math import ceil

import pytest
from tests import kit
from tests.kit import get, post

TIERS = [
    {"from_value": 0, "to_value": 10, "per_unit_amount": "1.111", "flat_amount": "2"},
    {"from_value": 11, "to_value": None, "per_unit_amount": "0.777", "flat_amount": "1"},
]
RATES = [
    {"from_value": 0, "to_value": 10, "rate": "3", "flat_amount": "2"},
    {"from_value": 11, "to_value": None, "rate": "1.5", "flat_amount": "1"},
]
MODELS = {
    "standard": {"amount": "0.333"},
    "graduated": {"graduated_ranges": TIERS},
    "graduated_percentage": {"graduated_percentage_ranges": RATES},
    "volume": {"volume_ranges": TIERS},
    "package": {"amount": "4.5", "package_size": 7, "free_units": 3},
    "percentage": {"rate": "1.7", "fixed_amount": "0.11", "free_units_per_events": 1},
    "dynamic": {},
}


def exact(text):
    return Fraction(Decimal(text))


def step(steps, name):
    return next((item for item in steps if item["step"] == name), None)


def priced_units(steps):
    """The units that the price is taken of: aggregated, rounded by the metric, prorated, in this order."""
    found = step(steps, "aggregation")["value"]
    for name, key in (("rounding_of_units", "value"), ("proration", "units")):
        if (later := step(steps, name)) is not None and key in later:
            found = later[key]
    return exact(found)


def tiers_amount(lines):
    """The lines follow each other, and each is its units at its price and the flat amount."""
    total = Fraction(0)
    for line in lines:
        price = exact(line["unit_amount"]) if "unit_amount" in line else exact(line["rate"]) / 100
        amount = exact(line["units"]) * price + exact(line["flat_amount"])
        assert amount == exact(line["amount"])
        total += amount
    return total


def recompute(steps):
    """The amount in cents, from the steps alone."""
    units, pricing = priced_units(steps), step(steps, "pricing")
    properties, details = pricing["properties"], pricing.get("details", {})
    match pricing["charge_model"]:
        case "standard":
            amount = units * exact(properties["amount"])
        case "graduated" | "graduated_percentage":
            assert sum(exact(line["units"]) for line in pricing["lines"]) == units
            amount = tiers_amount(pricing["lines"])
        case "volume":
            amount = tiers_amount(pricing["lines"])
        case "package":
            paid = max(units - properties["free_units"], 0)
            amount = ceil(paid / properties["package_size"]) * exact(properties["amount"])
        case "percentage":
            of_units = exact(details["paid_units"]) * exact(details["rate"]) / 100
            amount = of_units + details["paid_events"] * exact(details["fixed_fee_unit_amount"])
            amount += exact(details["min_max_adjustment_total_amount"])
        case "dynamic":
            amount = exact(details["precise_total_amount_cents"]) / 100
    assert abs(amount - exact(pricing["amount"])) < Fraction(1, 10**15)
    conversion = step(steps, "conversion")
    if conversion is not None:
        assert rounded(amount * 100) == conversion["pricing_unit_amount_cents"]
        amount = Fraction(rounded(amount * 100), 100) * exact(conversion["conversion_rate"])
    return rounded(amount * 100)


def rounded(cents):
    number = Decimal(cents.numerator) / Decimal(cents.denominator)
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


async def explained(make_organization, *, metric=None, charge=None):
    """The fees of a month with 2.5, 9 and 6.25 units, and their explanations."""
    client = (await make_organization("2026-01-01T00:00:00Z")).client
    made = await kit.metric(client, **(metric or {}))
    plan = await kit.plan(client, {"billable_metric_id": made["lago_id"], **(charge or {})})
    body = {"external_customer_id": "c", "plan_code": plan["code"], "external_id": "s"}
    await post(client, "/subscriptions", {"subscription": body})
    for number, value in enumerate(["2.5", "9", "6.25"]):
        event = {
            "transaction_id": str(number),
            "external_subscription_id": "s",
            "code": made["code"],
            "timestamp": 1_767_225_600 + 86_400 * 10 * number,
            "properties": {"value": value},
            "precise_total_amount_cents": "12.345",
        }
        await post(client, "/events", {"event": event})
    await kit.advance(client, "2026-02-02")
    fees = (await get(client, "/fees", fee_type="charge"))["fees"]
    explanations = [(await get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"] for fee in fees]
    return list(zip(fees, explanations, strict=True))


@pytest.mark.parametrize("charge_model", MODELS)
async def test_the_amount_follows_from_the_steps_alone(make_organization, charge_model):
    charge = {"charge_model": charge_model, "properties": MODELS[charge_model]}
    metric = {"rounding_function": "ceil", "rounding_precision": 1}
    ((fee, explanation),) = await explained(make_organization, metric=metric, charge=charge)
    assert fee["amount_cents"] > 0
    assert recompute(explanation["steps"]) == fee["amount_cents"] == explanation["amount_cents"]
    assert explanation["steps"][-1]["amount_cents"] == fee["amount_cents"]


async def test_prorated_units_follow_from_their_shares(make_organization):
    """2.5 for 31 of 31 days, 9 for 21, 6.25 for 11, rounded up to five decimals."""
    charge = {"charge_model": "standard", "properties": {"amount": "3.33"}, "prorated": True}
    ((fee, explanation),) = await explained(make_organization, metric={"recurring": True}, charge=charge)
    proration = step(explanation["steps"], "proration")
    exactly = sum(exact(item["units"]) * Fraction(item["fraction"]) for item in proration["changes"])
    assert Fraction(ceil(exactly * 100_000), 100_000) == exact(proration["units"]) == exact("10.81452")
    assert recompute(explanation["steps"]) == fee["amount_cents"]


async def test_prorated_values_are_rounded_up_as_a_whole(make_organization):
    """Two values for 1 day of 30 are 2/30, up to 0.06667 units: not twice 0.03334 (metering §5.5, pricing §9)."""
    client = (await make_organization("2026-06-01T00:00:00Z")).client
    metric = await kit.metric(client, "unique_count_agg", recurring=True)
    plan = await kit.plan(client, {**kit.charge(metric, amount="100"), "prorated": True})
    who = await kit.customer(client)
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, metric, "a", "b", timestamp=kit.epoch("2026-06-30T12:00:00"))
    await kit.advance(client, "2026-07-01T00:10")
    (fee,) = (await get(client, "/fees", fee_type="charge"))["fees"]
    explanation = (await get(client, f"/fees/{fee['lago_id']}/explanation"))["explanation"]
    proration = step(explanation["steps"], "proration")
    assert [(one["units"], one["fraction"]) for one in proration["changes"]] == [("1", "1/30")] * 2
    assert (proration["units"], fee["amount_cents"]) == ("0.06667", 667)


async def test_a_spending_minimum_is_explained_as_well(make_organization):
    charge = {"charge_model": "standard", "properties": {"amount": "0.1"}, "min_amount_cents": 1000}
    found = await explained(make_organization, charge=charge)
    ((fee, explanation),) = [item for item in found if item[0]["lago_true_up_parent_fee_id"]]
    base, proration, minimum = (
        step(explanation["steps"], name) for name in ("base_amount", "proration", "minimum")
    )
    prorated = base["amount_cents"] * Fraction(proration["fraction"])
    assert rounded(prorated - minimum["used_cents"]) == fee["amount_cents"] == 1000 - 178
