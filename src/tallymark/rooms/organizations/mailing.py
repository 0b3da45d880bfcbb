"""Which documents a billing entity has sent by e-mail (wallets §19)."""

from __future__ import annotations

from collections.abc import Mapping
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
    await note_all_wanted(tx, kind, {document_id: entity_id}, now=now)


async def note_all_wanted(tx: Tx, kind: MailKind, issuers: Mapping[UUID, UUID], *, now: datetime) -> None:
    """The same for documents by their ids, each with its issuer's."""
    entities = await service.get_entities(tx, set(issuers.values()))
    wanted = [one for one, issuer in issuers.items() if SWITCHES[kind] in entities[issuer].email_settings]
    await mail.note(tx, kind, *wanted, now=now)
