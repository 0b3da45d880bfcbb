"""What is refused of an element of a list is told with its place, so that a form shows it there (ui §1.3)."""

from __future__ import annotations

import pytest
from tests import kit
from tests.kit import post


@pytest.fixture
async def shop(make_organization):
    """An organization on the first of January with a metric that has filters, and a customer."""
    made = await make_organization("2026-01-01T00:00:00Z")
    metric = await kit.metric(made.client, code="calls", filters=[{"key": "region", "values": ["eu", "us"]}])
    await kit.customer(made.client, external_id="ada", currency="EUR")
    setup = {"name": "Setup", "code": "setup", "amount_cents": 10000, "amount_currency": "EUR"}
    await post(made.client, "/add_ons", {"add_on": setup})
    return made.client, metric


async def places(client, path, body, *, method="POST"):
    refused = await kit.call(client, method, path, body, expect=422)
    assert refused["code"] == "validation_errors"
    return refused.get("error_places")


def plan(*charges, **more):
    return {
        "plan": {
            "name": "Team", "code": "team", "interval": "monthly", "amount_cents": 0, "amount_currency": "EUR",
            "pay_in_advance": False, "charges": list(charges), **more,
        }
    }  # fmt: skip


class TestPlans:
    async def test_by_the_shape_of_a_charge(self, shop):
        client, metric = shop
        body = plan(kit.charge(metric), {**kit.charge(metric), "charge_model": "cheap"})
        assert await places(client, "/plans", body) == {"charges.1.charge_model": ["value_is_invalid"]}

    async def test_by_the_price_of_a_charge(self, shop):
        client, metric = shop
        wrong = {**kit.charge(metric), "properties": {"amount": "-1"}}
        body = plan(kit.charge(metric), wrong)
        assert await places(client, "/plans", body) == {"charges.1.properties": ["invalid_amount"]}

    async def test_by_a_filter_of_a_charge(self, shop):
        client, metric = shop
        known = {"values": {"region": ["eu"]}, "properties": {"amount": "1"}}
        unknown = {"values": {"region": ["mars"]}, "properties": {"amount": "1"}}
        body = plan({**kit.charge(metric), "filters": [known, unknown]})
        assert await places(client, "/plans", body) == {"charges.0.filters.1.values": ["value_is_invalid"]}

    async def test_by_a_code_that_is_there_twice(self, shop):
        client, metric = shop
        body = plan(*[{**kit.charge(metric), "code": "same"}] * 2)
        assert await places(client, "/plans", body) == {"charges.1.code": ["value_already_exist"]}

    async def test_by_a_threshold_and_by_the_commitment(self, shop):
        client, _ = shop
        thresholds = [{"amount_cents": 100}, {"amount_cents": 0}]
        assert await places(client, "/plans", plan(usage_thresholds=thresholds)) == {
            "usage_thresholds.1.amount_cents": ["value_is_out_of_range"]
        }

    async def test_by_the_list_that_a_change_sends(self, shop):
        """One charge is kept, the second is new and wrong: its place is that of the list, not of what is new."""
        client, metric = shop
        made = (await post(client, "/plans", plan(kit.charge(metric))))["plan"]
        kept = {"id": made["charges"][0]["lago_id"], **kit.charge(metric), "properties": {"amount": "2"}}
        wrong = {**kit.charge(metric), "properties": {"amount": "x"}}
        body = {"plan": {"charges": [kept, wrong]}}
        found = await places(client, "/plans/team", body, method="PUT")
        assert found == {"charges.1.properties": ["invalid_amount"]}
        body = {"plan": {"charges": [{**kept, "properties": {"amount": "x"}}]}}
        found = await places(client, "/plans/team", body, method="PUT")
        assert found == {"charges.0.properties": ["invalid_amount"]}


class TestOneOffInvoices:
    @pytest.mark.parametrize(
        ("wrong", "place"),
        [
            ({"units": "x"}, "units"),
            ({"tax_codes": ["none"]}, "tax_codes"),
            ({"from_datetime": "2026-01-02", "to_datetime": "2026-01-01"}, "boundaries"),
        ],
    )
    async def test_by_a_fee(self, shop, wrong, place):
        client, _ = shop
        fees = [{"add_on_code": "setup"}, {"add_on_code": "setup", **wrong}]
        body = {"invoice": {"external_customer_id": "ada", "currency": "EUR", "fees": fees}}
        assert list(await places(client, "/invoices", body)) == [f"fees.1.{place}"]


class TestCreditNotes:
    async def test_by_an_item(self, shop):
        client, _ = shop
        fees = [{"add_on_code": "setup"}, {"add_on_code": "setup"}]
        body = {"invoice": {"external_customer_id": "ada", "currency": "EUR", "fees": fees}}
        invoice = (await post(client, "/invoices", body))["invoice"]
        items = [
            {"fee_id": fee["lago_id"], "amount_cents": cents}
            for fee, cents in zip(invoice["fees"], (10000, 10001), strict=True)
        ]
        note = {
            "invoice_id": invoice["lago_id"],
            "reason": "other",
            "items": items,
            "offset_amount_cents": 20001,
        }
        assert await places(client, "/credit_notes", {"credit_note": note}) == {
            "items.1.amount_cents": ["higher_than_remaining_fee_amount"]
        }


async def test_a_field_of_its_own_has_no_place(shop):
    client, _ = shop
    assert await places(client, "/plans", plan(interval="never")) is None
