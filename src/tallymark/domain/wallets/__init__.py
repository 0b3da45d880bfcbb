"""Prepaid credits: what they are worth, which of them are spent first, and what of an invoice they pay (wallets §3–§6)."""

from tallymark.domain.wallets.allocation import (
    Bucket,
    Draw,
    InvoicedAmount,
    Purse,
    allocate_wallets,
    make_buckets,
)
from tallymark.domain.wallets.consumption import Inbound, NotEnough, consume, consumption_order
from tallymark.domain.wallets.credits import EMPTY, SHOWN_DECIMALS, Balance, Credits
from tallymark.domain.wallets.intervals import next_interval_day
from tallymark.domain.wallets.ongoing import OngoingPurse, allocate_ongoing
from tallymark.domain.wallets.top_ups import (
    Limits,
    RuleTerms,
    TopUp,
    interval_top_up,
    is_at_threshold,
    threshold_top_up,
)

__all__ = [
    "EMPTY",
    "SHOWN_DECIMALS",
    "Balance",
    "Bucket",
    "Credits",
    "Draw",
    "Inbound",
    "InvoicedAmount",
    "Limits",
    "NotEnough",
    "OngoingPurse",
    "Purse",
    "RuleTerms",
    "TopUp",
    "allocate_ongoing",
    "allocate_wallets",
    "consume",
    "consumption_order",
    "interval_top_up",
    "is_at_threshold",
    "make_buckets",
    "next_interval_day",
    "threshold_top_up",
]
