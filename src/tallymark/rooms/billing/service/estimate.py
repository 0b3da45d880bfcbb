"""A fee as it would be kept, for whoever only asks what it would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.invoicing import compute_invoice
from tallymark.domain.values import names_of
from tallymark.rooms.advance.model import PricedEvent
from tallymark.rooms.billing.model import Computed, Line
from tallymark.rooms.billing.service.advance import event_line
from tallymark.rooms.billing.service.rows import fee_rows
from tallymark.rooms.billing.service.standalone import invoiced
from tallymark.rooms.fees.model import FeeRecord, FeeTax
from tallymark.rooms.usage.service import TaxTable


def fee_record(tx: Tx, item: PricedEvent, table: TaxTable, *, now: datetime) -> FeeRecord:
    """The fee of a priced event with the taxes of a table, as reading it back would give it; nothing is written."""
    line = event_line(item, table)
    computed = Computed(subjects=(), lines=(line,), totals=compute_invoice([invoiced(line)]))
    (record,) = fee_records(tx, computed, invoice_id=None, now=now)
    return record


def fee_records(tx: Tx, computed: Computed, *, invoice_id: UUID | None, now: datetime) -> list[FeeRecord]:
    """The fees of a computed invoice, as reading them back would give them; nothing is written."""
    rows, tax_rows = fee_rows(computed, invoice_id=invoice_id, organization_id=tx.organization_id, now=now)
    taxes: dict[UUID, list[FeeTax]] = {}
    for tax in tax_rows:
        taxes.setdefault(tax["fee_id"], []).append(FeeTax(**{name: tax[name] for name in names_of(FeeTax)}))
    return [
        _record(line, row, taxes.get(row["id"], ())) for line, row in zip(computed.lines, rows, strict=True)
    ]


def _record(line: Line, row: Mapping[str, Any], taxes: Sequence[FeeTax]) -> FeeRecord:
    blank = dict.fromkeys(names_of(FeeRecord))
    known = {name: value for name, value in row.items() if name in blank}
    contract, chosen = line.contract, line.usage.filter if line.usage else None
    return FeeRecord(
        **{
            **blank,
            **known,
            "payment_status": "pending",
            "invoiceable": row.get("invoiceable", True),
            "self_billed": contract.customer.is_partner,
            "external_subscription_id": contract.subscription.external_id,
            "external_customer_id": contract.customer.external_id,
            "charge_model": line.charge.charge_model.value if line.charge else None,
            "charge_parent_id": line.charge.parent_id if line.charge else None,
            "filter_values": {key: list(values) for key, values in chosen.values.items()} if chosen else None,
            "taxes": tuple(taxes),
        }
    )
