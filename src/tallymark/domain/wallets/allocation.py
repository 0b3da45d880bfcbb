"""What of an invoice each wallet pays: fees in buckets of what wallets may be limited to (wallets §6)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.money import round_cents
from tallymark.domain.values import value

ZERO = Fraction(0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What fees have in common that a wallet may be limited to: their type, their metric, the wallet that they name."""

    fee_type: FeeType
    billable_metric_id: Hashable | None = None
    target_wallet_code: str | None = None

    @property
    def text(self) -> tuple[str, str, str]:
        """What orders equal amounts."""
        return self.fee_type, str(self.billable_metric_id or ""), self.target_wallet_code or ""


@value
class InvoicedAmount:
    """A fee as its invoice has it after coupons, taxes and credit notes; minor units, all but the amount exact."""

    bucket: Bucket
    amount_cents: int
    coupons_cents: Fraction = Fraction(0)
    taxes_cents: Fraction = Fraction(0)
    credit_notes_cents: Fraction = Fraction(0)

    @property
    def net_cents(self) -> Fraction:
        """What coupons leave of it."""
        return self.amount_cents - self.coupons_cents

    @property
    def cap_cents(self) -> Fraction:
        """What wallets may pay of it: nothing where coupons leave nothing."""
        net = self.net_cents
        return net + self.taxes_cents - self.credit_notes_cents if net else ZERO


@value
class Purse:
    """A wallet as far as an invoice draws on it; the balance is in minor units.

    `is_limited` where it is meant for some fees only, though there be none of their kind.
    """

    code: str
    balance_cents: int
    fee_types: frozenset[FeeType] = field(default=frozenset())
    billable_metric_ids: frozenset[Hashable] = field(default=frozenset())
    is_limited: bool = False

    def applies_to(self, bucket: Bucket) -> bool:
        """Whether it pays what is in a bucket: what names a wallet, only that one does."""
        if bucket.target_wallet_code is not None:
            return bucket.target_wallet_code == self.code
        if not self.is_limited and not self.fee_types and not self.billable_metric_ids:
            return True
        is_of_metric = (
            bucket.fee_type is FeeType.CHARGE and bucket.billable_metric_id in self.billable_metric_ids
        )
        return is_of_metric or bucket.fee_type in self.fee_types


@dataclass(frozen=True, slots=True)
class Draw:
    """What an invoice takes of a wallet, in minor units; `position` is the wallet's place among those given."""

    position: int
    amount_cents: int


def make_buckets(fees: Iterable[InvoicedAmount], total_cents: int) -> dict[Bucket, Fraction]:
    """What is to be paid of each kind, the largest first; the largest also takes what rounding taxes moved."""
    caps: dict[Bucket, Fraction] = {}
    for fee in fees:
        cap = fee.cap_cents
        if cap > 0:
            caps[fee.bucket] = caps.get(fee.bucket, ZERO) + cap
    ordered = dict(sorted(caps.items(), key=lambda item: (-item[1], item[0].text)))
    missing = total_cents - sum(ordered.values(), ZERO)
    if 0 < missing <= len(ordered):
        largest = next(iter(ordered))
        ordered[largest] += missing
    return ordered


def allocate_wallets(
    total_cents: int, fees: Iterable[InvoicedAmount], wallets: Sequence[Purse]
) -> list[Draw]:
    """What each wallet pays of an invoice, the wallets in the order in which they are used.

    A wallet is left out that pays nothing. The parts are whole, and together never more than the total: where roundings
    would make them so, the last gives way.
    """
    buckets = make_buckets(fees, total_cents)
    draws: list[Draw] = []
    left = Fraction(total_cents)
    whole_left = total_cents
    for position, wallet in enumerate(wallets):
        used = _draw(wallet, buckets, left)
        left -= used
        whole = min(round_cents(used), whole_left)
        whole_left -= whole
        if whole:
            draws.append(Draw(position, whole))
    return draws


def _draw(wallet: Purse, buckets: dict[Bucket, Fraction], left: Fraction) -> Fraction:
    """What a wallet pays, which is taken off the buckets."""
    used = Fraction(0)
    for bucket, open_cents in buckets.items():
        if not wallet.applies_to(bucket):
            continue
        part = min(open_cents, wallet.balance_cents - used, left - used)
        if part > 0:
            buckets[bucket] = open_cents - part
            used += part
    return used
