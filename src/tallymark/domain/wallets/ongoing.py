"""What usage that is not invoiced yet will take of each wallet (wallets §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tallymark.domain.exact import Fraction
from tallymark.domain.money import round_cents
from tallymark.domain.values import value
from tallymark.domain.wallets.allocation import Bucket, Purse


@value
class OngoingPurse:
    """A wallet as it pays what is to come; one that fills itself at a threshold is never spared."""

    purse: Purse
    has_threshold_rule: bool = False


def allocate_ongoing(nets: Mapping[Bucket, Fraction], wallets: Sequence[OngoingPurse]) -> list[int]:
    """What each wallet will have to pay, in minor units; `wallets` of one currency, in the order in which they pay.

    `nets` are what is to be paid of each kind; what is negative lessens what is to be paid of all. The last wallet that
    a kind can be paid from takes what is left of it, and so does one that fills itself: they may go below zero.

    >>> from tallymark.domain.fees.model import FeeType
    >>> api, storage = Bucket(FeeType.CHARGE, "api"), Bucket(FeeType.CHARGE, "storage")
    >>> own = Purse(code="own", balance_cents=1000, billable_metric_ids=frozenset({"api"}), is_limited=True)
    >>> rest = Purse(code="rest", balance_cents=2000)
    >>> wallets = [OngoingPurse(purse=own), OngoingPurse(purse=rest)]
    >>> allocate_ongoing({api: Fraction(1800), storage: Fraction(700)}, wallets)
    [1000, 1500]
    """
    allocated = [Fraction(0)] * len(wallets)
    budget = max(sum(nets.values(), Fraction(0)), Fraction(0))
    for bucket in sorted(nets, key=lambda bucket: (-nets[bucket], bucket.text)):
        left = min(nets[bucket], budget)
        paying = [index for index, wallet in enumerate(wallets) if wallet.purse.applies_to(bucket)]
        for index in paying:
            if left <= 0:
                break
            is_open = wallets[index].has_threshold_rule or index == paying[-1]
            room = wallets[index].purse.balance_cents - allocated[index]
            take = left if is_open else max(min(left, room), Fraction(0))
            allocated[index] += take
            left -= take
            budget -= take
    return [round_cents(one) for one in allocated]
