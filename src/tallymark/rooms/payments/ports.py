"""What payments ask of the outside: money of a provider, and rendering a receipt."""

from __future__ import annotations

from typing import Protocol

from tallymark.rooms.payments.model import Order, Outcome, ReceiptDocument


class ProviderUnavailable(Exception):
    """The provider did not answer, or asks for patience: ask again later, with the same key."""


class PaymentProvider(Protocol):
    """Collects money from customers who are linked to it (wallets-and-payments §11, §12).

    An adapter asks its vendor, and hands on what it hears later of a payment to `Collection.hear` (billing). Neither is done
    with a transaction open.
    """

    async def charge(self, order: Order) -> Outcome:
        """Ask for a payment. What is not decided at once is pending, and told later.

        Asked again with the same idempotency key, it charges no second time and tells what came of it. Raises
        `ProviderUnavailable`; a refusal is an outcome.
        """

    async def cancel(self, order: Order) -> None:
        """See to it that nothing is collected by a payment that nobody waits for any more.

        One that is pending is canceled, one that came in meanwhile is paid back in full, one that it was never asked for is
        never taken; asked again, nothing more happens. Raises `ProviderUnavailable`.
        """


class ReceiptRenderer(Protocol):
    """Makes a document of a receipt."""

    def render_receipt(self, receipt: ReceiptDocument, logo: bytes | None = None) -> bytes:
        """The receipt as a PDF file, with its issuer's logo (PNG or JPEG)."""

    def write_electronic_receipt(self, receipt: ReceiptDocument) -> bytes | None:
        """The receipt as an XML file; None where its issuer makes no electronic documents (invoicing §15.1)."""
