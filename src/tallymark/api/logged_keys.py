"""How logs name the API key that something was done with."""

from __future__ import annotations

from uuid import UUID

from pydantic import BaseModel


class LoggedKeyOutput(BaseModel):
    """A key that was used, whether it has ended or not."""

    lago_id: UUID
    name: str | None
    ending: str | None

    @classmethod
    def of(cls, key_id: UUID | None, *, name: str | None, ending: str | None) -> LoggedKeyOutput | None:
        """Show a key by what it is called now; None where none was used."""
        return None if key_id is None else cls(lago_id=key_id, name=name, ending=ending)
