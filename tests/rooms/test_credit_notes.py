"""Credit notes made by hand: what they give back, what they refuse, what becomes of them (invoicing §11)."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select
from tests import kit

from tallymark.db.tables import outbox
from tallymark.integrations.documents.credit_note import credit_note_data
from tallymark.rooms.credit_notes import service


@pytest.fixture
async def seller(make_organization):
    """An organization that has invoiced add-ons of 100.00 and 50.00 with 20 % tax: 180.00 are due."""
    organization = await make_organization("2025-03-01T00:00:00Z")
    client = organization.client
    client.organization_id = organization.id
    await kit.tax(client, "20")
    client.who = await kit.customer(client, currency="EUR")
    client.invoice = await sell(client, 10_000, 5_000)
    client.large, client.small = client.invoice["fees"]
    return client


async def sell(client, *amounts, **more):
    """A one-off invoice of add-ons that cost so much."""
    fees = []
    for position, amount in enumerate(amounts):
        code = f"add_on_{amount}_{position}"
        body = {"name": code, "code": code, "amount_cents": amount, "amount_currency": "EUR"}
        await client.post("/add_ons", json={"add_on": body})
        fees.append({"add_on_code": code, **more})
    body = {"external_customer_id": client.who["external_id"], "currency": "EUR", "fees": fees}
    return (await kit.post(client, "/invoices", {"invoice": body}))["invoice"]


def items(*pairs):
    return [{"fee_id": fee["lago_id"], "amount_cents": amount} for fee, amount in pairs]


async def give(client, *pairs, credit=0, refund=0, offset=0, of=None, expect=200, **more):
    body = {
        "invoice_id": (of or client.invoice)["lago_id"],
        "items": items(*pairs),
        "credit_amount_cents": credit,
        "refund_amount_cents": refund,
        "offset_amount_cents": offset,
        **more,
    }
    answer = await kit.post(client, "/credit_notes", {"credit_note": body}, expect=expect)
    return answer["credit_note"] if expect == 200 else answer


async def guess(client, *pairs, of=None):
    body = {"invoice_id": (of or client.invoice)["lago_id"], "items": items(*pairs)}
    return (await kit.post(client, "/credit_notes/estimate", {"credit_note": body}))["estimated_credit_note"]


async def notes(client, **query):
    return (await kit.get(client, "/credit_notes", **query))["credit_notes"]


async def invoice(client, of=None):
    return (await kit.get(client, f"/invoices/{(of or client.invoice)['lago_id']}"))["invoice"]


async def told(database, client, object_id):
    async with database.tenant(client.organization_id) as tx:
        statement = select(outbox.c.webhook_type).where(outbox.c.object_id == object_id)
        return list((await tx.execute(statement.order_by(outbox.c.id))).scalars())


class TestCreate:
    async def test_a_credit_is_of_items_with_their_taxes(self, seller, database):
        note = await give(seller, (seller.large, 1_000), (seller.small, 500), credit=1_800, description="late",
                          reason="order_change", metadata={"ticket": "7"})  # fmt: skip
        assert note["number"] == f"{seller.invoice['number']}-CN001"
        expected = {
            "sequential_id": 1, "credit_status": "available", "refund_status": None, "reason": "order_change",
            "description": "late", "issuing_date": "2025-03-01", "sub_total_excluding_taxes_amount_cents": 1_500,
            "taxes_amount_cents": 300, "total_amount_cents": 1_800, "credit_amount_cents": 1_800,
            "balance_amount_cents": 1_800, "refund_amount_cents": 0, "offset_amount_cents": 0, "taxes_rate": 20,
            "precise_taxes_amount_cents": "300.0", "precise_total_amount_cents": "1800.0",
            "coupons_adjustment_amount_cents": 0, "metadata": {"ticket": "7"}, "self_billed": False,
            "lago_invoice_id": seller.invoice["lago_id"], "invoice_number": seller.invoice["number"],
        }  # fmt: skip
        assert {name: note[name] for name in expected} == expected
        assert [(item["fee"]["lago_id"], item["amount_cents"]) for item in note["items"]] == [
            (seller.large["lago_id"], 1_000), (seller.small["lago_id"], 500),
        ]  # fmt: skip
        (tax,) = note["applied_taxes"]
        assert (tax["base_amount_cents"], tax["amount_cents"], tax["tax_rate"]) == (1_500, 300, 20)
        assert (await kit.get(seller, f"/credit_notes/{note['lago_id']}"))["credit_note"] == note
        assert await told(database, seller, note["lago_id"]) == ["credit_note.created"]
        # A credit changes nothing of what is due.
        assert (await invoice(seller))["total_due_amount_cents"] == 18_000

    async def test_the_next_invoice_uses_the_credit(self, seller):
        await give(seller, (seller.large, 1_000), credit=1_200)
        plan = await kit.plan(seller, amount_cents=2_000, pay_in_advance=True)
        await kit.subscribe(seller, seller.who, plan, billing_time="anniversary")
        (made,) = [one for one in await kit.invoices(seller, seller.who) if one["credit_notes_amount_cents"]]
        assert (made["credit_notes_amount_cents"], made["total_amount_cents"]) == (1_200, 1_200)
        (note,) = await notes(seller)
        assert (note["balance_amount_cents"], note["credit_status"]) == (0, "consumed")

    async def test_an_offset_lowers_what_is_due_and_settles_the_invoice(self, seller, database):
        await give(seller, (seller.small, 5_000), offset=6_000)
        found = await invoice(seller)
        assert (found["total_due_amount_cents"], found["payment_status"]) == (12_000, "pending")
        assert found["total_offsetted_credit_note_amount_cents"] == 6_000
        await give(seller, (seller.large, 10_000), offset=12_000)
        found = await invoice(seller)
        assert (found["total_due_amount_cents"], found["payment_status"]) == (0, "succeeded")
        assert found["total_paid_amount_cents"] == 0
        assert {fee["payment_status"] for fee in found["fees"]} == {"succeeded"}
        assert await told(database, seller, seller.invoice["lago_id"]) == [
            "invoice.one_off_created", "invoice.payment_status_updated",
        ]  # fmt: skip
        listed = await kit.get(seller, "/invoices", **{"settlements[]": "credit_note"})
        assert [one["lago_id"] for one in listed["invoices"]] == [seller.invoice["lago_id"]]
        assert (await kit.get(seller, "/invoices", settlements="payment"))["invoices"] == []
        await kit.get(seller, "/invoices", settlements="gift", expect=422)

    async def test_an_offset_invoice_is_not_overdue(self, seller):
        await kit.advance(seller, "2025-03-03T00:00")
        assert (await invoice(seller))["payment_overdue"] is True
        await give(seller, (seller.large, 10_000), (seller.small, 5_000), offset=18_000)
        assert (await invoice(seller))["payment_overdue"] is False

    @pytest.mark.parametrize(
        ("asked", "details"),
        [
            ({"credit": 1_198}, {"base": ["does_not_match_item_amounts"]}),
            ({"refund": 1_200}, {"refund_amount_cents": ["cannot_refund_unpaid_invoice"]}),
            ({"credit": 1_300, "refund": -100}, {"refund_amount_cents": ["value_is_out_of_range"]}),
            ({"credit": 1_200, "reason": "boredom"}, {"reason": ["value_is_invalid"]}),
            ({"credit": 1_200, "items": None}, {"items": ["must_be_an_array"]}),
            ({"credit": 1_200, "items": {"0": "x"}}, {"items": ["must_be_an_array"]}),
            ({"items": []}, {"base": ["total_amount_must_be_positive"]}),
            ({"credit": 1_200, "metadata": {"k" * 101: "v"}}, {"metadata": ["key_too_long"]}),
        ],
    )
    async def test_what_does_not_fit_is_refused_and_leaves_nothing(self, seller, asked, details):
        answer = await give(seller, (seller.large, 1_000), expect=422, **asked)
        assert answer["error_details"] == details
        assert await notes(seller) == []

    @pytest.mark.parametrize(
        ("amount", "code"), [(-1, "invalid_value"), (10_001, "higher_than_remaining_fee_amount")]
    )
    async def test_items_are_held_against_their_fees(self, seller, amount, code):
        answer = await give(seller, (seller.large, amount), credit=1_200, expect=422)
        assert answer["error_details"] == {"amount_cents": [code]}
        body = {"invoice_id": seller.invoice["lago_id"], "items": items((seller.large, amount))}
        answer = await kit.post(seller, "/credit_notes/estimate", {"credit_note": body}, expect=422)
        assert answer["error_details"] == {"amount_cents": [code]}

    async def test_an_offset_beyond_what_is_due_is_refused(self, seller):
        await give(seller, (seller.small, 5_000), credit=6_000)
        answer = await give(seller, (seller.large, 10_000), offset=12_002, expect=422)
        assert "higher_than_remaining_invoice_amount" in answer["error_details"]["offset_amount_cents"]

    async def test_what_is_not_there_is_not_found(self, seller, make_organization):
        stranger = (await make_organization("2025-03-01T00:00:00Z")).client
        body = {
            "invoice_id": seller.invoice["lago_id"],
            "items": items((seller.large, 1)),
            "credit_amount_cents": 1,
        }
        answer = await kit.post(stranger, "/credit_notes", {"credit_note": body}, expect=404)
        assert answer["code"] == "invoice_not_found"
        for fee_id in (seller.invoice["lago_id"], "none", None):
            wrong = {**body, "items": [{"fee_id": fee_id, "amount_cents": 1}]}
            answer = await kit.post(seller, "/credit_notes", {"credit_note": wrong}, expect=404)
            assert answer["code"] == "fee_not_found"
        await kit.post(seller, "/credit_notes", {"credit_note": {}}, expect=400)

    async def test_an_invoice_that_is_void_is_not_credited_again(self, seller):
        await kit.post(seller, f"/invoices/{seller.invoice['lago_id']}/void", {})
        answer = await give(seller, (seller.large, 1_000), credit=1_200, expect=405)
        assert answer["code"] == "invalid_type_or_status"

    async def test_two_notes_at_once_never_give_back_more_than_the_fee(self, seller):
        body = {
            "invoice_id": seller.invoice["lago_id"], "items": items((seller.large, 6_000)), "credit_amount_cents": 7_200,
        }  # fmt: skip
        made = await asyncio.gather(
            *(seller.post("/credit_notes", json={"credit_note": body}) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in made) == [200, 422, 422, 422]
        assert len(await notes(seller)) == 1

    async def test_many_notes_at_once_are_numbered_without_gaps_and_offset_no_more_than_is_due(self, seller):
        body = {
            "invoice_id": seller.invoice["lago_id"], "items": items((seller.large, 2_500)), "offset_amount_cents": 3_000,
        }  # fmt: skip
        made = await asyncio.gather(
            *(seller.post("/credit_notes", json={"credit_note": body}) for _ in range(6))
        )
        assert sorted(answer.status_code for answer in made) == [200] * 4 + [422] * 2
        assert sorted(note["sequential_id"] for note in await notes(seller)) == [1, 2, 3, 4]
        assert (await invoice(seller))["total_due_amount_cents"] == 6_000


class TestEstimate:
    async def test_what_items_come_to_and_may_be_given_back(self, seller):
        found = await guess(seller, (seller.large, 1_001))
        expected = {
            "lago_invoice_id": seller.invoice["lago_id"], "invoice_number": seller.invoice["number"], "currency": "EUR",
            "taxes_amount_cents": 200, "precise_taxes_amount_cents": "200.2", "taxes_rate": 20,
            "sub_total_excluding_taxes_amount_cents": 1_001, "max_creditable_amount_cents": 1_201,
            "max_refundable_amount_cents": 0, "max_offsettable_amount_cents": 1_201,
            "coupons_adjustment_amount_cents": 0, "precise_coupons_adjustment_amount_cents": "0.0",
            "items": [{"amount_cents": 1_001, "lago_fee_id": seller.large["lago_id"]}],
        }  # fmt: skip
        assert {name: found[name] for name in expected} == expected
        (tax,) = found["applied_taxes"]
        assert (tax["base_amount_cents"], tax["amount_cents"], tax["amount_currency"]) == (1_001, 200, "EUR")
        assert await notes(seller) == []

    async def test_the_last_note_takes_the_cent_that_roundings_left(self, seller):
        """Three fees of 105 at 10 %: 32 of taxes; two notes take 11 each, the third 10 (§17.2)."""
        tax = await kit.tax(seller, "10", applied_to_organization=False)
        made = await sell(seller, 105, 105, 105, tax_codes=[tax["code"]])
        assert made["taxes_amount_cents"] == 32
        taxes = []
        for fee in made["fees"]:
            most = (await guess(seller, (fee, 105), of=made))["max_creditable_amount_cents"]
            taxes.append((await give(seller, (fee, 105), credit=most, of=made))["taxes_amount_cents"])
        assert taxes == [11, 11, 10]


class TestLife:
    async def test_voiding_drops_what_is_left_once(self, seller):
        note = await give(seller, (seller.large, 1_000), credit=600, offset=600)
        path = f"/credit_notes/{note['lago_id']}/void"
        voided = (await kit.call(seller, "PUT", path))["credit_note"]
        assert (voided["credit_status"], voided["balance_amount_cents"]) == ("voided", 0)
        assert (voided["credit_amount_cents"], voided["offset_amount_cents"]) == (600, 600)
        assert (await kit.call(seller, "PUT", path, expect=405))["code"] == "no_voidable_amount"
        # What was given back once is not given back again.
        answer = await give(seller, (seller.large, 9_001), credit=10_801, expect=422)
        assert answer["error_details"] == {"amount_cents": ["higher_than_remaining_fee_amount"]}

    async def test_an_offset_alone_has_nothing_to_void(self, seller):
        note = await give(seller, (seller.large, 1_000), offset=1_200)
        path = f"/credit_notes/{note['lago_id']}/void"
        assert (await kit.call(seller, "PUT", path, expect=405))["code"] == "no_voidable_amount"

    async def test_metadata_is_replaced_merged_and_dropped(self, seller):
        note = await give(seller, (seller.large, 1_000), credit=1_200)
        assert "metadata" not in note
        path = f"/credit_notes/{note['lago_id']}/metadata"
        assert (await kit.call(seller, "DELETE", f"{path}/a", expect=404))["code"] == "metadata_not_found"
        for method, sent, found in (
            ("POST", {"a": "1", "b": None}, {"a": "1", "b": None}),
            ("PATCH", {"c": "3"}, {"a": "1", "b": None, "c": "3"}),
            ("PUT", {"a": "2"}, {"a": "2", "b": None, "c": "3"}),
            ("PUT", {}, {"a": "2", "b": None, "c": "3"}),
            ("POST", {"d": "4"}, {"d": "4"}),
        ):
            assert await kit.call(seller, method, path, {"metadata": sent}) == {"metadata": found}
        changed = {"refund_status": "failed", "metadata": {"e": "5"}}
        body = {"credit_note": changed}
        shown = (await kit.call(seller, "PUT", f"/credit_notes/{note['lago_id']}", body))["credit_note"]
        assert (shown["metadata"], shown["refund_status"]) == ({"d": "4", "e": "5"}, "failed")
        assert await kit.call(seller, "DELETE", f"{path}/d") == {"metadata": {"e": "5"}}
        assert await kit.call(seller, "DELETE", path) == {"metadata": None}
        too_many = {"metadata": {str(n): "" for n in range(51)}}
        answer = await kit.call(seller, "POST", path, too_many, expect=422)
        assert answer["error_details"] == {"metadata": ["too_many_keys"]}

    async def test_a_refund_status_is_one_of_three(self, seller):
        note = await give(seller, (seller.large, 1_000), credit=1_200)
        body = {"credit_note": {"refund_status": "maybe"}}
        answer = await kit.call(seller, "PUT", f"/credit_notes/{note['lago_id']}", body, expect=422)
        assert answer["error_details"] == {"refund_status": ["value_is_invalid"]}

    async def test_another_organization_sees_and_changes_none(self, seller, make_organization):
        note = await give(seller, (seller.large, 1_000), credit=1_200)
        stranger = (await make_organization("2025-03-01T00:00:00Z")).client
        path = f"/credit_notes/{note['lago_id']}"
        for method, verb in (("GET", ""), ("PUT", "/void"), ("DELETE", "/metadata")):
            answer = await kit.call(stranger, method, f"{path}{verb}", expect=404)
            assert answer["code"] == "credit_note_not_found"
        assert await notes(stranger) == []


async def test_lists_are_filtered(seller):
    credit = await give(seller, (seller.large, 1_000), credit=1_200, reason="order_change")
    offset = await give(seller, (seller.large, 2_000), offset=2_400)
    for query, found in (
        ({"types[]": "credit"}, [credit]),
        ({"types[]": ["credit", "offset"]}, [offset, credit]),
        ({"types[]": "refund"}, []),
        ({"reason": "order_change"}, [credit]),
        ({"credit_status": "available"}, [offset, credit]),
        ({"amount_from": 2_000}, [offset]),
        ({"amount_to": 1_200}, [credit]),
        ({"amount_from": 10**30}, []),
        ({"search_term": offset["number"].lower()}, [offset]),
        ({"search_term": credit["lago_id"]}, [credit]),
        ({"search_term": seller.who["name"].upper()}, [offset, credit]),
        ({"search_term": "nobody"}, []),
        ({"invoice_number": seller.invoice["number"]}, [offset, credit]),
        ({"self_billed": "true"}, []),
        ({"purchase_order_number": "x"}, []),
        ({"issuing_date_from": "2025-03-02"}, []),
        ({"billing_entity_codes[]": credit["billing_entity_code"]}, [offset, credit]),
    ):
        assert [note["lago_id"] for note in await notes(seller, **query)] == [
            note["lago_id"] for note in found
        ], query
    for name in ("types[]", "reason", "credit_status", "refund_status", "self_billed", "amount_from"):
        answer = await kit.get(seller, "/credit_notes", expect=422, **{name: "gift"})
        assert answer["error_details"] == {name.removesuffix("[]"): ["value_is_invalid"]}
    await kit.get(seller, "/credit_notes", expect=404, **{"billing_entity_codes[]": "none"})


async def discounted(client, amount, coupon, **plan):
    """An invoice of a base price with a fixed coupon on it."""
    body = {
        "name": "c", "code": "c", "coupon_type": "fixed_amount", "amount_cents": coupon, "amount_currency": "EUR",
        "frequency": "once", "expiration": "no_expiration",
    }  # fmt: skip
    await kit.post(client, "/coupons", {"coupon": body})
    given = {"external_customer_id": client.who["external_id"], "coupon_code": "c"}
    await kit.post(client, "/applied_coupons", {"applied_coupon": given})
    sold = await kit.plan(client, amount_cents=amount, pay_in_advance=True, **plan)
    await kit.subscribe(client, client.who, sold, billing_time="anniversary")
    (made,) = [one for one in await kit.invoices(client, client.who) if one["coupons_amount_cents"]]
    return made


async def test_notes_of_a_discounted_invoice_add_up(seller):
    """A fee of 10.00 less a coupon of 3.33, and 19 %: 2.64 and 5.30 are its 7.94 (invoicing §17.8)."""
    tax = await kit.tax(seller, "19", applied_to_organization=False)
    made = await discounted(seller, 1_000, 333, tax_codes=[tax["code"]])
    assert (made["taxes_amount_cents"], made["total_amount_cents"]) == (127, 794)
    found = []
    for amount in (333, 667):
        most = (await guess(seller, (made["fees"][0], amount), of=made))["max_creditable_amount_cents"]
        note = await give(seller, (made["fees"][0], amount), credit=most, of=made)
        found.append([note[name] for name in (
            "sub_total_excluding_taxes_amount_cents", "taxes_amount_cents", "total_amount_cents",
            "precise_taxes_amount_cents", "coupons_adjustment_amount_cents",
        )])  # fmt: skip
    assert found == [[222, 42, 264, "42.20109", 111], [445, 85, 530, "84.73", 222]]


async def test_a_note_is_printed_as_it_adds_up(seller, database):
    """100.00 with a coupon of 10.00 on it, half of it credited: 50.00 less 5.00, 9.00 of taxes, 54.00."""
    made = await discounted(seller, 10_000, 1_000)
    note = await give(seller, (made["fees"][0], 5_000), credit=5_400, of=made, description="half of it")
    async with database.tenant(seller.organization_id) as tx:
        (view,) = await service.get_views(tx, [await service.get_note(tx, UUID(note["lago_id"]))])
    data = credit_note_data(view)
    assert [(row["kind"], row["amount_cents"]) for row in data["totals"]] == [
        ("items", 5_000), ("coupon", -500), ("subtotal_excl", 4_500), ("tax", 900), ("total", 5_400),
        ("credited", 5_400),
    ]  # fmt: skip
    assert data["headline"] == {"kind": "credited", "amount_cents": 5_400, "note": "half of it"}
    facts = {fact["kind"]: fact["value"] for fact in data["facts"]}
    assert (facts["for_invoice"], facts["reason"]) == (made["number"], "Other")


class TestVoid:
    async def void(self, client, *, expect=200, **body):
        path = f"/invoices/{client.invoice['lago_id']}/void"
        return await kit.post(client, path, {"generate_credit_note": True, **body}, expect=expect)

    async def test_a_part_is_credited_and_the_rest_given_to_nobody(self, seller, database):
        """60.00 of 180.00 are a third of each fee: 33.33 and 16.67 with 10.00 of taxes."""
        found = (await self.void(seller, credit_amount=6_000))["invoice"]
        assert (found["status"], found["total_due_amount_cents"]) == ("voided", 0)
        made, rest = await notes(seller)
        assert (made["credit_amount_cents"], made["balance_amount_cents"], made["reason"]) == (
            6_000,
            6_000,
            "other",
        )
        assert (made["sub_total_excluding_taxes_amount_cents"], made["taxes_amount_cents"]) == (5_000, 1_000)
        assert [item["precise_amount_cents"] for item in made["items"]] == ["3333.33333", "1666.66666"]
        assert (rest["credit_status"], rest["credit_amount_cents"], rest["balance_amount_cents"]) == (
            "voided",
            12_000,
            0,
        )
        assert await told(database, seller, made["lago_id"]) == ["credit_note.created"]

    async def test_nothing_asked_for_is_one_voided_note(self, seller):
        await self.void(seller)
        (note,) = await notes(seller)
        assert (note["credit_status"], note["total_amount_cents"]) == ("voided", 18_000)

    @pytest.mark.parametrize("body", [{"credit_amount": 18_001}, {"refund_amount": 1}])
    async def test_more_than_is_left_or_was_paid_is_refused(self, seller, body):
        answer = await self.void(seller, expect=422, **body)
        assert answer["error_details"] == {"credit_refund_amount": ["total_amount_exceeds_invoice_amount"]}
        assert (await invoice(seller))["status"] == "finalized"
        assert await notes(seller) == []
