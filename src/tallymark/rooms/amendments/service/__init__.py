"""What can be done about events that are wrong: one file per use case (beyond.md §3)."""

from tallymark.rooms.amendments.service.adjusting import adjusting, is_refused
from tallymark.rooms.amendments.service.amend import amend, void

__all__ = ["adjusting", "amend", "is_refused", "void"]
