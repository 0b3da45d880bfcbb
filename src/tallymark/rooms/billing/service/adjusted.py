"""Fees of a draft that are told otherwise by hand, taken up whenever it is computed (invoicing §8)."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.adjusted import Adjustment, Model, adjust
from tallymark.domain.fees.model import Fee, FeeType
from tallymark.domain.money import currency
from tallymark.domain.periods import Period
from tallymark.domain.rating import ChargeModel, parse_price
from tallymark.rooms.advance import service as advance
from tallymark.rooms.billing.model import Line, Subject
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import AdjustedFee, FeeRecord
from tallymark.rooms.plans.model import Charge, ChargeFilter, Plan
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import ChargeLine
from tallymark.rooms.usage.service import TaxTable

WITHOUT_UNITS = (ChargeModel.PERCENTAGE, ChargeModel.DYNAMIC)
"""Models that more is asked of than units, so that these alone can't be told otherwise."""


Scope = tuple[usage.RatingScope, Sequence[Charge]]
"""What a record's usage is priced by, and the charges in arrears that it bills."""


async def gather_adjusted(tx: Tx, contracts: Sequence[Contract], invoice_id: UUID) -> list[AdjustedFee]:
    """What was told otherwise of a draft, by the charges that its subscriptions have now: prices of their own are copies."""
    told, found = await fees.adjusted_of(tx, invoice_id), list[AdjustedFee]()
    for contract in contracts:
        own = [one for one in told if one.subscription_id == contract.subscription.id]
        if own:
            found += await _as_own(tx, contract, own)
    return found


async def _as_own(tx: Tx, contract: Contract, told: Sequence[AdjustedFee]) -> list[AdjustedFee]:
    families = await advance.families_of(tx, contract.plan.charges)
    copies = {item.parent_id: item.id for item in contract.plan.fixed_charges}
    found = []
    for one in told:
        charge_id, filter_id, fixed_id = one.charge_id, one.charge_filter_id, one.fixed_charge_id
        if charge_id is not None:
            charge_id, filter_id = families.own(charge_id, filter_id)
        if fixed_id is not None:
            fixed_id = copies.get(fixed_id, fixed_id)
        own = replace(one, charge_id=charge_id, charge_filter_id=filter_id, fixed_charge_id=fixed_id)
        found.append(own)
    return found


def adjusted_lines(
    subject: Subject,
    lines: Sequence[Line],
    adjusted: Sequence[AdjustedFee],
    table: TaxTable,
    scope: Scope | None,
) -> list[Line]:
    """A subscription's lines as they were told otherwise; one for what was not used comes after them.

    A charge is filled up to its minimum by what its fees come to now (invoicing §4.2).
    """
    contract = subject.contract
    told = {one.subject: one for one in adjusted if one.subscription_id == contract.subscription.id}
    left = dict(told)
    changed = []
    for line in lines:
        one = None if line.is_true_up else left.pop(_subject_of(line), None)
        changed.append(line if one is None else _changed(line, one))
    for one in left.values():
        empty = _empty_line(subject, one, table)
        changed += [] if empty is None else [_changed(empty, one)]
    if scope is None:
        return changed
    rating, in_arrears = scope
    told_charges = {one.charge_id for one in told.values()}
    for charge in in_arrears:
        if charge.min_amount_cents and charge.id in told_charges:
            changed = _filled(changed, charge, rating, told)
    return changed


def _filled(
    lines: Sequence[Line], charge: Charge, rating: usage.RatingScope, told: Container[tuple[Any, ...]]
) -> list[Line]:
    """Lines with what the fees of a charge lack to its minimum now: after its first one without filter, which may be of nothing."""
    is_own = [line.usage is not None and line.usage.charge.id == charge.id for line in lines]
    own = [line for line, of_it in zip(lines, is_own, strict=True) if of_it and not line.is_true_up]
    true_up = usage.true_up_of(rating, charge, [line.fee for line in own])
    if true_up is None:
        own = [line for line in own if not line.fee.is_zero or _subject_of(line) in told]
    else:
        parent = next((place for place, line in enumerate(own) if line.usage and not line.usage.filter), None)
        if parent is None:
            own.append(_line_of_nothing(rating.contract, charge, rating.window.period, rating.taxes))
            parent = len(own) - 1
        filling = replace(own[parent], fee=true_up, is_true_up=True, display_name=None)
        own.insert(parent + 1, filling)
    first = is_own.index(True) if any(is_own) else len(lines)
    return [
        *lines[:first],
        *own,
        *(line for line, of_it in zip(lines[first:], is_own[first:], strict=True) if not of_it),
    ]


def _subject_of(line: Line) -> tuple[Any, ...]:
    used = line.usage
    return (
        line.contract.subscription.id,
        line.fee.fee_type,
        used.charge.id if used else None,
        used.filter.id if used and used.filter else None,
        line.fixed_charge.id if line.fixed_charge else None,
        tuple(sorted(used.grouped_by.items())) if used else (),
    )


def _changed(line: Line, one: AdjustedFee) -> Line:
    code = line.contract.plan.amount_currency
    fee = adjust(line.fee, as_wanted(one), model_of(line.contract.plan, one), currency(code))
    return replace(line, fee=fee, display_name=one.invoice_display_name)


def as_wanted(one: AdjustedFee) -> Adjustment:
    """What is wanted, as the domain knows it."""
    units, price = one.units, one.unit_precise_amount
    return Adjustment(
        units=None if units is None else Fraction(units),
        unit_amount=None if price is None else Fraction(price),
    )


def _empty_line(subject: Subject, one: AdjustedFee, table: TaxTable) -> Line | None:
    """A fee for what was not used, or is not due; None where the plan or the record has no place for it any more."""
    contract = subject.contract
    charge, chosen = charge_of(contract.plan, one)
    if charge is not None and subject.boundaries.charges is not None:
        period = subject.boundaries.charges.period
        return _line_of_nothing(contract, charge, period, table, filter_=chosen, grouped_by=one.grouped_by)
    fixed = next((item for item in contract.plan.fixed_charges if item.id == one.fixed_charge_id), None)
    if fixed is None or subject.boundaries.fixed_charges is None:
        return None
    period, taxes = subject.boundaries.fixed_charges.period, table.of(contract, fixed.taxes)
    blank = blank_fee(one.fee_type)
    return Line(fee=blank, contract=contract, taxes=taxes, period=period, fixed_charge=fixed)


def _line_of_nothing(
    contract: Contract,
    charge: Charge,
    period: Period,
    table: TaxTable,
    *,
    filter_: ChargeFilter | None = None,
    grouped_by: Mapping[str, str | None] | None = None,
) -> Line:
    taxes, fee = table.of(contract, charge.taxes), blank_fee(FeeType.CHARGE)
    found = ChargeLine(charge=charge, fee=fee, taxes=taxes, filter=filter_, grouped_by=dict(grouped_by or {}))
    return Line(fee=fee, contract=contract, taxes=taxes, period=period, usage=found)


def blank_fee(fee_type: FeeType) -> Fee:
    """A fee of nothing."""
    return Fee(
        fee_type=fee_type,
        units=Fraction(0),
        total_aggregated_units=Fraction(0),
        events_count=0 if fee_type is FeeType.CHARGE else None,
        amount_cents=0,
        precise_amount_cents=Fraction(0),
        precise_unit_amount=Fraction(0),
        unit_amount_cents=0,
    )


def charge_of(plan: Plan, fee: AdjustedFee | FeeRecord) -> tuple[Charge | None, ChargeFilter | None]:
    """The charge and filter that a fee is for, as the plan has them now; none without both."""
    charge = next((one for one in plan.charges if one.id == fee.charge_id), None)
    if charge is None or fee.charge_filter_id is None:
        return charge, None
    chosen = next((one for one in charge.filters if one.id == fee.charge_filter_id), None)
    return (charge, chosen) if chosen else (None, None)


def model_of(plan: Plan, fee: AdjustedFee | FeeRecord) -> Model | None:
    """What prices other units of a fee, where units alone say enough."""
    for fixed in plan.fixed_charges:
        if fixed.id == fee.fixed_charge_id:
            return None if _needs_days(fixed.charge_model, fixed.prorated) else Model(price=fixed.price)
    charge, chosen = charge_of(plan, fee)
    if charge is None or charge.charge_model in WITHOUT_UNITS:
        return None
    if isinstance(fee, FeeRecord) and fee.is_adjustment:
        return None
    if _needs_days(charge.charge_model, charge.prorated):
        return None
    if isinstance(fee, FeeRecord) and fee.true_up_parent_fee_id is not None:
        return None
    price = parse_price(
        charge.charge_model,
        chosen.properties if chosen else charge.properties,
        aggregation_type=charge.billable_metric.aggregation_type.value,
    )
    return Model(price=price, conversion=charge.conversion)


def _needs_days(model: ChargeModel, is_prorated: bool) -> bool:
    return is_prorated and model is ChargeModel.GRADUATED
