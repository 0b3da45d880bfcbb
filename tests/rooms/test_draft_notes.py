"""Credit notes asked for on drafts: seen by nobody until the draft is issued, and then of the fees as they are (invoicing §6, §11.4)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    """A draft of 1 February: 31.00 of base price and 10 units at 1.00, with 20 % tax; final on the 4th."""
    client = (await make_organization("2025-01-15T00:00:00Z")).client
    await kit.tax(client, "20")
    client.who = await kit.customer(client, currency="EUR", billing_configuration={"invoice_grace_period": 3})
    client.metric = await kit.metric(client)
    plan = await kit.plan(client, kit.charge(client.metric), amount_cents=3_100, pay_in_advance=True)
    client.of = await kit.subscribe(client, client.who, plan, subscription_at="2025-01-01T00:00:00Z")
    await kit.send(client, client.of, client.metric, 10)
    await kit.advance(client, "2025-02-01T01:00")
    await read_draft(client)
    return client


async def read_draft(client):
    client.draft = (await kit.invoices(client, client.who))[-1]
    assert (client.draft["status"], client.draft["total_amount_cents"]) == ("draft", 4_920)
    by_type = {fee["item"]["type"]: fee for fee in client.draft["fees"]}
    client.base, client.usage = by_type["subscription"], by_type["charge"]


async def give(client, *pairs, credit=0, refund=0, offset=0, expect=200, **more):
    body = {
        "invoice_id": client.draft["lago_id"],
        "items": [{"fee_id": fee["lago_id"], "amount_cents": cents} for fee, cents in pairs],
        "credit_amount_cents": credit,
        "refund_amount_cents": refund,
        "offset_amount_cents": offset,
        **more,
    }
    answer = await kit.post(client, "/credit_notes", {"credit_note": body}, expect=expect)
    return answer["credit_note"] if expect == 200 else answer


async def notes(client):
    return (await kit.get(client, "/credit_notes"))["credit_notes"]


async def finalized(client):
    path = f"/invoices/{client.draft['lago_id']}/finalize"
    return (await kit.call(client, "PUT", path))["invoice"]


def parts(note):
    names = ("credit_amount_cents", "offset_amount_cents", "balance_amount_cents", "taxes_amount_cents",
             "sub_total_excluding_taxes_amount_cents", "total_amount_cents")  # fmt: skip
    return {name.removesuffix("_amount_cents"): note[name] for name in names}


async def test_the_answer_is_the_note_to_be_and_nobody_sees_it_before(seller):
    note = await give(
        seller,
        (seller.base, 1_000),
        (seller.usage, 500),
        credit=1_800,
        reason="order_change",
        metadata={"a": "b"},
    )
    assert note["number"] == f"{seller.draft['number']}-CN001"
    assert parts(note) == {
        "credit": 1_800, "offset": 0, "balance": 1_800, "taxes": 300, "sub_total_excluding_taxes": 1_500, "total": 1_800,
    }  # fmt: skip
    assert [item["amount_cents"] for item in note["items"]] == [1_000, 500]
    assert note["applied_taxes"][0]["base_amount_cents"] == 1_500
    assert await notes(seller) == []
    path = f"/credit_notes/{note['lago_id']}"
    await kit.get(seller, path, expect=404)
    await kit.call(seller, "PUT", f"{path}/void", expect=404)
    issued = await finalized(seller)
    assert issued["credit_notes_amount_cents"] == 0  # its own notes are for later invoices
    (made,) = await notes(seller)
    assert made["lago_id"] == note["lago_id"]
    assert made["number"] == f"{issued['number']}-CN001"
    assert (made["reason"], made["metadata"]) == ("order_change", {"a": "b"})
    assert parts(made) == parts(note)


async def test_the_next_invoice_uses_it(seller):
    await give(seller, (seller.base, 1_000), credit=1_200)
    await kit.advance(seller, "2025-03-05T00:00")
    march = (await kit.invoices(seller, seller.who))[-1]
    assert (march["status"], march["credit_notes_amount_cents"]) == ("finalized", 1_200)
    assert march["total_amount_cents"] == 2_520  # 37.20 less 12.00
    assert (await notes(seller))[0]["credit_status"] == "consumed"


async def test_it_follows_the_fees_and_coupons(seller):
    """10 units became 15 by a late event, and a coupon of 10 % is used when the draft is issued."""
    await give(seller, (seller.usage, 500), credit=600)
    late = kit.epoch("2025-01-20")
    await kit.send(seller, seller.of, seller.metric, 5, timestamp=late)
    coupon = {"name": "c", "code": "c", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "once",
              "expiration": "no_expiration"}  # fmt: skip
    await kit.post(seller, "/coupons", {"coupon": coupon})
    applied = {"external_customer_id": seller.who["external_id"], "coupon_code": "c"}
    await kit.post(seller, "/applied_coupons", {"applied_coupon": applied})
    issued = await finalized(seller)
    # 3,100 + 1,500 less 460, and 828 of taxes.
    assert (issued["coupons_amount_cents"], issued["total_amount_cents"]) == (460, 4_968)
    (made,) = await notes(seller)
    # Half of the usage is 750; its share of the coupon is 75, so 675 with 135 of taxes.
    assert made["items"][0]["amount_cents"] == 750
    assert made["coupons_adjustment_amount_cents"] == 75
    assert parts(made) == {
        "credit": 810, "offset": 0, "balance": 810, "taxes": 135, "sub_total_excluding_taxes": 675, "total": 810,
    }  # fmt: skip


async def test_a_second_one_finds_what_the_first_left(seller):
    await give(seller, (seller.usage, 600), credit=720)
    refused = await give(seller, (seller.usage, 500), credit=600, expect=422)
    assert refused["error_details"] == {"amount_cents": ["higher_than_remaining_fee_amount"]}
    second = await give(seller, (seller.usage, 400), credit=480)
    assert second["number"] == f"{seller.draft['number']}-CN002"
    issued = await finalized(seller)
    assert [(one["number"], one["credit_amount_cents"]) for one in await notes(seller)] == [
        (f"{issued['number']}-CN001", 720), (f"{issued['number']}-CN002", 480),
    ]  # fmt: skip


async def test_nothing_is_refunded_and_what_is_due_is_offset(seller):
    refused = await give(seller, (seller.base, 1_000), refund=1_200, expect=422)
    assert refused["error_details"] == {"refund_amount_cents": ["cannot_refund_unpaid_invoice"]}
    asked = {
        "invoice_id": seller.draft["lago_id"],
        "items": [{"fee_id": seller.base["lago_id"], "amount_cents": 1_000}],
    }
    guess = (await kit.post(seller, "/credit_notes/estimate", {"credit_note": asked}))[
        "estimated_credit_note"
    ]
    assert [guess[f"max_{way}_amount_cents"] for way in ("creditable", "refundable", "offsettable")] == [
        1_200, 0, 1_200,
    ]  # fmt: skip
    await give(seller, (seller.base, 1_000), offset=1_200)
    await finalized(seller)
    issued = (await kit.invoices(seller, seller.who))[-1]
    assert (issued["total_amount_cents"], issued["total_due_amount_cents"]) == (4_920, 3_720)
    assert issued["total_offsetted_credit_note_amount_cents"] == 1_200


async def test_an_offset_of_what_a_wallet_paid_in_the_end_is_credit(seller):
    wallet = {
        "external_customer_id": seller.who["external_id"],
        "rate_amount": "1",
        "granted_credits": "44.20",
    }
    await kit.post(seller, "/wallets", {"wallet": wallet})
    await give(seller, (seller.base, 1_000), offset=1_200)
    issued = await finalized(seller)
    assert issued["total_amount_cents"] == 500
    (made,) = await notes(seller)
    assert (made["offset_amount_cents"], made["credit_amount_cents"]) == (500, 700)


async def test_it_goes_with_a_draft_that_is_deleted(seller):
    note = await give(seller, (seller.base, 1_000), credit=1_200)
    await kit.call(seller, "DELETE", f"/invoices/{seller.draft['lago_id']}")
    await kit.advance(seller, "2025-02-10T00:00")
    assert await notes(seller) == []
    await kit.get(seller, f"/credit_notes/{note['lago_id']}", expect=404)


async def test_unused_time_is_what_it_leaves(seller):
    """Ended on 3 February, 25 of 28 days are unused: 27.67857, of which 15.00 were given back by hand before."""
    await give(seller, (seller.base, 1_500), credit=1_800)
    await kit.advance(seller, "2025-02-03T12:00")
    await kit.call(seller, "DELETE", f"/subscriptions/{seller.of['external_id']}")
    await kit.advance(seller, "2025-02-05T00:00")
    made = await notes(seller)
    assert {one["reason"]: one["items"][0]["amount_cents"] for one in made} == {
        "other": 1_500, "order_cancellation": 1_268,
    }  # fmt: skip
