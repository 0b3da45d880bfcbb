"""What can go wrong, in domain words and without status numbers; the API alone knows what they answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

FieldErrors = Mapping[str, Sequence[str] | Mapping[str, object]]
"""Codes by field; by the index of an element in it where a field holds a list. A text stands for itself."""

Places = Mapping[str, Sequence[str]]
"""Codes by where they belong in what was sent, of what lies deeper than a field: "charges.1.properties"."""


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


class ProviderFailed(TallymarkError):
    """A payment provider says no to what was asked of it: its words, and the code of the connection that they came by."""

    def __init__(self, connection_code: str, details: Mapping[str, object]) -> None:
        self.code = "provider_error"
        self.connection_code = connection_code
        self.details = dict(details)
        super().__init__(self.code)


class ThirdPartyFailed(TallymarkError):
    """Somebody outside whom the call needs gives no answer, or no good one; the same call may succeed later."""

    def __init__(self, third_party: str, message: str) -> None:
        self.code = "third_party_error"
        self.details = {"third_party": third_party, "thirdparty_error": message}
        super().__init__(self.code)


class TooMany(TallymarkError):
    """The caller has done this as often as it may for now: `limit` times, and again once it has waited."""

    def __init__(self, code: str, *, limit: int, wait: timedelta) -> None:
        self.code = code
        self.limit = limit
        self.wait = wait
        super().__init__(code)


class GivenUp(TallymarkError):
    """It took longer than it may, and nothing of it was done; the same call may succeed later."""

    code: str

    def __init__(self) -> None:
        super().__init__(self.code)


class TookTooLong(GivenUp):
    """What the database was asked takes longer than a request may wait for it."""

    code = "statement_timeout"


class Locked(GivenUp):
    """Somebody else is changing what is to be changed, and did not end in time."""

    code = "lock_acquisition_failed"


class Invalid(TallymarkError):
    """The input breaks rules: codes by field, all of them at once.

    >>> Invalid({"name": ["value_is_mandatory"]}).details
    {'name': ['value_is_mandatory']}

    The details name a field alone, however deep it lies; `places` tell where.
    """

    def __init__(self, details: FieldErrors, places: Places | None = None) -> None:
        self.places = {place: list(codes) for place, codes in (places or {}).items()}
        self.details = {
            field: codes
            if isinstance(codes, str)
            else dict(codes)
            if isinstance(codes, Mapping)
            else list(codes)
            for field, codes in details.items()
        }
        super().__init__(str(self.details))

    def within(self, field: str, index: int) -> Invalid:
        """The same, of an element of a list.

        >>> Invalid({"units": ["value_is_out_of_range"]}).within("fees", 2).places
        {'fees.2.units': ['value_is_out_of_range']}
        """
        deeper = {place.rpartition(".")[2] for place in self.places}
        own = {
            name: codes
            for name, codes in self.details.items()
            if isinstance(codes, list) and name not in deeper
        }
        return Invalid(
            self.details,
            {f"{field}.{index}.{place}": codes for place, codes in (own | self.places).items()},
        )


@contextmanager
def element(field: str, index: int | None) -> Iterator[None]:
    """What is refused inside is refused of an element of a list; of none, where there is no index."""
    try:
        yield
    except Invalid as refused:
        if index is None:
            raise
        raise refused.within(field, index) from refused


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
        self._places: dict[str, list[str]] = {}
        self._within = ""

    @contextmanager
    def element(self, field: str, index: int) -> Iterator[None]:
        """What is noted inside is noted of an element of a list."""
        before, self._within = self._within, f"{self._within}{field}.{index}."
        try:
            yield
        finally:
            self._within = before

    def add(self, field: str, *codes: str) -> None:
        """Note codes against a field that were not noted before; one for each fault where several are told at once."""
        _note(self._codes, field, codes)
        if self._within:
            _note(self._places, self._within + field, codes)

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
            raise Invalid(self._codes, self._places)


def _note(noted: dict[str, list[str]], name: str, codes: Sequence[str]) -> None:
    known = noted.setdefault(name, [])
    known.extend([code for code in codes if code not in known])
