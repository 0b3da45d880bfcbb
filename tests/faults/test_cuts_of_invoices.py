"""Power cuts at every write of invoices: sold, drafted, issued, void, made anew."""

from __future__ import annotations

from typing import Any

import pytest
from tests import kit
from tests.faults.words import (
    advance,
    charge,
    coupon,
    customer,
    delete,
    fee_of,
    find,
    give,
    newest,
    note,
    pay,
    plan,
    post,
    put,
    sell,
    shop,
    subscribe,
    use,
    wallet,
)

from tallymark.jobs.agenda import Kind

GRACE: Any = {"billing_configuration": {"invoice_grace_period": 3}}


class TestSold:
    @pytest.mark.cuts(
        "POST /invoices", "PUT /invoices/{lago_id}", "POST /payments", "POST /invoices/{lago_id}/lose_dispute"
    )
    async def test_paid_and_disputed(self, lives):
        await lives.live(shop)
        await lives.cut(
            sell(),
            put(
                "/invoices/{sold}",
                {"invoice": {"payment_status": "failed", "metadata": [{"key": "k", "value": "v"}]}},
            ),
            pay(1000),
            pay(1400),
            post("/invoices/{sold}/lose_dispute"),
        )

    @pytest.mark.cuts(
        "POST /invoices/{lago_id}/retry_payment", "POST /invoices/{lago_id}/void", Kind.MARK_OVERDUE
    )
    async def test_overdue_and_void_with_a_note(self, lives):
        await lives.live(shop, sell(), pay(1000))
        await lives.cut(advance("2026-01-03"), post("/invoices/{sold}/retry_payment"))
        back = {"generate_credit_note": True, "refund_amount": 600, "credit_amount": 700}
        await lives.cut(post("/invoices/{sold}/void", back))


class TestDrafts:
    @pytest.mark.cuts(
        "POST /invoices/{lago_id}/adjusted_fees", "DELETE /invoices/{lago_id}/adjusted_fees/{adjusted_id}",
        "PUT /invoices/{lago_id}/refresh", "PUT /invoices/{lago_id}/finalize", "POST /invoices/{lago_id}/void",
        "POST /invoices/{lago_id}/regenerate", Kind.BILL_PERIOD,
    )  # fmt: skip
    async def test_issued_by_hand_void_and_made_anew(self, lives):
        """Of a coupon, a note and a wallet they take, and give back."""
        await lives.live(
            shop, customer(**GRACE), plan("p", charge(), amount_cents=3100), subscribe("p"), use(3, 4),
            coupon(1000), give(), sell(), fee_of("sold"), note(credit_amount_cents=600), wallet(granted_credits="10"),
            advance("2026-01-31T23:00"),
        )  # fmt: skip
        await lives.cut(advance("2026-02-01T01:00"))
        await lives.live(find("draft", "/invoices", *newest, status="draft"), fee_of("draft", "base"))
        await lives.cut(
            post(
                "/invoices/{draft}/adjusted_fees",
                {"adjusted_fee": {"fee_id": "{base}", "units": "2"}},
                keep="told",
            ),
            delete("/invoices/{draft}/adjusted_fees/{told}"),
        )
        await lives.live(use(5, timestamp=kit.epoch("2026-01-20")), fee_of("draft", "base"))
        await lives.cut(
            put("/invoices/{draft}/refresh"),
            put("/invoices/{draft}/finalize"),
            post("/invoices/{draft}/void", {}),
        )
        await lives.live(fee_of("draft", "base"))
        await lives.cut(
            post("/invoices/{draft}/regenerate", {"invoice": {"fees": [{"id": "{base}", "units": "1"}]}})
        )

    @pytest.mark.cuts(Kind.FINALIZE_INVOICE, "DELETE /invoices/{lago_id}")
    async def test_issued_by_the_clock_or_deleted(self, lives):
        await lives.live(
            shop, customer(**GRACE), plan("p", amount_cents=3100), subscribe("p"), coupon(), give()
        )
        await lives.live(advance("2026-02-01T01:00"))
        await lives.cut(advance("2026-02-05T00:00"))
        await lives.live(advance("2026-03-01T01:00"), find("draft", "/invoices", *newest, status="draft"))
        await lives.cut(delete("/invoices/{draft}"))
