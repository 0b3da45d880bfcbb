"""What an estimate of an event shows is the fee that the event makes then (the specification's README, 7; metering §1.8)."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st
from tests import kit
from tests.oracle.telling import wire
from tests.oracle.test_agreement import EXAMPLES, lived_by_both

pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)
BEGINS = datetime(2024, 1, 20, 9, tzinfo=UTC)
SHOWN = (
    "units",
    "amount_cents",
    "precise_amount",
    "precise_unit_amount",
    "taxes_amount_cents",
    "events_count",
)


def tiers(draw: random.Random, price: str) -> list[dict[str, Any]]:
    ends = sorted(draw.sample([2, 5, 10, 30], draw.randint(0, 2)))
    return [
        {
            "from_value": start,
            "to_value": end,
            price: draw.choice(["0", "0.35", "1.115", "12.3"]),
            "flat_amount": draw.choice(["0", "0.5", "3"]),
        }
        for start, end in zip([0, *ends], [*ends, None], strict=True)
    ]


def price(draw: random.Random) -> tuple[str, dict[str, Any]]:
    model = draw.choice(["standard", "graduated", "graduated_percentage", "package", "percentage", "dynamic"])
    match model:
        case "standard":
            return model, {"amount": draw.choice(["0.006", "1", "3.333"])}
        case "graduated":
            return model, {"graduated_ranges": tiers(draw, "per_unit_amount")}
        case "graduated_percentage":
            return model, {"graduated_percentage_ranges": tiers(draw, "rate")}
        case "package":
            return model, {
                "amount": "4.5",
                "package_size": draw.choice([1, 5]),
                "free_units": draw.choice([0, 3]),
            }
        case "dynamic":
            return model, {}
    optional: dict[str, list[Any]] = {
        "fixed_amount": ["0.25", "1"],
        "free_units_per_events": [1, 3],
        "free_units_per_total_aggregation": ["5", "20.5"],
        "per_transaction_min_amount": ["0.1", "1.75"],
        "per_transaction_max_amount": ["2", "3"],
    }
    chosen = {name: draw.choice(found) for name, found in optional.items() if draw.random() < 0.4}
    return model, {"rate": draw.choice(["1.5", "12.3"]), **chosen}


class Sale:
    """A plan with charges in advance on one metric, and what is sent of it."""

    def __init__(self, client: httpx.AsyncClient, seed: int) -> None:
        self.client, self.draw, self.now = client, random.Random(seed), BEGINS
        self.trail: list[str] = []

    async def prepare(self) -> None:
        draw = self.draw
        await kit.tax(self.client, draw.choice(["20", "8.875"]))
        self.aggregation = draw.choice(["count_agg", "sum_agg", "unique_count_agg"])
        self.recurring = self.aggregation != "count_agg" and draw.random() < 0.5
        terms: dict[str, Any] = {"filters": [{"key": "region", "values": ["eu", "us"]}]}
        self.metric = await kit.metric(self.client, self.aggregation, recurring=self.recurring, **terms)
        charges = [self.charge(n) for n in range(draw.randint(1, 2))]
        plan = await kit.plan(self.client, *charges, interval=draw.choice(["weekly", "monthly"]))
        self.who = await kit.customer(self.client, timezone=draw.choice(["UTC", "America/New_York"]))
        await kit.subscribe(self.client, self.who, plan, external_id="s")
        self.trail.append(repr(charges))

    def charge(self, n: int) -> dict[str, Any]:
        draw = self.draw
        model, properties = price(draw)
        while (model == "dynamic" and self.aggregation != "sum_agg") or (
            model in ("percentage", "graduated_percentage") and self.aggregation == "unique_count_agg"
        ):
            model, properties = price(draw)
        grouping = {"pricing_group_keys": ["team"]} if draw.random() < 0.4 else {}
        found = {
            **kit.charge(self.metric, model, **properties, **grouping),
            "pay_in_advance": True,
            "code": f"c{n}",
        }
        found["invoiceable"] = draw.random() < 0.5
        if self.recurring and model == "standard" and draw.random() < 0.5:
            found["prorated"] = True
        if draw.random() < 0.4 and model != "dynamic":
            found["filters"] = [{"values": {"region": ["eu"]}, "properties": properties}]
        return found

    async def run(self) -> None:
        await self.prepare()
        for n in range(14):
            self.now += timedelta(hours=self.draw.choice([1, 5, 60, 200]))
            await kit.advance(self.client, self.now.strftime("%Y-%m-%dT%H:%M"))
            await self.compare(n)

    async def compare(self, n: int) -> None:
        draw = self.draw
        body: dict[str, Any] = {"value": draw.choice(["1", "2.5", "7", "12.345", "-3", "0"])}
        if self.aggregation == "unique_count_agg":
            body = {"value": draw.choice("abc"), "operation_type": draw.choice(["add", "add", "remove"])}
        for key, values in (("region", ["eu", "us", "mars"]), ("team", ["a", "b"])):
            if draw.random() < 0.6:
                body[key] = draw.choice(values)
        late = timedelta(hours=draw.choice([0, 0, 1, 50, 300]))
        event = {
            "external_subscription_id": "s",
            "code": self.metric["code"],
            "timestamp": int(max(self.now - late, BEGINS + timedelta(seconds=1)).timestamp()),
            "properties": body,
            "precise_total_amount_cents": draw.choice(["0", "12.5", "1000"]),
        }
        self.trail.append(repr(event))
        told = (await kit.post(self.client, "/events/estimate_fees", {"event": event}))["fees"]
        await kit.post(self.client, "/events", {"event": {**event, "transaction_id": f"t{n}"}})
        made = (await kit.get(self.client, "/fees", event_transaction_id=f"t{n}"))["fees"]
        assert self.fees(made) == self.fees(told)

    def fees(self, found: list[dict[str, Any]]) -> list[list[Any]]:
        return sorted(
            [
                fee["lago_charge_id"],
                str(fee["lago_charge_filter_id"]),
                sorted(fee["item"]["grouped_by"].items()),
            ]
            + [fee[name] for name in SHOWN]
            for fee in found
        )


@settings(lived_by_both, max_examples=EXAMPLES, phases=[Phase.explicit, Phase.generate])
@given(seed=st.integers(0, 2**64))
async def test_an_estimate_is_the_fee_that_the_event_makes(make_organization, seed: int) -> None:
    organization = await make_organization(wire(BEGINS))
    sale = Sale(organization.client, seed)
    try:
        await sale.run()
    finally:
        note("\n".join(sale.trail))
