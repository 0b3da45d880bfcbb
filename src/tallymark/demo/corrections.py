"""What is put right of invoices afterwards: credited, refunded, taken back, or lost to a dispute."""

from __future__ import annotations

from typing import Any

from tallymark.demo.cast import Buyer
from tallymark.demo.seller import Seller

Json = dict[str, Any]

WORTHWHILE_CENTS = 200
"""Of smaller fees nobody asks anything back."""


class Corrections:
    """Whoever answers when a customer asks about a bill."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller

    async def give_back(self, buyer: Buyer) -> None:
        """Credit half of the largest fee of somebody's last invoice, with its taxes."""
        query = {
            "external_customer_id": buyer.external_id,
            "status": "finalized",
            "invoice_type": "subscription",
        }
        if invoices := await self._invoices(**query):
            await self._correct(
                invoices[0], "credit", reason="order_change", description="Half of it, as agreed by phone"
            )

    async def refund_one(self, turn: int) -> Json | None:
        """Have half of the largest fee of one of the last paid subscription invoices paid back, each time of another customer's;
        the credit note."""
        paid = await self._paid()
        start = turn % max(len(paid), 1)
        for invoice in paid[start:] + paid[:start]:
            note = await self._correct(
                invoice,
                "refund",
                reason="product_unsatisfactory",
                description="An outage in this period; paid back by bank transfer",
            )
            if note is not None:
                return note
        return None

    async def note_paid_back(self, note: Json | None) -> None:
        """Note that the money of a refund has left."""
        if note is not None:
            body = {"credit_note": {"refund_status": "succeeded"}}
            await self._seller.call("PUT", f"/credit_notes/{note['lago_id']}", body)

    async def lose_dispute(self) -> None:
        """Lose the smallest of the last paid invoices to a customer's bank."""
        paid = [one for one in await self._paid() if one["total_paid_amount_cents"]]
        if paid:
            lost = min(paid, key=lambda one: one["total_amount_cents"])
            await self._seller.call("POST", f"/invoices/{lost['lago_id']}/lose_dispute")

    async def void_one(self) -> None:
        """Take back the oldest one-off invoice that nobody has paid anything of."""
        found = [
            one
            for one in await self._invoices(status="finalized", payment_status="pending", per_page=1_000)
            if one["invoice_type"] == "one_off" and not one["total_paid_amount_cents"]
        ]
        if found:
            await self._seller.call("POST", f"/invoices/{found[-1]['lago_id']}/void", {})

    async def _correct(self, invoice: Json, how: str, **why: str) -> Json | None:
        """Credit or refund half of an invoice's largest fee, with its taxes; what can't be refunded is credited. None where that is not worth a note."""
        shown = (await self._seller.call("GET", f"/invoices/{invoice['lago_id']}"))["invoice"]
        fee = max(shown["fees"], key=lambda one: one["amount_cents"], default=None)
        if fee is None or fee["amount_cents"] < WORTHWHILE_CENTS:
            return None
        asked = {
            "invoice_id": invoice["lago_id"],
            "items": [{"fee_id": fee["lago_id"], "amount_cents": fee["amount_cents"] // 2}],
        }
        answer = await self._seller.call("POST", "/credit_notes/estimate", {"credit_note": asked})
        estimate = answer["estimated_credit_note"]
        cents = estimate[f"max_{how}able_amount_cents"]
        if not cents:
            return None
        amount = {f"{how}_amount_cents": cents}
        # What prepaid credits paid of it does not come back as money.
        if rest := estimate["max_creditable_amount_cents"] - cents:
            amount["credit_amount_cents"] = rest
        made: Json = await self._seller.make("/credit_notes", "credit_note", **asked, **why, **amount)
        return made

    async def _paid(self) -> list[Json]:
        """The last subscription invoices that were paid, the newest first."""
        return await self._invoices(
            status="finalized", payment_status="succeeded", invoice_type="subscription", self_billed="false"
        )

    async def _invoices(self, **query: Any) -> list[Json]:
        found: list[Json] = (await self._seller.call("GET", "/invoices", query=query))["invoices"]
        return found
