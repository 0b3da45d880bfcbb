"""How e-mails are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, update

from tallymark.db.engine import Source, Tx
from tallymark.db.tables import emails
from tallymark.jobs.activity import Doer
from tallymark.jobs.mail import MailKind, Recipients
from tallymark.rooms.emails.model import Email


async def find(tx: Tx, email_id: UUID) -> Email | None:
    row = (await tx.execute(select(emails).where(emails.c.id == email_id))).first()
    if row is None:
        return None
    asked: Mapping[str, list[str]] | None = row.recipients
    return Email(
        id=row.id,
        kind=MailKind(row.kind),
        document_id=row.document_id,
        status=row.status,
        recipients=Recipients(**{name: tuple(found) for name, found in asked.items()}) if asked else None,
        asked_by=_doer(row),
    )


def _doer(row: Row[Any]) -> Doer | None:
    if row.source is None:
        return None
    return Doer(source=Source(row.source), api_key_id=row.api_key_id, user_email=row.user_email)


async def move(tx: Tx, email_id: UUID, *, of: str, to: str, **values: Any) -> bool:
    """Change the status of an e-mail that has a certain one, and tell whether it had."""
    statement = (
        update(emails).where(emails.c.id == email_id, emails.c.status == of).values(status=to, **values)
    )
    return (await tx.execute(statement.returning(emails.c.id))).first() is not None


async def claim(tx: Tx, email_id: UUID) -> bool:
    return await move(tx, email_id, of="pending", to="sending", attempts=emails.c.attempts + 1)
