"""What can be done about billed usage whose events are corrected: find it, rate it again, document the difference."""

from tallymark.rooms.adjustments.service.advance import gather_in_advance, price_again
from tallymark.rooms.adjustments.service.commitments import (
    Corrected,
    changes_of,
    corrected_of,
    count_spent,
    gather_commitments,
    late_cents,
    leave_out,
    rate_commitments,
    spent_more,
)
from tallymark.rooms.adjustments.service.compare import differences
from tallymark.rooms.adjustments.service.decrease import Sources, give_back
from tallymark.rooms.adjustments.service.gather import gather_billed, gather_finals
from tallymark.rooms.adjustments.service.keep import (
    attach,
    fee_of,
    keep_billed,
    keep_pending,
    pending_of,
    supersede,
    waive,
)
from tallymark.rooms.adjustments.service.rate import rate
from tallymark.rooms.adjustments.service.regrouped import give_back_regrouped
from tallymark.rooms.adjustments.service.remade import corrected_while_void, take_over_adjustments
from tallymark.rooms.adjustments.service.renewals import renewed_period

__all__ = [
    "Corrected",
    "Sources",
    "attach",
    "changes_of",
    "corrected_of",
    "corrected_while_void",
    "count_spent",
    "differences",
    "fee_of",
    "gather_billed",
    "gather_commitments",
    "gather_finals",
    "gather_in_advance",
    "give_back",
    "give_back_regrouped",
    "keep_billed",
    "keep_pending",
    "late_cents",
    "leave_out",
    "pending_of",
    "price_again",
    "rate",
    "rate_commitments",
    "renewed_period",
    "spent_more",
    "supersede",
    "take_over_adjustments",
    "waive",
]
