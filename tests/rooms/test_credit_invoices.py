"""Credits that are bought: the invoice, its payment, its end (wallets §5, §11.4)."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from tests import kit
from tests.rooms.prepaid import (
    JANUARY,
    START,
    credit_invoices,
    held,
    metered,
    moves,
    now,
    pay,
    told,
    transact,
    wallet,
)

from tallymark.domain.errors import Invalid, NotAllowed
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.settlements import service as settlements
from tallymark.rooms.wallets import service


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
