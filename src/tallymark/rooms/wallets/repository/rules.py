"""How recurring rules are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update

from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import recurring_transaction_rules as rules
from tallymark.domain.periods import Interval
from tallymark.domain.values import names_of
from tallymark.rooms.wallets.model import Method, Rule, Status, Trigger


async def insert_rule(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(rules), dict(values))


async def update_rule(tx: Tx, rule_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(rules).where(rules.c.id == rule_id).values(**values))


async def terminate(tx: Tx, rule_ids: Collection[UUID], *, at: datetime) -> None:
    ended = update(rules).where(among(rules.c.id, rule_ids), rules.c.status == Status.ACTIVE)
    await tx.execute(ended.values(status=Status.TERMINATED, terminated_at=at, updated_at=at))


async def get_rules(tx: Tx, ids: Collection[UUID]) -> list[Rule]:
    return [_as_rule(row) for row in await tx.execute(select(rules).where(among(rules.c.id, ids)))]


async def active_of(tx: Tx, wallet_ids: Collection[UUID]) -> dict[UUID, list[Rule]]:
    """The active rules of wallets, the oldest first."""
    statement = (
        select(rules)
        .where(among(rules.c.wallet_id, wallet_ids), rules.c.status == Status.ACTIVE)
        .order_by(rules.c.created_at, rules.c.id)
    )
    return _by_wallet((await tx.execute(statement)).all())


def _by_wallet(rows: Sequence[Row[Any]]) -> dict[UUID, list[Rule]]:
    found: dict[UUID, list[Rule]] = {}
    for row in rows:
        found.setdefault(row.wallet_id, []).append(_as_rule(row))
    return found


def _as_rule(row: Row[Any]) -> Rule:
    values = {name: getattr(row, name) for name in names_of(Rule)}
    return Rule(
        **{
            **values,
            "status": Status(values["status"]),
            "trigger": Trigger(values["trigger"]),
            "method": Method(values["method"]),
            "interval": Interval(values["interval"]) if values["interval"] else None,
        }
    )
