"""The filters of an export: names and values of the list's own query, in a JSON object (platform §14).

A list is one for the names that may be lists, `metadata` is an object; null is no filter. What these mean and which values
there are is the list's matter: it reads them as it reads its query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from starlette.datastructures import QueryParams

from tallymark.domain.errors import Invalid, Problems
from tallymark.domain.values import value
from tallymark.rooms.credit_notes import filters as credit_notes
from tallymark.rooms.data_exports.model import ResourceType
from tallymark.rooms.invoices import filters as invoices
from tallymark.rooms.journal import filters as journal

METADATA = "metadata"


@value
class ListFilters:
    """What a list filters by: the names, those that may be lists, and how it reads its query."""

    names: frozenset[str]
    lists: frozenset[str]
    read: Callable[[QueryParams], Any]


def _of(
    declared: Mapping[str, Any], lists: frozenset[str], read: Callable[[QueryParams], Any]
) -> ListFilters:
    names = (one["name"].partition("[")[0] for one in declared["parameters"])
    return ListFilters(names=frozenset(names), lists=lists, read=read)


_INVOICES = _of(invoices.FILTERS, invoices.LISTS, invoices.read_filters)
_CREDIT_NOTES = _of(credit_notes.FILTERS, credit_notes.LISTS, credit_notes.read_filters)

LISTS = {
    ResourceType.INVOICES: _INVOICES,
    ResourceType.INVOICE_FEES: _INVOICES,
    ResourceType.CREDIT_NOTES: _CREDIT_NOTES,
    ResourceType.CREDIT_NOTE_ITEMS: _CREDIT_NOTES,
    ResourceType.JOURNAL_LINES: _of(journal.FILTERS, frozenset(), journal.read_filters),
}
"""By what each type of export is filtered."""


def read_filters(resource_type: ResourceType, sent: Mapping[str, Any]) -> Any:
    """The filters as the list's room has them.

    Raises `Invalid` on `filters`, which tells of each name what is wrong: `unknown_filter`, or what the list says.
    """
    of = LISTS[resource_type]
    problems = Problems()
    pairs: list[tuple[str, str]] = []
    for name, given in sent.items():
        if name.removesuffix("[]") not in of.names:
            problems.add(name, "unknown_filter")
        elif given is not None:
            try:
                pairs += _pairs(name.removesuffix("[]"), given, of.lists)
            except ValueError:
                problems.add(name, "value_is_invalid")
    try:
        problems.raise_any()
        return of.read(QueryParams(pairs))
    except Invalid as error:
        raise Invalid({"filters": error.details}) from None


def entity_codes(resource_type: ResourceType, sent: Mapping[str, Any]) -> Sequence[str]:
    """The issuers that filters name. Raises as `read_filters` does."""
    found: Sequence[str] = getattr(read_filters(resource_type, sent), "billing_entity_codes", ())
    return found


def _pairs(name: str, given: Any, lists: frozenset[str]) -> Iterator[tuple[str, str]]:
    """A filter as a query has it. Raises `ValueError` for what no query can say."""
    if name == METADATA:
        if not isinstance(given, Mapping):
            raise ValueError(f"{name} is an object")
        yield from ((f"{name}[{key}]", _text(one)) for key, one in given.items())
    elif isinstance(given, list) and name in lists:
        yield from ((f"{name}[]", _text(one)) for one in given)
    else:
        yield name, _text(given)


def _text(given: Any) -> str:
    """A scalar as a query has it.

    >>> _text(True), _text(1200), _text("EUR")
    ('true', '1200', 'EUR')
    """
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int | str):
        return str(given)
    raise ValueError("no scalar")
