"""What can be done with connections, and with what comes in by them."""

from tallymark.rooms.payment_providers.service.connections import (
    LOCK,
    add,
    change,
    check_code,
    count_customers,
    delete,
    failure_of,
    find_row,
    get_connection,
    get_row,
    hold,
    list_addressed,
    list_connections,
    name_of,
    tell_failed,
    words_of,
)
from tallymark.rooms.payment_providers.service.events import (
    get_event,
    is_simulated,
    keep_event,
    note_event,
)
from tallymark.rooms.payment_providers.vault import SECRET, Vault

__all__ = [
    "LOCK",
    "SECRET",
    "Vault",
    "add",
    "change",
    "check_code",
    "count_customers",
    "delete",
    "failure_of",
    "find_row",
    "get_connection",
    "get_event",
    "get_row",
    "hold",
    "is_simulated",
    "keep_event",
    "list_addressed",
    "list_connections",
    "name_of",
    "note_event",
    "tell_failed",
    "words_of",
]
