"""What invoices that are just written bill of usage, for the last days of the periods that they end (metering §10)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from tallymark.domain.fees.model import FeeType
from tallymark.rooms.billing.model import Computed, Line, Subject
from tallymark.rooms.daily_usages.model import BilledPeriod, BilledUsage
from tallymark.rooms.fees.model import UsageFee
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.invoices.service import Content
from tallymark.rooms.usage.past import BilledCharge

Row = Mapping[str, Any]


def ended_usage(invoice: Row, computed: Computed, content: Content) -> Iterator[BilledUsage]:
    """The periods that an invoice ends, with the fees on it that are for them; what it renews is of the period that begins."""
    for subject, record in zip(computed.subjects, content.records, strict=True):
        if not _ends_period(subject):
            continue
        period = BilledPeriod(
            invoice_id=invoice["id"],
            subscription_id=record["subscription_id"],
            from_at=record["charges_from_at"],
            to_at=record["charges_to_at"],
            wire_to_at=record["wire_charges_to_at"],
            issuing_date=invoice["issuing_date"],
            currency=invoice["currency"],
            timezone=invoice["timezone"],
        )
        own = [
            (row, line) for row, line in zip(content.fees, computed.lines, strict=True) if _is_of(period, row)
        ]
        yield BilledUsage(
            period=period,
            contract=subject.contract,
            fees=[UsageFee.of_row(row, _filter_values(line)) for row, line in own],
            charges={
                line.charge.id: BilledCharge.of(line.charge) for _, line in own if line.charge is not None
            },
        )


def _ends_period(subject: Subject) -> bool:
    window = subject.boundaries.charges
    ends = subject.is_recurring or subject.reason is Reason.TERMINATING
    return ends and window is not None and window.period.start < window.period.end


def _is_of(period: BilledPeriod, fee: Row) -> bool:
    if fee["fee_type"] is not FeeType.CHARGE or fee["subscription_id"] != period.subscription_id:
        return False
    starts_at: datetime = fee["from_at"]
    return period.from_at <= starts_at < period.to_at


def _filter_values(line: Line) -> dict[str, list[str]] | None:
    used = line.usage.filter if line.usage else None
    return None if used is None else {key: list(values) for key, values in used.values.items()}
