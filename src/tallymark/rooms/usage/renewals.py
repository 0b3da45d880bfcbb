"""What recurring charges in advance were billed at the start of a period, for the units carried into it (pricing §8.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.advance import service as advance
from tallymark.rooms.advance.model import Asked, Billed
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.invoices.model import InvoiceStatus
from tallymark.rooms.invoices.relations import standing_of
from tallymark.rooms.plans.model import Charge
from tallymark.rooms.usage import repository
from tallymark.rooms.usage.model import ChargeLine
from tallymark.rooms.usage.rating import RatingScope, gather_all_charge_lines


async def gather_renewals(tx: Tx, asked: Asked, scope: RatingScope) -> list[Billed]:
    """What the periods that begin in a window were billed at their start, by filter and group.

    Corrections change what was carried in. The fees of the differences say nothing of filters and groups, and are of events as
    well, which the log has as they cost now: so what was corrected is rated again, from the events as they are.
    """
    recurring = [charge for charge in asked.charges if charge.billable_metric.recurring]
    if not recurring:
        return []
    owner_id, families = asked.contract.subscription.id, await advance.families_of(tx, recurring)
    ids = families.ids
    found = [
        _as_own(fee, families)
        for fee in await fees.renewals(tx, subscription_id=owner_id, charge_ids=ids, window=asked.window)
        if not fee.is_adjustment
    ]
    corrected = {
        families.own(charge_id, None)[0]
        for charge_id in await repository.corrected_charges(tx, owner_id, ids)
    }
    billed = [_as_billed(fee) for fee in found if fee.charge_id not in corrected]
    if corrected:
        charges = [charge for charge in recurring if charge.id in corrected]
        billed += await _rated_again(tx, asked, scope, charges, found)
    return [one for one in billed if _is_in_group(one.grouped_by, asked.group)]


async def _rated_again(
    tx: Tx, asked: Asked, scope: RatingScope, charges: Sequence[Charge], found: Sequence[FeeRecord]
) -> list[Billed]:
    bills = await repository.bills_before(tx, asked.contract.subscription.id, asked.window)
    standing = await standing_of(tx, {one.invoice_id for one in bills})
    # What is on no invoice was made with the bill, be it a draft then or not.
    alone: dict[tuple[UUID | None, datetime | None], datetime] = {
        (fee.charge_id, fee.from_at): fee.created_at for fee in found if fee.invoice_id is None
    }
    parts: list[tuple[RatingScope, list[Charge]]] = []
    for bill in bills:
        before = replace(scope, window=bill.window, as_of=None)
        if standing[bill.invoice_id].status is not InvoiceStatus.VOIDED:
            on_it = [charge for charge in charges if charge.invoiceable]
            parts.append((replace(before, billed_at=bill.finalized_at), on_it))
        parts += [
            (replace(before, billed_at=made_at), [charge])
            for charge in charges
            if (made_at := alone.get((charge.id, bill.to_at))) is not None
        ]
    return [_of_line(line) for lines in await gather_all_charge_lines(tx, parts) for line in lines]


def _as_own(fee: FeeRecord, families: advance.Families) -> FeeRecord:
    assert fee.charge_id is not None, "it was asked for by its charge"
    charge_id, filter_id = families.own(fee.charge_id, fee.charge_filter_id)
    return replace(fee, charge_id=charge_id, charge_filter_id=filter_id)


def _as_billed(fee: FeeRecord) -> Billed:
    assert fee.charge_id is not None, "it was asked for by its charge"
    return Billed(
        charge_id=fee.charge_id,
        filter_id=fee.charge_filter_id,
        grouped_by=fee.grouped_by,
        amount_cents=fee.amount_cents,
        pricing_unit_cents=int((fee.pricing_unit_details or {}).get("amount_cents", 0)),
    )


def _of_line(line: ChargeLine) -> Billed:
    unit = line.fee.pricing_unit
    return Billed(
        charge_id=line.charge.id,
        filter_id=line.filter.id if line.filter else None,
        grouped_by=line.grouped_by,
        amount_cents=line.fee.amount_cents,
        pricing_unit_cents=unit.amount_cents if unit else 0,
    )


def _is_in_group(grouped_by: Mapping[str, str | None], group: Mapping[str, tuple[str, ...]]) -> bool:
    return all(grouped_by.get(key) in wanted for key, wanted in group.items())
