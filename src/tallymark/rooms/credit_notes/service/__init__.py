"""What can be done with credit notes: one file per use case."""

from tallymark.rooms.credit_notes.service.before_taxes import credited_before_taxes
from tallymark.rooms.credit_notes.service.change import note_refund, set_files, update, void
from tallymark.rooms.credit_notes.service.create import create, estimate
from tallymark.rooms.credit_notes.service.deduct import deduct, deductions, give_back, put_back
from tallymark.rooms.credit_notes.service.drafts import drop_drafts, issue_drafts
from tallymark.rooms.credit_notes.service.give import (
    excess_note_to_be,
    give_back_excess,
    give_back_voided,
    most_of_voided,
)
from tallymark.rooms.credit_notes.service.give_fees import give_back_fees
from tallymark.rooms.credit_notes.service.metadata import (
    clear_metadata,
    drop_metadata,
    merge_metadata,
    replace_metadata,
)
from tallymark.rooms.credit_notes.service.read import (
    get_items,
    get_note,
    get_notes,
    get_views,
    ids_on_invoice,
    list_ids,
    list_item_ids,
    list_notes,
    lock_note,
)
from tallymark.rooms.credit_notes.service.unused_time import give_back_unused_time, note_to_be

__all__ = [
    "clear_metadata",
    "create",
    "credited_before_taxes",
    "deduct",
    "deductions",
    "drop_drafts",
    "drop_metadata",
    "estimate",
    "excess_note_to_be",
    "get_items",
    "get_note",
    "get_notes",
    "get_views",
    "give_back",
    "give_back_excess",
    "give_back_fees",
    "give_back_unused_time",
    "give_back_voided",
    "ids_on_invoice",
    "issue_drafts",
    "list_ids",
    "list_item_ids",
    "list_notes",
    "lock_note",
    "note_refund",
    "note_to_be",
    "merge_metadata",
    "most_of_voided",
    "put_back",
    "replace_metadata",
    "set_files",
    "update",
    "void",
]
