"""How customers are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from tallymark.api.pagination import Page
from tallymark.db.conditions import among, among_given
from tallymark.db.engine import Tx
from tallymark.db.rows import named
from tallymark.db.tables import (
    applied_coupons,
    billing_entities,
    customer_metadata,
    customers,
    invoices,
    link_tasks,
    payment_methods,
    payment_providers,
    subscriptions,
    vat_checks,
    wallets,
)
from tallymark.domain.values import names_of
from tallymark.rooms.customers.model import (
    ADDRESS,
    Address,
    Balance,
    Customer,
    DraftDates,
    Filters,
    Identity,
    LinkTask,
    Metadata,
    PaymentMethod,
    Standing,
    Step,
    VatCheck,
)

LIVE = customers.c.deleted_at.is_(None)
SEARCHED = ("name", "firstname", "lastname", "legal_name", "external_id", "email")


async def insert_customer(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(customers), dict(values))


async def update_customer(tx: Tx, customer_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(customers).where(customers.c.id == customer_id).values(**values))


async def find_customer(tx: Tx, external_id: str) -> Customer | None:
    found = await _load(tx, [LIVE & (customers.c.external_id == external_id)])
    return found[0] if found else None


async def get_customers(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Customer]:
    """Customers by id, deleted ones included: invoices go on showing them."""
    return {customer.id: customer for customer in await _load(tx, [among(customers.c.id, ids)])}


async def get_identities(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Identity]:
    column = customers.c
    statement = select(column.id, column.external_id, column.billing_entity_id).where(among(column.id, ids))
    return {
        row.id: Identity(external_id=row.external_id, billing_entity_id=row.billing_entity_id)
        for row in await tx.execute(statement)
    }


async def list_customers(tx: Tx, filters: Filters, page: Page) -> tuple[list[Customer], int]:
    conditions = [LIVE, *_conditions(filters)]
    total = (await tx.execute(select(func.count()).select_from(customers).where(*conditions))).scalar_one()
    return await _load(tx, conditions, page), int(total)


async def _load(
    tx: Tx, conditions: Sequence[ColumnElement[bool]], page: Page | None = None
) -> list[Customer]:
    statement = _WITH_SIGNS_OF_NOTES.where(*conditions).order_by(
        customers.c.created_at.desc(), customers.c.id
    )
    if page is not None:
        statement = statement.limit(page.size).offset(page.offset)
    found = list(named(await tx.execute(statement)))
    notes: dict[UUID, list[Metadata]] = {}
    noted = [values["id"] for values in found if values.pop("has_notes")]
    if noted:  # few have any: mostly there is nothing more to ask for
        for row in await tx.execute(_NOTES, {"ids": noted}):
            note = Metadata(
                id=row.id,
                key=row.key,
                value=row.value,
                display_in_invoice=row.display_in_invoice,
                created_at=row.created_at,
            )
            notes.setdefault(row.customer_id, []).append(note)
    return [_as_value(values, tuple(notes.get(values["id"], ()))) for values in found]


_WITH_SIGNS_OF_NOTES = select(
    customers, exists().where(customer_metadata.c.customer_id == customers.c.id).label("has_notes")
)
_NOTES = (
    select(customer_metadata)
    .where(among_given(customer_metadata.c.customer_id, "ids"))
    .order_by(customer_metadata.c.created_at, customer_metadata.c.id)
)


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    column = customers.c
    if filters.external_id is not None:
        yield column.external_id == filters.external_id
    elif filters.search_term:
        pattern = filters.search_term.strip()
        yield or_(*(column[name].icontains(pattern, autoescape=True) for name in SEARCHED))
    for name, values in (
        ("account_type", filters.account_types),
        ("country", filters.countries),
        ("state", filters.states),
        ("zipcode", filters.zipcodes),
        ("currency", filters.currencies),
    ):
        if values:
            yield column[name].in_(values)
    if filters.billing_entity_codes:
        entities = select(billing_entities.c.id).where(
            billing_entities.c.code.in_(filters.billing_entity_codes)
        )
        yield column.billing_entity_id.in_(entities)
    for name, is_set in (
        ("tax_identification_number", filters.has_tax_identification_number),
        ("customer_type", filters.has_customer_type),
    ):
        if is_set is not None:
            yield column[name].is_not(None) if is_set else column[name].is_(None)
    if filters.customer_type is not None:
        yield column.customer_type == filters.customer_type
    for key, value in filters.metadata:
        note = exists().where(customer_metadata.c.customer_id == column.id, customer_metadata.c.key == key)
        yield note.where(customer_metadata.c.value == value) if value else ~note
    yield from _standing_conditions(filters)


def _standing_conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.is_overdue is not None:
        late = customers.c.id.in_(select(invoices.c.customer_id).where(*_IS_OWED, invoices.c.payment_overdue))
        yield late if filters.is_overdue else ~late
    running = (
        select(subscriptions.c.customer_id)
        .where(subscriptions.c.status == "active")
        .group_by(subscriptions.c.customer_id)
    )
    # As large as PostgreSQL counts: numbers that nothing reaches are compared, too.
    count = func.count(type_=BigInteger)
    if filters.least_subscriptions:
        yield customers.c.id.in_(running.having(count >= filters.least_subscriptions))
    if filters.most_subscriptions is not None:
        yield customers.c.id.not_in(running.having(count > filters.most_subscriptions))


_DUE = invoices.c.total_amount_cents - invoices.c.total_paid_amount_cents - invoices.c.offset_amount_cents
_IS_OWED = (invoices.c.status == "finalized", invoices.c.payment_status != "succeeded", _DUE > 0)


async def standings_of(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """How customers stand, whatever they are many, in two statements."""
    running = (
        select(subscriptions.c.customer_id, func.count().label("running"))
        .where(among(subscriptions.c.customer_id, customer_ids), subscriptions.c.status == "active")
        .group_by(subscriptions.c.customer_id)
    )
    counts = {row.customer_id: int(row.running) for row in await tx.execute(running)}
    overdue = func.coalesce(func.sum(_DUE).filter(invoices.c.payment_overdue), 0)
    owed = (
        select(
            invoices.c.customer_id, invoices.c.currency, func.sum(_DUE).label("due"), overdue.label("overdue")
        )
        .where(among(invoices.c.customer_id, customer_ids), *_IS_OWED)
        .group_by(invoices.c.customer_id, invoices.c.currency)
        .order_by(func.sum(_DUE).desc(), invoices.c.currency)
    )
    balances: dict[UUID, list[Balance]] = {}
    for row in await tx.execute(owed):
        balance = Balance(currency=row.currency, due_cents=int(row.due), overdue_cents=int(row.overdue))
        balances.setdefault(row.customer_id, []).append(balance)
    return {
        one: Standing(active_subscriptions_count=counts.get(one, 0), balances=tuple(balances.get(one, ())))
        for one in customer_ids
    }


async def replace_metadata(tx: Tx, customer_id: UUID, keep: Collection[UUID]) -> None:
    """Delete the notes that are not kept."""
    statement = delete(customer_metadata).where(customer_metadata.c.customer_id == customer_id)
    await tx.execute(statement.where(customer_metadata.c.id.not_in(keep)) if keep else statement)


async def update_metadata(tx: Tx, note_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(customer_metadata).where(customer_metadata.c.id == note_id).values(**values))


async def insert_metadata(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(customer_metadata), dict(values))


async def is_editable(tx: Tx, customer_id: UUID) -> bool:
    """Whether nothing hangs on a customer yet (§1.3): no subscription, invoice or wallet, no coupon in a currency."""
    tables = (subscriptions, invoices, wallets)
    used = [exists().where(table.c.customer_id == customer_id) for table in tables]
    coupon = applied_coupons.c
    used.append(exists().where(coupon.customer_id == customer_id, coupon.amount_currency.is_not(None)))
    return not (await tx.execute(select(or_(*used)))).scalar_one()


async def live_subscriptions(tx: Tx, customer_id: UUID, status: str) -> list[UUID]:
    statement = select(subscriptions.c.id).where(
        subscriptions.c.customer_id == customer_id, subscriptions.c.status == status
    )
    return list((await tx.execute(statement)).scalars())


async def customers_without_timezone(tx: Tx, entity_id: UUID) -> list[UUID]:
    """Customers of an entity who live in its zone, deleted ones included: their last bills may be to come."""
    column = customers.c
    statement = select(column.id).where(
        column.billing_entity_id == entity_id, func.coalesce(column.timezone, "") == ""
    )
    return list((await tx.execute(statement)).scalars())


async def customers_with_drafts(tx: Tx, entity_id: UUID) -> list[Customer]:
    drafting = select(invoices.c.customer_id).where(invoices.c.status == "draft")
    return await _load(tx, [LIVE, customers.c.billing_entity_id == entity_id, customers.c.id.in_(drafting)])


async def draft_dates(tx: Tx, customer_ids: Collection[UUID]) -> list[DraftDates]:
    """The drafts of customers, whose dates follow from their terms."""
    if not customer_ids:
        return []
    columns = [invoices.c[name] for name in names_of(DraftDates)]
    of_customers = among(invoices.c.customer_id, customer_ids)
    rows = await tx.execute(select(*columns).where(of_customers, invoices.c.status == "draft"))
    return [DraftDates(**row._mapping) for row in rows]


async def update_draft_dates(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write new dates; `draft_id` names the invoice."""
    if rows:
        names = [name for name in rows[0] if name != "draft_id"]
        statement = update(invoices).where(invoices.c.id == bindparam("draft_id"))
        await tx.execute(
            statement.values({name: bindparam(name) for name in names}), [dict(row) for row in rows]
        )


async def cancel_pending_subscriptions(tx: Tx, customer_id: UUID, *, at: datetime) -> list[UUID]:
    """Call off the subscriptions to come; which these were."""
    is_pending = (subscriptions.c.customer_id == customer_id) & (subscriptions.c.status == "pending")
    gone = {"status": "canceled", "canceled_at": at, "updated_at": at}
    statement = update(subscriptions).where(is_pending).values(**gone).returning(subscriptions.c.id)
    return sorted((await tx.execute(statement)).scalars())


async def find_vat_check(tx: Tx, check_id: UUID) -> VatCheck | None:
    row = (await tx.execute(select(vat_checks).where(vat_checks.c.id == check_id))).first()
    return _as_check(row) if row else None


async def find_vat_check_of(tx: Tx, customer_id: UUID) -> VatCheck | None:
    row = (await tx.execute(select(vat_checks).where(vat_checks.c.customer_id == customer_id))).first()
    return _as_check(row) if row else None


async def with_vat_checks(tx: Tx, customer_ids: Collection[UUID]) -> set[UUID]:
    statement = select(vat_checks.c.customer_id).where(among(vat_checks.c.customer_id, customer_ids))
    return set((await tx.execute(statement)).scalars())


async def insert_vat_check(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(vat_checks), dict(values))


async def update_vat_check(tx: Tx, check_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(vat_checks).where(vat_checks.c.id == check_id).values(**values))


async def delete_vat_check(tx: Tx, check_id: UUID) -> None:
    await tx.execute(delete(vat_checks).where(vat_checks.c.id == check_id))


async def pending_invoices(tx: Tx, customer_id: UUID) -> list[UUID]:
    """Invoices that wait for the taxes of their customer."""
    waiting = (invoices.c.customer_id == customer_id) & (invoices.c.status == "pending")
    return list((await tx.execute(select(invoices.c.id).where(waiting))).scalars())


def _as_check(row: Row[Any]) -> VatCheck:
    return VatCheck(**{name: getattr(row, name) for name in names_of(VatCheck)})


def _as_value(values: dict[str, Any], notes: tuple[Metadata, ...]) -> Customer:
    del values["organization_id"]
    address = Address(**{name: values.pop(name) for name in ADDRESS})
    shipping = Address(**{name: values.pop(f"shipping_{name}") for name in ADDRESS})
    return Customer(**values, address=address, shipping_address=shipping, metadata=notes)


async def terminate_applied_coupons(tx: Tx, customer_id: UUID, *, at: datetime) -> list[UUID]:
    """Take a customer's coupons from them; which these were."""
    active = (applied_coupons.c.customer_id == customer_id) & (applied_coupons.c.status == "active")
    gone = {"status": "terminated", "terminated_at": at, "updated_at": at}
    statement = update(applied_coupons).where(active).values(**gone).returning(applied_coupons.c.id)
    return sorted((await tx.execute(statement)).scalars())


async def active_wallets(tx: Tx, customer_id: UUID) -> list[UUID]:
    active = (wallets.c.customer_id == customer_id) & (wallets.c.status == "active")
    return list((await tx.execute(select(wallets.c.id).where(active))).scalars())


_METHODS = select(payment_methods, payment_providers.c.name.label("payment_provider_name")).outerjoin(
    payment_providers, payment_providers.c.id == payment_methods.c.payment_provider_id
)


async def payment_methods_of(tx: Tx, customer_id: UUID) -> list[PaymentMethod]:
    """A customer's payment methods, the newest first."""
    column = payment_methods.c
    statement = _METHODS.where(column.customer_id == customer_id, column.deleted_at.is_(None))
    rows = await tx.execute(statement.order_by(column.created_at.desc(), column.id))
    return [_as_method(row) for row in rows]


async def methods_of(tx: Tx, customer_ids: Collection[UUID]) -> list[PaymentMethod]:
    column = payment_methods.c
    statement = _METHODS.where(among(column.customer_id, customer_ids), column.deleted_at.is_(None))
    return [_as_method(row) for row in await tx.execute(statement.order_by(column.id))]


async def default_methods(tx: Tx, customer_ids: Collection[UUID]) -> dict[UUID, UUID]:
    column = payment_methods.c
    is_default = column.is_default & column.deleted_at.is_(None)
    statement = select(column.customer_id, column.id).where(
        among(column.customer_id, customer_ids), is_default
    )
    return {row.customer_id: row.id for row in await tx.execute(statement)}


async def get_payment_method(tx: Tx, method_id: UUID) -> PaymentMethod:
    statement = _METHODS.where(payment_methods.c.id == method_id)
    return _as_method((await tx.execute(statement)).one())


def _as_method(row: Row[Any]) -> PaymentMethod:
    return PaymentMethod(**{name: getattr(row, name) for name in names_of(PaymentMethod)})


async def insert_payment_method(tx: Tx, row: Mapping[str, Any]) -> None:
    await tx.execute(insert(payment_methods), dict(row))


async def set_default_method(tx: Tx, customer_id: UUID, method_id: UUID | None, *, at: datetime) -> None:
    """Make one of a customer's methods the default, or none of them."""
    column = payment_methods.c
    was = update(payment_methods).where(column.customer_id == customer_id, column.is_default)
    await tx.execute(was.values(is_default=False, updated_at=at))
    if method_id is not None:
        chosen = update(payment_methods).where(column.id == method_id)
        await tx.execute(chosen.values(is_default=True, updated_at=at))


async def delete_payment_method(tx: Tx, method_id: UUID, *, at: datetime) -> None:
    gone = {"is_default": False, "deleted_at": at, "updated_at": at}
    await tx.execute(update(payment_methods).where(payment_methods.c.id == method_id).values(**gone))


async def delete_payment_methods(tx: Tx, customer_id: UUID, *, at: datetime) -> None:
    column = payment_methods.c
    statement = update(payment_methods).where(column.customer_id == customer_id, column.deleted_at.is_(None))
    await tx.execute(statement.values(is_default=False, deleted_at=at, updated_at=at))


async def update_payment_method(tx: Tx, method_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(payment_methods).where(payment_methods.c.id == method_id).values(**values))


async def find_method_at(tx: Tx, connection_id: UUID, provider_method_id: str) -> PaymentMethod | None:
    """One that a connection's provider knows by a name."""
    column = payment_methods.c
    statement = _METHODS.where(
        column.payment_provider_id == connection_id,
        column.provider_method_id == provider_method_id,
        column.deleted_at.is_(None),
    )
    row = (await tx.execute(statement)).first()
    return _as_method(row) if row else None


async def find_linked(
    tx: Tx, connection_id: UUID, *, provider_customer_id: str | None, external_id: str | None
) -> Customer | None:
    """A live customer who is linked to a connection, by who they are there, else by who they are here."""
    of_connection = LIVE & (customers.c.payment_provider_id == connection_id)
    for column, known in (
        (customers.c.provider_customer_id, provider_customer_id),
        (customers.c.external_id, external_id),
    ):
        found = [] if known is None else await _load(tx, [of_connection, column == known])
        if found:
            return found[0]
    return None


async def find_task(
    tx: Tx, *, task_id: UUID | None = None, customer_id: UUID | None = None
) -> LinkTask | None:
    """What is still to be asked, by its id or the customer's."""
    column = link_tasks.c
    which = column.id == task_id if task_id is not None else column.customer_id == customer_id
    row = (await tx.execute(select(link_tasks).where(which))).first()
    if row is None:
        return None
    return LinkTask(id=row.id, customer_id=row.customer_id, steps=tuple(Step(one) for one in row.steps))


async def insert_task(tx: Tx, values: Mapping[str, Any]) -> None:
    await tx.execute(insert(link_tasks), dict(values))


async def update_task(tx: Tx, task_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(link_tasks).where(link_tasks.c.id == task_id).values(**values))


async def delete_task(tx: Tx, task_id: UUID) -> None:
    await tx.execute(delete(link_tasks).where(link_tasks.c.id == task_id))
