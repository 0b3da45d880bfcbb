"""What a fee is called on a document."""

from __future__ import annotations

from tallymark.rooms.fees.model import FeeRecord
from tallymark.rooms.plans.model import ALL_FILTER_VALUES


def fee_name(fee: FeeRecord) -> str:
    """What it is called, for which group and filter: each part of the usage has its own (invoicing §15)."""
    groups = [str(value) for value in fee.grouped_by.values() if value is not None]
    filters = [fee.filter_display_name] if fee.filter_display_name else _filter_values(fee)
    return " • ".join([fee.invoice_display_name or fee.item_name, *groups, *filters])


def _filter_values(fee: FeeRecord) -> list[str]:
    return [
        ", ".join(value for value in values if value != ALL_FILTER_VALUES)
        for values in (fee.filter_values or {}).values()
        if set(values) != {ALL_FILTER_VALUES}
    ]
