"""What can be done with events that are stored: one file per use case (beyond.md §3)."""

from tallymark.rooms.corrections.service.correct import (
    amended,
    correct,
    corrected_among,
    list_versions,
    refuse_what_is_billed,
    voided,
)
from tallymark.rooms.corrections.service.follow import follow_usage, lock_owners, note_counted
from tallymark.rooms.corrections.service.late import (
    NotJudged,
    judge_next,
    organizations_with_late_events,
)

__all__ = [
    "NotJudged",
    "amended",
    "correct",
    "corrected_among",
    "follow_usage",
    "judge_next",
    "list_versions",
    "lock_owners",
    "note_counted",
    "organizations_with_late_events",
    "refuse_what_is_billed",
    "voided",
]
