"""What is asked of plans and of what they charge, as it was sent: only the keys that a request names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tallymark.rooms.plans.model import CHARGE_FIXED_WHEN_ATTACHED, Plan

Values = Mapping[str, tuple[str, ...]]
"""What a charge filter asks of events: for each key the values that it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingUnitInput:
    """The unit of a charge's price; `conversion_rate` is currency units per pricing unit."""

    code: str | None = None
    conversion_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterInput:
    """A charge filter: `sent` may have `properties` and `invoice_display_name`."""

    values: Values
    sent: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeInput:
    """A charge: `values` has the columns named, `id` is that of a charge to change; None is what was not sent."""

    metric_id: UUID | None
    id: UUID | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    filters: Sequence[FilterInput] | None = None
    pricing_unit: PricingUnitInput | None = None
    drops_pricing_unit: bool = False
    tax_codes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedChargeInput:
    """A fixed charge: `values` has the columns named; None is what was not sent."""

    id: UUID | None = None
    add_on_id: UUID | None = None
    add_on_code: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    applies_units_immediately: bool = False
    tax_codes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitmentInput:
    """A minimum commitment; without anything it asks for none."""

    values: Mapping[str, Any] = field(default_factory=dict)
    tax_codes: Sequence[str] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the plan is to have none."""
        return not self.values and self.tax_codes is None


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdInput:
    """A usage threshold; the amount is in the minor unit of the plan's currency."""

    amount_cents: int | None
    threshold_display_name: str | None = None
    recurring: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInput:
    """A plan: `values` has the columns named; the rest is None where it was not sent."""

    values: Mapping[str, Any] = field(default_factory=dict)
    charges: Sequence[ChargeInput] | None = None
    fixed_charges: Sequence[FixedChargeInput] | None = None
    minimum_commitment: CommitmentInput | None = None
    usage_thresholds: Sequence[ThresholdInput] | None = None
    tax_codes: Sequence[str] | None = None
    cascades: bool = False

    @property
    def metric_ids(self) -> set[UUID]:
        """The metrics that its charges name."""
        return {item.metric_id for item in self.charges or () if item.metric_id}

    @property
    def targets_sent(self) -> frozenset[UUID]:
        """The charges of which it says whether they accept a target wallet."""
        return frozenset(
            item.id
            for item in self.charges or ()
            if item.id is not None and item.values.get("accepts_target_wallet") is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Editing:
    """A change of what a plan charges: of which plan, when, and how far it goes.

    `is_attached`: a subscription references the plan, so its shape is fixed. `cascades`: children follow.
    """

    plan: Plan
    now: datetime
    is_attached: bool = False
    cascades: bool = False
    is_whole_plan: bool = False
    """Whether the plan itself is being updated; only then do conversion rates and wallet targets cascade (§12.3)."""

    targets_sent: frozenset[UUID] = frozenset()
    """The charges whose `accepts_target_wallet` was sent with the plan: children take it over though it is no change."""

    @property
    def fixed(self) -> tuple[str, ...]:
        """The columns of a charge that must stay as they are."""
        return CHARGE_FIXED_WHEN_ATTACHED if self.is_attached else ()
