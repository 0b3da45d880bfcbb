"""Void invoices of prepaid credits made anew (invoicing §10.4, wallets §5, decision 49)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.people import join
from tests.rooms.prepaid import START, credit_invoices, held, moves, now, pay, told, transact, wallet

from tallymark.rooms.invoice_custom_sections import service as sections


async def void(client, invoice):
    await kit.post(client, f"/invoices/{invoice['lago_id']}/void", {})


async def regenerate(client, invoice, *, expect=200, **more):
    body = {"invoice": {"fees": [{"id": invoice["fees"][0]["lago_id"], **more}]}}
    answer = await kit.post(client, f"/invoices/{invoice['lago_id']}/regenerate", body, expect=expect)
    return answer.get("invoice", answer)


async def pay_all(client, invoice, *, expect=200):
    body = {
        "invoice_id": invoice["lago_id"],
        "amount_cents": invoice["total_amount_cents"],
        "reference": "wire",
    }
    return await kit.post(client, "/payments", {"payment": body}, expect=expect)


async def bought(client, of, **more):
    """A purchase, and its invoice."""
    (move,) = await transact(client, of, **more)
    move = (await kit.get(client, f"/wallet_transactions/{move['lago_id']}"))["wallet_transaction"]
    return move, (await kit.get(client, f"/invoices/{move['lago_invoice_id']}"))["invoice"]


@pytest.fixture
async def seller(make_organization, application):
    """A wallet in which a credit is 1.50, on 10 January 2026, and somebody at a browser."""
    organization = await make_organization(START)
    client = organization.client
    await kit.tax(client, "20")
    client.who = await kit.customer(client, net_payment_term=7)
    client.wallet = await wallet(client, client.who, rate_amount="1.5", name="Prepaid", code="prepaid")
    client.organization = organization
    client.browser = (await join(application, str(organization.id), ADMIN_KEY)).browser
    yield client
    await client.browser.aclose()


async def regenerable(seller, invoice):
    asked = {"lago_ids": [invoice["lago_id"]]}
    return bool((await kit.post(seller.browser, "/invoices/regenerable", asked))["regenerable"])


async def would_be(seller, invoice):
    """Whether it may be made anew once it is void; no note gives anything of credits back then."""
    found = (await kit.get(seller.browser, f"/consequences/voids/{invoice['lago_id']}"))["consequences"]
    assert (found["creditable_amount_cents"], found["refundable_amount_cents"]) == (0, 0)
    return found["is_regenerable"]


async def foreseen(seller, invoice, *, expect=200, **more):
    body = {"invoice": {"fees": [{"id": invoice["fees"][0]["lago_id"], **more}]}}
    path = f"/invoices/{invoice['lago_id']}/regenerate/preview"
    answer = await kit.post(seller.browser, path, body, expect=expect)
    return answer.get("regeneration_preview", answer)


async def test_the_same_credits_are_sold_again_and_paid_once(seller, database):
    """10.12345 credits at 1.50 are 15.19, untaxed: 10.12667 credits. Void on the 10th, sold again on the 20th, due on the 27th."""
    terms = {
        "name": "Spring", "priority": 7, "metadata": [{"key": "deal", "value": "42"}], "purchase_order_number": "PO 1",
        "payment_method": {"payment_method_type": "manual", "payment_method_id": None},
    }  # fmt: skip
    move, invoice = await bought(seller, seller.wallet, paid_credits="10.12345", **terms)
    assert (await regenerate(seller, invoice, expect=405))["code"] == "not_regenerable"
    assert not await regenerable(seller, invoice)
    assert await would_be(seller, invoice)
    await void(seller, invoice)
    assert await regenerable(seller, invoice)
    await kit.advance(seller, "2026-01-20")
    preview = await foreseen(seller, invoice)
    assert preview["credits"] == {
        "lago_wallet_id": seller.wallet["lago_id"], "wallet_name": "Prepaid", "wallet_code": "prepaid", "is_moved": False,
        "rate_amount": "1.5", "credit_amount": "10.12667", "settled_amount_cents": 0,
    }  # fmt: skip
    assert (preview["fees_amount_cents"], preview["taxes_amount_cents"]) == (1519, 0)
    assert preview["sub_total_including_taxes_amount_cents"] == 1519
    assert len(await moves(seller, seller.wallet)) == 1

    made = await regenerate(seller, invoice)
    assert (made["invoice_type"], made["status"], made["payment_status"]) == (
        "credit",
        "finalized",
        "pending",
    )
    assert (made["number"][-8:], made["currency"], made["purchase_order_number"]) == (
        "-001-002",
        "EUR",
        "PO 1",
    )
    assert (made["issuing_date"], made["payment_due_date"]) == ("2026-01-20", "2026-01-27")
    assert (made["total_amount_cents"], made["taxes_amount_cents"]) == (1519, 0)
    (fee,) = made["fees"]
    assert (fee["units"], fee["precise_unit_amount"], fee["amount_cents"]) == ("10.12667", "1.5", 1519)
    assert (fee["item"]["name"], fee["lago_original_fee_id"]) == ("Spring", invoice["fees"][0]["lago_id"])
    steps = (await kit.get(seller, f"/fees/{fee['lago_id']}/explanation"))["explanation"]["steps"]
    before = await kit.get(seller, f"/fees/{invoice['fees'][0]['lago_id']}/explanation")
    assert steps == before["explanation"]["steps"] != []
    relations = (await kit.get(seller.browser, f"/invoices/{made['lago_id']}/relations"))["relations"]
    assert relations["voided_invoice"]["lago_id"] == invoice["lago_id"]

    again, old = await moves(seller, seller.wallet)
    assert (old["lago_id"], old["status"], old["lago_invoice_id"]) == (
        move["lago_id"],
        "failed",
        invoice["lago_id"],
    )
    assert (again["status"], again["lago_invoice_id"], again["remaining_amount_cents"]) == (
        "pending",
        made["lago_id"],
        None,
    )
    same = ("transaction_type", "transaction_status", "source", "amount", "credit_amount", *terms)
    assert {name: again[name] for name in same} == {name: move[name] for name in same}
    assert fee["item"]["lago_item_id"] == again["lago_id"]
    kinds = await told(database, seller.organization)
    assert [kinds.count(f"invoice.{one}") for one in ("paid_credit_added", "voided")] == [2, 1]
    assert kinds.count("wallet_transaction.created") == 2

    # Nobody pays the void one; the new one is paid once, and brings its credits once.
    await pay_all(seller, invoice, expect=403)
    assert (await now(seller, seller.wallet))["balance_cents"] == 0
    await pay_all(seller, made)
    await pay(seller, made)
    await pay_all(seller, made, expect=422)
    assert [one["status"] for one in await moves(seller, seller.wallet)] == ["settled", "failed"]
    later = await now(seller, seller.wallet)
    assert (later["balance_cents"], later["credits_balance"]) == (1519, "10.12667")
    await held(database, seller.organization)
    assert (await regenerate(seller, invoice, expect=405))["code"] == "already_regenerated"


async def test_other_credits_cost_what_they_are_worth(seller):
    """4.33333 credits at 1.50 are 6.499995, so 6.50. Top-ups between 20.00 and 21.00 leave an amount alone that was agreed on before."""
    _, invoice = await bought(seller, seller.wallet, paid_credits="10")
    await void(seller, invoice)
    limits = {"paid_top_up_min_amount_cents": 2000, "paid_top_up_max_amount_cents": 2100}
    await kit.call(seller, "PUT", f"/wallets/{seller.wallet['lago_id']}", {"wallet": limits})
    assert (await foreseen(seller, invoice))["fees_amount_cents"] == 1500
    for more, field, code in (
        ({"units": "4.33333"}, "units", "amount_below_minimum"),
        ({"units": "14.1"}, "units", "amount_above_maximum"),
        ({"units": "0"}, "units", "value_is_out_of_range"),
        ({"units": "0.003"}, "units", "amount_rounds_to_zero"),
        ({"units": "99999999999999"}, "units", "value_is_out_of_range"),
        ({"unit_precise_amount": "2"}, "unit_precise_amount", "value_is_invalid"),
    ):
        for answer in (
            await regenerate(seller, invoice, expect=422, **more),
            await foreseen(seller, invoice, expect=422, **more),
        ):
            assert answer["error_details"] == {field: [code]}
    free = {"paid_top_up_min_amount_cents": 650, "paid_top_up_max_amount_cents": None}
    await kit.call(seller, "PUT", f"/wallets/{seller.wallet['lago_id']}", {"wallet": free})
    told_otherwise = {"units": "4.33333", "unit_precise_amount": "1.50", "invoice_display_name": "Less"}
    assert (await foreseen(seller, invoice, **told_otherwise))["credits"]["credit_amount"] == "4.33333"
    made = await regenerate(seller, invoice, **told_otherwise)
    again = (await moves(seller, seller.wallet))[0]
    assert (made["total_amount_cents"], again["amount"], again["credit_amount"]) == (650, "6.5", "4.33333")
    assert (made["fees"][0]["item"]["name"], again["name"]) == ("Less", "Less")
    await pay_all(seller, made)
    assert (await now(seller, seller.wallet))["balance_cents"] == 650


async def test_another_wallet_takes_them_where_theirs_has_ended(seller):
    """15.00 buy 10 credits at 1.50, and 21.42857 at 0.70; what is in dollars, or past its end, takes none."""
    _, invoice = await bought(seller, seller.wallet, paid_credits="10")
    _, other = await bought(seller, seller.wallet, paid_credits="1")
    _, due = await bought(seller, seller.wallet, paid_credits="1")
    for one in (invoice, other):
        await void(seller, one)
    await wallet(seller, seller.who, currency="USD", code="dollars", priority=1)
    ends = await wallet(seller, seller.who, code="ends", priority=1, expiration_at="2026-01-12T00:00:00Z")
    await kit.call(seller, "DELETE", f"/wallets/{seller.wallet['lago_id']}")
    await kit.advance(seller, "2026-01-12T01:00")
    assert (await now(seller, ends))["status"] == "terminated"
    assert not await regenerable(seller, invoice)
    assert not await would_be(seller, due)
    for answer in (
        await regenerate(seller, invoice, expect=422),
        await foreseen(seller, invoice, expect=422),
    ):
        assert answer["error_details"] == {"wallet_id": ["wallet_is_terminated"]}
    # In the order in which they pay; and the limits of another wallet were never agreed on.
    await wallet(seller, seller.who, rate_amount="9", code="later", priority=9)
    taking = await wallet(
        seller, seller.who, rate_amount="0.7", priority=8, paid_top_up_min_amount_cents=1500
    )
    assert await regenerable(seller, invoice)
    preview = (await foreseen(seller, invoice))["credits"]
    assert (preview["is_moved"], preview["lago_wallet_id"]) == (True, taking["lago_id"])
    low = await regenerate(seller, other, expect=422)
    assert low["error_details"] == {"units": ["amount_below_minimum"]}
    made = await regenerate(seller, invoice)
    (again,) = await moves(seller, taking)
    assert (made["total_amount_cents"], made["fees"][0]["units"]) == (1500, "21.42857")
    assert (again["amount"], again["credit_amount"], again["lago_invoice_id"]) == (
        "15.0",
        "21.42857",
        made["lago_id"],
    )
    await pay_all(seller, made)
    assert (await now(seller, taking))["balance_cents"] == 1500
    await kit.call(seller, "DELETE", f"/customers/{seller.who['external_id']}")
    assert not await regenerable(seller, other)
    assert (await regenerate(seller, other, expect=404))["code"] == "customer_not_found"


async def test_what_was_paid_stays_and_the_new_one_sells_more(seller, database):
    """An invoice that waited for its 15.00, paid, and then void: its credits stay, and 15.00 more are asked for 10 more credits.

    The one in its place is issued at once, as it was, by the same entity and with the same sections; the wallet is the same,
    though another pays first.
    """
    async with database.tenant(seller.organization.id) as tx:
        section = {"code": "own", "name": "own", "display_name": "own", "details": "own"}
        await sections.create_section(tx, section, now=datetime(2026, 1, 10, tzinfo=UTC))
    own = {"invoice_custom_section_codes": ["own"]}
    (move,) = await transact(
        seller, seller.wallet, paid_credits="10", invoice_requires_successful_payment=True,
        invoice_custom_section=own,
    )  # fmt: skip
    move = (await kit.get(seller, f"/wallet_transactions/{move['lago_id']}"))["wallet_transaction"]
    await pay_all(seller, {"lago_id": move["lago_invoice_id"], "total_amount_cents": 1500})
    (invoice,) = await credit_invoices(seller, seller.who)
    invoice = (await kit.get(seller, f"/invoices/{invoice['lago_id']}"))["invoice"]
    assert await would_be(seller, invoice)
    by_note = {"generate_credit_note": True, "refund_amount": 1500}
    await kit.post(seller, f"/invoices/{invoice['lago_id']}/void", by_note, expect=422)
    await void(seller, invoice)
    await wallet(seller, seller.who, priority=1)
    entity = {"billing_entity": {"name": "Second", "code": "second"}}
    await kit.post(seller, "/billing_entities", entity)
    path = f"/wallets/{seller.wallet['lago_id']}"
    await kit.call(seller, "PUT", path, {"wallet": {"billing_entity_code": "second"}})
    assert (await foreseen(seller, invoice))["credits"]["settled_amount_cents"] == 1500
    made = await regenerate(seller, invoice)
    assert (made["status"], made["payment_status"], made["total_due_amount_cents"]) == (
        "finalized",
        "pending",
        1500,
    )
    assert made["billing_entity_code"] == invoice["billing_entity_code"] != "second"
    assert [one["code"] for one in made["applied_invoice_custom_sections"]] == ["own"]
    assert (await now(seller, seller.wallet))["balance_cents"] == 1500
    await pay_all(seller, made)
    assert (await now(seller, seller.wallet))["balance_cents"] == 3000
    await held(database, seller.organization)


async def test_a_rule_that_had_bought_them_keeps_its_days(seller):
    """Bought by a weekly rule on Saturday the 17th, and again by hand; the rule buys on the 24th as before."""
    rule = {"trigger": "interval", "interval": "weekly", "paid_credits": "2"}
    weekly = await wallet(seller, seller.who, recurring_transaction_rules=[rule])
    await kit.advance(seller, "2026-01-17T01:00")
    (of_rule,) = await moves(seller, weekly)
    assert of_rule["source"] == "interval"
    invoice = (await kit.get(seller, f"/invoices/{of_rule['lago_invoice_id']}"))["invoice"]
    await void(seller, invoice)
    await regenerate(seller, invoice)
    await kit.advance(seller, "2026-01-24T01:00")
    found = [(one["source"], one["status"], one["amount"]) for one in await moves(seller, weekly)]
    assert found == [
        ("interval", "pending", "2.0"),
        ("manual", "pending", "2.0"),
        ("interval", "failed", "2.0"),
    ]


async def test_several_at_once_make_one(seller):
    _, invoice = await bought(seller, seller.wallet, paid_credits="10")
    await void(seller, invoice)
    body = {"invoice": {"fees": [{"id": invoice["fees"][0]["lago_id"]}]}}
    path = f"/invoices/{invoice['lago_id']}/regenerate"
    answers = await asyncio.gather(*(seller.post(path, json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 405, 405, 405]
    assert [one["status"] for one in await moves(seller, seller.wallet)] == ["pending", "failed"]
