"""Time paid in advance and not used comes back as a credit note (subscriptions §4.6, §6; invoicing §5.5, §11.3)."""

import pytest
from tests import kit


@pytest.fixture
async def seller(make_organization):
    made = await make_organization("2025-06-20T00:00:00Z")
    return made.client


async def notes(seller, who):
    return (await kit.get(seller, "/credit_notes", external_customer_id=who["external_id"]))["credit_notes"]


async def paying(seller, amount_cents=9300, **more):
    """A customer who has paid July in advance, 20 % tax on it, on the 11th at 10:00."""
    await kit.tax(seller, "20")
    plan = await kit.plan(seller, amount_cents=amount_cents, pay_in_advance=True)
    customer = await kit.customer(seller, **more)
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-07-11T10:00")
    return customer, subscription


async def end(seller, subscription, **options):
    await kit.call(seller, "DELETE", f"/subscriptions/{subscription['external_id']}", **options)


async def test_a_termination_gives_the_unused_days_back(seller):
    """20 of 31 days of 93.00 are 60.00, with taxes 72.00 (§6, example 5)."""
    customer, subscription = await paying(seller)
    await end(seller, subscription)
    (note,) = await notes(seller, customer)
    assert note["total_amount_cents"] == note["credit_amount_cents"] == note["balance_amount_cents"] == 7200
    assert (note["sub_total_excluding_taxes_amount_cents"], note["taxes_amount_cents"]) == (6000, 1200)
    assert (note["reason"], note["issuing_date"]) == ("order_cancellation", "2025-07-11")
    assert note["number"] == note["invoice_number"] + "-CN001"
    assert note["items"][0]["precise_amount_cents"] == "6000.0"
    read = (await kit.get(seller, f"/credit_notes/{note['lago_id']}"))["credit_note"]
    assert read == note


async def test_skipping_the_note_gives_nothing_back(seller):
    customer, subscription = await paying(seller)
    await end(seller, subscription, on_termination_credit_note="skip")
    assert await notes(seller, customer) == []


async def test_a_refund_gives_back_no_more_than_was_paid(seller):
    """Nothing was paid, so all of it is credit (§4.6: R is clamped to zero)."""
    customer, subscription = await paying(seller)
    await end(seller, subscription, on_termination_credit_note="refund")
    (note,) = await notes(seller, customer)
    assert (note["refund_amount_cents"], note["credit_amount_cents"]) == (0, 7200)


async def test_an_upgrade_credits_the_day_it_happens_and_uses_the_credit(seller):
    """21 days at 3.00 and 20 % are 75.60; 21 days at 5.00 and 20 % are 126.00: 50.40 are due (§6, example 4)."""
    customer, subscription = await paying(seller)
    dear = await kit.plan(seller, amount_cents=15500, pay_in_advance=True)
    await kit.subscribe(seller, customer, dear, external_id=subscription["external_id"])
    (note,) = await notes(seller, customer)
    assert (note["total_amount_cents"], note["balance_amount_cents"]) == (7560, 0)
    assert note["credit_status"] == "consumed"
    *_, invoice = await kit.invoices(seller, customer)
    assert invoice["sub_total_including_taxes_amount_cents"] == 12600
    assert (invoice["credit_notes_amount_cents"], invoice["total_amount_cents"]) == (7560, 5040)
    (line,) = invoice["credits"]
    assert (line["amount_cents"], line["before_taxes"]) == (7560, False)
    assert line["item"]["code"] == note["number"]


async def test_what_a_later_invoice_does_not_need_stays(seller):
    """72.00 of credit against 36.00: half of it is left for the next invoice (invoicing §5.5)."""
    customer, subscription = await paying(seller)
    await end(seller, subscription)
    small = await kit.plan(seller, amount_cents=3000)
    await kit.subscribe(seller, customer, small, billing_time="anniversary")
    await kit.advance(seller, "2025-08-11T00:10")
    (note,) = await notes(seller, customer)
    assert (note["balance_amount_cents"], note["credit_status"]) == (3600, "available")
    await kit.advance(seller, "2025-09-11T00:10")
    (note,) = await notes(seller, customer)
    assert (note["balance_amount_cents"], note["credit_status"]) == (0, "consumed")


async def test_an_end_on_a_billing_day_credits_nothing(seller):
    """The automatic end comes before the biller: the period that begins was never paid (§4.6)."""
    await kit.tax(seller, "20")
    plan = await kit.plan(seller, amount_cents=9300, pay_in_advance=True)
    customer = await kit.customer(seller)
    await kit.subscribe(seller, customer, plan, ending_at="2025-07-01T18:00:00Z")
    await kit.advance(seller, "2025-07-02")
    assert await notes(seller, customer) == []


async def test_a_note_on_a_draft_waits_for_its_invoice(seller):
    """While the invoice is a draft nobody sees the note; afterwards it can be used (invoicing §6)."""
    customer, subscription = await paying(seller, billing_configuration={"invoice_grace_period": 15})
    await end(seller, subscription)
    assert await notes(seller, customer) == []
    await kit.advance(seller, "2025-07-16T00:00")
    (note,) = await notes(seller, customer)
    assert note["total_amount_cents"] == 7200


async def test_notes_of_others_are_unknown(seller, other_client):
    customer, subscription = await paying(seller)
    await end(seller, subscription)
    (note,) = await notes(seller, customer)
    await kit.get(other_client, f"/credit_notes/{note['lago_id']}", expect=404)
    await kit.get(seller, "/credit_notes", credit_status="gone", expect=422)


async def settle(seller, customer, amount_cents):
    *_, invoice = await kit.invoices(seller, customer)
    body = {"invoice_id": invoice["lago_id"], "amount_cents": amount_cents, "reference": "wire"}
    await kit.post(seller, "/payments", {"payment": body})
    return invoice


@pytest.mark.parametrize(
    ("option", "paid", "refund", "credit", "offset"),
    [
        ("refund", 11_160, 7_200, 0, 0),
        ("refund", 5_000, 1_040, 6_160, 0),
        ("offset", 5_000, 1_040, 0, 6_160),
        ("offset", 1_000, 0, 0, 7_200),
        ("credit", 5_000, 0, 7_200, 0),
    ],
)
async def test_unused_time_comes_back_in_parts(seller, option, paid, refund, credit, offset):
    """93.00 and 20 % are 111.60; 11 days of 31 were used, 39.60; 72.00 come back (§6, example 5)."""
    customer, subscription = await paying(seller)
    invoice = await settle(seller, customer, paid)
    await end(seller, subscription, on_termination_credit_note=option)
    (note,) = await notes(seller, customer)
    assert [note[f"{part}_amount_cents"] for part in ("refund", "credit", "offset")] == [
        refund,
        credit,
        offset,
    ]
    assert note["balance_amount_cents"] == credit
    found = (await kit.get(seller, f"/invoices/{invoice['lago_id']}"))["invoice"]
    assert found["total_due_amount_cents"] == 11_160 - paid - offset
    assert found["payment_status"] == ("succeeded" if 11_160 in (paid, paid + offset) else "pending")
    kept = (await kit.get(seller, "/subscriptions", **{"status[]": "terminated"}))["subscriptions"]
    assert [one["on_termination_credit_note"] for one in kept] == [option]


async def test_an_upgrade_credits_whatever_is_stored(seller):
    customer, subscription = await paying(seller)
    await settle(seller, customer, 11_160)
    body = {"subscription": {"on_termination_credit_note": "offset"}}
    await kit.call(seller, "PUT", f"/subscriptions/{subscription['external_id']}", body)
    dearer = await kit.plan(seller, amount_cents=15_500, pay_in_advance=True)
    await kit.subscribe(seller, customer, dearer, external_id=subscription["external_id"])
    (note,) = await notes(seller, customer)
    assert (note["credit_amount_cents"], note["offset_amount_cents"]) == (7_560, 0)


async def on_trial(seller, until):
    """62.00 a month, 2.00 a day in August; the trial ends on the 16th at 14:00, and 16 days are billed: 32.00."""
    plan = await kit.plan(seller, amount_cents=6200, pay_in_advance=True, trial_period=10)
    customer = await kit.customer(seller)
    await kit.advance(seller, "2025-08-06T14:00")
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, until)
    return customer, subscription


async def test_an_end_on_the_day_the_trial_ends_gives_all_of_it_back(seller):
    """31 less 15 are 16 days: that day was no more than tried (§4.6)."""
    customer, subscription = await on_trial(seller, "2025-08-16T20:00")
    await end(seller, subscription)
    (note,) = await notes(seller, customer)
    assert note["credit_amount_cents"] == 3200


@pytest.mark.parametrize(("day", "days"), [("2025-08-17", 16), ("2025-08-18", 14)])
async def test_so_does_an_upgrade_on_the_day_after(seller, day, days):
    """An upgrade has its day for itself, so that the day before it is looked at; later days count as ever."""
    customer, subscription = await on_trial(seller, f"{day}T10:00")
    dear = await kit.plan(seller, amount_cents=12400, pay_in_advance=True)
    await kit.subscribe(seller, customer, dear, external_id=subscription["external_id"])
    (note,) = await notes(seller, customer)
    assert note["credit_amount_cents"] == days * 200


@pytest.mark.parametrize(("paid", "refund"), [(3200, 2200), (1500, 500), (900, 0)])
async def test_days_of_a_trial_were_not_used(seller, paid, refund):
    """Ended on the 20th: 5 days were used, 10.00, and 11 were not, 22.00."""
    customer, subscription = await on_trial(seller, "2025-08-20T10:00")
    await settle(seller, customer, paid)
    await end(seller, subscription, on_termination_credit_note="refund")
    (note,) = await notes(seller, customer)
    assert (note["refund_amount_cents"], note["credit_amount_cents"]) == (refund, 2200 - refund)


async def test_a_coupon_comes_back_with_its_share_of_the_days(seller):
    """93.00 less 31.00 and 20 % are 74.40; 60.00 less 20.00 and 20 % are 48.00, and 26.40 were used."""
    await kit.tax(seller, "20")
    plan = await kit.plan(seller, amount_cents=9300, pay_in_advance=True)
    customer = await kit.customer(seller)
    coupon = {
        "code": "third",
        "name": "A third",
        "coupon_type": "fixed_amount",
        "amount_cents": 3100,
        "amount_currency": "EUR",
    }
    await kit.post(
        seller, "/coupons", {"coupon": {**coupon, "frequency": "once", "expiration": "no_expiration"}}
    )
    await kit.advance(seller, "2025-07-01")
    body = {"coupon_code": "third", "external_customer_id": customer["external_id"]}
    await kit.post(seller, "/applied_coupons", {"applied_coupon": body})
    subscription = await kit.subscribe(seller, customer, plan)
    await kit.advance(seller, "2025-07-11T10:00")
    await settle(seller, customer, 7440)
    await end(seller, subscription, on_termination_credit_note="refund")
    (note,) = await notes(seller, customer)
    assert (note["sub_total_excluding_taxes_amount_cents"], note["taxes_amount_cents"]) == (4000, 800)
    assert (note["coupons_adjustment_amount_cents"], note["refund_amount_cents"]) == (2000, 4800)


async def test_the_price_is_the_one_that_was_paid(seller):
    """What the plan costs by now is not what its fee says: 20 days at 3.00 come back, not at 4.00."""
    customer, subscription = await paying(seller)
    (plan,) = (await kit.get(seller, "/plans"))["plans"]
    await kit.call(seller, "PUT", f"/plans/{plan['code']}", {"plan": {"amount_cents": 12400}})
    await end(seller, subscription)
    (note,) = await notes(seller, customer)
    assert note["sub_total_excluding_taxes_amount_cents"] == 6000


async def test_a_void_invoice_gives_nothing_back(seller):
    customer, subscription = await paying(seller)
    *_, invoice = await kit.invoices(seller, customer)
    await kit.post(seller, f"/invoices/{invoice['lago_id']}/void", {})
    await end(seller, subscription)
    assert await notes(seller, customer) == []


async def test_a_free_plan_gives_nothing_back(seller):
    customer, subscription = await paying(seller, amount_cents=0)
    await end(seller, subscription)
    assert await notes(seller, customer) == []
