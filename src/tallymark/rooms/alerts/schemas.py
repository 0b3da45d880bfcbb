"""How alerts look on the wire (wallets §9)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.descriptions import FLAG, TEXT, many, record, shown_as
from tallymark.api.errors import BadRequest
from tallymark.api.pagination import Meta
from tallymark.api.wire import DecimalText, Instant
from tallymark.rooms.alerts.model import Alert
from tallymark.rooms.billable_metrics.schemas import MetricOutput

_ALERT = record(
    alert_type=TEXT,
    code=TEXT,
    name=TEXT,
    billable_metric_code=TEXT,
    thresholds=many(record(code=TEXT, value=TEXT, recurring=FLAG)),
)


class AlertRequest(BaseModel):
    """One alert; what is wrong with it is told by the service, in the words of the contract."""

    alert: Annotated[Any, shown_as(_ALERT)] = None

    def to_value(self) -> dict[str, Any]:
        """What was sent. Raises `BadRequest`."""
        if not isinstance(self.alert, dict) or not self.alert:
            raise BadRequest.missing_root("alert")
        return self.alert


class AlertsRequest(AlertRequest):
    """One alert, or a batch of them."""

    alerts: Annotated[Any, shown_as(many(_ALERT))] = None

    @property
    def batch(self) -> list[Any] | None:
        """The batch, if there is one; an empty one is none."""
        return self.alerts if isinstance(self.alerts, list) and self.alerts else None


class ThresholdOutput(BaseModel):
    code: str | None
    value: DecimalText
    recurring: bool


class AlertOutput(BaseModel):
    lago_id: UUID
    lago_organization_id: UUID
    external_subscription_id: str | None
    lago_wallet_id: UUID | None
    wallet_code: str | None
    billable_metric: MetricOutput | None
    alert_type: str
    code: str
    name: str | None
    direction: str
    previous_value: DecimalText
    last_processed_at: Instant | None
    thresholds: list[ThresholdOutput]
    created_at: Instant

    @classmethod
    def of(cls, alert: Alert, wallet_code: str | None, organization_id: UUID) -> AlertOutput:
        """Show an alert."""
        return cls(
            lago_id=alert.id,
            lago_organization_id=organization_id,
            external_subscription_id=alert.external_subscription_id,
            lago_wallet_id=alert.wallet_id,
            wallet_code=wallet_code,
            billable_metric=MetricOutput.of(alert.billable_metric) if alert.billable_metric else None,
            alert_type=alert.alert_type,
            code=alert.code,
            name=alert.name,
            direction=alert.alert_type.direction,
            previous_value=alert.previous_value,
            last_processed_at=alert.last_processed_at,
            thresholds=[
                ThresholdOutput(code=one.code, value=one.value, recurring=one.recurring)
                for one in alert.thresholds
            ],
            created_at=alert.created_at,
        )


class AlertResponse(BaseModel):
    alert: AlertOutput


class MadeAlertsResponse(BaseModel):
    alerts: list[AlertOutput]


class AlertsResponse(MadeAlertsResponse):
    meta: Meta
