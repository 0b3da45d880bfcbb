"""How fees are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    TIMESTAMP,
    ColumnElement,
    Select,
    TableValuedAlias,
    Uuid,
    any_,
    bindparam,
    case,
    cast,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.pagination import Page
from tallymark.db.bulk import insert_rows
from tallymark.db.conditions import among
from tallymark.db.engine import Tx
from tallymark.db.rows import named
from tallymark.db.tables import (
    adjusted_fees,
    billable_metrics,
    charge_filters,
    charges,
    customers,
    fees,
    fees_applied_taxes,
    invoices,
    subscriptions,
    usage_adjustments,
)
from tallymark.domain.fees.model import FeeType
from tallymark.domain.periods import Period
from tallymark.domain.values import names_of
from tallymark.rooms.fees.model import (
    AdjustedFee,
    BilledFixedFee,
    BilledWindow,
    FeeRecord,
    FeeTax,
    Filters,
    PayableFee,
    UsageFee,
)

HIDDEN_STATUSES = ("generating", "open", "closed", "deleted")

_JOINED = (
    fees.join(customers, customers.c.id == fees.c.customer_id)
    .outerjoin(subscriptions, subscriptions.c.id == fees.c.subscription_id)
    .outerjoin(charges, charges.c.id == fees.c.charge_id)
    .outerjoin(charge_filters, charge_filters.c.id == fees.c.charge_filter_id)
)
_true_ups = fees.alias("true_ups")
_SELECT: Select[Any] = select(
    fees,
    customers.c.external_id.label("external_customer_id"),
    subscriptions.c.external_id.label("external_subscription_id"),
    charges.c.charge_model.label("charge_model"),
    charges.c.parent_id.label("charge_parent_id"),
    charge_filters.c["values"].label("filter_values"),
    (customers.c.account_type == "partner").label("self_billed"),
    select(_true_ups.c.id)
    .where(_true_ups.c.true_up_parent_fee_id == fees.c.id)
    .limit(1)
    .scalar_subquery()
    .label("true_up_fee_id"),
).select_from(_JOINED)


# What corrected events cost more than was billed is no usage of its own.
ADJUSTS = (
    select(usage_adjustments.c.id)
    .where(
        or_(usage_adjustments.c.fee_id == fees.c.id, usage_adjustments.c.fee_id == fees.c.original_fee_id),
        usage_adjustments.c.credit_note_id.is_(None),
    )
    .exists()
)


async def insert_fees(
    tx: Tx, rows: Sequence[Mapping[str, Any]], tax_rows: Sequence[Mapping[str, Any]]
) -> None:
    await insert_rows(tx, fees, rows)
    await insert_rows(tx, fees_applied_taxes, tax_rows)


async def replace_taxes(
    tx: Tx, columns: Sequence[Mapping[str, Any]], tax_rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write the tax columns of fees, which `taxed_id` names, and their taxes in place of the old ones."""
    if not columns:
        return
    ids = [row["taxed_id"] for row in columns]
    await tx.execute(delete(fees_applied_taxes).where(among(fees_applied_taxes.c.fee_id, ids)))
    changed: dict[str, Any] = {name: bindparam(name) for name in columns[0] if name != "taxed_id"}
    statement = update(fees).where(fees.c.id == bindparam("taxed_id")).values(changed)
    await tx.execute(statement, [dict(row) for row in columns])
    await insert_rows(tx, fees_applied_taxes, tax_rows)


async def delete_of_invoice(tx: Tx, invoice_id: UUID) -> None:
    """Delete a draft's fees, to be computed anew."""
    of_invoice = select(fees.c.id).where(fees.c.invoice_id == invoice_id)
    # An adjustment that is on it waits for the next computation.
    adjusting = usage_adjustments.c.fee_id.in_(of_invoice)
    await tx.execute(update(usage_adjustments).where(adjusting).values(fee_id=None))
    await tx.execute(delete(fees_applied_taxes).where(fees_applied_taxes.c.fee_id.in_(of_invoice)))
    await tx.execute(delete(fees).where(fees.c.invoice_id == invoice_id))


async def of_invoices(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[FeeRecord]]:
    """The fees of invoices in the order of their lines."""
    statement = _SELECT.where(among(fees.c.invoice_id, invoice_ids)).order_by(fees.c.position, fees.c.id)
    found: dict[UUID, list[FeeRecord]] = {}
    for fee in await _load(tx, statement):
        assert fee.invoice_id is not None
        found.setdefault(fee.invoice_id, []).append(fee)
    return found


async def payable_of_invoices(tx: Tx, invoice_ids: Collection[UUID]) -> dict[UUID, list[PayableFee]]:
    """The fees of invoices; a wallet is named where the charge lets its events name one."""
    target = case((charges.c.accepts_target_wallet, fees.c.grouped_by["target_wallet_code"].astext))
    names = [name for name in names_of(PayableFee) if name != "target_wallet_code"]
    statement = (
        select(fees.c.invoice_id, *(fees.c[name] for name in names), target.label("target_wallet_code"))
        .outerjoin(charges, charges.c.id == fees.c.charge_id)
        .where(among(fees.c.invoice_id, invoice_ids))
        .order_by(fees.c.position, fees.c.id)
    )
    found: dict[UUID, list[PayableFee]] = {}
    for row in await tx.execute(statement):
        fee = PayableFee(**{name: getattr(row, name) for name in names_of(PayableFee)})
        found.setdefault(row.invoice_id, []).append(fee)
    return found


async def progressive_of(
    tx: Tx, subscription_ids: Collection[UUID]
) -> dict[UUID, list[tuple[datetime, PayableFee]]]:
    target = case((charges.c.accepts_target_wallet, fees.c.grouped_by["target_wallet_code"].astext))
    names = [name for name in names_of(PayableFee) if name != "target_wallet_code"]
    statement = (
        select(
            fees.c.subscription_id,
            fees.c.from_at,
            *(fees.c[name] for name in names),
            target.label("target_wallet_code"),
        )
        .join(invoices, invoices.c.id == fees.c.invoice_id)
        .outerjoin(charges, charges.c.id == fees.c.charge_id)
        .where(
            among(fees.c.subscription_id, subscription_ids),
            invoices.c.invoice_type == "progressive_billing",
            invoices.c.status.in_(("finalized", "failed")),
        )
    )
    found: dict[UUID, list[tuple[datetime, PayableFee]]] = {}
    for row in await tx.execute(statement):
        fee = PayableFee(**{name: getattr(row, name) for name in names_of(PayableFee)})
        found.setdefault(row.subscription_id, []).append((row.from_at, fee))
    return found


async def billed_fixed_fees(
    tx: Tx, subscription_ids: Collection[UUID], *, except_invoice: UUID | None
) -> list[BilledFixedFee]:
    """The fixed charge fees of subscriptions on invoices that stand, the oldest first."""
    statement = (
        select(
            *(fees.c[name] for name in names_of(BilledFixedFee) if name not in ("billed_at", "timezone")),
            invoices.c.billed_at,
            invoices.c.timezone,
        )
        .join(invoices, invoices.c.id == fees.c.invoice_id)
        .where(
            among(fees.c.subscription_id, subscription_ids),
            fees.c.fixed_charge_id.is_not(None),
            invoices.c.status.not_in(("voided", "deleted")),
            invoices.c.id.is_distinct_from(except_invoice),
        )
        .order_by(fees.c.created_at, fees.c.id)
    )
    return [BilledFixedFee(**row._mapping) for row in await tx.execute(statement)]


async def renewals(
    tx: Tx, *, subscription_id: UUID, charge_ids: Collection[UUID], window: Period
) -> list[FeeRecord]:
    """Fees of charges in advance that are for no event, their period beginning in a window."""
    undone = select(invoices.c.id).where(invoices.c.status.in_(("voided", "closed", "deleted")))
    statement = _SELECT.where(
        fees.c.subscription_id == subscription_id,
        among(fees.c.charge_id, charge_ids),
        fees.c.event_id.is_(None),
        fees.c.from_at >= window.start,
        fees.c.from_at < window.end,
        fees.c.invoice_id.is_(None) | fees.c.invoice_id.not_in(undone),
    )
    return await _load(tx, statement)


_UNDONE = (
    select(invoices.c.id)
    .where(invoices.c.id == fees.c.invoice_id, invoices.c.status.in_(("voided", "closed", "deleted")))
    .exists()
)


def _in_windows(asked: Sequence[BilledWindow]) -> tuple[TableValuedAlias, ColumnElement[bool]]:
    """Windows as rows, and the condition that a fee's period begins in one of its subscription."""
    at = ARRAY(TIMESTAMP(timezone=True))
    wanted = (
        func.unnest(
            cast([one.invoice_id for one in asked], ARRAY(Uuid)),
            cast([one.subscription_id for one in asked], ARRAY(Uuid)),
            cast([one.from_at for one in asked], at),
            cast([one.to_at for one in asked], at),
        )
        .table_valued("invoice_id", "subscription_id", "from_at", "to_at")
        .render_derived()
    )
    begins = (
        (fees.c.subscription_id == wanted.c.subscription_id)
        & (fees.c.from_at >= wanted.c.from_at)
        & (fees.c.from_at < wanted.c.to_at)
    )
    return wanted, begins


async def paid_in_advance(tx: Tx, asked: Sequence[BilledWindow]) -> set[UUID]:
    """The invoices of those windows in which charges in advance have fees that stand."""
    wanted, begins = _in_windows(asked)
    statement = (
        select(wanted.c.invoice_id)
        .distinct()
        .join(fees, begins)
        .join(charges, charges.c.id == fees.c.charge_id)
        .where(fees.c.fee_type == FeeType.CHARGE, charges.c.pay_in_advance, ~_UNDONE, ~ADJUSTS)
    )
    return set((await tx.execute(statement)).scalars())


async def of_windows(tx: Tx, asked: Sequence[BilledWindow]) -> dict[BilledWindow, list[UsageFee]]:
    """Charge fees whose period begins in the window of their subscription: on its invoice, or of charges in advance."""
    wanted, begins = _in_windows(asked)
    names = [name for name in names_of(UsageFee) if name != "filter_values"]
    # Not all of a fee: a run asks for very many.
    statement = (
        select(
            fees.c.subscription_id,
            fees.c.from_at,
            charge_filters.c["values"].label("filter_values"),
            *(fees.c[name] for name in names),
        )
        .join(charges, charges.c.id == fees.c.charge_id)
        .outerjoin(charge_filters, charge_filters.c.id == fees.c.charge_filter_id)
        .join(wanted, begins)
        .where(
            fees.c.fee_type == FeeType.CHARGE,
            (fees.c.invoice_id == wanted.c.invoice_id) | (charges.c.pay_in_advance & ~_UNDONE & ~ADJUSTS),
        )
        .order_by(fees.c.position, fees.c.created_at, fees.c.id)
    )
    found: dict[BilledWindow, list[UsageFee]] = {one: [] for one in asked}
    by_subscription: dict[UUID, list[BilledWindow]] = {}
    for one in asked:
        by_subscription.setdefault(one.subscription_id, []).append(one)
    for row in await tx.execute(statement):
        values = dict(row._mapping)
        subscription_id, from_at = values.pop("subscription_id"), values.pop("from_at")
        fee = UsageFee(**values)
        for window in by_subscription[subscription_id]:
            if window.from_at <= from_at < window.to_at:
                found[window].append(fee)
    return found


async def organization_of(connection: AsyncConnection, fee_id: UUID) -> UUID | None:
    statement = select(fees.c.organization_id).where(fees.c.id == fee_id)
    found: UUID | None = (await connection.execute(statement)).scalar_one_or_none()
    return found


async def paid_without_invoice(
    tx: Tx,
    external_subscription_ids: Collection[str],
    *,
    customer_id: UUID,
    currency: str,
    paid_by: datetime,
    ended_by: datetime | None,
) -> list[FeeRecord]:
    """Of charges whose paid fees are regrouped, and of a customer's live or ended subscriptions of these external ids."""
    statement = _SELECT.where(
        fees.c.customer_id == customer_id,
        fees.c.invoice_id.is_(None),
        fees.c.pay_in_advance,
        fees.c.currency == currency,
        fees.c.payment_status == "succeeded",
        fees.c.succeeded_at <= paid_by,
        ~charges.c.invoiceable,
        charges.c.regroup_paid_fees == "invoice",
        among(subscriptions.c.external_id, external_subscription_ids),
        subscriptions.c.status.in_(("active", "terminated")),
    )
    if ended_by is not None:
        statement = statement.where(fees.c.to_at <= ended_by)
    return await _load(tx, statement.order_by(fees.c.created_at, fees.c.id))


async def with_paid_fees(tx: Tx, external_subscription_ids: Collection[str]) -> set[str]:
    """Of external ids of subscriptions those with a paid fee on no invoice."""
    paid = select(fees.c.subscription_id).where(
        fees.c.subscription_id == subscriptions.c.id,
        fees.c.invoice_id.is_(None),
        fees.c.payment_status == "succeeded",
    )
    statement = select(subscriptions.c.external_id).where(
        among(subscriptions.c.external_id, external_subscription_ids), paid.exists()
    )
    return set((await tx.execute(statement)).scalars())


async def put_on_invoice(tx: Tx, fee_ids: Sequence[UUID], invoice_id: UUID, *, now: datetime) -> None:
    statement = (
        update(fees)
        .where(fees.c.id == bindparam("fee_id"))
        .values(invoice_id=invoice_id, position=bindparam("place"), updated_at=now)
    )
    await tx.execute(statement, [{"fee_id": id_, "place": place} for place, id_ in enumerate(fee_ids)])


async def find_fee(tx: Tx, fee_id: UUID) -> FeeRecord | None:
    found = await _load(tx, _SELECT.where(fees.c.id == fee_id, *_visible()))
    return found[0] if found else None


async def update_of_invoice(tx: Tx, invoice_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(fees).where(fees.c.invoice_id == invoice_id).values(**values))


async def update_fee(tx: Tx, fee_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(fees).where(fees.c.id == fee_id).values(**values))


async def delete_fee(tx: Tx, fee_id: UUID) -> None:
    # What it adjusted is told anew by the next correction.
    waived = {"status": "waived", "fee_id": None}
    await tx.execute(update(usage_adjustments).where(usage_adjustments.c.fee_id == fee_id).values(waived))
    await tx.execute(delete(fees_applied_taxes).where(fees_applied_taxes.c.fee_id == fee_id))
    await tx.execute(delete(fees).where(fees.c.id == fee_id))


async def list_fees(tx: Tx, filters: Filters, page: Page) -> tuple[list[FeeRecord], int]:
    conditions = [*_visible(), *_conditions(filters)]
    total = (await tx.execute(select(func.count()).select_from(fees).where(*conditions))).scalar_one()
    statement = _SELECT.where(*conditions).order_by(fees.c.created_at, fees.c.id)
    return await _load(tx, statement.limit(page.size).offset(page.offset)), int(total)


def _visible() -> Iterator[ColumnElement[bool]]:
    # Asked of each fee's invoice: nobody reads all that is hidden for the few fees that are listed.
    yield ~exists().where(invoices.c.id == fees.c.invoice_id, invoices.c.status.in_(HIDDEN_STATUSES))


def _conditions(filters: Filters) -> Iterator[ColumnElement[bool]]:
    if filters.external_customer_id is not None:
        of_customer = select(customers.c.id).where(customers.c.external_id == filters.external_customer_id)
        yield fees.c.customer_id == any_(func.array(of_customer.scalar_subquery(), type_=ARRAY(Uuid)))
    if filters.external_subscription_id is not None:
        of_subscription = select(subscriptions.c.id).where(
            subscriptions.c.external_id == filters.external_subscription_id
        )
        yield fees.c.subscription_id == any_(func.array(of_subscription.scalar_subquery(), type_=ARRAY(Uuid)))
    if filters.currency is not None:
        yield fees.c.currency == filters.currency.upper()
    if filters.billable_metric_code is not None:
        of_code = select(billable_metrics.c.id).where(billable_metrics.c.code == filters.billable_metric_code)
        yield fees.c.billable_metric_id.in_(of_code)
    if filters.fee_type is not None:
        yield fees.c.fee_type == filters.fee_type
    if filters.payment_status is not None:
        yield fees.c.payment_status == filters.payment_status
    if filters.event_transaction_id is not None:
        yield fees.c.event_transaction_id == filters.event_transaction_id
    for column, side, instant in filters.instants:
        yield fees.c[column] >= instant if side == "from" else fees.c[column] <= instant


async def _load(tx: Tx, statement: Select[Any]) -> list[FeeRecord]:
    found = list(named(await tx.execute(statement)))
    taxes = await _taxes_of(tx, [values["id"] for values in found])
    return [_as_value(values, tuple(taxes.get(values["id"], ()))) for values in found]


async def _taxes_of(tx: Tx, fee_ids: Collection[UUID]) -> dict[UUID, list[FeeTax]]:
    found: dict[UUID, list[FeeTax]] = {}
    if not fee_ids:
        return found
    statement = (
        select(fees_applied_taxes)
        .where(among(fees_applied_taxes.c.fee_id, fee_ids))
        .order_by(fees_applied_taxes.c.created_at, fees_applied_taxes.c.id)
    )
    names = names_of(FeeTax)
    for values in named(await tx.execute(statement)):
        found.setdefault(values["fee_id"], []).append(FeeTax(**{name: values[name] for name in names}))
    return found


def _as_value(values: dict[str, Any], taxes: tuple[FeeTax, ...]) -> FeeRecord:
    del values["organization_id"]
    values["fee_type"], values["taxes"] = FeeType(values["fee_type"]), taxes
    return FeeRecord(**values)


async def last_base_fee(tx: Tx, subscription_id: UUID) -> FeeRecord | None:
    """The latest base price of a subscription on an invoice that is not voided."""
    statement = (
        _SELECT.join(invoices, invoices.c.id == fees.c.invoice_id)
        .where(
            fees.c.subscription_id == subscription_id,
            fees.c.fee_type == FeeType.SUBSCRIPTION,
            invoices.c.status != "voided",
        )
        .order_by(fees.c.from_at.desc(), fees.c.created_at.desc())
        .limit(1)
    )
    found = await _load(tx, statement)
    return found[0] if found else None


async def get_fees(tx: Tx, ids: Collection[UUID]) -> dict[UUID, FeeRecord]:
    found = await _load(tx, _SELECT.where(among(fees.c.id, ids)))
    return {fee.id: fee for fee in found}


async def adjusted_of(tx: Tx, invoice_id: UUID) -> list[AdjustedFee]:
    table = adjusted_fees
    statement = select(*(table.c[name] for name in names_of(AdjustedFee))).where(
        table.c.invoice_id == invoice_id
    )
    rows = await tx.execute(statement.order_by(table.c.created_at, table.c.id))
    return [AdjustedFee(**{**row._mapping, "fee_type": FeeType(row.fee_type)}) for row in rows]


async def insert_adjusted(tx: Tx, row: Mapping[str, Any]) -> None:
    await insert_rows(tx, adjusted_fees, [row])


async def delete_adjusted(tx: Tx, adjusted_id: UUID) -> None:
    await tx.execute(delete(adjusted_fees).where(adjusted_fees.c.id == adjusted_id))
