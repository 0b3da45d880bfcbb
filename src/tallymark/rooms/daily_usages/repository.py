"""How days are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, text

from tallymark.db.bulk import update_rows, upsert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.tables import billing_records, daily_usages, invoices
from tallymark.rooms.daily_usages.model import ALONE, JSON, Around, BilledPeriod, Day, Kept, Snapshot

# Periods that an invoice ends, of which something was used: on the invoice itself, or paid for in advance.
_ENDED = text("""
    SELECT DISTINCT b.invoice_id, i.customer_id
    FROM billing_records b
    JOIN invoices i ON i.id = b.invoice_id
    JOIN subscriptions u ON u.id = b.subscription_id
    WHERE b.invoice_id = ANY(CAST(:ids AS uuid[]))
      AND (b.is_recurring OR b.invoicing_reason = 'subscription_terminating')
      AND b.charges_from_at < b.charges_to_at
      AND (EXISTS (SELECT FROM fees f
                   WHERE f.invoice_id = b.invoice_id AND f.subscription_id = b.subscription_id
                     AND f.fee_type = 'charge')
           OR EXISTS (SELECT FROM charges c WHERE c.plan_id = u.plan_id AND c.pay_in_advance))
""")


def _next_to(comparison: str, order: str) -> str:
    return f"""
        (SELECT '{comparison}' AS side, d.id, d.usage FROM daily_usages d
         WHERE d.subscription_id = asked.subscription_id AND d.usage_date {comparison} asked.usage_date
           AND d.from_at = asked.from_at
         ORDER BY d.usage_date {order} LIMIT 1)
    """


# The days of the same period that are kept next before and after each of some days.
_AROUND = text(f"""
    SELECT asked.subscription_id, asked.usage_date, found.side, found.id, found.usage
    FROM unnest(CAST(:subscription_ids AS uuid[]), CAST(:days AS date[]), CAST(:starts AS timestamptz[]))
        AS asked (subscription_id, usage_date, from_at)
    CROSS JOIN LATERAL ({_next_to("<", "DESC")} UNION ALL {_next_to(">", "ASC")}) found
""")


async def waiting(tx: Tx, ids: Collection[UUID]) -> list[Day]:
    """Days that have no usage yet."""
    statement = select(*(daily_usages.c[name] for name in Day.__slots__)).where(
        among(daily_usages.c.id, ids), daily_usages.c.usage.is_(None)
    )
    return [Day(**row._mapping) for row in await tx.execute(statement)]


async def forget(tx: Tx, ids: Collection[UUID]) -> None:
    """Take off days on which there is nothing to keep."""
    await tx.execute(
        delete(daily_usages).where(among(daily_usages.c.id, ids), daily_usages.c.usage.is_(None))
    )


async def save(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write days with their usage, over what was kept of them."""
    await upsert_rows(tx, daily_usages, rows, key=("subscription_id", "usage_date"))


async def save_differences(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write only how days differ from those before them; `id` tells which."""
    await update_rows(tx, daily_usages, rows)


async def kept_around(tx: Tx, snapshots: Sequence[Snapshot]) -> dict[tuple[UUID, date], Around]:
    """The days kept last before and next after each, of the same period: by subscription and day, where there are any."""
    asked = {
        "subscription_ids": [one.subscription_id for one in snapshots],
        "days": [one.usage_date for one in snapshots],
        "starts": [one.from_at for one in snapshots],
    }
    found: dict[tuple[UUID, date], Around] = {}
    for row in await tx.execute(_AROUND, asked):
        key, kept = (row.subscription_id, row.usage_date), Kept(id=row.id, usage=row.usage)
        known = found.get(key, ALONE)
        found[key] = known._replace(before=kept) if row.side == "<" else known._replace(after=kept)
    return found


async def ended_periods(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Which invoices end a period in which something may have been used, each with its customer."""
    found = await tx.execute(_ENDED, {"ids": list(invoice_ids)})
    return {row.invoice_id: row.customer_id for row in found}


async def billed_periods(tx: Tx, invoice_ids: Collection[UUID]) -> list[BilledPeriod]:
    """The periods that finalized invoices end."""
    record = billing_records.c
    statement = (
        select(
            record.invoice_id,
            record.subscription_id,
            record.charges_from_at.label("from_at"),
            record.charges_to_at.label("to_at"),
            record.wire_charges_to_at.label("wire_to_at"),
            invoices.c.issuing_date,
            invoices.c.currency,
            invoices.c.timezone,
        )
        .join(invoices, invoices.c.id == record.invoice_id)
        .where(
            among(record.invoice_id, invoice_ids),
            record.is_recurring | (record.invoicing_reason == "subscription_terminating"),
            record.charges_from_at < record.charges_to_at,
            invoices.c.status == "finalized",
        )
    )
    return [BilledPeriod(**row._mapping) for row in await tx.execute(statement)]


async def kept_of_period(
    tx: Tx, subscription_id: UUID, *, from_at: datetime
) -> tuple[list[tuple[date, JSON]], JSON | None]:
    """What each kept day of a period grew by, the oldest first, and the whole usage by the end of the last one."""
    column = daily_usages.c
    of_period = (
        column.subscription_id == subscription_id,
        column.from_at == from_at,
        column.usage.is_not(None),
    )
    days = select(column.usage_date, column.usage_diff).where(*of_period).order_by(column.usage_date)
    last = select(column.usage).where(*of_period).order_by(column.usage_date.desc()).limit(1)
    found = [(row.usage_date, row.usage_diff) for row in await tx.execute(days)]
    return found, (await tx.execute(last)).scalar_one_or_none()
