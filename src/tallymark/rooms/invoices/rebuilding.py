"""Make the documents of an issued invoice anew, for the operator: what it bills stays, how it looks follows the release (platform §17),
and what has been paid since is shown.
"""

from __future__ import annotations

from uuid import UUID

from tallymark.db.engine import Actor, Database, Source, Tx
from tallymark.domain.errors import NotFound
from tallymark.jobs.deeds import Deed, Staff, Verb, note_last
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.invoices import explaining, printing, repository, service
from tallymark.rooms.invoices.documents import Documents
from tallymark.rooms.invoices.model import Files, Invoice, InvoiceStatus, InvoiceView
from tallymark.rooms.organizations.access import now_of, system_now


async def rebuild(
    database: Database, documents: Documents, invoice_id: UUID, *, by: Actor, staff: Staff
) -> tuple[UUID, InvoiceView]:
    """Make the documents of any organization's invoice anew, in place of those that there are; returns whose it is, and how it stands.

    The organization's logs name `by`, the audit of staff `staff`.
    Raises `NotFound("invoice")` also for one that is not issued.
    """
    async with database.system() as connection:
        organization_id = await explaining.organization_of(connection, invoice_id)
    async with database.tenant(organization_id) as tx:
        view = await _view(tx, invoice_id)
    files = await documents.make(organization_id, view)
    async with database.tenant(organization_id, source=Source.API, actor=by) as tx:
        await keep(tx, invoice_id, files)
        rebuilt = await _view(tx, invoice_id)
        deed = _deed(organization_id, before=view.invoice, after=rebuilt.invoice)
        await note_last(tx, staff, deed, now=system_now())
        return organization_id, rebuilt


def _deed(organization_id: UUID, *, before: Invoice, after: Invoice) -> Deed:
    return Deed(
        verb=Verb.REBUILT,
        subject_type="invoice",
        subject_id=str(after.id),
        subject=after.number,
        organization_id=organization_id,
        before={"file": before.file_key, "xml": before.xml_key},
        after={"file": after.file_key, "xml": after.xml_key},
    )


async def _view(tx: Tx, invoice_id: UUID) -> InvoiceView:
    invoice = await service.get_invoice(tx, invoice_id)
    if invoice.status is not InvoiceStatus.FINALIZED:
        raise NotFound("invoice")
    (view,) = await printing.get_printed(tx, [invoice], now=await now_of(tx))
    return view


async def keep(tx: Tx, invoice_id: UUID, files: Files) -> None:
    """Note where the documents are. The first ones are told of and sent; later ones are in the log alone."""
    now = await now_of(tx)
    if (await service.get_invoice(tx, invoice_id)).file_key is None:
        await service.set_files(tx, invoice_id, files, now=now)
        return
    await repository.update_invoice(tx, invoice_id, {"file_key": files.pdf, "xml_key": files.xml})
    rebuilt = Message(activity_type="invoice.generated", object_type="invoice", object_id=invoice_id)
    await emit(tx, rebuilt, now=now)
