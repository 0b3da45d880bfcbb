"""How add-ons look on the wire."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field

from tallymark.api.pagination import Meta
from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import Input, Instant, Integer, Name, NotEmpty, OptionalText, at_most
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.taxes.schemas import TaxOutput

Price = Annotated[Integer, Field(gt=0, lt=2**63)]


class AddOnUpdateInput(Input):
    name: Name = ""
    code: Name = ""
    amount_cents: Price = 1
    amount_currency: CurrencyCode = ""
    invoice_display_name: Annotated[OptionalText, at_most(255)] = None
    description: OptionalText = None
    tax_codes: list[str] | None = None

    def to_values(self) -> dict[str, Any]:
        """The columns that the request names."""
        return {name: value for name, value in self.sent.items() if name != "tax_codes"}


class AddOnCreateInput(AddOnUpdateInput):
    name: Name
    code: Name
    amount_cents: Price
    amount_currency: CurrencyCode


class AddOnCreateRequest(BaseModel):
    add_on: Annotated[AddOnCreateInput, NotEmpty]


class AddOnUpdateRequest(BaseModel):
    add_on: Annotated[AddOnUpdateInput, NotEmpty]


class AddOnOutput(BaseModel):
    lago_id: UUID
    name: str
    invoice_display_name: str | None
    code: str
    amount_cents: int
    amount_currency: str
    description: str | None
    created_at: Instant
    taxes: list[TaxOutput]

    @classmethod
    def of(cls, add_on: AddOn) -> AddOnOutput:
        """Show an add-on with the taxes that it carries itself."""
        return cls(
            lago_id=add_on.id,
            name=add_on.name,
            invoice_display_name=add_on.invoice_display_name,
            code=add_on.code,
            amount_cents=add_on.amount_cents,
            amount_currency=add_on.amount_currency,
            description=add_on.description,
            created_at=add_on.created_at,
            taxes=[TaxOutput.of(tax) for tax in add_on.taxes],
        )


class AddOnResponse(BaseModel):
    add_on: AddOnOutput

    @classmethod
    def of(cls, add_on: AddOn) -> AddOnResponse:
        """Answer with an add-on."""
        return cls(add_on=AddOnOutput.of(add_on))


class AddOnsResponse(BaseModel):
    add_ons: list[AddOnOutput]
    meta: Meta
