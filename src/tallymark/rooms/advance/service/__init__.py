"""What can be done with charges paid in advance: one file per step."""

from tallymark.rooms.advance.service.billed import billed_in, counted_at, save, take_over
from tallymark.rooms.advance.service.families import Families, families_of
from tallymark.rooms.advance.service.ledger import Ledger
from tallymark.rooms.advance.service.replay import (
    Stretch,
    charges_carrying_over,
    first_day,
    priced_charges,
    priced_in,
    replay,
    save_replayed,
    windows_in,
)
from tallymark.rooms.advance.service.waiting import (
    charges_on,
    contracts_of,
    first_customer,
    naming_wallets,
    next_waiting,
    price_waiting,
    record_failure,
    take_off,
    waiting_of,
)

__all__ = [
    "Families",
    "Ledger",
    "Stretch",
    "billed_in",
    "charges_carrying_over",
    "charges_on",
    "contracts_of",
    "counted_at",
    "families_of",
    "first_day",
    "first_customer",
    "naming_wallets",
    "next_waiting",
    "price_waiting",
    "priced_charges",
    "priced_in",
    "record_failure",
    "replay",
    "save",
    "save_replayed",
    "take_off",
    "take_over",
    "waiting_of",
    "windows_in",
]
