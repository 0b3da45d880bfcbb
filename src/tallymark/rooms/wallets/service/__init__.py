"""What can be done with wallets: one file per use case."""

from tallymark.rooms.wallets.service.announce import Event, News, announce
from tallymark.rooms.wallets.service.change import expire, reschedule, terminate, update_wallet
from tallymark.rooms.wallets.service.create import create_wallet
from tallymark.rooms.wallets.service.draw import Returned, draw, foresee, give_back, put_back
from tallymark.rooms.wallets.service.fill import Firing, fill_by_interval, fill_by_rule, price_of, transact
from tallymark.rooms.wallets.service.methods import OF_RULES, paid_by
from tallymark.rooms.wallets.service.notes import drop_key, drop_metadata, merge_metadata, replace_metadata
from tallymark.rooms.wallets.service.ongoing import (
    active_of_customers,
    fill_at_threshold,
    note_ongoing,
    threshold_rules,
)
from tallymark.rooms.wallets.service.purchases import (
    follow_payment,
    note_invoice,
    purchase_of,
    refund,
    refundable_cents,
    tell_added,
)
from tallymark.rooms.wallets.service.read import (
    active_codes,
    active_wallets,
    consumptions_of,
    find_transaction,
    find_wallet,
    fundings_of,
    get_transaction,
    get_transactions,
    get_views,
    get_wallet,
    get_wallet_by_code,
    get_wallets,
    list_transactions,
    list_wallets,
    transaction_views,
    view_of,
)
from tallymark.rooms.wallets.service.repurchase import Repurchase, plan_repurchase, repurchase
from tallymark.rooms.wallets.service.rules import expire_rules
from tallymark.rooms.wallets.service.sections import printed_on
from tallymark.rooms.wallets.service.take_over import LeftCredits, take_over_wallet

__all__ = [
    "OF_RULES",
    "paid_by",
    "Event",
    "Firing",
    "LeftCredits",
    "News",
    "Repurchase",
    "Returned",
    "active_codes",
    "active_of_customers",
    "active_wallets",
    "announce",
    "consumptions_of",
    "create_wallet",
    "draw",
    "drop_key",
    "drop_metadata",
    "expire",
    "expire_rules",
    "fill_at_threshold",
    "fill_by_interval",
    "fill_by_rule",
    "find_transaction",
    "find_wallet",
    "follow_payment",
    "foresee",
    "fundings_of",
    "get_transaction",
    "get_transactions",
    "get_views",
    "get_wallet",
    "get_wallet_by_code",
    "get_wallets",
    "give_back",
    "list_transactions",
    "list_wallets",
    "merge_metadata",
    "note_invoice",
    "note_ongoing",
    "plan_repurchase",
    "price_of",
    "printed_on",
    "purchase_of",
    "put_back",
    "refund",
    "refundable_cents",
    "replace_metadata",
    "repurchase",
    "reschedule",
    "take_over_wallet",
    "tell_added",
    "terminate",
    "threshold_rules",
    "transact",
    "transaction_views",
    "update_wallet",
    "view_of",
]
