"""The billing calendar: cycles of local days, the windows that one invoice covers, its dates (subscriptions §3, §5.5)."""

from tallymark.domain.calendar.boundaries import (
    NO_HISTORY,
    Boundaries,
    Continuity,
    Window,
    compute_boundaries,
    current_charges_period,
    current_charges_window,
    termination_boundaries,
)
from tallymark.domain.calendar.cycles import Cycle
from tallymark.domain.calendar.dates import (
    InvoiceDates,
    IssuingRules,
    finalized_dates,
    issuing_shift,
    new_invoice_dates,
)
from tallymark.domain.calendar.schedule import (
    Life,
    Schedule,
    is_billing_day,
    is_first_month,
    next_billing_day,
)

__all__ = [
    "NO_HISTORY",
    "Boundaries",
    "Continuity",
    "Cycle",
    "InvoiceDates",
    "IssuingRules",
    "Life",
    "Schedule",
    "Window",
    "compute_boundaries",
    "current_charges_period",
    "current_charges_window",
    "finalized_dates",
    "is_billing_day",
    "is_first_month",
    "issuing_shift",
    "new_invoice_dates",
    "next_billing_day",
    "termination_boundaries",
]
