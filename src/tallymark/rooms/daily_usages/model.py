"""A day of a subscription: the day that is looked at, and what was used by its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from tallymark.rooms.fees.model import BilledWindow, UsageFee
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage.past import BilledCharge

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of a subscription in the customer's zone that is to be looked at."""

    id: UUID
    subscription_id: UUID
    usage_date: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What had been used of the period [from_at, to_at) by the end of a day: the object of metering §9.1, without taxes.

    `charge_ids` are the charges that there are then, used or not.
    """

    subscription_id: UUID
    usage_date: date
    from_at: datetime
    to_at: datetime
    usage: JSON
    charge_ids: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A day that is kept, and its usage."""

    id: UUID
    usage: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledPeriod:
    """The usage window of one subscription on an invoice."""

    invoice_id: UUID
    subscription_id: UUID
    from_at: datetime
    to_at: datetime
    wire_to_at: datetime
    issuing_date: date
    currency: str
    timezone: str

    @property
    def window(self) -> BilledWindow:
        """Whose fees, over which instants."""
        return BilledWindow(
            invoice_id=self.invoice_id,
            subscription_id=self.subscription_id,
            from_at=self.from_at,
            to_at=self.to_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledUsage:
    """A period that an invoice ends, and the charge fees that are for it: on the invoice, or paid in advance."""

    period: BilledPeriod
    contract: Contract
    fees: Sequence[UsageFee]
    charges: Mapping[UUID, BilledCharge]


class Around(NamedTuple):
    """The days of the same period that are kept next before and next after one."""

    before: Kept | None
    after: Kept | None


ALONE = Around(None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeOfDay:
    """What a charge grew by on a day, in units and minor units."""

    charge_id: UUID
    units: Decimal
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfPeriod:
    """What the usage of a period grew by on a day in the customer's zone, in minor units without taxes."""

    date: date
    amount_cents: int
    charges: Sequence[ChargeOfDay]
