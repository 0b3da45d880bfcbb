"""Power cuts at every write of credit notes, payment requests, dunning and coupons."""

from __future__ import annotations

import pytest
from tests.faults.words import (
    advance,
    campaign,
    coupon,
    delete,
    fee_of,
    find,
    give,
    note,
    pay,
    plan,
    post,
    put,
    sell,
    shop,
    subscribe,
)

from tallymark.jobs.agenda import Kind


class TestCreditNotes:
    @pytest.mark.cuts("POST /credit_notes", "PUT /credit_notes/{lago_id}", "PUT /credit_notes/{lago_id}/void")
    async def test_of_credit_refund_and_offset(self, lives):
        await lives.live(shop, sell(10), pay(6000), fee_of("sold"))
        await lives.cut(
            note(cents=2500, credit_amount_cents=1000, refund_amount_cents=1000, offset_amount_cents=1000),
            put("/credit_notes/{note}", {"credit_note": {"refund_status": "succeeded"}}),
            put("/credit_notes/{note}/void"),
        )

    @pytest.mark.cuts("POST /credit_notes", "PUT /invoices/{lago_id}/finalize")
    async def test_of_a_draft_are_issued_with_it(self, lives):
        grace = {"billing_configuration": {"invoice_grace_period": 3}}
        await lives.live(
            shop, post("/customers", {"customer": {"external_id": "c", **grace}}), plan("p", amount_cents=3100, pay_in_advance=True),
            subscribe("p"), find("draft", "/invoices", "invoices", 0, status="draft"), fee_of("draft"),
        )  # fmt: skip
        await lives.cut(
            note("draft", cents=500, credit_amount_cents=300, offset_amount_cents=300),
            put("/invoices/{draft}/finalize"),
        )


class TestPaymentRequests:
    @pytest.mark.cuts("POST /payment_requests", "POST /payments")
    async def test_made_and_paid(self, lives):
        await lives.live(shop, sell(keep="one"), sell(3, keep="two"), advance("2026-01-03"))
        asked = {"external_customer_id": "c", "lago_invoice_ids": ["{one}", "{two}"], "email": "ap@acme.test"}
        paid = {"payment_request_id": "{asked}", "amount_cents": 6000, "reference": "wire"}
        await lives.cut(
            post("/payment_requests", {"payment_request": asked}, keep="asked"),
            post("/payments", {"payment": paid}),
        )


class TestDunning:
    @pytest.mark.cuts("POST /payments", Kind.DUN_CUSTOMER, Kind.RESET_DUNNING)
    async def test_asked_again_to_the_last_time_and_paid(self, lives):
        """24.00 and 36.00 are overdue on the second, asked for on that day and the next, and begun anew when the first is paid."""
        await lives.live(shop, campaign(max_attempts=2), sell(keep="one"), sell(3, keep="two"))
        await lives.cut(advance("2026-01-02T12:00"), advance("2026-01-03T12:00"), pay(2400, "one"))


class TestCoupons:
    @pytest.mark.cuts(
        "POST /coupons", "PUT /coupons/{code}", "POST /applied_coupons", "DELETE /customers/{external_id}/applied_coupons/{lago_id}",
        "DELETE /coupons/{code}", Kind.EXPIRE_COUPON,
    )  # fmt: skip
    async def test_given_taken_back_and_over(self, lives):
        await lives.live(shop)
        await lives.cut(
            coupon(expiration="time_limit", expiration_at="2026-01-05T00:00:00Z"),
            put("/coupons/k", {"coupon": {"name": "K", "amount_cents": 600}}),
            give(),
            delete("/customers/c/applied_coupons/{given_k}"),
        )
        await lives.live(coupon(code="l"), give("l"))
        await lives.cut(advance("2026-01-05T01:00"), delete("/coupons/l"))
