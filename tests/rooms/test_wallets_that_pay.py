"""Invoices draw on wallets, and give back what they drew (wallets §6)."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from tests import kit
from tests.rooms.prepaid import START, credit_invoices, held, metered, moves, now, pay, told, wallet

from tallymark.db.tables import outbox


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

    @pytest.mark.parametrize(
        ("ended", "left"),
        [
            ("given", {"prepaid_credits": 500, "granted_credits": -500}),
            ("bought", {"prepaid_credits": 500, "refunds": -500}),
        ],
    )
    async def test_a_void_invoice_one_of_whose_wallets_has_ended_owes_what_was_bought_of_it(
        self, make_organization, database, ended, left
    ):
        """15.00, of which 10.00 were granted and 5.00 bought: those of the wallet that stands come back as a grant."""
        organization = await make_organization(START)
        client = organization.client
        who = await kit.customer(client)
        sold, plan = await metered(client)
        wallets = {
            "given": await wallet(client, who, code="given", priority=1, granted_credits="10"),
            "bought": await wallet(client, who, code="bought", priority=2, paid_credits="5"),
        }
        (sale,) = await credit_invoices(client, who)
        await pay(client, sale)
        subscription = await kit.subscribe(client, who, plan)
        await kit.send(client, subscription, sold, 15)
        await kit.advance(client, "2026-02-01T01:00")
        (invoice,) = [one for one in await kit.invoices(client, who) if one["invoice_type"] == "subscription"]
        assert invoice["total_amount_cents"] == 0
        await kit.call(client, "DELETE", f"/wallets/{wallets[ended]['lago_id']}")
        await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})
        found = await kit.get(client, "/journal_entries", document_id=invoice["lago_id"])
        books: dict[str, int] = {}
        for line in (line for entry in found["journal_entries"] for line in entry["lines"]):
            moved = line["debit_cents"] - line["credit_cents"]
            books[line["account"]] = books.get(line["account"], 0) + moved
        assert {account: cents for account, cents in books.items() if cents} == left
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
