"""How what is found looks on the wire."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel

from tallymark.rooms.search.model import Hit, Kind


class SearchResultOutput(BaseModel):
    kind: Kind
    lago_id: UUID
    title: str
    subtitle: str | None
    """Whose it is, or by what else it goes."""
    status: str | None
    code: str | None
    number: str | None
    external_id: str | None
    """Of a customer or a subscription."""
    external_customer_id: str | None
    """Of the customer whose it is."""

    @classmethod
    def of(cls, hit: Hit) -> SearchResultOutput:
        """Show something that was found."""
        shown = {name: getattr(hit, name) for name in cls.model_fields if name != "lago_id"}
        return cls(lago_id=hit.id, **shown)


class SearchResponse(BaseModel):
    search_results: list[SearchResultOutput]
