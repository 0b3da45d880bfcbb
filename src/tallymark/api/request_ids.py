"""The id of a call: in its answer, in the API log, in the process's own log, and in what errors are told with."""

from __future__ import annotations

from uuid import UUID, uuid4

from starlette.requests import Request

HEADER = "X-Request-Id"


def request_id_of(request: Request) -> UUID:
    """The caller's id, where it is a UUID as the contract wants it, else a new one; the same however often it is asked for."""
    known: UUID | None = getattr(request.state, "request_id", None)
    if known is None:
        try:
            known = UUID(request.headers.get(HEADER, ""))
        except ValueError:
            known = uuid4()
        request.state.request_id = known
    return known
