"""Rules that fill a wallet on their days (wallets §8)."""

from __future__ import annotations

from tests import kit
from tests.rooms.prepaid import START, credit_invoices, moves, now, wallet


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
