"""Wallets over the API: made, filled, drawn on by invoices, voided, ended (wallets §2–§6, §8)."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from tests import kit

from tallymark.db.tables import outbox, wallet_transaction_consumptions, wallet_transactions, wallets
from tallymark.domain.errors import Invalid, NotAllowed
from tallymark.rooms.billing import jobs
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.wallets import service

START = "2026-01-10T00:00:00Z"
JANUARY = datetime(2026, 1, 20, tzinfo=UTC)


async def wallet(client, who, *, expect=200, **more) -> Any:
    body = {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR", **more}
    answer = await kit.post(client, "/wallets", {"wallet": body}, expect=expect)
    return answer["wallet"] if expect == 200 else answer["error_details"]


async def now(client, of):
    return (await kit.get(client, f"/wallets/{of['lago_id']}"))["wallet"]


async def moves(client, of, **query):
    path = f"/wallets/{of['lago_id']}/wallet_transactions"
    return (await kit.get(client, path, **query))["wallet_transactions"]


async def transact(client, of, *, expect=200, **body):
    sent = {"wallet_transaction": {"wallet_id": of["lago_id"], **body}}
    answer = await kit.post(client, "/wallet_transactions", sent, expect=expect)
    return answer["wallet_transactions"] if expect == 200 else answer["error_details"]


async def pay(client, invoice, status="succeeded"):
    path = f"/invoices/{invoice['lago_id']}"
    return await kit.call(client, "PUT", path, {"invoice": {"payment_status": status}})


async def credit_invoices(client, who):
    return [one for one in await kit.invoices(client, who) if one["invoice_type"] == "credit"]


async def told(database, organization, of=None):
    async with database.tenant(organization.id) as tx:
        rows = (
            await tx.execute(select(outbox.c.webhook_type, outbox.c.object_id).order_by(outbox.c.id))
        ).all()
    return [row.webhook_type for row in rows if of is None or str(row.object_id) == of]


async def held(database, organization):
    """§23.1–§23.3 for every wallet of an organization: links, remainders and balances add up."""
    async with database.tenant(organization.id) as tx:
        found = (await tx.execute(select(wallets))).all()
        all_moves = (await tx.execute(select(wallet_transactions))).all()
        links = (await tx.execute(select(wallet_transaction_consumptions))).all()
    for one in found:
        own = [move for move in all_moves if move.wallet_id == one.id and move.status == "settled"]
        came = [move for move in own if move.transaction_type == "inbound"]
        went = [move for move in own if move.transaction_type == "outbound"]
        assert one.balance_cents == sum(m.amount_cents for m in came) - sum(m.amount_cents for m in went)
        assert one.balance_cents == sum(m.remaining_amount_cents for m in came)
        for move in came:
            used = sum(link.consumed_amount_cents for link in links if link.inbound_transaction_id == move.id)
            assert move.amount_cents - used == move.remaining_amount_cents
        for move in went:
            funded = sum(
                link.consumed_amount_cents for link in links if link.outbound_transaction_id == move.id
            )
            assert funded == move.amount_cents


async def metered(client, *, unit="1", amount_cents=0, taxed=None, **charge):
    """A metric, and a monthly plan in arrears that charges it."""
    sold = await kit.metric(client, "sum_agg", field_name="value")
    plan = await kit.plan(client, {**kit.charge(sold, amount=unit), **charge}, amount_cents=amount_cents)
    return sold, plan


class TestMaking:
    async def test_the_answer_shows_it_empty_and_then_it_is_full(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, name="Mobile Crédit!", granted_credits="10", paid_credits="5")
        assert (made["balance_cents"], made["credits_balance"], made["code"]) == (0, "0.0", "mobile_credit")
        assert (made["priority"], made["status"], "metadata" in made) == (50, "active", False)
        assert made["applies_to"] == {"fee_types": [], "billable_metric_codes": []}
        later = await now(client, made)
        assert (later["balance_cents"], later["credits_balance"]) == (1000, "10.0")
        kinds = {move["transaction_status"]: move["status"] for move in await moves(client, made)}
        assert kinds == {"purchased": "pending", "granted": "settled"}
        assert (await kit.get(client, f"/customers/{who['external_id']}"))["customer"]["currency"] == "EUR"

    async def test_all_that_is_wrong_is_told_at_once(self, client):
        details = await wallet(
            client,
            {"external_id": "nobody"},
            expect=422,
            paid_credits=5,
            granted_credits="-1",
            transaction_metadata="text",
            applies_to={"fee_types": ["lunch"]},
            expiration_at="2020-01-01",
            recurring_transaction_rules=[{"trigger": "interval"}],
        )
        assert details == {
            "customer": ["customer_not_found"],
            "paid_credits": ["invalid_paid_credits", "invalid_amount"],
            "granted_credits": ["invalid_granted_credits", "invalid_amount"],
            "metadata": ["invalid_type"],
            "applies_to": ["invalid_limitations"],
            "expiration_at": ["invalid_date"],
            "recurring_transaction_rules": ["invalid_recurring_rule"],
        }

    async def test_values_out_of_bounds_are_refused(self, client):
        who = await kit.customer(client)
        cases: list[tuple[Any, Any]] = [
            ({"rate_amount": "0"}, {"rate_amount": ["value_is_out_of_range"]}),
            ({"priority": 51}, {"priority": ["value_is_invalid"]}),
            ({"currency": "XXX"}, {"currency": ["value_is_invalid"]}),
            ({"currency": None}, {"currency": ["value_is_invalid"]}),
            (
                {"paid_top_up_min_amount_cents": 0},
                {"paid_top_up_min_amount_cents": ["value_is_out_of_range"]},
            ),
            (
                {"paid_top_up_min_amount_cents": 2, "paid_top_up_max_amount_cents": 1},
                {"paid_top_up_max_amount_cents": ["must_be_greater_than_or_equal_min"]},
            ),
            ({"granted_credits": "0.001"}, {"granted_credits": ["amount_rounds_to_zero"]}),
            (
                {"paid_credits": "1", "paid_top_up_min_amount_cents": 101},
                {"paid_credits": ["amount_below_minimum"]},
            ),
            (
                {"paid_credits": "1", "paid_top_up_max_amount_cents": 99},
                {"paid_credits": ["amount_above_maximum"]},
            ),
            ({"metadata": {"key": 1}}, {"value": ["value_is_invalid"]}),
            (
                {"granted_credits": "9" * 24},
                {"granted_credits": ["invalid_granted_credits", "invalid_amount"]},
            ),
        ]
        for sent, details in cases:
            assert await wallet(client, who, expect=422, **sent) == details
        assert (await kit.get(client, "/wallets"))["wallets"] == []
        await wallet(
            client, who, paid_credits="1", paid_top_up_min_amount_cents=100, paid_top_up_max_amount_cents=100
        )
        body = {
            "paid_credits": "1",
            "paid_top_up_min_amount_cents": 900,
            "ignore_paid_top_up_limits_on_creation": True,
        }
        await wallet(client, who, **body)

    async def test_an_unknown_entity_or_customer_of_the_path_is_not_found(self, client):
        who = await kit.customer(client)
        body = {"wallet": {"external_customer_id": who["external_id"], "rate_amount": "1", "currency": "EUR"}}
        body["wallet"]["billing_entity_code"] = "nowhere"
        assert (await kit.post(client, "/wallets", body, expect=404))["code"] == "billing_entity_not_found"
        assert (await kit.post(client, "/customers/no/wallets", body, expect=404))[
            "code"
        ] == "customer_not_found"
        assert (await kit.post(client, "/wallets", {"wallet": {}}, expect=400))["status"] == 400

    async def test_codes_are_unique_among_the_active(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        first = await wallet(client, who, code="main")
        assert await wallet(client, who, expect=422, code="main") == {"code": ["value_already_exist"]}
        unnamed = [(await wallet(client, who, name=None))["code"] for _ in range(2)]
        assert unnamed == ["default", "default_1768003200"]
        await kit.call(client, "DELETE", f"/wallets/{first['lago_id']}")
        again = await wallet(client, who, code="main")
        path = f"/customers/{who['external_id']}/wallets/main"
        assert (await kit.get(client, path))["wallet"]["lago_id"] == again["lago_id"]

    async def test_a_customer_has_six_active_ones_at_the_most(self, client):
        who = await kit.customer(client)
        made = [await wallet(client, who, code=f"w{number}") for number in range(6)]
        assert await wallet(client, who, expect=422) == {"customer": ["wallet_limit_reached"]}
        await kit.call(client, "DELETE", f"/wallets/{made[0]['lago_id']}")
        await wallet(client, who)

    async def test_lists_are_filtered(self, client):
        one, other = await kit.customer(client), await kit.customer(client)
        euros, dollars = await wallet(client, one), await wallet(client, one, currency="USD")
        await wallet(client, other)
        path = f"/customers/{one['external_id']}/wallets"
        assert [w["lago_id"] for w in (await kit.get(client, path))["wallets"]] == [
            dollars["lago_id"],
            euros["lago_id"],
        ]
        assert len((await kit.get(client, "/wallets"))["wallets"]) == 3
        found = await kit.get(client, "/wallets", external_customer_id=one["external_id"], currency="EUR")
        assert [w["lago_id"] for w in found["wallets"]] == [euros["lago_id"]]
        code = euros["billing_entity_code"]
        assert len((await kit.get(client, "/wallets", **{"billing_entity_codes[]": code}))["wallets"]) == 3
        for query in ({"external_customer_id": "no"}, {"billing_entity_codes[]": "no"}):
            await kit.get(client, "/wallets", expect=404, **query)

    async def test_another_organizations_wallet_is_unknown(self, client, other_client):
        theirs = await wallet(other_client, await kit.customer(other_client), granted_credits="1")
        await kit.get(client, f"/wallets/{theirs['lago_id']}", expect=404)
        assert await transact(client, theirs, expect=422, granted_credits="1") == {
            "wallet_id": ["wallet_not_found"]
        }
        (move,) = await moves(other_client, theirs)
        await kit.get(client, f"/wallet_transactions/{move['lago_id']}", expect=404)


class TestChanging:
    async def test_only_what_is_sent_changes(self, client):
        who, sold = await kit.customer(client), await kit.metric(client, "count_agg")
        limits = {"fee_types": ["subscription"], "billable_metric_codes": [sold["code"]]}
        made = await wallet(
            client, who, code="one", name="One", applies_to=limits, purchase_order_number=" 7 "
        )
        path = f"/wallets/{made['lago_id']}"
        changed = (await kit.call(client, "PUT", path, {"wallet": {"priority": 3, "code": None}}))["wallet"]
        assert (changed["priority"], changed["code"], changed["name"]) == (3, "one", "One")
        assert (changed["applies_to"], changed["purchase_order_number"]) == (limits, "7")
        sent: dict[str, Any] = {
            "name": None,
            "purchase_order_number": None,
            "applies_to": {"billable_metric_codes": []},
        }
        changed = (await kit.call(client, "PUT", path, {"wallet": sent}))["wallet"]
        assert (changed["name"], changed["purchase_order_number"]) == (None, None)
        assert changed["applies_to"] == {"fee_types": ["subscription"], "billable_metric_codes": []}

    async def test_bad_limits_are_told_apart(self, client):
        made = await wallet(client, await kit.customer(client))
        path = f"/wallets/{made['lago_id']}"
        sent = {"wallet": {"applies_to": {"fee_types": ["x"], "billable_metric_codes": ["y"]}}}
        answer = await kit.call(client, "PUT", path, sent, expect=422)
        assert answer["error_details"] == {
            "allowed_fee_types": ["invalid_fee_types"],
            "billable_metrics": ["invalid_identifier"],
        }
        await kit.call(client, "PUT", "/wallets/no", {"wallet": {"name": "x"}}, expect=404)

    async def test_what_has_ended_does_not_change(self, make_organization, database):
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        made = await wallet(client, who, granted_credits="5", code="gone")
        path = f"/customers/{who['external_id']}/wallets/gone"
        for _ in range(2):
            ended = (await kit.call(client, "DELETE", path))["wallet"]
            assert (ended["status"], ended["terminated_at"][:23], ended["balance_cents"]) == (
                "terminated",
                "2026-01-10T00:00:00.000",
                500,
            )
        answer = await kit.call(client, "PUT", path, {"wallet": {"name": "x"}}, expect=422)
        assert answer["error_details"] == {"wallet_id": ["wallet_is_terminated"]}
        assert await transact(client, made, expect=422, granted_credits="1") == {
            "wallet_id": ["wallet_is_terminated"]
        }
        assert (await told(database, organization, made["lago_id"])).count("wallet.terminated") == 1

    async def test_notes_are_replaced_merged_and_dropped(self, client):
        made = await wallet(client, await kit.customer(client), metadata={"a": "1"})
        path = f"/wallets/{made['lago_id']}/metadata"
        assert (await now(client, made))["metadata"] == {"a": "1"}
        merged = await kit.call(client, "PATCH", path, {"metadata": {"b": None}})
        assert merged == {"metadata": {"a": "1", "b": None}}
        assert await kit.call(client, "PUT", path, {"metadata": {}}) == merged
        assert await kit.call(client, "DELETE", f"{path}/a") == {"metadata": {"b": None}}
        assert await kit.call(client, "DELETE", f"{path}/missing") == {"metadata": {"b": None}}
        assert await kit.post(client, path, {"metadata": {"c": "3"}}) == {"metadata": {"c": "3"}}
        assert await kit.post(client, path, {}) == {"metadata": {"c": "3"}}
        for bad in ({"k" * 101: "v"}, {"k": "v" * 256}, {str(n): "" for n in range(51)}):
            assert "value" in (await kit.post(client, path, {"metadata": bad}, expect=422))["error_details"]
        assert await kit.call(client, "DELETE", path) == {"metadata": None}
        assert (await kit.call(client, "DELETE", f"{path}/c", expect=404))["code"] == "metadata_not_found"


class TestMoving:
    async def test_paid_granted_and_voided_in_this_order(self, make_organization, database):
        organization = await make_organization(START)
        client = organization.client
        made = await wallet(client, await kit.customer(client), granted_credits="10")
        answer = await transact(
            client, made, paid_credits="2", granted_credits="3", voided_credits="10", name="Mixed", priority=7,
            metadata=[{"key": "k", "value": "v"}],
        )  # fmt: skip
        assert [(m["transaction_status"], m["status"], m["amount"]) for m in answer] == [
            ("purchased", "pending", "2.0"),
            ("granted", "settled", "3.0"),
            ("voided", "settled", "10.0"),
        ]
        assert {(m["name"], m["priority"], m["source"]) for m in answer} == {("Mixed", 7, "manual")}
        assert answer[0]["remaining_amount_cents"] is None
        assert answer[2]["remaining_credit_amount"] is None
        # The void took the new grant first, whose priority is better: 3, then 7 of 10.
        first = (await moves(client, made, transaction_status="granted"))[-1]
        assert [
            m["remaining_amount_cents"] for m in await moves(client, made, transaction_status="granted")
        ] == [0, 300]
        assert first["remaining_credit_amount"] == "3.0"
        later = await now(client, made)
        assert (later["balance_cents"], later["consumed_credits"]) == (300, "10.0")
        assert later["last_consumed_credit_at"] == later["last_balance_sync_at"]
        await held(database, organization)
        created = [
            kind for kind in await told(database, organization) if kind == "wallet_transaction.created"
        ]
        assert len(created) == 4

    async def test_nothing_of_nothing(self, client):
        made = await wallet(client, await kit.customer(client), granted_credits="0")
        assert await transact(client, made, granted_credits="0", paid_credits="0.0") == []
        assert await moves(client, made) == []

    async def test_what_cannot_be_is_refused(self, client):
        made = await wallet(
            client, await kit.customer(client), granted_credits="10", paid_top_up_min_amount_cents=200,
            paid_top_up_max_amount_cents=300,
        )  # fmt: skip
        (grant,) = await moves(client, made)
        cases: list[tuple[Any, Any]] = [
            ({"paid_credits": 3}, {"paid_credits": ["invalid_paid_credits", "invalid_amount"]}),
            ({"voided_credits": "x"}, {"voided_credits": ["invalid_voided_credits", "invalid_amount"]}),
            ({"granted_credits": "0.004"}, {"granted_credits": ["amount_rounds_to_zero"]}),
            ({"paid_credits": "1.99"}, {"paid_credits": ["amount_below_minimum"]}),
            ({"paid_credits": "3.01"}, {"paid_credits": ["amount_above_maximum"]}),
            ({"voided_credits": "10.00001"}, {"voided_credits": ["insufficient_credits"]}),
            (
                {"voided_transaction_id": made["lago_id"]},
                {"voided_transaction_id": ["wallet_transaction_not_found"]},
            ),
            ({"voided_transaction_id": "x"}, {"voided_transaction_id": ["wallet_transaction_not_found"]}),
            ({"granted_credits": "1", "name": 5}, {"name": ["invalid_value"]}),
            ({"granted_credits": "1", "name": "n" * 256}, {"name": ["too_long"]}),
            ({"granted_credits": "1", "priority": 0}, {"priority": ["value_is_invalid"]}),
            ({"granted_credits": "1", "metadata": {"a": 1}}, {"metadata": ["invalid_type"]}),
            ({"granted_credits": "1", "metadata": [{"key": "k"}]}, {"metadata": ["invalid_key_value_pair"]}),
            (
                {"granted_credits": "1", "metadata": [{"key": "k", "value": {}}]},
                {"metadata": ["nested_structure_not_allowed"]},
            ),
            (
                {"granted_credits": "1", "metadata": [{"key": "k" * 21, "value": "v"}]},
                {"metadata": ["key_too_long"]},
            ),
            (
                {"granted_credits": "1", "metadata": [{"key": "k", "value": "v" * 101}]},
                {"metadata": ["value_too_long"]},
            ),
            (
                {"granted_credits": "1", "metadata": [{"key": "k", "value": "v"}] * 16},
                {"metadata": ["too_many_keys"]},
            ),
        ]
        for sent, details in cases:
            assert await transact(client, made, expect=422, **sent) == details, sent
        assert [move["lago_id"] for move in await moves(client, made)] == [grant["lago_id"]]
        assert len(await transact(client, made, paid_credits="9", ignore_paid_top_up_limits=True)) == 1

    async def test_a_void_may_name_its_transaction(self, make_organization, database):
        organization = await make_organization(START)
        client = organization.client
        made = await wallet(client, await kit.customer(client), rate_amount="2")
        (old,) = await transact(client, made, granted_credits="10")
        (new,) = await transact(client, made, granted_credits="5")
        await transact(client, made, voided_credits="2", voided_transaction_id=new["lago_id"])
        details = await transact(
            client, made, expect=422, voided_credits="4", voided_transaction_id=new["lago_id"]
        )
        assert details == {"amount_cents": ["exceeds_remaining_transaction_amount"]}
        (rest,) = await transact(client, made, voided_transaction_id=new["lago_id"])
        assert (rest["amount"], rest["credit_amount"]) == ("6.0", "3.0")
        details = await transact(client, made, expect=422, voided_transaction_id=new["lago_id"])
        assert details == {"voided_transaction_id": ["no_remaining_amount"]}
        path = f"/wallet_transactions/{new['lago_id']}/consumptions"
        taken = (await kit.get(client, path))["wallet_transaction_consumptions"]
        assert [(one["amount_cents"], one["credit_amount"]) for one in taken] == [(600, "3.0"), (400, "2.0")]
        assert {one["wallet_transaction"]["transaction_status"] for one in taken} == {"voided"}
        assert (await kit.get(client, f"/wallet_transactions/{old['lago_id']}"))["wallet_transaction"][
            "remaining_amount_cents"
        ] == 2000
        await held(database, organization)

    async def test_what_is_shown_can_be_voided(self, make_organization):
        """Rate 3: 2.00 are 0.666… credits, shown as 0.66667; voiding these leaves nothing."""
        client = (await make_organization(START)).client
        made = await wallet(client, await kit.customer(client), rate_amount="3", granted_credits="0.66667")
        shown = (await now(client, made))["credits_balance"]
        assert shown == "0.66667"
        await transact(client, made, voided_credits=shown)
        later = await now(client, made)
        assert (later["balance_cents"], later["credits_balance"]) == (0, "0.0")

    async def test_lists_are_filtered_by_all_that_is_named(self, client):
        made = await wallet(client, await kit.customer(client))
        await transact(
            client,
            made,
            granted_credits="5",
            metadata=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}],
        )
        await transact(client, made, paid_credits="5", metadata=[{"key": "a", "value": "1"}])
        await transact(client, made, voided_credits="1")
        for query, count in [
            ({}, 3),
            ({"status": "pending"}, 1),
            ({"transaction_type": "outbound"}, 1),
            ({"transaction_status": "granted"}, 1),
            ({"metadata[a]": "1"}, 2),
            ({"metadata[a]": "1", "metadata[b]": "2"}, 1),
            ({"metadata[a]": ""}, 3),
        ]:
            assert len(await moves(client, made, **query)) == count, query
        path = f"/wallets/{made['lago_id']}/wallet_transactions"
        answer = await kit.get(client, path, expect=422, status="lost")
        assert answer["error_details"] == {"status": ["value_is_invalid"]}
        (void,) = await moves(client, made, transaction_status="voided")
        for which in ("consumptions", "no/consumptions"):
            await kit.get(client, f"/wallet_transactions/{which}", expect=404)
        answer = await kit.get(client, f"/wallet_transactions/{void['lago_id']}/consumptions", expect=422)
        assert answer["error_details"] == {"transaction_type": ["invalid_transaction_type"]}


class TestPurchases:
    async def test_are_invoiced_untaxed_and_settled_when_paid(self, make_organization, database):
        """§22.1: 10.12345 credits at 1.5 are 15.19."""
        organization = await make_organization(START)
        client = organization.client
        await kit.tax(client, "20")
        who = await kit.customer(client, net_payment_term=7)
        made = await wallet(client, who, rate_amount="1.5", purchase_order_number="PO 1")
        (bought,) = await transact(client, made, paid_credits="10.12345")
        assert (bought["amount"], bought["credit_amount"], bought["status"]) == (
            "15.19",
            "10.12667",
            "pending",
        )
        (invoice,) = await credit_invoices(client, who)
        assert (invoice["status"], invoice["payment_status"], invoice["number"][-8:]) == (
            "finalized",
            "pending",
            "-001-001",
        )
        assert (invoice["total_amount_cents"], invoice["taxes_amount_cents"]) == (1519, 0)
        assert (invoice["issuing_date"], invoice["payment_due_date"]) == ("2026-01-10", "2026-01-17")
        assert invoice["purchase_order_number"] == "PO 1"
        (fee,) = invoice["fees"]
        assert (fee["item"]["type"], fee["item"]["code"], fee["item"]["name"]) == (
            "credit",
            "credit",
            "credit",
        )
        assert fee["item"]["lago_item_id"] == bought["lago_id"]
        assert (fee["units"], fee["precise_unit_amount"], fee["amount_cents"]) == ("10.12667", "1.5", 1519)
        assert (await now(client, made))["balance_cents"] == 0
        await pay(client, invoice)
        settled = (await kit.get(client, f"/wallet_transactions/{bought['lago_id']}"))["wallet_transaction"]
        assert (settled["status"], settled["remaining_amount_cents"]) == ("settled", 1519)
        assert settled["lago_invoice_id"] == invoice["lago_id"]
        assert (await now(client, made))["balance_cents"] == 1519
        # Twice does nothing.
        await pay(client, invoice, "pending")
        await pay(client, invoice)
        later = await now(client, made)
        assert (later["balance_cents"], later["credits_balance"]) == (1519, "10.12667")
        kinds = await told(database, organization)
        assert kinds.count("invoice.paid_credit_added") == 1
        assert kinds.count("wallet_transaction.updated") == 1
        await held(database, organization)

    async def test_fail_and_may_be_paid_later(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, paid_credits="4")
        (invoice,) = await credit_invoices(client, who)
        await pay(client, invoice, "failed")
        (move,) = await moves(client, made)
        assert (move["status"], move["settled_at"]) == ("failed", None)
        assert move["failed_at"] is not None
        await pay(client, invoice)
        (move,) = await moves(client, made)
        assert (move["status"], move["failed_at"] is None) == ("settled", False)
        await pay(client, invoice, "failed")
        (move,) = await moves(client, made)
        assert (move["status"], (await now(client, made))["balance_cents"]) == ("settled", 400)

    async def test_of_an_ended_wallet_still_settle(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, paid_credits="4")
        await kit.call(client, "DELETE", f"/wallets/{made['lago_id']}")
        (invoice,) = await credit_invoices(client, who)
        await pay(client, invoice)
        assert (await now(client, made))["balance_cents"] == 400

    async def test_that_have_to_be_paid_first_show_no_invoice(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, paid_credits="4", invoice_requires_successful_payment=True)
        assert await credit_invoices(client, who) == []
        (move,) = await moves(client, made)
        assert move["invoice_requires_successful_payment"] is True
        await kit.get(client, f"/invoices/{move['lago_invoice_id']}", expect=404)


class TestPaying:
    async def test_an_invoice_takes_wallets_after_taxes(self, make_organization, database):
        """50 units at 1.00 and 20 % are 60.00; of a wallet of 45.00 the invoice takes all: 15.00 are due."""
        organization = await make_organization(START)
        client = organization.client
        await kit.tax(client, "20", applied_to_organization=True)
        who = await kit.customer(client)
        sold, plan = await metered(client)
        made = await wallet(client, who, granted_credits="30", paid_credits="15")
        (bought,) = await credit_invoices(client, who)
        await pay(client, bought)
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 50)
        await kit.advance(client, "2026-02-01T01:00")
        invoice = next(
            one for one in await kit.invoices(client, who) if one["invoice_type"] == "subscription"
        )
        assert (invoice["prepaid_credit_amount_cents"], invoice["total_amount_cents"]) == (4500, 1500)
        assert (
            invoice["prepaid_granted_credit_amount_cents"],
            invoice["prepaid_purchased_credit_amount_cents"],
        ) == (3000, 1500)
        assert invoice["payment_status"] == "pending"
        (spent,) = await moves(client, made, transaction_status="invoiced")
        assert (spent["lago_invoice_id"], spent["amount"], spent["status"]) == (
            invoice["lago_id"],
            "45.0",
            "settled",
        )
        path = f"/wallet_transactions/{spent['lago_id']}/fundings"
        funded = (await kit.get(client, path))["wallet_transaction_fundings"]
        kinds = {f["wallet_transaction"]["transaction_status"]: f["amount_cents"] for f in funded}
        assert kinds == {"granted": 3000, "purchased": 1500}
        await held(database, organization)

    async def test_what_wallets_pay_in_full_is_paid(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        made = await wallet(client, who, granted_credits="100")
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 5)
        await kit.advance(client, "2026-02-01T01:00")
        (invoice,) = await kit.invoices(client, who)
        assert (invoice["total_amount_cents"], invoice["payment_status"]) == (0, "succeeded")
        assert invoice["prepaid_purchased_credit_amount_cents"] is None
        assert (await now(client, made))["balance_cents"] == 9500

    async def test_priority_then_age_and_only_the_invoices_currency(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        old = await wallet(client, who, granted_credits="3", code="old")
        first = await wallet(client, who, granted_credits="4", code="first", priority=1)
        foreign = await wallet(client, who, granted_credits="9", code="foreign", priority=1, currency="USD")
        limited = await wallet(
            client,
            who,
            granted_credits="9",
            code="limited",
            priority=1,
            applies_to={"fee_types": ["product"]},
        )
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 5)
        await kit.advance(client, "2026-02-01T01:00")
        left = [(await now(client, one))["balance_cents"] for one in (first, old, foreign, limited)]
        assert left == [0, 200, 900, 900]

    async def test_drafts_take_nothing_until_they_are_final(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client, billing_configuration={"invoice_grace_period": 3})
        sold, plan = await metered(client)
        made = await wallet(client, who, granted_credits="10")
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 5)
        await kit.advance(client, "2026-02-01T01:00")
        (draft,) = await kit.invoices(client, who)
        assert (draft["status"], draft["prepaid_credit_amount_cents"]) == ("draft", 0)
        await kit.advance(client, "2026-02-05")
        (final,) = await kit.invoices(client, who)
        assert (final["status"], final["prepaid_credit_amount_cents"]) == ("finalized", 500)
        assert (await now(client, made))["balance_cents"] == 500

    async def test_one_off_and_credit_invoices_take_nothing(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, granted_credits="10", paid_credits="5")
        add_on = {"name": "Setup", "code": "setup", "amount_cents": 300, "amount_currency": "EUR"}
        await kit.post(client, "/add_ons", {"add_on": add_on})
        body = {"external_customer_id": who["external_id"], "fees": [{"add_on_code": "setup"}]}
        await kit.post(client, "/invoices", {"invoice": body})
        assert [one["prepaid_credit_amount_cents"] for one in await kit.invoices(client, who)] == [0, 0]
        assert (await now(client, made))["balance_cents"] == 1000

    async def test_a_void_invoice_gives_back_to_the_cent(self, make_organization, database):
        """Rate 3: 1.00 of 3.00 is a third of a credit; given back as a grant of its own."""
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        made = await wallet(client, who, rate_amount="3", granted_credits="1")
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 1)
        await kit.advance(client, "2026-02-01T01:00")
        (invoice,) = await kit.invoices(client, who)
        assert (await now(client, made))["credits_balance"] == "0.66667"
        await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})
        later = await now(client, made)
        assert (later["balance_cents"], later["credits_balance"], later["consumed_credits"]) == (
            300,
            "1.0",
            "0.0",
        )
        back = (await moves(client, made))[0]
        assert (back["transaction_status"], back["amount"], back["priority"]) == ("granted", "1.0", 50)
        assert back["lago_voided_invoice_id"] == invoice["lago_id"]
        await held(database, organization)

    async def test_no_drift_over_three_invoices(self, make_organization):
        """§22.2: 300 cents at rate 3, three invoices of 1.00 each: 0.33333 credits a time, and nothing is left."""
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        made = await wallet(client, who, rate_amount="3", granted_credits="1")
        subscription = await kit.subscribe(client, who, plan)
        for month in ("02", "03", "04"):
            await kit.send(client, subscription, sold, 1)
            await kit.advance(client, f"2026-{month}-01T01:00")
        spent = await moves(client, made, transaction_status="invoiced")
        assert [move["credit_amount"] for move in spent] == ["0.33333"] * 3
        later = await now(client, made)
        assert (later["balance_cents"], later["credits_balance"], later["consumed_credits"]) == (
            0,
            "0.0",
            "1.0",
        )

    async def test_credit_notes_come_before_wallets(self, make_organization):
        """A plan of 31.00 paid in advance and left on the 11th gives 21 days back; the next invoice takes them first."""
        client = (await make_organization("2026-01-01T00:00:00Z")).client
        who = await kit.customer(client)
        advance = await kit.plan(client, amount_cents=3100, pay_in_advance=True)
        left = await kit.subscribe(client, who, advance)
        await kit.advance(client, "2026-01-11")
        await kit.call(client, "DELETE", f"/subscriptions/{left['external_id']}")
        (note,) = (await kit.get(client, "/credit_notes"))["credit_notes"]
        credit = note["credit_amount_cents"]
        sold, plan = await metered(client)
        made = await wallet(client, who, granted_credits="100")
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 50)
        await kit.advance(client, "2026-02-01T01:00")
        last = (await kit.invoices(client, who))[-1]
        assert last["credit_notes_amount_cents"] == credit
        assert last["prepaid_credit_amount_cents"] == 5000 - credit
        assert (await now(client, made))["balance_cents"] == 10_000 - (5000 - credit)


class TestEnding:
    async def test_an_expired_wallet_pays_nothing(self, make_organization, database):
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        made = await wallet(client, who, granted_credits="10", expiration_at="2026-02-01T00:00:00Z")
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 5)
        await kit.advance(client, "2026-02-01T01:00")
        later = await now(client, made)
        assert (later["status"], later["terminated_at"]) == ("terminated", "2026-02-01T00:00:00.000Z")
        assert (later["balance_cents"], (await kit.invoices(client, who))[0]["total_amount_cents"]) == (
            1000,
            500,
        )
        assert "wallet.terminated" in await told(database, organization, made["lago_id"])

    async def test_an_end_that_was_put_off_does_not_come(self, make_organization):
        client = (await make_organization(START)).client
        made = await wallet(client, await kit.customer(client), expiration_at="2026-02-01T00:00:00Z")
        body = {"wallet": {"expiration_at": None}}
        await kit.call(client, "PUT", f"/wallets/{made['lago_id']}", body)
        await kit.advance(client, "2026-03-01")
        assert (await now(client, made))["status"] == "active"

    async def test_wallets_end_with_their_customer(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        rule = {"trigger": "interval", "interval": "weekly", "granted_credits": "1"}
        made = await wallet(client, who, granted_credits="10", recurring_transaction_rules=[rule])
        await kit.call(client, "DELETE", f"/customers/{who['external_id']}")
        await kit.advance(client, "2026-03-01")
        later = await now(client, made)
        assert (later["status"], later["balance_cents"], later["recurring_transaction_rules"]) == (
            "terminated",
            1000,
            [],
        )


class TestRules:
    async def test_fill_a_wallet_on_their_days(self, make_organization):
        """§22.12: monthly from 31 January: 28 February, 31 March, 30 April."""
        client = (await make_organization("2026-01-31T10:00:00Z")).client
        who = await kit.customer(client, timezone="Europe/Paris")
        rule = {
            "trigger": "interval", "interval": "monthly", "paid_credits": "5", "granted_credits": "2",
            "transaction_name": "Monthly", "transaction_metadata": [{"key": "a", "value": "b"}],
        }  # fmt: skip
        made = await wallet(client, who, recurring_transaction_rules=[rule])
        await kit.advance(client, "2026-05-01")
        found = [move for move in await moves(client, made) if move["source"] == "interval"]
        granted = [move["created_at"] for move in found if move["transaction_status"] == "granted"]
        assert granted == ["2026-04-29T22:00:00Z", "2026-03-30T22:00:00Z", "2026-02-27T23:00:00Z"]
        assert {(move["name"], tuple(move["metadata"][0].values())) for move in found} == {
            ("Monthly", ("a", "b"))
        }
        assert len(await credit_invoices(client, who)) == 3

    async def test_copy_the_first_credits_where_they_name_none(self, make_organization):
        client = (await make_organization(START)).client
        rule = {"trigger": "interval", "interval": "weekly"}
        made = await wallet(
            client,
            await kit.customer(client),
            granted_credits="4",
            paid_credits="3",
            recurring_transaction_rules=[rule],
        )
        (kept,) = made["recurring_transaction_rules"]
        assert (kept["paid_credits"], kept["granted_credits"], kept["method"]) == ("3.0", "4.0", "fixed")
        assert (kept["grants_target_top_up"], kept["status"]) == (None, "active")

    async def test_fill_up_to_a_target(self, make_organization):
        client = (await make_organization(START)).client
        rule = {
            "trigger": "interval", "interval": "weekly", "method": "target", "target_ongoing_balance": "10",
            "grants_target_top_up": True,
        }  # fmt: skip
        made = await wallet(
            client, await kit.customer(client), granted_credits="4", recurring_transaction_rules=[rule]
        )
        await kit.advance(client, "2026-01-18")
        assert (await now(client, made))["balance_cents"] == 1000
        await kit.advance(client, "2026-01-25")
        assert len([m for m in await moves(client, made) if m["source"] == "interval"]) == 1

    async def test_are_refused_as_one(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        weekly = {"trigger": "interval", "interval": "weekly"}
        for bad in [
            {"trigger": "sometimes"},
            {"trigger": "interval"},
            {"trigger": "threshold"},
            {"trigger": "threshold", "threshold_credits": 5},
            {**weekly, "method": "target"},
            {**weekly, "paid_credits": "x", "granted_credits": "1"},
            {**weekly, "grants_target_top_up": True},
            {**weekly, "expiration_at": "2020-01-01"},
            {**weekly, "transaction_metadata": [{"key": str(n), "value": "v"} for n in range(6)]},
            {**weekly, "paid_credits": "1", "granted_credits": "1"},
            {
                "trigger": "threshold",
                "threshold_credits": "10",
                "method": "target",
                "target_ongoing_balance": "9",
            },
        ]:
            details = await wallet(
                client, who, expect=422, paid_top_up_min_amount_cents=200, recurring_transaction_rules=[bad]
            )
            assert details == {"recurring_transaction_rules": ["invalid_recurring_rule"]}, bad
        details = await wallet(client, who, expect=422, recurring_transaction_rules=[weekly, weekly])
        assert details == {"recurring_transaction_rules": ["invalid_number_of_recurring_rules"]}

    async def test_an_update_is_the_full_list(self, make_organization):
        client = (await make_organization(START)).client
        rule = {"trigger": "interval", "interval": "weekly", "granted_credits": "1"}
        made = await wallet(client, await kit.customer(client), recurring_transaction_rules=[rule])
        (kept,) = made["recurring_transaction_rules"]
        path = f"/wallets/{made['lago_id']}"

        async def change(*sent, **more):
            body = {"wallet": {"recurring_transaction_rules": list(sent), **more}}
            return (await kit.call(client, "PUT", path, body))["wallet"]["recurring_transaction_rules"]

        same = await kit.call(client, "PUT", path, {"wallet": {"name": "renamed"}})
        assert same["wallet"]["recurring_transaction_rules"] == [kept]
        (changed,) = await change({**rule, "lago_id": kept["lago_id"], "granted_credits": "2"})
        assert (changed["lago_id"], changed["granted_credits"]) == (kept["lago_id"], "2.0")
        (other,) = await change({**rule, "granted_credits": "3"})
        assert other["lago_id"] != kept["lago_id"]
        assert await change() == []
        await kit.advance(client, "2026-03-01")
        assert await moves(client, made) == []

    async def test_limits_hold_the_rule_that_stays(self, make_organization):
        client = (await make_organization(START)).client
        rule = {"trigger": "interval", "interval": "weekly", "paid_credits": "5"}
        made = await wallet(client, await kit.customer(client), recurring_transaction_rules=[rule])
        body = {"wallet": {"paid_top_up_max_amount_cents": 499}}
        answer = await kit.call(client, "PUT", f"/wallets/{made['lago_id']}", body, expect=422)
        assert answer["error_details"] == {"recurring_transaction_rules": ["invalid_recurring_rule"]}
        assert (await now(client, made))["paid_top_up_max_amount_cents"] is None

    async def test_end_with_their_own_time(self, make_organization):
        client = (await make_organization(START)).client
        rule = {
            "trigger": "interval", "interval": "weekly", "granted_credits": "1", "expiration_at": "2026-01-20T00:00:00Z",
        }  # fmt: skip
        made = await wallet(client, await kit.customer(client), recurring_transaction_rules=[rule])
        await kit.advance(client, "2026-02-20")
        later = await now(client, made)
        assert (later["balance_cents"], later["recurring_transaction_rules"]) == (100, [])

    async def test_start_at_their_anchor(self, make_organization):
        client = (await make_organization(START)).client
        rule = {
            "trigger": "interval", "interval": "monthly", "granted_credits": "1", "started_at": "2026-03-05T15:30:00Z",
        }  # fmt: skip
        made = await wallet(client, await kit.customer(client), recurring_transaction_rules=[rule])
        await kit.advance(client, "2026-04-10")
        assert [move["created_at"] for move in await moves(client, made)] == [
            "2026-04-05T00:00:00Z",
            "2026-03-05T15:30:00Z",
        ]


class TestTargets:
    async def test_events_name_their_wallet(self, make_organization, database):
        """Ten to `a` and five to nobody: `a` pays 10.00 of its own, the other wallet the 5.00."""
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        sold, plan = await metered(client, accepts_target_wallet=True)
        first = await wallet(client, who, granted_credits="100", code="first", priority=1)
        named = await wallet(client, who, granted_credits="8", code="a")
        subscription = await kit.subscribe(client, who, plan)
        for value, code in ((10, "a"), (5, None)):
            properties: dict[str, Any] = {"value": value, **({"target_wallet_code": code} if code else {})}
            await kit.send(client, subscription, sold, value, properties=properties)
        await kit.advance(client, "2026-02-01T01:00")
        (invoice,) = await kit.invoices(client, who)
        assert (invoice["prepaid_credit_amount_cents"], invoice["total_amount_cents"]) == (1300, 200)
        assert [(await now(client, one))["balance_cents"] for one in (first, named)] == [9500, 0]
        assert {Decimal(fee["units"]) for fee in invoice["fees"] if fee["amount_cents"]} == {10, 5}


class TestUnknownTargets:
    async def test_a_wallet_that_is_not_there_is_told_and_the_event_still_billed(
        self, make_organization, database
    ):
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        sold, plan = await metered(client, accepts_target_wallet=True)
        await wallet(client, who, granted_credits="100", code="there")
        gone = await wallet(client, who, code="gone")
        await kit.call(client, "DELETE", f"/wallets/{gone['lago_id']}")
        subscription = await kit.subscribe(client, who, plan)
        for code in ("there", "gone", "nowhere", " ", None):
            properties = {"value": 1} if code is None else {"value": 1, "target_wallet_code": code}
            await kit.send(client, subscription, sold, 1, properties=properties)
        assert (await told(database, organization)).count("event.error") == 2
        async with database.tenant(organization.id) as tx:
            wrong = outbox.c.webhook_type == "event.error"
            found = (await tx.execute(select(outbox.c.payload).where(wrong))).scalars().all()
        (payload,) = {json.dumps(one) for one in found}
        assert json.loads(payload) == {
            "status": 422,
            "error": "Unprocessable entity",
            "message": '{"target_wallet_code": ["target_wallet_code_not_found"]}',
        }
        await kit.advance(client, "2026-02-01T01:00")
        (invoice,) = await kit.invoices(client, who)
        assert invoice["fees_amount_cents"] == 500

    async def test_a_charge_that_takes_no_target_tells_nothing(self, make_organization, database):
        organization = await make_organization(START)
        client = organization.client
        sold, plan = await metered(client)
        subscription = await kit.subscribe(client, await kit.customer(client), plan)
        await kit.send(client, subscription, sold, 1, properties={"value": 1, "target_wallet_code": "no"})
        assert "event.error" not in await told(database, organization)


class TestPaymentPages:
    async def test_are_refused_with_the_reason(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, granted_credits="1", paid_credits="1")
        bought, given = sorted(
            await moves(client, made), key=lambda move: move["transaction_status"], reverse=True
        )

        async def refused(move):
            path = f"/wallet_transactions/{move['lago_id']}/payment_url"
            return (await kit.call(client, "POST", path, expect=422))["error_details"]["base"]

        assert await refused(given) == ["wallet_transaction_not_purchased"]
        assert await refused(bought) == ["no_linked_payment_provider"]
        (invoice,) = await credit_invoices(client, who)
        await pay(client, invoice)
        assert await refused(bought) == ["wallet_transaction_already_settled"]
        await kit.call(client, "POST", "/wallet_transactions/no/payment_url", expect=404)


class TestTogether:
    async def test_two_top_ups_at_once_both_count(self, client, database, organization):
        made = await wallet(client, await kit.customer(client), granted_credits="1")
        await asyncio.gather(*(transact(client, made, granted_credits="2") for _ in range(8)))
        assert (await now(client, made))["balance_cents"] == 1700
        await held(database, organization)

    async def test_of_voids_at_once_only_as_many_as_there_is_for(self, client, database, organization):
        """Ten credits, eight voids of three at the same time: three of them find enough."""
        made = await wallet(client, await kit.customer(client), granted_credits="10")
        body = {"wallet_transaction": {"wallet_id": made["lago_id"], "voided_credits": "3"}}
        answers = await asyncio.gather(*(client.post("/wallet_transactions", json=body) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [422] * 5
        assert (await now(client, made))["balance_cents"] == 100
        await held(database, organization)

    async def test_a_purchase_paid_twice_at_once_is_settled_once(self, client, database, organization):
        who = await kit.customer(client)
        made = await wallet(client, who, paid_credits="5")
        await jobs.run_due_work(database, organization.id, None)
        (invoice,) = await credit_invoices(client, who)
        await asyncio.gather(*(pay(client, invoice) for _ in range(6)))
        assert (await now(client, made))["balance_cents"] == 500
        await held(database, organization)

    async def test_invoices_at_once_never_draw_the_same_cent(self, client, database, organization):
        """Six events in advance of 3.00 each, in six calls at once, and a wallet of 10.00: 10.00 are drawn, 8.00 due."""
        who = await kit.customer(client)
        sold = await kit.metric(client, "sum_agg", field_name="value")
        price = {**kit.charge(sold, amount="3"), "pay_in_advance": True}
        made = await wallet(client, who, granted_credits="10")
        subscription = await kit.subscribe(client, who, await kit.plan(client, price))
        await asyncio.gather(*(kit.send(client, subscription, sold, 1) for _ in range(6)))
        await asyncio.gather(*(jobs.run_due_work(database, organization.id, None) for _ in range(3)))
        bills = await kit.invoices(client, who)
        assert sum(one["prepaid_credit_amount_cents"] for one in bills) == 1000
        assert sum(one["total_amount_cents"] for one in bills) == 800
        assert (await now(client, made))["balance_cents"] == 0
        await held(database, organization)

    async def test_codes_are_claimed_once(self, client):
        who = await kit.customer(client)
        body = {
            "external_customer_id": who["external_id"],
            "rate_amount": "1",
            "currency": "EUR",
            "code": "one",
        }
        answers = await asyncio.gather(*(client.post("/wallets", json={"wallet": body}) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]

    async def test_the_database_itself_refuses_what_is_below_zero(self, client, database, organization):
        made = await wallet(client, await kit.customer(client), granted_credits="1")
        for values in (
            {"balance_cents": -1, "precise_balance_cents": -1},
            {"balance_cents": 99},
            {"balance_cents": 0, "precise_balance_cents": Decimal("0.4")},
        ):
            with pytest.raises(IntegrityError):
                async with database.tenant(organization.id) as tx:
                    await tx.execute(
                        update(wallets).where(wallets.c.id == UUID(made["lago_id"])).values(**values)
                    )


class TestWaves:
    async def test_take_as_many_statements_for_twelve_customers_as_for_two(
        self, make_organization, count_statements
    ):
        """Each customer has two wallets, and an invoice of 5.00 that takes 3.00 of one and 2.00 of the other."""
        counts = []
        for customers in (2, 12):
            client = (await make_organization(START)).client
            sold, plan = await metered(client)
            owners = []
            for _ in range(customers):
                who = await kit.customer(client)
                subscription = await kit.subscribe(client, who, plan)
                await kit.send(client, subscription, sold, 5)
                first = await wallet(client, who, granted_credits="3", code="first")
                owners.append((first, await wallet(client, who, granted_credits="3", code="second")))
            with count_statements() as statements:
                await kit.advance(client, "2026-02-01T01:00")
            # A clock's advance says now and then that it is still alive: that is no part of the wave.
            counts.append(sum("test_clocks" not in statement for statement in statements))
            for first, second in owners:
                assert (await now(client, first))["balance_cents"] == 0
                assert (await now(client, second))["balance_cents"] == 100
        assert counts[0] == counts[1]


class TestJournal:
    async def test_prepaid_credits_are_owed_until_they_are_spent(self, make_organization):
        """Bought 10.00 and given 2.00; 5.00 invoiced (2.00 given, 3.00 bought), 4.00 voided: 3.00 are owed."""
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        made = await wallet(client, who, granted_credits="2", paid_credits="10")
        (invoice,) = await credit_invoices(client, who)
        await pay(client, invoice)
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 5)
        await kit.advance(client, "2026-02-01T01:00")
        await transact(client, made, voided_credits="4")
        balances: dict[str, int] = {}
        for entry in (await kit.get(client, "/journal_entries"))["journal_entries"]:
            for line in entry["lines"]:
                change = line["debit_cents"] - line["credit_cents"]
                balances[line["account"]] = balances.get(line["account"], 0) + change
        assert balances["prepaid_credits"] == -300
        assert balances["granted_credits"] == 200
        assert balances["revenue.usage"] == -500
        assert balances["write_offs"] == -400
        assert sum(balances.values()) == 0


class TestVoidPurchases:
    async def test_a_purchase_whose_invoice_is_void_has_failed(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, paid_credits="5")
        (invoice,) = await credit_invoices(client, who)
        await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})
        (move,) = await moves(client, made)
        assert (move["status"], (await now(client, made))["balance_cents"]) == ("failed", 0)

    async def test_what_was_settled_before_stays(self, make_organization):
        client = (await make_organization(START)).client
        who = await kit.customer(client)
        made = await wallet(client, who, paid_credits="5")
        (invoice,) = await credit_invoices(client, who)
        await pay(client, invoice)
        await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})
        (move,) = await moves(client, made)
        assert (move["status"], (await now(client, made))["balance_cents"]) == ("settled", 500)


class TestCreditInvoices:
    async def test_print_the_transactions_sections_else_the_wallets_else_the_customers(
        self, make_organization, database
    ):
        organization = await make_organization(START)
        client = organization.client
        async with database.tenant(organization.id) as tx:
            for code in ("of_customer", "of_wallet", "of_transaction"):
                values = {"code": code, "name": code, "display_name": code, "details": code}
                await sections.create_section(tx, values, now=datetime(2026, 1, 1, tzinfo=UTC))
        who = await kit.customer(client, invoice_custom_section_codes=["of_customer"])
        plain = await wallet(client, who)
        choosing = await wallet(
            client, who, invoice_custom_section={"invoice_custom_section_codes": ["of_wallet"]}
        )
        assert [
            one["invoice_custom_section"]["code"] for one in choosing["applied_invoice_custom_sections"]
        ] == ["of_wallet"]
        own = {"invoice_custom_section_codes": ["of_transaction"]}
        printed = []
        for of, more in (
            (plain, {}),
            (choosing, {}),
            (choosing, {"invoice_custom_section": own}),
            (choosing, {"invoice_custom_section": {"skip_invoice_custom_sections": True}}),
        ):
            (bought,) = await transact(client, of, paid_credits="1", **more)
            move = (await kit.get(client, f"/wallet_transactions/{bought['lago_id']}"))["wallet_transaction"]
            invoice = (await kit.get(client, f"/invoices/{move['lago_invoice_id']}"))["invoice"]
            printed.append([section["code"] for section in invoice["applied_invoice_custom_sections"]])
        assert printed == [["of_customer"], ["of_wallet"], ["of_transaction"], []]

    async def test_are_issued_by_the_wallets_entity_under_its_order_number(self, make_organization):
        client = (await make_organization(START)).client
        body = {"billing_entity": {"name": "Second", "code": "second"}}
        entity = (await kit.post(client, "/billing_entities", body))["billing_entity"]
        who = await kit.customer(client)
        rule = {
            "trigger": "interval",
            "interval": "weekly",
            "paid_credits": "1",
            "purchase_order_number": "RULE",
        }
        made = await wallet(
            client, who, paid_credits="2", billing_entity_id=entity["lago_id"], purchase_order_number="WALLET",
            recurring_transaction_rules=[rule],
        )  # fmt: skip
        assert made["billing_entity_code"] == "second"
        await transact(client, made, paid_credits="3")
        await transact(client, made, paid_credits="4", purchase_order_number="OWN")
        await kit.advance(client, "2026-01-18")
        found = await credit_invoices(client, who)
        assert {invoice["billing_entity_code"] for invoice in found} == {"second"}
        numbers = sorted(
            (invoice["total_amount_cents"], invoice["purchase_order_number"]) for invoice in found
        )
        assert numbers == [(100, "RULE"), (200, "RULE"), (300, "WALLET"), (400, "OWN")]
        cleared = {"wallet": {"billing_entity_code": None}}
        changed = await kit.call(client, "PUT", f"/wallets/{made['lago_id']}", cleared)
        assert changed["wallet"]["billing_entity_code"] != "second"


TARGETS: dict[str, Any] = {
    # name: (price, takes targets, wallets (code, credits, priority), events, balances left)
    "by target and region": (
        {"amount": "5", "pricing_group_keys": ["region"]}, True, [("w1", "200", 50), ("w2", "250", 50)],
        [("10", "eu", "w1"), ("15", "us", "w1"), ("20", "eu", "w2")], [7500, 15000]),
    "with and without target": (
        {"amount": "10"}, True, [("w1", "150", 50), ("other", "100", 1)],
        [("10", None, "w1"), ("5", None, None)], [5000, 5000]),
    "a charge that takes no target": (
        {"amount": "10"}, False, [("w1", "200", 1), ("w2", "250", 2)],
        [("10", None, "w1"), ("5", None, "w1"), ("20", None, "w2")], [0, 10000]),
}  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
async def test_targets_in_arrears(make_organization, name):
    """Worked out by hand: w1 pays 125.00 and w2 100.00 of their own; 100.00 and 50.00; all 350.00 by priority."""
    price, takes, holds, sent, left = TARGETS[name]
    client = (await make_organization(START)).client
    who = await kit.customer(client)
    sold = await kit.metric(client, "sum_agg", field_name="value")
    charge = {**kit.charge(sold, **price), "accepts_target_wallet": takes}
    made = [await wallet(client, who, code=code, granted_credits=c, priority=p) for code, c, p in holds]
    subscription = await kit.subscribe(client, who, await kit.plan(client, charge))
    for value, region, target in sent:
        named = {"value": value, "region": region, "target_wallet_code": target}
        properties = {key: text for key, text in named.items() if text is not None}
        await kit.send(client, subscription, sold, value, properties=properties)
    await kit.advance(client, "2026-02-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    assert invoice["total_amount_cents"] == 0
    assert [(await now(client, one))["balance_cents"] for one in made] == left


async def test_how_a_purchase_is_paid_is_kept(make_organization):
    client = (await make_organization(START)).client
    manual, provider = (
        {"payment_method_type": kind, "payment_method_id": None} for kind in ("manual", "provider")
    )
    rule = {"trigger": "interval", "interval": "weekly", "paid_credits": "1", "payment_method": manual}
    made = await wallet(
        client, await kit.customer(client), payment_method=manual, recurring_transaction_rules=[rule]
    )
    assert (made["payment_method"], made["recurring_transaction_rules"][0]["payment_method"]) == (
        manual,
        manual,
    )
    (own,) = await transact(client, made, paid_credits="1", payment_method=provider)
    (inherited,) = await transact(client, made, paid_credits="1")
    assert (own["payment_method"], inherited["payment_method"]) == (provider, manual)
    details = await transact(
        client, made, expect=422, paid_credits="1", payment_method={"payment_method_type": "gold"}
    )
    assert details == {"payment_method": ["invalid_payment_method"]}
    body = {"wallet": {"name": "same", "payment_method": provider}}
    changed = await kit.call(client, "PUT", f"/wallets/{made['lago_id']}", body)
    assert changed["wallet"]["payment_method"] == provider


async def test_a_preview_draws_as_its_invoice_will_and_moves_nothing(make_organization):
    """50 units at 1.00 and 20 %: 60.00; wallets of 10.00 for the metric and 30.00 for all leave 20.00."""
    client = (await make_organization(START)).client
    await kit.tax(client, "20", applied_to_organization=True)
    who = await kit.customer(client)
    sold, plan = await metered(client)
    limits = {"billable_metric_codes": [sold["code"]]}
    made = [
        await wallet(client, who, granted_credits="10", code="of_metric", applies_to=limits),
        await wallet(client, who, granted_credits="30", code="of_all"),
    ]
    subscription = await kit.subscribe(client, who, plan)
    await kit.send(client, subscription, sold, 50)
    body = {
        "customer": {"external_id": who["external_id"]},
        "subscriptions": {"external_ids": [subscription["external_id"]]},
    }
    shown = (await kit.post(client, "/invoices/preview", body))["invoice"]
    assert [(await now(client, one))["balance_cents"] for one in made] == [1000, 3000]
    await kit.advance(client, "2026-02-01T01:00")
    (invoice,) = await kit.invoices(client, who)
    names = (
        "prepaid_credit_amount_cents", "prepaid_granted_credit_amount_cents", "prepaid_purchased_credit_amount_cents",
        "total_amount_cents",
    )  # fmt: skip
    assert [shown[name] for name in names] == [invoice[name] for name in names] == [4000, 4000, None, 2000]


class TestOpenInvoices:
    async def settle(self, database, organization, move, status, at):
        """What a provider's word, or a payment, does to an invoice that is not issued yet."""
        async with database.tenant(organization.id, is_simulated=True) as tx:
            invoice = await invoices.find_invoice(tx, UUID(move["lago_invoice_id"]))
            assert invoice is not None
            await tx.lock("customer", invoice.customer_id)
            await settlements.set_payment_status(tx, invoice, status, now=at)
        async with database.tenant(organization.id, is_simulated=True) as tx:
            return await invoices.find_invoice(tx, invoice.id)

    async def test_are_issued_when_they_are_paid_as_of_that_day(self, make_organization, database):
        """Bought on the 10th on a term of 30 days, failed on the 12th, paid on the 15th in Tokyo: of the 16th, due then."""
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client, net_payment_term=30, timezone="Asia/Tokyo")
        made = await wallet(client, who, paid_credits="4", invoice_requires_successful_payment=True)
        (move,) = await moves(client, made)
        failed = await self.settle(database, organization, move, "failed", datetime(2026, 1, 12, tzinfo=UTC))
        assert (failed.status, failed.number[-6:]) == ("open", "-DRAFT")
        assert (await moves(client, made))[0]["status"] == "failed"
        paid = await self.settle(
            database, organization, move, "succeeded", datetime(2026, 1, 15, 16, tzinfo=UTC)
        )
        assert (paid.status, paid.payment_status, paid.sequential_id) == ("finalized", "succeeded", 1)
        assert {paid.issuing_date.isoformat(), paid.payment_due_date.isoformat()} == {"2026-01-16"}
        assert (await now(client, made))["balance_cents"] == 400
        (shown,) = await credit_invoices(client, who)
        assert shown["lago_id"] == move["lago_invoice_id"]
        kinds = await told(database, organization)
        assert (kinds.count("invoice.paid_credit_added"), kinds.count("wallet_transaction.updated")) == (1, 2)
        await kit.advance(client, "2026-03-01")
        assert (await credit_invoices(client, who))[0]["payment_overdue"] is False
        await held(database, organization)


class TestRefunds:
    async def test_are_of_what_is_left_of_that_purchase(self, make_organization, database):
        """Two purchases of 5.00: of the younger no more can be refunded than is left of it, and nothing once the wallet has ended."""
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        made = await wallet(client, who)
        for _ in range(2):
            (bought,) = await transact(client, made, paid_credits="5")
            (invoice,) = [
                one for one in await credit_invoices(client, who) if one["payment_status"] == "pending"
            ]
            await pay(client, invoice)
        async with database.tenant(organization.id, is_simulated=True) as tx:
            assert await service.refundable_cents(tx, UUID(invoice["lago_id"])) == 500
        with pytest.raises(Invalid, match="higher_than_wallet_balance"):
            async with database.tenant(organization.id, is_simulated=True) as tx:
                await service.refund(
                    tx, UUID(invoice["lago_id"]), 501, credit_note_id=UUID(int=1), now=JANUARY
                )
        left = (await kit.get(client, f"/wallet_transactions/{bought['lago_id']}"))["wallet_transaction"]
        assert left["remaining_amount_cents"] == 500
        await kit.call(client, "DELETE", f"/wallets/{made['lago_id']}")
        with pytest.raises(NotAllowed, match="invalid_type_or_status"):
            async with database.tenant(organization.id, is_simulated=True) as tx:
                await service.refundable_cents(tx, UUID(invoice["lago_id"]))
