"""Find anything by a part of its name (ui §1.3)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.rooms.search import repository
from tallymark.rooms.search.model import LONGEST_TERM, PERMISSIONS, Hit


async def search(tx: Tx, term: str, *, permissions: AbstractSet[str]) -> list[Hit]:
    """What has a text in its name, code, number or id, of the kinds that somebody with these permissions may view.

    Of no text it is nothing. Raises `Invalid` for one that is longer than any name.
    """
    wanted = " ".join(term.split())
    if len(wanted) > LONGEST_TERM:
        raise Invalid({"term": ["value_is_too_long"]})
    kinds = {kind for kind, needed in PERMISSIONS.items() if needed in permissions}
    return await repository.search(tx, wanted, kinds) if wanted and kinds else []
