"""What the wire asks of plans and what they charge."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from tallymark.api.key_values import Notes, check_metadata
from tallymark.api.validation import CurrencyCode
from tallymark.api.wire import (
    Input,
    Integer,
    Name,
    NotEmpty,
    OptionalText,
    RecordId,
    at_most,
    one_of,
)
from tallymark.domain.rating import ChargeModel
from tallymark.domain.usage import text_of
from tallymark.rooms.plans.fixed_charges import PRICES
from tallymark.rooms.plans.inputs import (
    ChargeInput,
    CommitmentInput,
    FilterInput,
    FixedChargeInput,
    PlanInput,
    PricingUnitInput,
    ThresholdInput,
)
from tallymark.rooms.plans.schemas.described import (
    CHARGE_PROPERTIES,
    FILTER_PROPERTIES,
    optional,
)

Cents = Annotated[Integer, Field(ge=0, lt=2**63)]
AnyCents = Annotated[Integer, Field(gt=-(2**63), lt=2**63)]
PlanInterval = Annotated[str, one_of("weekly", "monthly", "quarterly", "semiannual", "yearly")]
Model = Annotated[str, one_of(*(model.value for model in ChargeModel))]
FixedModel = Annotated[str, one_of(*(model.value for model in PRICES))]
TaxCodes = list[str] | None


def _strictly_boolean(value: Any) -> Any:
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value)  # all that a form can say
    if not isinstance(value, bool):
        raise PydanticCustomError("value_is_invalid", "no boolean")
    return value


def _object(value: Any) -> Any:
    if value is not None and not isinstance(value, dict):
        raise PydanticCustomError("invalid_type", "no object")
    return value


def _decimal(value: Any) -> Any:
    # Read as it was written: a JSON number has no binary fraction here.
    if isinstance(value, bool) or value is None:
        return value
    try:
        number = Decimal(str(value))
    except ArithmeticError:
        raise PydanticCustomError("value_is_invalid", "no number") from None
    if not number.is_finite() or number.copy_abs() >= Decimal(10) ** 20:
        raise PydanticCustomError("value_is_invalid", "no number")
    return number


Properties = Annotated[
    dict[str, Any] | None, BeforeValidator(_object), WithJsonSchema(optional(CHARGE_PROPERTIES))
]
FilterProperties = Annotated[
    dict[str, Any] | None, BeforeValidator(_object), WithJsonSchema(optional(FILTER_PROPERTIES))
]
FixedProperties = Annotated[
    dict[str, Any] | None, BeforeValidator(_object), WithJsonSchema(optional(FILTER_PROPERTIES))
]
Amount = Annotated[Decimal, BeforeValidator(_decimal)]
Text = Annotated[OptionalText, at_most(65_535)]


class FilterFields(Input):
    values: dict[str, list[str]] = Field(default_factory=dict)
    properties: FilterProperties = None
    invoice_display_name: Text = None
    cascade_updates: bool | None = None

    def to_value(self) -> FilterInput:
        """What is asked of a filter."""
        sent = {
            name: value for name, value in self.sent.items() if name in ("properties", "invoice_display_name")
        }
        return FilterInput(values={key: tuple(listed) for key, listed in self.values.items()}, sent=sent)


def _some_values(values: dict[str, list[str]]) -> dict[str, list[str]]:
    if not values or not all(values.values()):
        raise PydanticCustomError("value_is_mandatory", "no values")
    return {key: list(dict.fromkeys(listed)) for key, listed in values.items()}


def _as_text_lists(value: Any) -> Any:
    """Values are compared as text; a single one may stand without its list."""
    if not isinstance(value, dict):
        raise PydanticCustomError("value_is_mandatory", "no values")
    return {
        str(key): [text_of(item) or "" for item in (found if isinstance(found, list) else [found])]
        for key, found in value.items()
    }


class NewFilterFields(FilterFields):
    values: Annotated[dict[str, list[str]], BeforeValidator(_as_text_lists), AfterValidator(_some_values)]


class AppliedPricingUnitFields(Input):
    code: OptionalText = None
    conversion_rate: Amount | None = None

    def to_value(self) -> PricingUnitInput:
        """What is asked of a charge's pricing unit."""
        return PricingUnitInput(code=self.code, conversion_rate=self.conversion_rate)


class ChargeFields(Input):
    id: RecordId | None = None
    billable_metric_id: RecordId | None = None
    code: Annotated[OptionalText, at_most(255)] = None
    charge_model: Model = ""
    properties: Properties = None
    min_amount_cents: Cents | None = None
    invoice_display_name: Text = None
    tax_codes: TaxCodes = None
    pay_in_advance: bool | None = None
    prorated: bool | None = None
    invoiceable: bool | None = None
    regroup_paid_fees: Annotated[str | None, one_of("invoice", None)] = None
    accepts_target_wallet: bool | None = None
    filters: list[NewFilterFields] | None = None
    applied_pricing_unit: AppliedPricingUnitFields | None = None
    cascade_updates: bool | None = None

    def to_value(self) -> ChargeInput:
        """What is asked of a charge."""
        columns = (
            "code", "charge_model", "properties", "invoice_display_name", "min_amount_cents", "pay_in_advance",
            "prorated", "invoiceable", "regroup_paid_fees", "accepts_target_wallet",
        )  # fmt: skip
        sent = self.sent
        unit = self.applied_pricing_unit
        return ChargeInput(
            id=self.id,
            metric_id=self.billable_metric_id,
            values={name: value for name, value in sent.items() if name in columns},
            filters=None if self.filters is None else [item.to_value() for item in self.filters],
            pricing_unit=unit.to_value() if unit else None,
            drops_pricing_unit="applied_pricing_unit" in sent and unit is None,
            tax_codes=self.tax_codes,
        )


class NewChargeFields(ChargeFields):
    charge_model: Model


class FixedChargeFields(Input):
    id: RecordId | None = None
    add_on_id: RecordId | None = None
    add_on_code: OptionalText = None
    code: Annotated[OptionalText, at_most(255)] = None
    charge_model: FixedModel = ""
    units: Amount | None = None
    pay_in_advance: bool | None = None
    prorated: bool | None = None
    properties: FixedProperties = None
    invoice_display_name: Text = None
    tax_codes: TaxCodes = None
    apply_units_immediately: bool | None = None
    cascade_updates: bool | None = None

    def to_value(self) -> FixedChargeInput:
        """What is asked of a fixed charge."""
        columns = (
            "code", "charge_model", "units", "pay_in_advance", "prorated", "properties", "invoice_display_name",
        )  # fmt: skip
        return FixedChargeInput(
            id=self.id,
            add_on_id=self.add_on_id,
            add_on_code=self.add_on_code,
            values={name: value for name, value in self.sent.items() if name in columns},
            applies_units_immediately=bool(self.apply_units_immediately),
            tax_codes=self.tax_codes,
        )


class NewFixedChargeFields(FixedChargeFields):
    charge_model: FixedModel


class CommitmentFields(Input):
    amount_cents: AnyCents | None = None
    invoice_display_name: Text = None
    tax_codes: TaxCodes = None

    def to_value(self) -> CommitmentInput:
        """What is asked of a plan's commitment."""
        columns = ("amount_cents", "invoice_display_name")
        return CommitmentInput(
            values={name: value for name, value in self.sent.items() if name in columns},
            tax_codes=self.tax_codes,
        )


class ThresholdFields(Input):
    amount_cents: AnyCents | None = None
    threshold_display_name: Text = None
    recurring: bool | None = None

    def to_value(self) -> ThresholdInput:
        """What is asked of a usage threshold."""
        return ThresholdInput(
            amount_cents=self.amount_cents,
            threshold_display_name=self.threshold_display_name,
            recurring=bool(self.recurring),
        )


class PlanUpdateInput(Input):
    name: Name = ""
    code: Name = ""
    invoice_display_name: OptionalText = None
    description: OptionalText = None
    interval: PlanInterval = ""
    amount_cents: Cents = 0
    amount_currency: CurrencyCode = ""
    pay_in_advance: Annotated[bool, BeforeValidator(_strictly_boolean)] = False
    trial_period: Annotated[Amount, Field(ge=0, le=100_000)] | None = None
    bill_charges_monthly: bool | None = None
    bill_fixed_charges_monthly: bool | None = None
    tax_codes: TaxCodes = None
    charges: list[ChargeFields] | None = None
    fixed_charges: list[FixedChargeFields] | None = None
    minimum_commitment: CommitmentFields | None = None
    usage_thresholds: list[ThresholdFields] | None = None
    metadata: dict[str, str | None] | Any = None
    cascade_updates: bool | None = None

    def to_value(self) -> PlanInput:
        """What is asked of a plan: only what the request names."""
        columns = (
            "name", "code", "invoice_display_name", "description", "interval", "amount_cents", "amount_currency",
            "pay_in_advance", "trial_period", "bill_charges_monthly", "bill_fixed_charges_monthly", "metadata",
        )  # fmt: skip
        commitment = self.minimum_commitment
        values = {name: value for name, value in self.sent.items() if name in columns}
        if "metadata" in values:
            values["metadata"] = check_metadata(values["metadata"])
        return PlanInput(
            values=values,
            charges=None if self.charges is None else [item.to_value() for item in self.charges],
            fixed_charges=None
            if self.fixed_charges is None
            else [item.to_value() for item in self.fixed_charges],
            minimum_commitment=commitment.to_value() if commitment else None,
            usage_thresholds=None
            if self.usage_thresholds is None
            else [item.to_value() for item in self.usage_thresholds],
            tax_codes=self.tax_codes,
            cascades=bool(self.cascade_updates),
        )


class OverridesFields(Input):
    """What a subscription asks to have of its own: its charges are named by the plan's (pricing §12.1)."""

    name: Name = ""
    invoice_display_name: OptionalText = None
    description: OptionalText = None
    amount_cents: Cents = 0
    amount_currency: CurrencyCode = ""
    trial_period: Annotated[Amount, Field(ge=0, le=100_000)] | None = None
    tax_codes: TaxCodes = None
    charges: list[ChargeFields] | None = None
    fixed_charges: list[FixedChargeFields] | None = None
    minimum_commitment: CommitmentFields | None = None
    usage_thresholds: list[ThresholdFields] | None = None
    metadata: dict[str, str | None] | Any = None

    @property
    def is_units_only(self) -> bool:
        """Whether only units of fixed charges are asked for: no child plan is made then."""
        units = {"id", "units", "apply_units_immediately"}
        return self.model_fields_set == {"fixed_charges"} and all(
            item.model_fields_set <= units for item in self.fixed_charges or ()
        )

    def to_value(self) -> PlanInput:
        """What is asked of a child plan."""
        columns = (
            "name", "invoice_display_name", "description", "amount_cents", "amount_currency", "trial_period",
        )  # fmt: skip
        commitment, thresholds = self.minimum_commitment, self.usage_thresholds
        values = {name: value for name, value in self.sent.items() if name in columns}
        if "metadata" in self.model_fields_set:
            values["metadata"] = check_metadata(self.metadata)
        return PlanInput(
            values=values,
            charges=None if self.charges is None else [item.to_value() for item in self.charges],
            fixed_charges=None
            if self.fixed_charges is None
            else [item.to_value() for item in self.fixed_charges],
            minimum_commitment=commitment.to_value() if commitment else None,
            usage_thresholds=None if thresholds is None else [item.to_value() for item in thresholds],
            tax_codes=self.tax_codes,
        )


class PlanCharge(NewChargeFields):
    billable_metric_id: RecordId


class PlanCreateInput(PlanUpdateInput):
    name: Name
    code: Name
    interval: PlanInterval
    amount_cents: Cents
    amount_currency: CurrencyCode
    pay_in_advance: Annotated[bool, BeforeValidator(_strictly_boolean)]
    charges: list[PlanCharge] | None = None  # type: ignore[assignment]  # a new plan's charges need their metric
    fixed_charges: list[NewFixedChargeFields] | None = None  # type: ignore[assignment]  # and their model


class PlanCreateRequest(BaseModel):
    plan: Annotated[PlanCreateInput, NotEmpty]


class PlanUpdateRequest(BaseModel):
    plan: Annotated[PlanUpdateInput, NotEmpty]


class ChargeCreateRequest(BaseModel):
    charge: Annotated[NewChargeFields, NotEmpty]


class ChargeUpdateRequest(BaseModel):
    charge: Annotated[ChargeFields, NotEmpty]


class FilterCreateRequest(BaseModel):
    filter: Annotated[NewFilterFields, NotEmpty]


class FilterUpdateRequest(BaseModel):
    filter: Annotated[FilterFields, NotEmpty]


class FixedChargeCreateRequest(BaseModel):
    fixed_charge: Annotated[NewFixedChargeFields, NotEmpty]


class FixedChargeUpdateRequest(BaseModel):
    fixed_charge: Annotated[FixedChargeFields, NotEmpty]


class MetadataRequest(Input):
    metadata: dict[str, str | None] | Any = None

    @property
    def notes(self) -> Notes:
        """What is to be written. Raises `Invalid`."""
        return check_metadata(self.metadata) or {}


class PricingUnitFields(Input):
    name: Name = ""
    short_name: Annotated[Name, Field(max_length=3)] = ""
    description: Annotated[OptionalText, at_most(600)] = None
    code: Name = ""


class NewPricingUnitFields(PricingUnitFields):
    code: Name
    name: Name
    short_name: Annotated[Name, Field(max_length=3)]


class PricingUnitCreateRequest(BaseModel):
    pricing_unit: Annotated[NewPricingUnitFields, NotEmpty]


class PricingUnitUpdateRequest(BaseModel):
    pricing_unit: Annotated[PricingUnitFields, NotEmpty]
