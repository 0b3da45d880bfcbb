"""Which documents a billing entity has sent by e-mail (wallets §19)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.jobs import mail
from tallymark.jobs.mail import SWITCHES, MailKind
from tallymark.rooms.organizations import service


async def note_if_wanted(
    tx: Tx, kind: MailKind, document_id: UUID, *, entity_id: UUID, now: datetime
) -> None:
    """Have a document sent where its issuer has the kind switched on."""
    entity = (await service.get_entities(tx, {entity_id}))[entity_id]
    if SWITCHES[kind] in entity.email_settings:
        await mail.note(tx, kind, document_id, now=now)
