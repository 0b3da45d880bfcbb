"""Estimates say what an event would be billed, and keep nothing (metering §1.8, E12)."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from tests import kit

from tallymark.db.tables import charges


def item(value, **more):
    return {"value": value, **more}


@pytest.fixture
def world(make_organization, database):
    """A simulated subscription to a plan with one charge in advance."""

    async def make(
        started="2025-09-01", metric=("sum_agg", {}), charge=("standard", {"amount": "10"}), **columns
    ):
        organization = await make_organization(f"{started}T00:00:00Z")
        client = organization.client
        of = await kit.metric(client, metric[0], **metric[1])
        plan = await kit.plan(client, kit.charge(of, charge[0], **charge[1]))
        columns = {"pay_in_advance": True, "invoiceable": False, **columns}
        async with database.system() as connection:
            await connection.execute(
                update(charges).where(charges.c.plan_id == UUID(plan["lago_id"])).values(**columns)
            )
        subscription = await kit.subscribe(client, await kit.customer(client), plan)
        return client, of, subscription

    return make


def body(subscription, metric, properties=None, **more):
    return {"event": {"code": metric["code"], "external_subscription_id": subscription["external_id"],
                      "properties": properties or {}, **more}}  # fmt: skip


async def estimate(client, subscription, metric, properties=None, **more):
    asked = body(subscription, metric, properties, **more)
    (fee,) = (await kit.post(client, "/events/estimate_fees", asked))["fees"]
    return fee["amount_cents"], fee["units"]


async def instantly(client, subscription, metric, properties=None, **more):
    asked = body(subscription, metric, properties, **more)
    (fee,) = (await kit.post(client, "/events/estimate_instant_fees", asked))["fees"]
    return fee


RECURRING = {"recurring": True}
UNIQUE_AFTER = [("2025-09-03", item("1234")), ("2025-09-04", item("1234"), 0, "0.0"),
                ("2025-09-05", item("5678"), 1000, "1.0"),
                ("2025-09-05", item("1234", operation_type="remove"), 0, "0.0")]  # fmt: skip
SUM_TWICE = [
    ("2025-09-02", item(4), 4000, "4.0"),
    ("2025-09-03", item(4)),
    ("2025-09-04", item(4), 4000, "4.0"),
]
LEAST = {"rate": "0.5", "per_transaction_min_amount": "12"}
TEN = {"amount": "10"}

# (started, metric, charge, columns, steps): a step of two is sent, one of four is asked (amount_cents, units)
CASES: dict[str, Any] = {
    "count": ("2025-09-01", ("count_agg", {}), ("standard", TEN), {},
              [("2025-09-02", {}, 1000, "1.0"), ("2025-09-03", {}), ("2025-09-04", {}, 1000, "1.0")]),
    "sum": ("2025-09-01", ("sum_agg", {}), ("standard", TEN), {}, SUM_TWICE),
    "a recurring sum": ("2024-09-01", ("sum_agg", RECURRING), ("standard", TEN), {},
                        [("2024-09-03", item(4)), *SUM_TWICE]),
    "a percentage with a least amount": (
        "2024-09-01", ("sum_agg", RECURRING), ("percentage", LEAST), {},
        [("2024-09-03", item(4)), ("2025-09-02", item(4), 1200, "4.0"), ("2025-09-03", item(4)),
         ("2025-09-04", item(20_000), 10_000, "20000.0")]),
    "a percentage with a free event": (
        "2025-09-01", ("sum_agg", {}), ("percentage", {"rate": "50", "free_units_per_events": 1}), {},
        [("2025-09-02", item(4), 0, "4.0"), ("2025-09-03", item(4)), ("2025-09-04", item(4), 200, "4.0")]),
    "a prorated sum": ("2025-09-01", ("sum_agg", RECURRING), ("standard", TEN), {"prorated": True},
                       [("2025-09-02", item(4), 3867, "4.0"), ("2025-09-03", item(4)), ("2025-09-04", item(4), 3600, "4.0")]),
    "unique values": ("2025-09-01", ("unique_count_agg", {}), ("standard", TEN), {},
                      [("2025-09-02", item("1234"), 1000, "1.0"), *UNIQUE_AFTER]),
    "recurring unique values": (
        "2024-09-01", ("unique_count_agg", RECURRING), ("standard", TEN), {},
        [("2024-09-03", item("1234")), ("2025-09-02", item("1234"), 0, "0.0"),
         ("2025-09-02", item("9876"), 1000, "1.0"), *UNIQUE_AFTER]),
    "prorated unique values": (
        "2025-09-01", ("unique_count_agg", RECURRING), ("standard", TEN), {"prorated": True},
        [("2025-09-02", item("1234"), 967, "1.0"), ("2025-09-03", item("1234")), ("2025-09-04", item("1234"), 0, "0.0"),
         ("2025-09-05", item("5678"), 867, "1.0"), ("2025-09-05", item("1234", operation_type="remove"), 0, "0.0")]),
}  # fmt: skip


class TestEstimateFees:
    @pytest.mark.parametrize("case", CASES)
    async def test_the_fee_of_an_event_that_is_not_sent(self, world, case):
        started, metric, charge, columns, steps = CASES[case]
        client, of, subscription = await world(started, metric, charge, **columns)
        for day, properties, *expected in steps:
            await kit.advance(client, day)
            if expected:
                assert await estimate(client, subscription, of, properties) == tuple(expected), day
            else:
                sent = body(subscription, of, properties, transaction_id=f"t{day}")
                await kit.post(client, "/events", sent)

    async def test_a_dynamic_event_brings_its_amount(self, world):
        client, of, subscription = await world(charge=("dynamic", {}))
        assert await estimate(client, subscription, of, item(1), precise_total_amount_cents=200) == (
            200,
            "1.0",
        )

    async def test_an_estimate_equals_the_bill_and_is_kept_nowhere(self, world):
        """README quirk 7; the first tier's flat amount is part of the very first estimate."""
        tiers = {"graduated_ranges": [
            {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}]}  # fmt: skip
        client, of, subscription = await world(charge=("graduated", tiers))
        await kit.tax(client, "20")
        asked = body(subscription, of, item(3))
        first = await kit.post(client, "/events/estimate_fees", asked)
        assert first["fees"][0]["amount_cents"] == 800
        again = await kit.post(client, "/events/estimate_fees", asked)
        assert again["fees"][0]["amount_cents"] == 800
        (fee,) = again["fees"]
        assert (fee["lago_id"], fee["amount_details"], fee["taxes_amount_cents"]) == (None, {}, 160)
        assert [tax["amount_cents"] for tax in fee["applied_taxes"]] == [160]
        UUID(fee["event_transaction_id"])
        await kit.send(client, subscription, of, 3)
        listed = (await kit.get(client, "/fees", fee_type="charge"))["fees"]
        assert [row["amount_cents"] for row in listed] == [800]

    async def test_it_is_dated_as_asked(self, world):
        client, of, subscription = await world(metric=("sum_agg", RECURRING), prorated=True)
        await kit.advance(client, "2025-09-20")
        at = kit.epoch("2025-09-02")
        assert await estimate(client, subscription, of, item(4), timestamp=at) == (3867, "4.0")

    async def test_its_errors_in_order(self, world):
        client, of, subscription = await world()
        code, path = of["code"], "/events/estimate_fees"
        good = {"code": code, "external_subscription_id": subscription["external_id"], "properties": item(1)}

        async def refused(status, **change):
            return await kit.post(client, path, {"event": {**good, **change}}, expect=status)

        unknown = await refused(404, external_subscription_id="", timestamp="x", code="unknown")
        assert unknown["code"] == "subscription_not_found"
        early = await refused(404, timestamp=kit.epoch("2020-01-01"))
        assert early["code"] == "subscription_not_found"
        words = await refused(422, timestamp="2025-09-01T00:00:00Z", code="unknown")
        assert words["error_details"] == {"timestamp": ["invalid_format"]}
        assert (await refused(404, code="unknown"))["code"] == "billable_metric_not_found"
        text = await refused(422, properties=item("many"))
        assert text["error_details"] == {"properties": ["value_is_not_valid_number"]}
        other = await kit.metric(client)
        unpriced = await refused(422, code=other["code"])
        assert unpriced["error_details"] == {"code": ["does_not_match_an_instant_charge"]}
        await kit.post(client, path, {}, expect=400)


class TestInstantEstimates:
    PRICE = {"rate": "2.5", "fixed_amount": "0.10", "per_transaction_min_amount": "0.50",
             "per_transaction_max_amount": "5"}  # fmt: skip

    async def test_e12(self, world):
        client, of, subscription = await world(charge=("percentage", self.PRICE))
        small = await instantly(client, subscription, of, item("12.34"), transaction_id="mine")
        assert (small["amount_cents"], small["total_amount_cents"], small["units"]) == (
            "50.0",
            "50.0",
            "12.34",
        )
        assert (small["event_transaction_id"], small["taxes_amount_cents"]) == ("mine", 0)
        assert (await instantly(client, subscription, of, item(400)))["amount_cents"] == "500.0"

    async def test_e12_the_first_event_is_free(self, world):
        charge = ("percentage", {**self.PRICE, "free_units_per_events": 1})
        client, of, subscription = await world(charge=charge)
        assert (await instantly(client, subscription, of, item(400)))["amount_cents"] == "0.0"
        await kit.send(client, subscription, of, 400)
        assert (await instantly(client, subscription, of, item(400)))["amount_cents"] == "500.0"

    async def test_its_shape(self, world):
        """Quirks: decimal strings, the unit amount in cents, no groups, no taxes."""
        client, of, subscription = await world(properties={"amount": "0.4", "pricing_group_keys": ["team"]})
        await kit.tax(client, "20")
        fee = await instantly(client, subscription, of, item(2, team="a"))
        assert (fee["amount_cents"], fee["precise_amount"], fee["precise_unit_amount"]) == (
            "80.0",
            "0.8",
            "40.0",
        )
        assert (fee["item"]["grouped_by"], fee["events_count"], fee["pay_in_advance"]) == ({}, 1, True)
        assert (fee["payment_status"], fee["lago_id"], fee["taxes_amount_cents"]) == ("pending", None, 0)

    async def test_its_errors(self, world):
        client, of, subscription = await world()
        path = "/events/estimate_instant_fees"
        text = await kit.post(client, path, body(subscription, of, item("x")), expect=422)
        assert text["error_details"] == {"properties": ["value_is_not_valid_number"]}
        unknown = await kit.post(client, path, body(subscription, {"code": "no"}), expect=422)
        assert unknown["error_details"] == {"code": ["does_not_match_an_instant_charge"]}
        nobody = await kit.post(client, path, body({"external_id": "no"}, of), expect=404)
        assert nobody["code"] == "subscription_not_found"
        absent = await instantly(client, subscription, of)
        assert (absent["amount_cents"], absent["units"], absent["precise_unit_amount"]) == (
            "0.0",
            "0.0",
            "0.0",
        )

    async def test_a_graduated_charge_has_none(self, world):
        tiers = {"graduated_ranges": [
            {"from_value": 0, "to_value": None, "per_unit_amount": "1", "flat_amount": "5"}]}  # fmt: skip
        client, of, subscription = await world(charge=("graduated", tiers))
        await kit.post(client, "/events/estimate_instant_fees", body(subscription, of, item(1)), expect=422)

    async def test_a_batch_is_estimated_as_it_would_be_billed(self, world):
        charge = ("percentage", {**self.PRICE, "free_units_per_events": 1})
        client, of, subscription = await world(charge=charge)
        event = body(subscription, of, item(400))["event"]
        path = "/events/batch_estimate_instant_fees"
        answer = await kit.post(client, path, {"events": [event, {**event, "code": "other"}, event]})
        assert [fee["amount_cents"] for fee in answer["fees"]] == ["0.0", "500.0"]
        rooted = await kit.post(client, path, {"events": [{"event": event}, event]})
        assert [fee["amount_cents"] for fee in rooted["fees"]] == ["0.0", "500.0"]

    async def test_the_errors_of_a_batch(self, world):
        client, of, _ = await world()
        path = "/events/batch_estimate_instant_fees"
        empty = await kit.post(client, path, {"events": []}, expect=422)
        assert empty["error_details"] == {"events": ["no_events"]}
        await kit.post(client, path, {}, expect=422)
        event = body({"external_id": "no"}, of)["event"]
        assert (await kit.post(client, path, {"events": [event]}, expect=404))[
            "code"
        ] == "subscription_not_found"
