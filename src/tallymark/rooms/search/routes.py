"""The door of the command palette."""

from __future__ import annotations

from tallymark.api.context import InContext
from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.rooms.search import service
from tallymark.rooms.search.schemas import SearchResponse, SearchResultOutput

router = member_router("app: search")


@router.get("/search")
@permitted()
async def search(context: InContext, term: str = "") -> SearchResponse:
    """Find what has a text in its name, code, number, e-mail address or id: five of each kind that the member may view.

    Whole names come first, then beginnings, then parts; alike ones by kind, the newest first.
    """
    assert context.member is not None, "only members come in here"
    async with context.transaction() as tx:
        found = await service.search(tx, term, permissions=context.member.permissions)
    return SearchResponse(search_results=[SearchResultOutput.of(hit) for hit in found])
