"""How alerts are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import alerts
from tallymark.domain.alerts import Threshold
from tallymark.domain.exact import Fraction
from tallymark.domain.money import plain_text
from tallymark.rooms.alerts.model import THRESHOLD_DECIMALS, Alert, AlertType, Subject
from tallymark.rooms.billable_metrics import service as billable_metrics

NEWEST_FIRST = (alerts.c.created_at.desc(), alerts.c.id)


async def insert_alerts(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, alerts, rows)


async def update_alert(tx: Tx, alert_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(alerts).where(alerts.c.id == alert_id).values(**values))


async def save_values(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note what was seen of alerts, by `id`."""
    await update_rows(tx, alerts, rows)


async def delete_alerts(tx: Tx, subject: Subject, *, code: str | None = None, at: datetime) -> None:
    """Take off one alert, or without a code all of them."""
    gone = update(alerts).where(*_of(subject)).values(deleted_at=at, updated_at=at)
    await tx.execute(gone if code is None else gone.where(alerts.c.code == code))


async def find_alert(tx: Tx, subject: Subject, code: str) -> Alert | None:
    found = await _load(tx, select(alerts).where(*_of(subject), alerts.c.code == code))
    return found[0] if found else None


async def all_of(tx: Tx, subject: Subject) -> list[Alert]:
    return await _load(tx, select(alerts).where(*_of(subject)).order_by(*NEWEST_FIRST))


async def list_alerts(tx: Tx, subject: Subject, page: Page) -> tuple[list[Alert], int]:
    counted = select(func.count()).select_from(alerts).where(*_of(subject))
    total = (await tx.execute(counted)).scalar_one()
    statement = select(alerts).where(*_of(subject)).order_by(*NEWEST_FIRST)
    return await _load(tx, statement.limit(page.size).offset(page.offset)), int(total)


async def get_alerts(tx: Tx, ids: Collection[UUID]) -> list[Alert]:
    return await _load(tx, select(alerts).where(among(alerts.c.id, ids)))


async def of_subscriptions(tx: Tx, external_ids: Collection[str]) -> list[Alert]:
    live = alerts.c.deleted_at.is_(None)
    statement = select(alerts).where(live, alerts.c.external_subscription_id.in_(external_ids))
    return await _load(tx, statement.order_by(alerts.c.created_at, alerts.c.id))


async def of_wallets(tx: Tx, wallet_ids: Collection[UUID]) -> list[Alert]:
    live = alerts.c.deleted_at.is_(None)
    statement = select(alerts).where(live, among(alerts.c.wallet_id, wallet_ids))
    return await _load(tx, statement.order_by(alerts.c.created_at, alerts.c.id))


def as_json(thresholds: Sequence[Threshold]) -> list[dict[str, Any]]:
    """Thresholds as the column holds them."""
    return [
        {
            "code": one.code,
            "value": plain_text(one.value, THRESHOLD_DECIMALS),
            "recurring": one.recurring,
        }
        for one in thresholds
    ]


def _of(subject: Subject) -> tuple[ColumnElement[bool], ...]:
    hangs_on = (
        alerts.c.wallet_id == subject.wallet_id
        if subject.wallet_id is not None
        else alerts.c.external_subscription_id == subject.external_subscription_id
    )
    return hangs_on, alerts.c.deleted_at.is_(None)


async def _load(tx: Tx, statement: Select[Any]) -> list[Alert]:
    rows = (await tx.execute(statement)).all()
    metrics = await billable_metrics.get_metrics(
        tx, {row.billable_metric_id for row in rows if row.billable_metric_id is not None}
    )
    return [_as_value(row, metrics) for row in rows]


def _as_value(row: Row[Any], metrics: Mapping[UUID, Any]) -> Alert:
    return Alert(
        id=row.id,
        external_subscription_id=row.external_subscription_id,
        wallet_id=row.wallet_id,
        billable_metric=metrics.get(row.billable_metric_id),
        alert_type=AlertType(row.alert_type),
        code=row.code,
        name=row.name,
        thresholds=tuple(
            Threshold(value=Fraction(one["value"]), code=one["code"], recurring=one["recurring"])
            for one in row.thresholds
        ),
        previous_value=Fraction(row.previous_value),
        last_processed_at=row.last_processed_at,
        created_at=row.created_at,
    )
