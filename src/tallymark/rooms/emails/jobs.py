"""What happens later: e-mails are written and handed over. Safe to run twice."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import assert_never
from uuid import UUID

import structlog

from tallymark.db.engine import Database, Tx
from tallymark.jobs.mail import MailKind
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.documents import NoteDocuments
from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.emails import service
from tallymark.rooms.emails.model import Attachment, Letter, MaybeTaken, NotTaken, Paper, Skipped
from tallymark.rooms.emails.ports import Composer, PayPages, Post
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import Files, InvoiceView
from tallymark.rooms.organizations.access import now_of, system_now
from tallymark.rooms.organizations.switches import Switch, is_on
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.documents import ReceiptDocuments
from tallymark.rooms.payments.model import ReceiptDocument

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailroom:
    """All that sending takes; without a post nothing is sent."""

    database: Database
    invoices: Documents
    credit_notes: NoteDocuments
    receipts: ReceiptDocuments
    composer: Composer
    post: Post | None
    pay_pages: PayPages
    base_url: str


async def send(room: Mailroom, organization_id: UUID, email_id: UUID, *, is_simulated: bool) -> None:
    """Send an e-mail that waits, making its documents where they are missing. Raises `NotTaken` for another try."""
    whose = _Tenant(room, organization_id, is_simulated)
    letter = await _letter(whose, email_id)
    if letter is None or room.post is None:
        return
    if letter.kind is MailKind.REQUEST:
        pay_url = await room.pay_pages(organization_id, letter.document_id, is_simulated=is_simulated)
        letter = replace(letter, pay_url=pay_url)
    files = [await _file(whose, paper) for paper in letter.papers]
    logo = await room.invoices.logo_of(organization_id, letter.issuer)
    message = await asyncio.to_thread(room.composer.compose, letter, files, logo)
    async with whose.transaction() as tx:
        if not await service.claim(tx, email_id):
            return
    try:
        await room.post(message)
    except NotTaken as error:
        async with whose.transaction() as tx:
            await service.note_refused(tx, email_id, str(error))
            await service.log(tx, letter, message, is_taken=False, now=await now_of(tx))
        raise
    except MaybeTaken as error:
        log.warning(
            "an e-mail may have been taken, and is not sent again", email_id=str(email_id), exc_info=error
        )
        async with whose.transaction() as tx:
            await service.note_unsure(tx, email_id, str(error))
            await service.log(tx, letter, message, is_taken=False, now=await now_of(tx))
        return
    async with whose.transaction() as tx:
        await service.note_sent(tx, email_id, now=system_now())
        await service.log(tx, letter, message, is_taken=True, now=await now_of(tx))


@dataclass(frozen=True, slots=True)
class _Tenant:
    room: Mailroom
    organization_id: UUID
    is_simulated: bool

    def transaction(self) -> AbstractAsyncContextManager[Tx]:
        return self.room.database.tenant(self.organization_id, is_simulated=self.is_simulated)


async def _letter(whose: _Tenant, email_id: UUID) -> Letter | None:
    async with whose.transaction() as tx:
        email = await service.find(tx, email_id)
        if email is None or email.status != "pending":
            return None
        if whose.room.post is None:
            await service.skip(tx, email_id, "no mail server is set")
            return None
        if await is_on(tx, Switch.MUTE_EMAILS):
            await service.skip(tx, email_id, "muted by whoever runs the installation")
            return None
        letter = await service.gather(tx, email, now=await now_of(tx))
        if isinstance(letter, Skipped):
            await service.skip(tx, email_id, letter.reason)
            return None
        return letter


async def _file(whose: _Tenant, paper: Paper) -> Attachment:
    key = _key(paper) or (await _make(whose, paper)).pdf
    content = await whose.room.invoices.get(whose.organization_id, key)
    if content is None:
        raise NotTaken(f"the file {key} is gone")
    link = whose.room.base_url + whose.room.invoices.signer.sign(whose.organization_id, key)
    return Attachment(name=key.rsplit("/", 1)[-1], content=content, url=link)


def _key(paper: Paper) -> str | None:
    match paper:
        case InvoiceView():
            return paper.invoice.file_key
        case CreditNoteView():
            return paper.note.file_key
        case ReceiptDocument():
            return paper.receipt.file_key
        case _:
            assert_never(paper)


async def _make(whose: _Tenant, paper: Paper) -> Files:
    """Make a document's files, as they are made by themselves a moment later."""
    room, organization_id = whose.room, whose.organization_id
    match paper:
        case InvoiceView():
            files = await room.invoices.make(organization_id, paper)
            async with whose.transaction() as tx:
                await invoices.set_files(tx, paper.invoice.id, files, now=await now_of(tx))
        case CreditNoteView():
            files = await room.credit_notes.make(organization_id, paper)
            async with whose.transaction() as tx:
                await credit_notes.set_files(tx, paper.note.id, files, now=await now_of(tx))
        case ReceiptDocument():
            files = await room.receipts.make(organization_id, paper)
            async with whose.transaction() as tx:
                await payments.set_files(tx, paper.receipt.id, files, now=await now_of(tx))
        case _:
            assert_never(paper)
    return files
