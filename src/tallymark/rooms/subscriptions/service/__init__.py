"""What can be done with a subscription: one file per use case."""

from tallymark.rooms.subscriptions.service.activate import EndedElsewhere, LifeElsewhere, begin
from tallymark.rooms.subscriptions.service.agenda import note_billing, note_usage_days, reschedule
from tallymark.rooms.subscriptions.service.change import is_billed_with_change, switch
from tallymark.rooms.subscriptions.service.create import NewSubscription, create, find_subject, take_over
from tallymark.rooms.subscriptions.service.details import get_details
from tallymark.rooms.subscriptions.service.fixed_units import first_units, note_changed_units, unit_events_of
from tallymark.rooms.subscriptions.service.gate import give_up, let_in
from tallymark.rooms.subscriptions.service.match import holding, started_of
from tallymark.rooms.subscriptions.service.overrides import Overrides, change, give_child
from tallymark.rooms.subscriptions.service.read import (
    active_contracts_of,
    choose,
    downgrade_day,
    ends_of_predecessors,
    find_active,
    find_newest,
    get_contracts,
    get_subscription,
    get_views,
    list_subscriptions,
    live_contracts,
    live_of_customer,
    paid_by,
    views_of,
)
from tallymark.rooms.subscriptions.service.sections import (
    SectionsInput,
    choose_sections,
    invoice_sections,
    sections_of,
)
from tallymark.rooms.subscriptions.service.terminate import (
    cancel,
    check_taxes,
    end_usage,
    find_to_end,
    terminate,
)
from tallymark.rooms.subscriptions.service.thresholds import (
    note_checks,
    set_thresholds,
    thresholds_of,
)
from tallymark.rooms.subscriptions.service.traces import traced
from tallymark.rooms.subscriptions.service.trial import end_trial, warn_of_end
from tallymark.rooms.subscriptions.service.update import update

__all__ = [
    "paid_by",
    "EndedElsewhere",
    "LifeElsewhere",
    "Overrides",
    "change",
    "give_child",
    "NewSubscription",
    "SectionsInput",
    "active_contracts_of",
    "begin",
    "cancel",
    "choose",
    "choose_sections",
    "create",
    "downgrade_day",
    "ends_of_predecessors",
    "end_trial",
    "end_usage",
    "find_active",
    "find_newest",
    "find_subject",
    "find_to_end",
    "first_units",
    "get_contracts",
    "get_details",
    "get_subscription",
    "get_views",
    "give_up",
    "holding",
    "invoice_sections",
    "is_billed_with_change",
    "let_in",
    "list_subscriptions",
    "live_contracts",
    "live_of_customer",
    "note_billing",
    "note_changed_units",
    "note_checks",
    "note_usage_days",
    "reschedule",
    "sections_of",
    "set_thresholds",
    "started_of",
    "switch",
    "take_over",
    "check_taxes",
    "terminate",
    "thresholds_of",
    "traced",
    "unit_events_of",
    "update",
    "views_of",
    "warn_of_end",
]
