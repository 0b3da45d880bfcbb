"""What an add-on is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.rooms.taxes.model import Tax


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """A thing with a price; `amount_cents` is in the minor unit of its currency."""

    id: UUID
    code: str
    name: str
    invoice_display_name: str | None
    description: str | None
    amount_cents: int
    amount_currency: str
    taxes: tuple[Tax, ...]
    created_at: datetime

    @property
    def invoice_name(self) -> str:
        """What invoices call it."""
        return self.invoice_display_name or self.name
