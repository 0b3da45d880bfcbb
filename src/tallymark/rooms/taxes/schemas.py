"""How taxes look on the wire."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, BeforeValidator
from pydantic_core import PydanticCustomError

from tallymark.api.pagination import Meta
from tallymark.api.wire import Input, Instant, Name, NotEmpty, OptionalText, Percent
from tallymark.rooms.taxes.model import AppliedTaxView, Tax


def _rate(value: Any) -> Any:
    try:
        rate = (
            Decimal(str(value))
            if isinstance(value, int | float | str) and not isinstance(value, bool)
            else None
        )
    except ArithmeticError:
        rate = None
    if rate is None or not rate.is_finite():
        code = "value_is_mandatory" if value in (None, "") else "is not a number"
        raise PydanticCustomError(code, code)
    if rate.copy_abs() > 10**6 or -rate.as_tuple().exponent > 10:  # type: ignore[operator]  # finite, so an int
        raise PydanticCustomError("value_is_out_of_range", "out of range")
    return rate


Rate = Annotated[Decimal, BeforeValidator(_rate)]


class TaxUpdateInput(Input):
    name: Name = ""
    code: Name = ""
    rate: Rate = Decimal(0)
    description: OptionalText = None
    applied_to_organization: bool | None = None

    def to_values(self) -> dict[str, Any]:
        """The columns that the request names."""
        values = self.sent
        if values.get("applied_to_organization", False) is None:
            del values["applied_to_organization"]
        return values


class TaxCreateInput(TaxUpdateInput):
    name: Name
    code: Name
    rate: Rate


class TaxCreateRequest(BaseModel):
    tax: Annotated[TaxCreateInput, NotEmpty]


class TaxUpdateRequest(BaseModel):
    tax: Annotated[TaxUpdateInput, NotEmpty]


class TaxOutput(BaseModel):
    lago_id: UUID
    name: str
    code: str
    rate: Percent
    description: str | None
    applied_to_organization: bool
    add_ons_count: int = 0
    customers_count: int = 0
    plans_count: int = 0
    charges_count: int = 0
    commitments_count: int = 0
    created_at: Instant

    @classmethod
    def of(cls, tax: Tax) -> TaxOutput:
        """Show a tax as others carry it."""
        return cls(
            lago_id=tax.id,
            name=tax.name,
            code=tax.code,
            rate=tax.rate,
            description=tax.description,
            applied_to_organization=tax.applied_to_organization,
            created_at=tax.created_at,
        )


class TaxWithEntitiesOutput(TaxOutput):
    applied_to_billing_entities_codes: list[str]

    @classmethod
    def of_view(cls, view: AppliedTaxView) -> TaxWithEntitiesOutput:
        """Show a tax with who carries it."""
        shown = TaxOutput.of(view.tax).__dict__ | {"applied_to_organization": view.is_default_entitys}
        return cls(**shown, applied_to_billing_entities_codes=list(view.billing_entity_codes))


class TaxResponse(BaseModel):
    tax: TaxWithEntitiesOutput


class TaxesResponse(BaseModel):
    taxes: list[TaxWithEntitiesOutput]
    meta: Meta
