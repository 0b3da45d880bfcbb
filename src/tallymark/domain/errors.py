"""What can go wrong, in domain words and without status numbers; the API alone knows what they answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

FieldErrors = Mapping[str, Sequence[str] | Mapping[str, object]]
"""Codes by field; by the index of an element in it where a field holds a list. A text stands for itself."""


class TallymarkError(Exception):
    """Something anticipated: the caller asked for what can't be given."""


class NotFound(TallymarkError):
    """There is no such record for this organization.

    >>> NotFound("customer").code
    'customer_not_found'
    """

    def __init__(self, resource: str) -> None:
        self.code = f"{resource}_not_found"
        super().__init__(self.code)


class NotAllowed(TallymarkError):
    """The record is in a state in which this can't be done."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Forbidden(TallymarkError):
    """The caller may not do this, whatever the record's state."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class Lacking(Forbidden):
    """The caller lacks a permission; any one of these would do."""

    def __init__(self, permissions: Sequence[str]) -> None:
        super().__init__("forbidden")
        self.permissions = tuple(permissions)


class Conflict(TallymarkError):
    """Something else is under way; the same call may succeed later."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


class TooMany(TallymarkError):
    """The caller has done this as often as it may for now: `limit` times, and again once it has waited."""

    def __init__(self, code: str, *, limit: int, wait: timedelta) -> None:
        self.code = code
        self.limit = limit
        self.wait = wait
        super().__init__(code)


class Invalid(TallymarkError):
    """The input breaks rules: codes by field, all of them at once.

    >>> Invalid({"name": ["value_is_mandatory"]}).details
    {'name': ['value_is_mandatory']}
    """

    def __init__(self, details: FieldErrors) -> None:
        self.details = {
            field: codes
            if isinstance(codes, str)
            else dict(codes)
            if isinstance(codes, Mapping)
            else list(codes)
            for field, codes in details.items()
        }
        super().__init__(str(self.details))


class Problems:
    """Collects every field's errors, then raises them together.

    >>> problems = Problems()
    >>> problems.add("code", "value_is_mandatory")
    >>> problems.raise_any()
    Traceback (most recent call last):
        ...
    tallymark.domain.errors.Invalid: {'code': ['value_is_mandatory']}
    """

    def __init__(self) -> None:
        self._codes: dict[str, list[str]] = {}

    def add(self, field: str, *codes: str) -> None:
        """Note codes against a field that were not noted before; one for each fault where several are told at once."""
        known = self._codes.setdefault(field, [])
        known.extend([code for code in codes if code not in known])

    def add_all(self, found: Invalid | Problems) -> None:
        """Note what was refused elsewhere."""
        details = found.details if isinstance(found, Invalid) else found._codes
        for field, codes in details.items():
            self.add(field, *codes)

    @property
    def any(self) -> bool:
        """Whether anything was noted."""
        return bool(self._codes)

    def raise_any(self) -> None:
        """Raise `Invalid` if anything was noted."""
        if self._codes:
            raise Invalid(self._codes)
