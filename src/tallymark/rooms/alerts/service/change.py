"""Make, change and delete alerts (wallets §9)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound, Problems
from tallymark.domain.exact import Fraction
from tallymark.domain.money import fixed
from tallymark.jobs import usage_watch
from tallymark.jobs.activity import Changes
from tallymark.jobs.activity import changes as changes_of
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.alerts import repository
from tallymark.rooms.alerts.model import VALUE_DECIMALS, Alert, AlertType, Subject
from tallymark.rooms.alerts.service import checks
from tallymark.rooms.alerts.service.read import get_alert
from tallymark.rooms.billable_metrics import service as billable_metrics

Sent = Mapping[str, object]
"""An alert as it was sent; nothing of it is checked."""

Kind = tuple[str, tuple[AlertType | None, UUID | None]]
"""What is unique on a subject: its code; its type and metric."""


async def create_alert(tx: Tx, subject: Subject, sent: Sent, *, now: datetime) -> Alert:
    """Make an alert. Raises `Invalid`, and `NotFound("billable_metric")`."""
    await tx.lock("customer", subject.customer_id)
    row = await _check_new(tx, subject, sent, await _kinds(tx, subject), now=now)
    await _save(tx, subject, [row], now=now)
    await log_alone(tx, "alert.created", row["id"], now=now)
    return await get_alert(tx, subject, row["code"])


async def create_alerts(tx: Tx, subject: Subject, sent: Sequence[object], *, now: datetime) -> list[Alert]:
    """Make all of them or none. Raises `Invalid` with what is wrong by index."""
    await tx.lock("customer", subject.customer_id)
    kinds = await _kinds(tx, subject)
    rows: list[dict[str, Any]] = []
    wrong: dict[str, dict[str, object]] = {}
    for index, item in enumerate(sent):
        one: Sent = item if isinstance(item, Mapping) else {}
        try:
            row = await _check_new(tx, subject, one, kinds, now=now)
        except Invalid as error:
            text = f"Validation errors: {json.dumps(error.details, separators=(',', ':'))}"
            wrong[str(index)] = {"params": item, "errors": text}
        except NotFound as error:
            wrong[str(index)] = {"params": item, "errors": error.code}
        else:
            rows.append(row)
            kinds.append((row["code"], (AlertType(row["alert_type"]), row["billable_metric_id"])))
    if wrong:
        raise Invalid(wrong)
    await _save(tx, subject, rows, now=now)
    await log_alone(tx, "alert.created", *(row["id"] for row in rows), now=now)
    made = {alert.code: alert for alert in await repository.all_of(tx, subject)}
    return [made[row["code"]] for row in rows]


async def update_alert(tx: Tx, subject: Subject, code: str, sent: Sent, *, now: datetime) -> Alert:
    """Change what is sent; thresholds replace the whole list, none leave it. What was seen stays seen.

    Raises `NotFound("alert")`, `NotFound("billable_metric")`, and `Invalid`.
    """
    await tx.lock("customer", subject.customer_id)
    alert = await get_alert(tx, subject, code)
    metric_id = alert.billable_metric.id if alert.billable_metric else None
    problems = Problems()
    if "billable_metric_code" in sent:
        metric_id = await _metric_id(tx, sent)
        checks.check_metric(problems, alert.alert_type, metric_id is not None)
    changes: dict[str, Any] = {"billable_metric_id": metric_id, "updated_at": now}
    if "name" in sent:
        changes["name"] = checks.read_text(problems, "name", sent["name"])
    if "code" in sent:
        changes["code"] = checks.read_code(problems, sent["code"])
    if sent.get("thresholds"):
        found = checks.read_thresholds(problems, sent["thresholds"])
        changes["thresholds"] = repository.as_json(found)
    others = await _kinds(tx, subject, except_id=alert.id)
    checks.check_unique(
        problems, code=changes.get("code", alert.code), kind=(alert.alert_type, metric_id), others=others
    )
    problems.raise_any()
    await repository.update_alert(tx, alert.id, changes)
    await _follow(tx, subject, now=now)
    changed = await get_alert(tx, subject, changes.get("code", alert.code))
    await log_alone(tx, "alert.updated", alert.id, now=now, changed=_difference(alert, changed))
    return changed


async def delete_alert(tx: Tx, subject: Subject, code: str, *, now: datetime) -> Alert:
    """Take an alert off. Raises `NotFound("alert")`."""
    await tx.lock("customer", subject.customer_id)
    alert = await get_alert(tx, subject, code)
    await repository.delete_alerts(tx, subject, code=code, at=now)
    await log_alone(tx, "alert.deleted", alert.id, now=now)
    return alert


async def delete_all(tx: Tx, subject: Subject, *, now: datetime) -> None:
    """Take all alerts off."""
    await tx.lock("customer", subject.customer_id)
    gone = await repository.all_of(tx, subject)
    await repository.delete_alerts(tx, subject, at=now)
    await log_alone(tx, "alert.deleted", *(alert.id for alert in gone), now=now)


def _difference(before: Alert, after: Alert) -> Changes:
    found = dict(changes_of(before, after))
    if before.thresholds != after.thresholds:
        found["thresholds"] = [repository.as_json(one.thresholds) for one in (before, after)]
    metrics = [one.billable_metric.code if one.billable_metric else None for one in (before, after)]
    if metrics[0] != metrics[1]:
        found["billable_metric_code"] = metrics
    return found


async def _kinds(tx: Tx, subject: Subject, *, except_id: UUID | None = None) -> list[Kind]:
    return [
        (alert.code, (alert.alert_type, alert.billable_metric.id if alert.billable_metric else None))
        for alert in await repository.all_of(tx, subject)
        if alert.id != except_id
    ]


async def _check_new(
    tx: Tx, subject: Subject, sent: Sent, others: Sequence[Kind], *, now: datetime
) -> dict[str, Any]:
    """The row of a new alert."""
    metric_id = await _metric_id(tx, sent)
    problems = Problems()
    alert_type = checks.read_type(problems, sent.get("alert_type"), subject)
    thresholds = checks.read_thresholds(problems, sent.get("thresholds"))
    code = checks.read_code(problems, sent.get("code"))
    name = checks.read_text(problems, "name", sent.get("name"))
    checks.check_metric(problems, alert_type, metric_id is not None)
    checks.check_unique(problems, code=code, kind=(alert_type, metric_id), others=others)
    problems.raise_any()
    assert alert_type is not None, "an alert without a type is refused"
    start = (subject.starts_at or {}).get(alert_type, Fraction(0))
    return {
        "id": new_id(),
        "organization_id": tx.organization_id,
        "external_subscription_id": subject.external_subscription_id,
        "wallet_id": subject.wallet_id,
        "billable_metric_id": metric_id,
        "alert_type": alert_type,
        "code": code,
        "name": name,
        "thresholds": repository.as_json(thresholds),
        "previous_value": fixed(start, VALUE_DECIMALS),
        "created_at": now,
        "updated_at": now,
    }


async def _metric_id(tx: Tx, sent: Sent) -> UUID | None:
    code = sent.get("billable_metric_code")
    if code is None or code == "":
        return None
    return (await billable_metrics.get_metric(tx, code=str(code))).id


async def _save(tx: Tx, subject: Subject, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> None:
    await repository.insert_alerts(tx, rows)
    await _follow(tx, subject, now=now)


async def _follow(tx: Tx, subject: Subject, *, now: datetime) -> None:
    """Have the alerts looked at: an active subscription's, or those of the customer's wallets."""
    followed = subject.customer_id if subject.wallet_id is not None else subject.subscription_id
    if followed is not None:
        await usage_watch.follow(tx, {followed: subject.customer_id}, now=now, is_watch_new=True)
