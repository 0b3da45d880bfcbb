"""How invoices are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Row,
    Text,
    Uuid,
    bindparam,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows, update_rows
from tallymark.db.conditions import among, among_given
from tallymark.db.engine import Tx
from tallymark.db.rows import named
from tallymark.db.tables import (
    billed_terms,
    billing_entities,
    billing_records,
    customers,
    fees,
    invoice_credits,
    invoice_metadata,
    invoice_settlements,
    invoices,
    invoices_applied_taxes,
)
from tallymark.domain.calendar import Boundaries, Window
from tallymark.domain.values import names_of
from tallymark.rooms.invoices.model import (
    VISIBLE,
    AppliedTaxRecord,
    BillingRecord,
    CreditLine,
    Filters,
    Invoice,
    InvoiceStatus,
    MetadataRecord,
    Reason,
)

WITHIN_A_PERIOD = (Reason.IN_ADVANCE, Reason.IN_ADVANCE_PERIODIC, Reason.PROGRESSIVE)
"""Reasons of records that close no period."""

NEWEST_FIRST = (invoices.c.issuing_date.desc(), invoices.c.created_at.desc(), invoices.c.id)


async def insert_invoices(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, invoices, rows)


async def update_invoice(tx: Tx, invoice_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(invoices).where(invoices.c.id == invoice_id).values(**values))


async def set_files(tx: Tx, invoice_id: UUID, *, pdf: str, xml: str | None) -> bool:
    """Note the files of an invoice that has none, and whether it had none."""
    without = (invoices.c.id == invoice_id) & invoices.c.file_key.is_(None)
    noted = update(invoices).where(without).values(file_key=pdf, xml_key=xml).returning(invoices.c.id)
    return (await tx.execute(noted)).first() is not None


async def update_invoices(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the same columns of many invoices; `id` tells which."""
    await update_rows(tx, invoices, rows)


async def find_regenerated(tx: Tx, invoice_id: UUID) -> UUID | None:
    statement = select(invoices.c.id).where(invoices.c.voided_invoice_id == invoice_id)
    found: UUID | None = (await tx.execute(statement)).scalar_one_or_none()
    return found


async def supersede_records(tx: Tx, invoice_id: UUID, by: UUID) -> None:
    """Note on a void invoice's records which invoice bills them in its place."""
    of_invoice = billing_records.c.invoice_id == invoice_id
    await tx.execute(update(billing_records).where(of_invoice).values(regenerated_invoice_id=by))


async def insert_records(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, billing_records, rows)


async def find_terms(tx: Tx, digests: Collection[UUID]) -> dict[UUID, UUID]:
    """The ids of terms that are written, by their digests."""
    statement = select(billed_terms.c.digest, func.min(billed_terms.c.id.cast(Text)).label("id"))
    rows = await tx.execute(statement.where(among(billed_terms.c.digest, digests)).group_by("digest"))
    return {row.digest: UUID(row.id) for row in rows}


async def insert_terms(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write terms; `text` has their charges as the JSON that they are."""
    if rows:
        charges = cast(bindparam("text", type_=Text), JSONB)
        statement = insert(billed_terms).values(organization_id=tx.organization_id, charges=charges)
        await tx.execute(statement, rows)


async def delete_records(tx: Tx, invoice_id: UUID) -> None:
    await tx.execute(delete(billing_records).where(billing_records.c.invoice_id == invoice_id))


async def insert_applied_taxes(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, invoices_applied_taxes, rows)


async def delete_applied_taxes(tx: Tx, invoice_id: UUID) -> None:
    table = invoices_applied_taxes
    await tx.execute(delete(table).where(table.c.invoice_id == invoice_id))


async def find_invoice(tx: Tx, invoice_id: UUID, *, visible_only: bool = True) -> Invoice | None:
    statement = select(invoices).where(invoices.c.id == invoice_id)
    if visible_only:
        statement = statement.where(invoices.c.status.in_(VISIBLE))
    row = (await tx.execute(statement)).first()
    return as_invoice(row._asdict()) if row else None


async def get_invoices(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Invoice]:
    rows = await tx.execute(select(invoices).where(among(invoices.c.id, ids)))
    return {values["id"]: as_invoice(values) for values in named(rows)}


async def list_invoices(tx: Tx, filters: Filters, page: Page) -> tuple[list[Invoice], int]:
    conditions = list(_conditions(filters))
    total = (await tx.execute(select(func.count()).select_from(invoices).where(*conditions))).scalar_one()
    statement = (
        select(invoices).where(*conditions).order_by(*NEWEST_FIRST).limit(page.size).offset(page.offset)
    )
    return [as_invoice(values) for values in named(await tx.execute(statement))], int(total)


async def list_ids(tx: Tx, filters: Filters) -> list[UUID]:
    statement = select(invoices.c.id).where(*_conditions(filters)).order_by(*NEWEST_FIRST)
    return list((await tx.execute(statement)).scalars())


async def list_fee_ids(tx: Tx, filters: Filters) -> list[UUID]:
    of_invoices = select(fees.c.id).join(invoices, invoices.c.id == fees.c.invoice_id)
    in_order = (*NEWEST_FIRST, fees.c.position, fees.c.id)
    statement = of_invoices.where(*_conditions(filters)).order_by(*in_order)
    return list((await tx.execute(statement)).scalars())


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = invoices.c
    yield column.status.in_(filters.statuses or VISIBLE)
    yield column.status.in_(VISIBLE)
    if filters.external_customer_id is not None:
        of_id = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield column.customer_id.in_(of_id)
    for name, value in (
        ("customer_id", filters.customer_id),
        ("currency", filters.currency),
        ("invoice_type", filters.invoice_type),
        ("payment_overdue", filters.payment_overdue),
        ("self_billed", filters.self_billed),
    ):
        if value is not None:
            yield column[name] == value
    if filters.payment_statuses:
        yield column.payment_status.in_(filters.payment_statuses)
    if filters.partially_paid is not None:
        paid, total = column.total_paid_amount_cents, column.total_amount_cents
        is_partly = (paid > 0) & (paid < total)
        yield is_partly if filters.partially_paid else ~is_partly
    yield from _ranges(filters)
    if filters.payment_dispute_lost is not None:
        lost = column.payment_dispute_lost_at.is_not(None)
        yield lost if filters.payment_dispute_lost else ~lost
    if filters.settlements:
        column_of = invoice_settlements.c
        yield exists().where(
            column_of.invoice_id == column.id, column_of.settlement_type.in_(filters.settlements)
        )
    for key, value in filters.metadata:
        noted = exists().where(invoice_metadata.c.invoice_id == column.id, invoice_metadata.c.key == key)
        yield noted.where(invoice_metadata.c.value == value) if value else ~noted
    if filters.billing_entity_codes:
        of_codes = select(billing_entities.c.id).where(
            billing_entities.c.code.in_(filters.billing_entity_codes)
        )
        yield column.billing_entity_id.in_(of_codes)
    if filters.purchase_order_number is not None:
        yield func.lower(column.purchase_order_number) == filters.purchase_order_number.lower()
    if filters.search_term:
        yield _search(
            filters.search_term.strip(), by_customer=not (filters.external_customer_id or filters.customer_id)
        )


def _ranges(filters: Filters) -> Iterator[ColumnElement[bool]]:
    for column, least, most in (
        (invoices.c.issuing_date, filters.issuing_date_from, filters.issuing_date_to),
        (invoices.c.total_amount_cents, filters.amount_from, filters.amount_to),
    ):
        if least is not None:
            yield column >= least
        if most is not None:
            yield column <= most


def _search(term: str, *, by_customer: bool) -> ColumnElement[bool]:
    found: list[ColumnElement[bool]] = [invoices.c.number.icontains(term, autoescape=True)]
    with suppress(ValueError):
        found.append(invoices.c.id == literal(UUID(term), Uuid))
    if by_customer:
        names = ("name", "firstname", "lastname", "external_id", "email")
        matching = or_(*(customers.c[name].icontains(term, autoescape=True) for name in names))
        found.append(invoices.c.customer_id.in_(select(customers.c.id).where(matching)))
    return or_(*found)


async def records_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[BillingRecord]]:
    statement = (
        select(billing_records)
        .where(among(billing_records.c.invoice_id, invoice_ids))
        .order_by(billing_records.c.created_at, billing_records.c.id)
    )
    found: dict[UUID, list[BillingRecord]] = {}
    for values in named(await tx.execute(statement)):
        found.setdefault(values["invoice_id"], []).append(_as_record(values))
    return found


async def applied_taxes_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[AppliedTaxRecord]]:
    table = invoices_applied_taxes
    statement = (
        select(table)
        .where(among(table.c.invoice_id, invoice_ids))
        .order_by(table.c.tax_rate.desc(), table.c.id)
    )
    found: dict[UUID, list[AppliedTaxRecord]] = {}
    for row in await tx.execute(statement):
        names = names_of(AppliedTaxRecord)
        record = AppliedTaxRecord(**{name: getattr(row, name) for name in names})
        found.setdefault(row.invoice_id, []).append(record)
    return found


async def insert_credits(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    await insert_rows(tx, invoice_credits, rows)


async def deduct_credit_notes(tx: Tx, deducted: Mapping[UUID, int], *, now: datetime) -> None:
    """Take amounts (minor units, by invoice) off what invoices come to."""
    column = invoices.c
    taken = (
        func.unnest(cast(list(deducted), ARRAY(Uuid)), cast(list(deducted.values()), ARRAY(BigInteger)))
        .table_valued("id", "cents")
        .render_derived()
    )
    await tx.execute(
        update(invoices)
        .where(column.id == taken.c.id)
        .values(
            credit_notes_amount_cents=column.credit_notes_amount_cents + taken.c.cents,
            total_amount_cents=column.total_amount_cents - taken.c.cents,
            updated_at=now,
        )
    )


async def credits_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[CreditLine]]:
    """What was deducted from invoices, in the order of deduction."""
    table = invoice_credits
    statement = (
        select(table).where(among(table.c.invoice_id, invoice_ids)).order_by(table.c.created_at, table.c.id)
    )
    found: dict[UUID, list[CreditLine]] = {}
    for row in await tx.execute(statement):
        line = CreditLine(**{name: getattr(row, name) for name in names_of(CreditLine)})
        found.setdefault(row.invoice_id, []).append(line)
    return found


async def credits_of_coupons(
    tx: Tx, applied_coupon_ids: Collection[UUID]
) -> dict[UUID, list[tuple[CreditLine, str]]]:
    table = invoice_credits
    statement = (
        select(table, invoices.c.payment_status)
        .join(invoices, invoices.c.id == table.c.invoice_id)
        .where(among(table.c.applied_coupon_id, applied_coupon_ids), invoices.c.status.in_(VISIBLE))
        .order_by(table.c.created_at, table.c.id)
    )
    found: dict[UUID, list[tuple[CreditLine, str]]] = {}
    for row in await tx.execute(statement):
        line = CreditLine(**{name: getattr(row, name) for name in names_of(CreditLine)})
        found.setdefault(row.applied_coupon_id, []).append((line, row.payment_status))
    return found


async def mark_overdue(tx: Tx, invoice_ids: Collection[UUID], *, now: datetime) -> list[UUID]:
    """Mark what is unpaid of these invoices, and tell which that are."""
    column = invoices.c
    unpaid = update(invoices).where(
        among(column.id, invoice_ids),
        column.status == InvoiceStatus.FINALIZED,
        column.payment_status != "succeeded",
        column.payment_dispute_lost_at.is_(None),
        ~column.payment_overdue,
    )
    marked = unpaid.values(payment_overdue=True, updated_at=now).returning(column.id)
    return list((await tx.execute(marked)).scalars())


async def metadata_of(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[MetadataRecord]]:
    """The notes on invoices, the oldest first."""
    table = invoice_metadata
    statement = (
        select(table).where(among(table.c.invoice_id, invoice_ids)).order_by(table.c.created_at, table.c.key)
    )
    found: dict[UUID, list[MetadataRecord]] = {}
    for row in await tx.execute(statement):
        note = MetadataRecord(**{name: getattr(row, name) for name in names_of(MetadataRecord)})
        found.setdefault(row.invoice_id, []).append(note)
    return found


async def replace_metadata(tx: Tx, invoice_id: UUID, rows: Sequence[Mapping[str, Any]]) -> None:
    await tx.execute(delete(invoice_metadata).where(invoice_metadata.c.invoice_id == invoice_id))
    await insert_rows(tx, invoice_metadata, rows)


async def last_sequential_ids(tx: Tx, *, customer_ids: Collection[UUID], entity_id: UUID) -> dict[UUID, int]:
    """The last number of each customer's invoices of one entity, where there is one."""
    column = invoices.c
    statement = (
        select(column.customer_id, func.max(column.sequential_id).label("last"))
        .where(
            among(column.customer_id, customer_ids),
            column.billing_entity_id == entity_id,
            column.sequential_id.is_not(None),
        )
        .group_by(column.customer_id)
    )
    return {row.customer_id: row.last for row in await tx.execute(statement)}


async def last_entity_sequential_id(tx: Tx, *, entity_id: UUID) -> int:
    """The entity's counter; where it was never used, the number of its invoices so far (invoicing §2.4)."""
    column = invoices.c
    of_entity = column.billing_entity_id == entity_id
    counter = select(func.max(column.entity_sequential_id)).where(
        of_entity, column.entity_sequential_id.is_not(None)
    )
    found = (await tx.execute(counter)).scalar_one()
    if found is None:
        issued = select(func.count()).where(of_entity, column.sequential_id.is_not(None), ~column.self_billed)
        found = (await tx.execute(issued)).scalar_one()
    return int(found)


async def recurring_days(tx: Tx, subscription_ids: Collection[UUID]) -> dict[UUID, date]:
    """The last billing day of each subscription that a recurring record was made for."""
    statement = (
        select(billing_records.c.subscription_id, func.max(billing_records.c.billing_day).label("last_day"))
        .where(among(billing_records.c.subscription_id, subscription_ids), billing_records.c.is_recurring)
        .group_by(billing_records.c.subscription_id)
    )
    return {row.subscription_id: row.last_day for row in await tx.execute(statement)}


async def is_period_billed(tx: Tx, subscription_id: UUID, boundaries: Boundaries) -> bool:
    """Whether a recurring record has this window of usage, or of fixed charges where that is blank (subscriptions §5.3)."""
    column, windows = billing_records.c, boundaries
    found = exists().where(
        column.subscription_id == subscription_id,
        column.is_recurring,
        *_spans(column.from_at, column.to_at, windows.subscription),
    )
    if windows.charges is not None:
        found = found.where(*_spans(column.charges_from_at, column.charges_to_at, windows.charges))
    elif windows.fixed_charges is not None:
        fixed = _spans(column.fixed_charges_from_at, column.fixed_charges_to_at, windows.fixed_charges)
        found = found.where(*fixed)
    return bool((await tx.execute(select(found))).scalar_one())


def _spans(
    start: ColumnElement[datetime], end: ColumnElement[datetime], window: Window
) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return start == window.period.start, end == window.period.end


async def subscription_fee_days(
    tx: Tx, subscription_ids: Collection[UUID], *, except_invoice: UUID | None, before: datetime
) -> Sequence[Row[Any]]:
    """(subscription, billing day) of invoices with a subscription fee that were made before an instant."""
    statement = (
        select(fees.c.subscription_id, billing_records.c.billing_day)
        .join(invoices, invoices.c.id == fees.c.invoice_id)
        .join(
            billing_records,
            (billing_records.c.invoice_id == invoices.c.id)
            & (billing_records.c.subscription_id == fees.c.subscription_id),
        )
        .where(
            among(fees.c.subscription_id, subscription_ids),
            fees.c.fee_type == "subscription",
            invoices.c.status.not_in((InvoiceStatus.VOIDED, InvoiceStatus.DELETED)),
            invoices.c.created_at < before,
        )
    )
    if except_invoice is not None:
        statement = statement.where(invoices.c.id != except_invoice)
    return (await tx.execute(statement)).all()


async def last_windows(tx: Tx, subscription_ids: Collection[UUID], *, before: datetime) -> Sequence[Row[Any]]:
    """(subscription, end of its last charges window, the zone it was billed in) as of an instant.

    What is billed within a period closes no window, and a start bills no usage. The windows of the base price do not tell which
    is the last one: all months of a longer plan have the same.
    """
    return (await tx.execute(_LAST_WINDOWS, {"ids": list(subscription_ids), "before": before})).all()


_LAST_WINDOWS = (
    select(billing_records.c.subscription_id, billing_records.c.charges_to_at, invoices.c.timezone)
    .join(invoices, invoices.c.id == billing_records.c.invoice_id)
    .where(
        among_given(billing_records.c.subscription_id, "ids"),
        billing_records.c.charges_to_at.is_not(None),
        billing_records.c.billed_at < bindparam("before"),
        billing_records.c.invoicing_reason.not_in((*WITHIN_A_PERIOD, Reason.STARTING)),
        invoices.c.status != InvoiceStatus.VOIDED,
    )
    .ext(distinct_on(billing_records.c.subscription_id))
    .order_by(billing_records.c.subscription_id, billing_records.c.charges_to_at.desc())
)


def as_invoice(row: Mapping[str, Any]) -> Invoice:
    """A row as the value that it is."""
    values = {name: row[name] for name in names_of(Invoice)}
    return Invoice(**{**values, "status": InvoiceStatus(values["status"])})


def _as_record(row: Mapping[str, Any]) -> BillingRecord:
    values = {name: row[name] for name in names_of(BillingRecord)}
    return BillingRecord(**{**values, "invoicing_reason": Reason(values["invoicing_reason"])})


async def drafts_billing(tx: Tx, subscription_ids: Collection[UUID]) -> list[UUID]:
    of_draft = (billing_records.c.invoice_id == invoices.c.id) & billing_records.c.subscription_id.in_(
        subscription_ids
    )
    found = select(invoices.c.id).where(invoices.c.status == "draft", exists().where(of_draft))
    return list((await tx.execute(found.order_by(invoices.c.created_at, invoices.c.id))).scalars())


async def drafts_of_customers(tx: Tx, customer_ids: Collection[UUID]) -> list[Invoice]:
    of_customers = among(invoices.c.customer_id, customer_ids)
    rows = await tx.execute(select(invoices).where(of_customers, invoices.c.status == InvoiceStatus.DRAFT))
    return [as_invoice(values) for values in named(rows)]
