"""What can be done with charges paid in advance: one file per step."""

from tallymark.rooms.advance.service.billed import billed_in, save, take_over
from tallymark.rooms.advance.service.ledger import Ledger
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
    "Ledger",
    "billed_in",
    "charges_on",
    "contracts_of",
    "first_customer",
    "naming_wallets",
    "next_waiting",
    "price_waiting",
    "record_failure",
    "save",
    "take_off",
    "take_over",
    "waiting_of",
]
