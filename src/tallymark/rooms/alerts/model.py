"""What an alert is (wallets §9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from tallymark.domain.alerts import Direction, Threshold
from tallymark.domain.exact import Fraction
from tallymark.rooms.billable_metrics.model import BillableMetric

VALUE_DECIMALS = 15
"""How exactly a value that was seen is kept."""

THRESHOLD_DECIMALS = 5
MOST_THRESHOLDS = 20


class AlertType(StrEnum):
    """The value that is watched."""

    CURRENT_AMOUNT = "current_usage_amount"
    METRIC_AMOUNT = "billable_metric_current_usage_amount"
    METRIC_UNITS = "billable_metric_current_usage_units"
    LIFETIME_AMOUNT = "lifetime_usage_amount"
    METRIC_LIFETIME_UNITS = "billable_metric_lifetime_usage_units"
    BALANCE_AMOUNT = "wallet_balance_amount"
    BALANCE_CREDITS = "wallet_credits_balance"
    ONGOING_AMOUNT = "wallet_ongoing_balance_amount"
    ONGOING_CREDITS = "wallet_credits_ongoing_balance"

    @property
    def is_of_wallet(self) -> bool:
        """Whether it watches a wallet, and not usage."""
        return self.value.startswith("wallet_")

    @property
    def is_of_metric(self) -> bool:
        """Whether it watches one metric."""
        return self.value.startswith("billable_metric_")

    @property
    def direction(self) -> Direction:
        """Usage is told of as it grows, a balance as it shrinks."""
        return Direction.DECREASING if self.is_of_wallet else Direction.INCREASING


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What an alert hangs on: the external id of a subscription, or a wallet; `starts_at` are the wallet's values now."""

    customer_id: UUID
    subscription_id: UUID | None = None
    external_subscription_id: str | None = None
    wallet_id: UUID | None = None
    wallet_code: str | None = None
    starts_at: Mapping[AlertType, Fraction] | None = None

    def takes(self, alert_type: AlertType) -> bool:
        """Whether alerts of a type can hang on it."""
        return alert_type.is_of_wallet is (self.wallet_id is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Whom to tell of what; `previous_value` is what was seen last."""

    id: UUID
    external_subscription_id: str | None
    wallet_id: UUID | None
    billable_metric: BillableMetric | None
    alert_type: AlertType
    code: str
    name: str | None
    thresholds: tuple[Threshold, ...]
    previous_value: Fraction
    last_processed_at: datetime | None
    created_at: datetime
