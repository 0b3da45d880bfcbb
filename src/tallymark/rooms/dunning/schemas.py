"""How dunning looks to the web app (wallets §17)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from tallymark.api.pagination import Meta
from tallymark.api.validation import CurrencyCode, clean_emails
from tallymark.api.wire import Input, Instant, Integer, Name, NotEmpty, OptionalText, at_most
from tallymark.domain.dunning import next_attempt_at
from tallymark.rooms.dunning.model import Campaign, CampaignInput, CustomerDunning

LARGEST = 2**63 - 1


def _address(value: Any) -> Any:
    address = clean_emails(value) if isinstance(value, str) else None
    if address is None or "," in address:
        raise PydanticCustomError("invalid_email_format", "no address")
    return address


def _once_each(emails: list[str]) -> list[str]:
    return list(dict.fromkeys(emails))


class ThresholdInput(Input):
    currency: CurrencyCode
    amount_cents: Annotated[Integer, Field(ge=0, le=LARGEST)]


def _not_empty(value: Any) -> Any:
    if value in (None, []):
        raise PydanticCustomError("can't be blank", "can't be blank")
    return value


def _by_currency(thresholds: list[ThresholdInput]) -> list[ThresholdInput]:
    if len({one.currency for one in thresholds}) < len(thresholds):
        raise PydanticCustomError("value_already_exist", "one threshold for each currency")
    return thresholds


Thresholds = Annotated[list[ThresholdInput], BeforeValidator(_not_empty), AfterValidator(_by_currency)]
Count = Annotated[Integer, Field(gt=0, le=100_000)]
Addresses = Annotated[
    list[Annotated[str, BeforeValidator(_address)]], Field(max_length=50), AfterValidator(_once_each)
]


class CampaignUpdateInput(Input):
    """What is not sent stays."""

    name: Name = ""
    code: Name = ""
    description: Annotated[OptionalText, at_most(600)] = None
    days_between_attempts: Count = 1
    max_attempts: Count = 1
    bcc_emails: Addresses = Field(default_factory=list)
    thresholds: Thresholds = Field(default_factory=list)
    applied_to_organization: bool = False

    def to_value(self) -> CampaignInput:
        """What is asked for."""
        values = self.sent
        is_applied = values.pop("applied_to_organization", None)
        sent: list[ThresholdInput] | None = values.pop("thresholds", None)
        thresholds = None if sent is None else {one.currency: one.amount_cents for one in sent}
        return CampaignInput(values=values, thresholds=thresholds, applied_to_organization=is_applied)


class CampaignCreateInput(CampaignUpdateInput):
    name: Name
    code: Name
    thresholds: Thresholds = Field(default_factory=list, validate_default=True)


class CampaignCreateRequest(BaseModel):
    dunning_campaign: Annotated[CampaignCreateInput, NotEmpty]


class CampaignUpdateRequest(BaseModel):
    dunning_campaign: Annotated[CampaignUpdateInput, NotEmpty]


class ThresholdOutput(BaseModel):
    currency: str
    amount_cents: int


class CampaignOutput(BaseModel):
    lago_id: UUID
    code: str
    name: str
    description: str | None
    days_between_attempts: int
    max_attempts: int
    bcc_emails: list[str]
    thresholds: list[ThresholdOutput]
    applied_to_organization: bool
    billing_entity_codes: list[str]
    """Whose customers it asks, unless they have a choice of their own."""
    customers_count: int
    """How many customers have chosen it."""
    created_at: Instant
    updated_at: Instant

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignOutput:
        """Show a campaign."""
        same = {name: getattr(campaign, name) for name in cls.model_fields if name != "lago_id"}
        return cls(
            lago_id=campaign.id,
            **{
                **same,
                "thresholds": [
                    ThresholdOutput(currency=currency, amount_cents=cents)
                    for currency, cents in campaign.thresholds.items()
                ],
            },
        )


class CampaignResponse(BaseModel):
    dunning_campaign: CampaignOutput


class CampaignsResponse(BaseModel):
    dunning_campaigns: list[CampaignOutput]
    meta: Meta


class EntityChoiceRequest(Input):
    dunning_campaign_code: str | None = Field(...)
    """None where the entity's customers are to be left alone."""


class EntityCampaignResponse(BaseModel):
    dunning_campaign: CampaignOutput | None


class CustomerChoiceRequest(Input):
    """Neither of both: as the billing entity has it."""

    dunning_campaign_code: str | None = None
    exclude_from_dunning_campaign: bool = False


class AttemptsOutput(BaseModel):
    currency: str
    attempts: int


class CustomerDunningOutput(BaseModel):
    exclude_from_dunning_campaign: bool
    dunning_campaign: CampaignOutput | None
    """The one that applies."""
    chosen_by: str | None
    """`customer` or `billing_entity`; null where none applies."""
    attempts: list[AttemptsOutput]
    last_attempt_at: Instant | None
    next_attempt_at: Instant | None
    """When the customer may be asked again at the earliest, where something is overdue then."""

    @classmethod
    def of(cls, dunning: CustomerDunning) -> CustomerDunningOutput:
        """Show how a customer is asked."""
        campaign, progress = dunning.campaign, dunning.progress
        return cls(
            exclude_from_dunning_campaign=dunning.choice.is_excluded,
            dunning_campaign=None if campaign is None else CampaignOutput.of(campaign),
            chosen_by=dunning.source.value if dunning.source else None,
            attempts=[
                AttemptsOutput(currency=currency, attempts=count)
                for currency, count in sorted(progress.attempts.items())
            ],
            last_attempt_at=progress.last_attempt_at,
            next_attempt_at=None if campaign is None else next_attempt_at(campaign.terms, progress),
        )


class CustomerDunningResponse(BaseModel):
    dunning: CustomerDunningOutput
