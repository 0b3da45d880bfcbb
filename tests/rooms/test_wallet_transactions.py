"""Credits that are granted, voided and read, by many at once too (wallets §4, §23)."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from tests import kit
from tests.rooms.prepaid import START, credit_invoices, held, moves, now, pay, told, transact, wallet

from tallymark.db.tables import wallets
from tallymark.rooms.billing import jobs


class TestMoving:
    async def test_paid_granted_and_voided_in_this_order(self, make_organization, database):
        organization = await make_organization(START)
        client = organization.client
        made = await wallet(client, await kit.customer(client), granted_credits="10")
        answer = await transact(
            client, made, paid_credits="2", granted_credits="3", voided_credits="10", name="Mixed", priority="7",
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
