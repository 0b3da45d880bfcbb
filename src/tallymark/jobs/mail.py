"""E-mails to be: noted in the transaction that causes them, sent by a job, at most once for each cause (wallets §19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.db.tables import emails
from tallymark.jobs.activity import doer_of
from tallymark.jobs.queue import SEND_EMAIL, Arguments, Job, enqueue

AUTOMATIC = "automatic"


class MailKind(StrEnum):
    """What an e-mail brings."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    RECEIPT = "payment_receipt"
    REQUEST = "payment_request"


SWITCHES = {
    MailKind.INVOICE: "invoice.finalized",
    MailKind.CREDIT_NOTE: "credit_note.created",
    MailKind.RECEIPT: "payment_receipt.created",
}
"""By which of its settings a billing entity has a kind sent; requests are always sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Addresses; at least one of them to."""

    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()

    @property
    def everyone(self) -> Sequence[str]:
        """All of them, each once."""
        return list(dict.fromkeys((*self.to, *self.cc, *self.bcc)))


async def note(tx: Tx, kind: MailKind, *document_ids: UUID, now: datetime) -> None:
    """Have documents sent to their own recipients, each once.

    A simulated organization's customers get nothing by themselves: nobody pays them real attention.
    """
    if document_ids and not tx.is_simulated:
        await _put(tx, kind, document_ids, cause=AUTOMATIC, recipients=None, now=now)


async def note_again(
    tx: Tx, kind: MailKind, document_id: UUID, recipients: Recipients, *, now: datetime
) -> None:
    """Have a document sent again, to whom somebody says; the log will name who that was."""
    await _put(tx, kind, [document_id], cause=f"again {new_id()}", recipients=recipients, now=now)


async def _put(
    tx: Tx,
    kind: MailKind,
    document_ids: Sequence[UUID],
    *,
    cause: str,
    recipients: Recipients | None,
    now: datetime,
) -> None:
    asked_by = {} if recipients is None else asdict(doer_of(tx))
    shown = None if recipients is None else {n: list(getattr(recipients, n)) for n in ("to", "cc", "bcc")}
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "kind": kind,
            "document_id": document_id,
            "cause": cause,
            "recipients": shown,
            **asked_by,
            "created_at": now,
        }
        for document_id in document_ids
    ]
    statement = insert(emails).values(rows).on_conflict_do_nothing().returning(emails.c.id)
    jobs = [_job(tx, email_id) for email_id in (await tx.execute(statement)).scalars()]
    await enqueue(tx, *jobs)


def _job(tx: Tx, email_id: UUID) -> Job:
    arguments: Arguments = {
        "organization_id": str(tx.organization_id),
        "email_id": str(email_id),
        "is_simulated": tx.is_simulated,
    }
    return Job(task=SEND_EMAIL, arguments=arguments, lock=f"email:{email_id}")
