"""What can be done with a customer: one file per use case."""

from tallymark.rooms.customers.service.delete import delete_customer
from tallymark.rooms.customers.service.follow import follow_entity
from tallymark.rooms.customers.service.funding import (
    generated_sections,
    known_sections,
    note_accounts,
    require,
)
from tallymark.rooms.customers.service.imagine import imagine_changed, imagine_new
from tallymark.rooms.customers.service.link import (
    find_task,
    finish,
    linked,
    next_ask,
    note_created,
    note_link_failed,
    note_page,
    note_refused,
    person_of,
)
from tallymark.rooms.customers.service.methods import (
    add_payment_method,
    default_methods,
    delete_payment_method,
    find_payment_method,
    get_payment_method,
    lose_method,
    methods_of,
    note_method,
    payment_methods_of,
    set_default_method,
)
from tallymark.rooms.customers.service.notes import MetadataInput
from tallymark.rooms.customers.service.provider import ProviderInput, has_method_to_save
from tallymark.rooms.customers.service.read import (
    find_customer,
    get_customer,
    get_customers,
    get_identities,
    list_customers,
    standings_of,
    taxes_of,
)
from tallymark.rooms.customers.service.sections import applicable_sections, shown_sections
from tallymark.rooms.customers.service.upsert import (
    CustomerInput,
    create_implicitly,
    set_currency_if_blank,
    upsert,
)
from tallymark.rooms.customers.service.vat import (
    awaiting_vat_checks,
    find_vat_check,
    postpone_check,
    record_answer,
)

__all__ = [
    "CustomerInput",
    "MetadataInput",
    "ProviderInput",
    "add_payment_method",
    "applicable_sections",
    "awaiting_vat_checks",
    "create_implicitly",
    "default_methods",
    "delete_customer",
    "delete_payment_method",
    "find_payment_method",
    "get_payment_method",
    "methods_of",
    "payment_methods_of",
    "set_default_method",
    "find_customer",
    "find_task",
    "finish",
    "has_method_to_save",
    "linked",
    "lose_method",
    "next_ask",
    "generated_sections",
    "known_sections",
    "note_accounts",
    "note_created",
    "note_link_failed",
    "note_method",
    "note_page",
    "note_refused",
    "person_of",
    "find_vat_check",
    "follow_entity",
    "get_customer",
    "imagine_changed",
    "imagine_new",
    "get_customers",
    "get_identities",
    "list_customers",
    "postpone_check",
    "record_answer",
    "require",
    "set_currency_if_blank",
    "shown_sections",
    "standings_of",
    "taxes_of",
    "upsert",
]
