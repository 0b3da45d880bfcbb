"""Power cuts at every write of the queue's jobs: documents, and due work of organizations without a clock."""

from __future__ import annotations

import pytest
from tests.faults.words import (
    charge,
    fee_of,
    find,
    job,
    newest,
    note,
    pay,
    plan,
    sell,
    shop,
    subscribe,
    use,
    wallet,
    work,
)

from tallymark.jobs.agenda import Kind
from tallymark.jobs.queue import (
    RENDER_CREDIT_NOTE,
    RENDER_DOCUMENT,
    RENDER_RECEIPT,
    RUN_DUE_WORK,
)


class TestDocuments:
    @pytest.mark.cuts(RENDER_DOCUMENT, RENDER_CREDIT_NOTE, RENDER_RECEIPT, is_live=True)
    async def test_are_made_and_told_of_once(self, lives):
        await lives.live(shop, sell(), pay(1000), fee_of("sold"), note(credit_amount_cents=600))
        await lives.live(find("receipt", "/payment_receipts", "payment_receipts", 0))
        await lives.cut(
            job(RENDER_DOCUMENT, invoice_id="{sold}"),
            job(RENDER_CREDIT_NOTE, note_id="{note}"),
            job(RENDER_RECEIPT, receipt_id="{receipt}"),
        )


class TestLiveOrganizations:
    @pytest.mark.cuts(
        "POST /wallets",
        "POST /subscriptions",
        "POST /payments",
        RUN_DUE_WORK,
        Kind.INVOICE_CREDITS,
        Kind.BILL_START,
        is_live=True,
    )
    async def test_have_their_due_work_done_by_a_worker(self, lives):
        await lives.live(shop)
        await lives.cut(wallet(paid_credits="10"), work)
        await lives.live(find("sold", "/invoices", *newest))
        await lives.cut(
            pay(1000),
            plan("p", charge(pay_in_advance=True), amount_cents=3100, pay_in_advance=True),
            subscribe("p"),
            work,
        )
        await lives.live(use(3))
        await lives.cut(work)
