"""Hold alerts against what usage or a balance has come to, and tell what was crossed (wallets §9)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.alerts import Threshold, crossed
from tallymark.domain.exact import Fraction
from tallymark.domain.money import decimal_text, fixed
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.alerts import repository
from tallymark.rooms.alerts.model import VALUE_DECIMALS, Alert, AlertType
from tallymark.rooms.alerts.service.read import of_wallets, values_of
from tallymark.rooms.customers import service as customers
from tallymark.rooms.lifetime_usages import service as lifetime_usages
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import ChargeLine, CurrentUsage
from tallymark.rooms.wallets.model import Wallet


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom a message speaks of."""

    external_customer_id: str
    subscription_id: UUID | None = None
    wallet_id: UUID | None = None


async def evaluate_subscription(
    tx: Tx, contract: Contract, running: CurrentUsage, alerts: Sequence[Alert], *, now: datetime
) -> None:
    """Hold the alerts of an active subscription against its usage; what has no value now is left as it is."""
    about = About(
        external_customer_id=contract.customer.external_id, subscription_id=contract.subscription.id
    )
    seen = [
        (about, alert, value)
        for alert in alerts
        if (value := await _value(tx, contract, running, alert, now=now)) is not None
    ]
    await report(tx, seen, now=now)


async def _value(
    tx: Tx, contract: Contract, running: CurrentUsage, alert: Alert, *, now: datetime
) -> Fraction | None:
    """What an alert watches, in minor units or units; None where its metric has no charge."""
    match alert.alert_type:
        case AlertType.CURRENT_AMOUNT:
            return Fraction(running.totals.fees_amount_cents)
        case AlertType.METRIC_AMOUNT:
            lines = _of_metric(running.lines, alert)
            return Fraction(sum(line.fee.amount_cents for line in lines)) if lines else None
        case AlertType.METRIC_UNITS:
            return _units(_of_metric(running.lines, alert))
        case AlertType.LIFETIME_AMOUNT:
            found = await lifetime_usages.measure(tx, [contract], now=now)
            return Fraction(found[contract.subscription.id].total_cents)
        case AlertType.METRIC_LIFETIME_UNITS:
            since_start = await usage.get_usage_since_start(
                tx,
                contract,
                [c for c in contract.plan.charges if _is_of_metric(c.billable_metric.id, alert)],
                now=now,
            )
            return _units(since_start.lines)
        case _:
            raise AssertionError(f"{alert.alert_type} hangs on no subscription")


async def evaluate_wallets(tx: Tx, looked_at: Sequence[Wallet], *, now: datetime) -> None:
    """Hold the alerts of wallets against what they hold and what usage leaves of it."""
    found = await of_wallets(tx, [wallet.id for wallet in looked_at])
    owners = await customers.get_customers(
        tx, {wallet.customer_id for wallet in looked_at if wallet.id in found}
    )
    seen = [
        (
            About(external_customer_id=owners[wallet.customer_id].external_id, wallet_id=wallet.id),
            alert,
            value,
        )
        for wallet in looked_at
        for alert in found.get(wallet.id, ())
        for value in [values_of(wallet)[alert.alert_type]]
    ]
    await report(tx, seen, now=now)


def _is_of_metric(metric_id: UUID, alert: Alert) -> bool:
    return alert.billable_metric is not None and alert.billable_metric.id == metric_id


def _of_metric(lines: Sequence[ChargeLine], alert: Alert) -> list[ChargeLine]:
    return [line for line in lines if _is_of_metric(line.charge.billable_metric.id, alert)]


def _units(lines: Sequence[ChargeLine]) -> Fraction | None:
    return sum((line.fee.units for line in lines), Fraction(0)) if lines else None


async def report(tx: Tx, seen: Sequence[tuple[About, Alert, Fraction]], *, now: datetime) -> None:
    """Tell each alert whose thresholds were crossed, and note what was seen of all of them."""
    rows: list[dict[str, Any]] = []
    messages: list[Message] = []
    for about, alert, value in seen:
        kept = fixed(value, VALUE_DECIMALS)
        current = Fraction(kept)
        found = crossed(
            alert.thresholds, alert.alert_type.direction, previous=alert.previous_value, current=current
        )
        if found:
            messages.append(_message(tx, about, alert, current, found, now=now))
        rows.append({"id": alert.id, "previous_value": kept, "last_processed_at": now})
    await repository.save_values(tx, rows)
    await emit(tx, *messages, now=now)


def _message(
    tx: Tx, about: About, alert: Alert, current: Fraction, found: Sequence[Threshold], *, now: datetime
) -> Message:
    """The whole of what is told: the alert may be another one by the time it is read."""
    triggered_id = new_id()
    external_id, customer_id = alert.external_subscription_id, about.external_customer_id
    payload = {
        "lago_id": str(triggered_id),
        "lago_organization_id": str(tx.organization_id),
        "lago_alert_id": str(alert.id),
        "lago_subscription_id": str(about.subscription_id) if about.subscription_id else None,
        "external_subscription_id": external_id,
        "lago_wallet_id": str(about.wallet_id) if about.wallet_id else None,
        "external_customer_id": customer_id,
        "billable_metric_code": alert.billable_metric.code if alert.billable_metric else None,
        "alert_name": alert.name,
        "alert_code": alert.code,
        "alert_type": alert.alert_type,
        "current_value": decimal_text(current),
        "previous_value": decimal_text(alert.previous_value),
        "crossed_thresholds": [
            {"code": one.code, "value": decimal_text(one.value), "recurring": one.recurring} for one in found
        ],
        "triggered_at": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "subscription_external_id": external_id,
        "customer_external_id": customer_id,
    }
    return Message(
        webhook_type="alert.triggered", object_type="triggered_alert", object_id=triggered_id, payload=payload
    )
