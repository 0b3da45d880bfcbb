"""By what usage is billed, to be kept: charges as they are now, the same ones of many bills once (beyond.md §3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.billing.model import Computed, Subject
from tallymark.rooms.invoices.model import Reason
from tallymark.rooms.invoices.terms import keep_terms as write_terms
from tallymark.rooms.plans import terms
from tallymark.rooms.plans.model import Charge

Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of some bills that are computed; their charges are known by identity, for these hold them."""

    ids: Mapping[Key, UUID]

    def of(self, computed: Computed, subject: Subject) -> UUID | None:
        """By which terms the usage of a subscription is billed; None where none is, or where its period goes on."""
        charges = _rated(computed, subject)
        return None if charges is None else self.ids[_key(charges)]


async def keep_terms(tx: Tx, computed: Sequence[Computed], *, now: datetime) -> Terms:
    """Write the terms of bills, as far as they are not known."""
    texts: dict[Key, bytes] = {}
    for charges in _all_rated(computed):
        key = _key(charges)
        if key not in texts:
            texts[key] = terms.encode(charges)
    kept = await write_terms(tx, set(texts.values()), now=now)
    return Terms({key: kept[text] for key, text in texts.items()})


def _all_rated(computed: Sequence[Computed]) -> Iterator[Sequence[Charge]]:
    for one in computed:
        for subject in one.subjects:
            charges = _rated(one, subject)
            if charges is not None:
                yield charges


def _rated(computed: Computed, subject: Subject) -> Sequence[Charge] | None:
    if subject.reason is Reason.PROGRESSIVE:
        return None
    return computed.rated.get(subject.contract.subscription.id)


def _key(charges: Sequence[Charge]) -> Key:
    return tuple(map(id, charges))
