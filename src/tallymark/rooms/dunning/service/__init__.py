"""What can be done with dunning: campaigns kept, chosen, and customers asked by them."""

from tallymark.rooms.dunning.service.asking import ask, follow_payments, watch_customers
from tallymark.rooms.dunning.service.campaigns import (
    bcc_emails_of,
    create_campaign,
    delete_campaign,
    get_campaign,
    get_campaigns,
    list_campaigns,
    update_campaign,
)
from tallymark.rooms.dunning.service.choices import (
    choose_for_customer,
    choose_for_entity,
    dunning_of,
    get_entity_campaign,
)

__all__ = [
    "ask",
    "bcc_emails_of",
    "choose_for_customer",
    "choose_for_entity",
    "create_campaign",
    "delete_campaign",
    "dunning_of",
    "follow_payments",
    "get_campaign",
    "get_campaigns",
    "get_entity_campaign",
    "list_campaigns",
    "update_campaign",
    "watch_customers",
]
