"""Charges in advance as usage shows them: what an event makes, and what a running period was billed so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee, rounding_step
from tallymark.domain.money import Currency
from tallymark.domain.periods import Period
from tallymark.domain.usage import text_of
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.model import Asked, Billed, PricedEvent
from tallymark.rooms.usage.model import Breakdown, ChargeLine
from tallymark.rooms.usage.partitions import presentation_keys
from tallymark.rooms.usage.rating import RatingScope, period_step
from tallymark.rooms.usage.renewals import gather_renewals
from tallymark.rooms.usage.taxes import TaxTable


def advance_line(item: PricedEvent, table: TaxTable) -> ChargeLine:
    """The line of an event's fee. Its one breakdown has the event's own values and units (metering §7.2)."""
    grouped_by = dict(item.scope.grouped_by)
    shown = {
        key: text_of(item.event.properties.get(key)) or None
        for key in presentation_keys(item.charge)
        if key not in grouped_by
    }
    units: Fraction = item.fee.units
    return ChargeLine(
        charge=item.charge,
        fee=item.fee,
        taxes=table.of(item.contract, item.charge.taxes),
        filter=item.scope.charge_filter,
        grouped_by=grouped_by,
        breakdowns=(Breakdown(presentation_by=shown, units=units),) if shown else (),
    )


async def with_billed(tx: Tx, scope: RatingScope, lines: Sequence[ChargeLine]) -> list[ChargeLine]:
    """The lines of a running period, those of charges in advance with what they were billed (metering §9.1).

    That is the renewal of what was carried into the window, the fees of its events, and what the others would make.
    """
    charges = {line.charge.id: line.charge for line in lines if line.charge.pay_in_advance}
    if not charges:
        return list(lines)
    window = scope.window.period
    asked = Asked(
        contract=scope.contract, window=window, charges=tuple(charges.values()), group=scope.narrowing.group
    )
    used = replace(asked, window=Period(window.start, min(window.end, scope.as_of or window.end)))
    billed = [*await advance.billed_in(tx, used), *await gather_renewals(tx, asked, scope)]
    amounts = _amounts_of_lines(lines, billed)
    return [
        replace(line, fee=_billed_fee(line.fee, amounts.get(index, (0, 0)), scope))
        if line.charge.pay_in_advance
        else line
        for index, line in enumerate(lines)
    ]


def _amounts_of_lines(lines: Sequence[ChargeLine], billed: Sequence[Billed]) -> dict[int, tuple[int, int]]:
    """What was billed for each line: of its filter, and of the groups that have its group's values.

    What belongs to a filter or group that is no more counts with the charge's own price list.
    """
    amounts: dict[int, tuple[int, int]] = {}
    for item in billed:
        of_charge = [index for index, line in enumerate(lines) if line.charge.id == item.charge_id]
        matching = [index for index in of_charge if _covers(lines[index], item.filter_id, item.grouped_by)]
        index = next(iter(matching), of_charge[-1])
        cents, unit_cents = amounts.get(index, (0, 0))
        amounts[index] = cents + item.amount_cents, unit_cents + item.pricing_unit_cents
    return amounts


def _covers(line: ChargeLine, filter_id: UUID | None, grouped_by: Mapping[str, str | None]) -> bool:
    own = line.filter.id if line.filter else None
    return own == filter_id and all(grouped_by.get(key) == value for key, value in line.grouped_by.items())


def _billed_fee(fee: Fee, billed: tuple[int, int], scope: RatingScope) -> Fee:
    """The units that were used, and the amount that was billed for them."""
    cents, unit_cents = billed
    unit_amount = _each(cents, fee, scope.currency)
    return replace(
        fee,
        amount_cents=cents,
        precise_amount_cents=Fraction(cents),
        precise_unit_amount=unit_amount,
        unit_amount_cents=int(unit_amount * scope.currency.subunits),
        amount_details={},
        pricing_unit=replace(
            fee.pricing_unit, amount_cents=unit_cents, precise_amount_cents=Fraction(unit_cents)
        )
        if fee.pricing_unit
        else None,
        explanation=(
            period_step(scope.window.period, scope.contract),
            {"step": "billed_in_advance", "amount_cents": cents},
            rounding_step(cents),
        ),
    )


def _each(cents: int, fee: Fee, currency: Currency) -> Fraction:
    return Fraction(cents, currency.subunits) / fee.units if fee.units else Fraction(0)
