"""What moves from another billing system, and how far that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from tallymark.domain.values import value
from tallymark.rooms.coupons.model import TakenCoupon
from tallymark.rooms.fees.model import ElsewhereFee
from tallymark.rooms.plans.inputs import ThresholdInput
from tallymark.rooms.subscriptions.service import LifeElsewhere, NewSubscription, SectionsInput
from tallymark.rooms.wallets.model import WalletInput
from tallymark.rooms.wallets.service import LeftCredits


@value
class TakenSubscription:
    """A subscription as it stands elsewhere; one without a `life` has not begun."""

    asked: NewSubscription
    life: LifeElsewhere | None
    thresholds: Sequence[ThresholdInput] | None = None
    sections: SectionsInput | None = None
    used_cents: int = 0
    """All usage that was invoiced there, or was before: the lifetime usage that is none of the running period."""

    fees: Sequence[ElsewhereFee] = ()
    """What was billed there, where a commitment depends on it."""


@value
class TakenWallet:
    """A wallet as it stands elsewhere, with what is left of what came in."""

    asked: WalletInput
    left: Sequence[LeftCredits]


@value
class Move:
    """All that a customer has elsewhere."""

    external_customer_id: str
    subscriptions: Sequence[TakenSubscription] = ()
    wallets: Sequence[TakenWallet] = ()
    coupons: Sequence[TakenCoupon] = ()


class MarkKind(StrEnum):
    """What a mark is of."""

    CUSTOMER = "customer"
    EVENTS = "events"


@value
class Mark:
    """How far something is: a customer that has moved, or the events of a subscription that are here."""

    key: str
    detail: Mapping[str, Any]
    noted_at: datetime

    @property
    def has_moved_something(self) -> bool:
        """Whether anything came with a customer."""
        return any(self.detail.values())
