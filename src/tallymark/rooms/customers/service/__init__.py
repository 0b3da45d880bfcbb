"""What can be done with a customer: one file per use case."""

from tallymark.rooms.customers.service.delete import delete_customer
from tallymark.rooms.customers.service.follow import follow_entity
from tallymark.rooms.customers.service.notes import MetadataInput
from tallymark.rooms.customers.service.provider import ProviderInput
from tallymark.rooms.customers.service.read import (
    find_customer,
    get_customer,
    get_customers,
    list_customers,
    taxes_of,
)
from tallymark.rooms.customers.service.upsert import (
    CustomerInput,
    create_implicitly,
    set_currency_if_blank,
    upsert,
)

__all__ = [
    "CustomerInput",
    "MetadataInput",
    "ProviderInput",
    "create_implicitly",
    "delete_customer",
    "find_customer",
    "follow_entity",
    "get_customer",
    "get_customers",
    "list_customers",
    "set_currency_if_blank",
    "taxes_of",
    "upsert",
]
