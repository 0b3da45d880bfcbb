"""An event that waits for its price, and one that has it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tallymark.domain.calendar import Window
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import Fee
from tallymark.domain.periods import Period
from tallymark.domain.usage import START, Checkpoint
from tallymark.rooms.events.model import Event
from tallymark.rooms.plans.model import Charge, ChargeFilter
from tallymark.rooms.subscriptions.model import Contract

ZERO = Fraction(0)
TARGET_WALLET = "target_wallet_code"
"""The property that is a group key of its own where a charge accepts target wallets (metering §7.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event on the list of those to price; `id` is its place."""

    id: int
    event_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The charge of a plan that a subscription's own was copied from, and by which its events were priced until then."""

    charge_id: UUID
    created_at: datetime
    filters: Mapping[UUID, str]
    """The keys of the values of those that it has had, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What is priced together within a window: one price list of a charge, one group."""

    charge_filter: ChargeFilter | None
    grouped_by: tuple[tuple[str, str | None], ...]

    @property
    def key(self) -> str:
        """The same text for the same scope, whatever the order of its keys."""
        return self._key(str(self.charge_filter.id) if self.charge_filter else None)

    @property
    def shared_key(self) -> str:
        """The same text in a charge and in its copies: filters are known again by their values."""
        return self._key(values_key(self.charge_filter.values) if self.charge_filter else None)

    def key_before(self, origin: Origin) -> str | None:
        """Its key in the charge that its own was copied from; None where that has no such filter."""
        if self.charge_filter is None:
            return self.key
        wanted = values_key(self.charge_filter.values)
        same = [filter_id for filter_id, key in origin.filters.items() if key == wanted]
        return self._key(str(same[-1])) if same else None

    def _key(self, name: str | None) -> str:
        return json.dumps([name, dict(self.grouped_by)], sort_keys=True, ensure_ascii=False)


def values_key(values: Mapping[str, Sequence[str]]) -> str:
    """The same text for the same values of a filter, whatever their order."""
    return json.dumps({key: sorted(of_key) for key, of_key in values.items()}, sort_keys=True)


def read_scope(key: str) -> tuple[UUID | None, dict[str, str | None]]:
    """The filter's id and the group of a scope's key."""
    filter_id, grouped_by = json.loads(key)
    return UUID(filter_id) if filter_id else None, grouped_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a window stands: its checkpoint, how many events were priced, and the amounts that they brought."""

    checkpoint: Checkpoint = START
    events_count: int = 0
    precise_total_amount_cents: Fraction = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What an event says of the metric: a number, or a distinct value that it adds or removes, or just that it is."""

    number: Fraction = Fraction(1)
    value: str | None = None
    adds: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedEvent:
    """The fee of an event for one charge, not saved, and where its window stands after it."""

    event: Event
    contract: Contract
    charge: Charge
    window: Window
    scope: Scope
    measured: Measured
    fee: Fee
    after: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedRow:
    """A place in the log, what its event is noted to cost, and the charge as it was then; None where that is not kept."""

    id: int
    event_id: UUID
    charge_id: UUID
    amount_cents: int
    is_void: bool
    charge: Charge | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A priced event as the log keeps it."""

    event_id: UUID
    timestamp: datetime
    value: str | None
    adds: bool
    order: int

    @property
    def number(self) -> Fraction:
        """Its number, where it is one."""
        return Fraction(Decimal(self.value)) if self.value is not None else Fraction(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question about charges in advance over a window; `group` keeps the events with one of each key's values."""

    contract: Contract
    window: Period
    charges: Sequence[Charge]
    group: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """What some events of a scope were billed, or would be: minor units of the currency, cents of a pricing unit."""

    charge_id: UUID
    filter_id: UUID | None
    grouped_by: Mapping[str, str | None]
    amount_cents: int
    pricing_unit_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamesWallet:
    """An event that names the wallet of its customer to be paid from, for a charge that lets it (metering §7.3)."""

    event_id: UUID
    customer_id: UUID
    code: str
