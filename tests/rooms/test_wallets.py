"""Wallets over the API: made, changed, ended (wallets §2)."""

from __future__ import annotations

from typing import Any

from tests import kit
from tests.rooms.prepaid import START, metered, moves, now, told, transact, wallet


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
            ({"priority": "51"}, {"priority": ["value_is_invalid"]}),
            ({"priority": "high"}, {"priority": ["value_is_invalid"]}),
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
        unnamed = [(await wallet(client, who, name=None))["code"] for _ in range(4)]
        dated = "default_1768003200"
        assert unnamed == ["default", dated, f"{dated}_2", f"{dated}_3"]
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
        for limits in (
            {"fee_types": ["x"], "billable_metric_codes": ["y"]},
            {"fee_types": [["charge"]], "billable_metric_codes": [1]},
            {"fee_types": [{}], "billable_metric_codes": [["y"]]},
        ):
            answer = await kit.call(client, "PUT", path, {"wallet": {"applies_to": limits}}, expect=422)
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
