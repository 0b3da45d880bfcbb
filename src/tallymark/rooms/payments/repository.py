"""How payments and receipts are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among, holding
from tallymark.db.engine import Tx
from tallymark.db.tables import (
    billing_entities,
    credit_notes,
    customers,
    invoice_settlements,
    invoices,
    payment_receipts,
    payment_requests,
    payment_requests_invoices,
    payments,
)
from tallymark.rooms.invoices.model import VISIBLE
from tallymark.rooms.payment_providers.model import PaymentStatus
from tallymark.rooms.payments.model import Filters, Payment, Receipt


async def insert_payment(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(payments), dict(row))


async def insert_payments(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, payments, rows)


async def delete_payment(tx: Tx, payment_id: UUID) -> None:
    await tx.execute(delete(payments).where(payments.c.id == payment_id))


async def update_payment(tx: Tx, payment_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(payments).where(payments.c.id == payment_id).values(**values))


_WAITS = payments.c.payment_status.in_((PaymentStatus.PENDING, PaymentStatus.PROCESSING))


async def pending_of(tx: Tx, payable_id: UUID) -> Payment | None:
    """The payment of an invoice or a payment request that its provider has not decided yet."""
    column = payments.c
    is_of = (column.invoice_id == payable_id) | (column.payment_request_id == payable_id)
    row = (await tx.execute(select(payments).where(is_of, _WAITS))).first()
    return _as_payment(row) if row else None


async def with_pending(tx: Tx, payable_ids: Collection[UUID]) -> set[UUID]:
    """Those of some invoices and payment requests that have such a payment."""
    column = payments.c
    payable = func.coalesce(column.invoice_id, column.payment_request_id)
    is_of = among(column.invoice_id, payable_ids) | among(column.payment_request_id, payable_ids)
    return set((await tx.execute(select(payable).where(is_of, _WAITS))).scalars())


async def find_by_name(tx: Tx, connection_id: UUID, provider_payment_id: str) -> Payment | None:
    """A payment of a connection by what its provider calls it."""
    column = payments.c
    named = column.payment_provider_id == connection_id, column.provider_payment_id == provider_payment_id
    row = (await tx.execute(select(payments).where(*named))).first()
    return _as_payment(row) if row else None


async def insert_receipt(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(payment_receipts), dict(row))


async def get_payments(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Payment]:
    rows = await tx.execute(select(payments).where(among(payments.c.id, ids)))
    return {row.id: _as_payment(row) for row in rows}


async def shown_payments(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Payment]:
    """The same but for payments of invoices that nobody is shown."""
    rows = await tx.execute(select(payments).where(among(payments.c.id, ids), *_of_visible_invoice()))
    return {row.id: _as_payment(row) for row in rows}


async def list_payments(tx: Tx, filters: Filters, page: Page) -> tuple[list[Payment], int]:
    conditions = [*_of_visible_invoice(), *_conditions(filters)]
    total = (await tx.execute(select(func.count()).select_from(payments).where(*conditions))).scalar_one()
    statement = (
        select(payments)
        .where(*conditions)
        .order_by(payments.c.created_at.desc(), payments.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_payment(row) for row in await tx.execute(statement)], int(total)


async def latest_of_provider(tx: Tx, invoice_id: UUID) -> Payment | None:
    """The latest payment of an invoice that is a provider's; ids are in the order in which payments were made."""
    is_provider = payments.c.payment_type == "provider"
    conditions = *_of_visible_invoice(), *_conditions(Filters(invoice_id=invoice_id)), is_provider
    statement = select(payments).where(*conditions).order_by(payments.c.id.desc()).limit(1)
    row = (await tx.execute(statement)).first()
    return _as_payment(row) if row else None


def _of_visible_invoice() -> Iterator[ColumnElement[bool]]:
    # Those of a payment request are shown, or it could not have been made.
    visible = select(invoices.c.id).where(invoices.c.status.in_(VISIBLE))
    yield payments.c.payment_request_id.is_not(None) | payments.c.invoice_id.in_(visible)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.external_customer_id is not None:
        of_id = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield payments.c.customer_id.in_(of_id)
    if filters.customer_id is not None:
        yield payments.c.customer_id == filters.customer_id
    if filters.invoice_id is not None:
        held = payment_requests_invoices.c
        requests = select(held.payment_request_id).where(held.invoice_id == filters.invoice_id)
        yield (payments.c.invoice_id == filters.invoice_id) | payments.c.payment_request_id.in_(requests)
    if filters.billing_entity_codes:
        entities = select(billing_entities.c.id).where(
            billing_entities.c.code.in_(filters.billing_entity_codes)
        )
        issued = select(invoices.c.id).where(invoices.c.billing_entity_id.in_(entities))
        asked_for = select(payment_requests.c.id).where(payment_requests.c.billing_entity_id.in_(entities))
        yield payments.c.invoice_id.in_(issued) | payments.c.payment_request_id.in_(asked_for)
    if filters.search_term:
        yield _search(filters.search_term)


def _search(term: str) -> ColumnElement[bool]:
    """By reference, by the number of an invoice that is paid, or by who the customer is."""
    who = (customers.c[name] for name in ("name", "firstname", "lastname", "external_id", "email"))
    numbered = select(invoices.c.id).where(holding(term, invoices.c.number))
    held = payment_requests_invoices.c
    return or_(
        holding(term, payments.c.reference),
        payments.c.invoice_id.in_(numbered),
        payments.c.payment_request_id.in_(
            select(held.payment_request_id).where(held.invoice_id.in_(numbered))
        ),
        payments.c.customer_id.in_(select(customers.c.id).where(holding(term, *who))),
    )


async def paid_before(tx: Tx, payment: Payment) -> int:
    """What had been paid of its invoice when a payment was recorded; ids are in that order."""
    column = payments.c
    statement = select(func.coalesce(func.sum(column.amount_cents), 0)).where(
        column.invoice_id == payment.invoice_id,
        column.payment_status == "succeeded",
        column.id < payment.id,
    )
    return int((await tx.execute(statement)).scalar_one())


async def offsets_before(tx: Tx, payment: Payment) -> list[tuple[str, int]]:
    """What credit notes had taken off what was due by then, each with its number."""
    column = invoice_settlements.c
    statement = (
        select(credit_notes.c.number, column.amount_cents)
        .join(credit_notes, credit_notes.c.id == column.credit_note_id)
        .where(column.invoice_id == payment.invoice_id, column.id < payment.id)
        .order_by(column.id)
    )
    return [(row.number, row.amount_cents) for row in await tx.execute(statement)]


async def set_files(tx: Tx, receipt_id: UUID, *, pdf: str, xml: str | None) -> bool:
    """Note the files of a receipt that has none, and whether it had none."""
    column = payment_receipts.c
    statement = update(payment_receipts).where(column.id == receipt_id, column.file_key.is_(None))
    noted = await tx.execute(statement.values(file_key=pdf, xml_key=xml).returning(column.id))
    return noted.first() is not None


async def last_receipt_number(tx: Tx, customer_id: UUID) -> int:
    column = payment_receipts.c
    statement = select(func.coalesce(func.max(column.sequential_id), 0)).where(
        column.customer_id == customer_id
    )
    return int((await tx.execute(statement)).scalar_one())


async def get_receipts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Receipt]:
    rows = await tx.execute(select(payment_receipts).where(among(payment_receipts.c.id, ids)))
    return {row.id: _as_receipt(row) for row in rows}


async def list_receipts(tx: Tx, filters: Filters, page: Page) -> tuple[list[Receipt], int]:
    shown = select(payments.c.id).where(*_of_visible_invoice(), *_conditions(filters))
    condition = payment_receipts.c.payment_id.in_(shown)
    counted = select(func.count()).select_from(payment_receipts).where(condition)
    total = (await tx.execute(counted)).scalar_one()
    statement = (
        select(payment_receipts)
        .where(condition)
        .order_by(payment_receipts.c.created_at.desc(), payment_receipts.c.id)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_as_receipt(row) for row in await tx.execute(statement)], int(total)


def _as_payment(row: Row[Any]) -> Payment:
    return Payment(**{name: getattr(row, name) for name in Payment.__slots__})


def _as_receipt(row: Row[Any]) -> Receipt:
    return Receipt(**{name: getattr(row, name) for name in Receipt.__slots__})
