"""A fee as it would be kept, for whoever only asks what it would be."""

from __future__ import annotations

from datetime import datetime

from tallymark.db.engine import Tx
from tallymark.domain.invoicing import compute_invoice
from tallymark.rooms.advance.model import PricedEvent
from tallymark.rooms.billing.model import Computed
from tallymark.rooms.billing.service.advance import event_line
from tallymark.rooms.billing.service.rows import fee_rows
from tallymark.rooms.billing.service.standalone import invoiced
from tallymark.rooms.fees.model import FeeRecord, FeeTax
from tallymark.rooms.usage.service import TaxTable


def fee_record(tx: Tx, item: PricedEvent, table: TaxTable, *, now: datetime) -> FeeRecord:
    """The fee of a priced event with the taxes of a table, as reading it back would give it; nothing is written."""
    line = event_line(item, table)
    computed = Computed(subjects=(), lines=(line,), totals=compute_invoice([invoiced(line)]))
    ((row,), tax_rows) = fee_rows(computed, invoice_id=None, organization_id=tx.organization_id, now=now)
    blank = dict.fromkeys(FeeRecord.__slots__)
    known = {name: value for name, value in row.items() if name in blank}
    taxes = tuple(FeeTax(**{name: tax[name] for name in FeeTax.__slots__}) for tax in tax_rows)
    contract, chosen = item.contract, item.scope.charge_filter
    return FeeRecord(
        **{
            **blank,
            **known,
            "payment_status": "pending",
            "self_billed": contract.customer.is_partner,
            "external_subscription_id": contract.subscription.external_id,
            "external_customer_id": contract.customer.external_id,
            "charge_model": item.charge.charge_model.value,
            "filter_values": {key: list(values) for key, values in chosen.values.items()} if chosen else None,
            "taxes": taxes,
        }
    )
