"""How limits look on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from tallymark.api.tenant_limits import Limit
from tallymark.api.wire import Input
from tallymark.rooms.limits.model import LARGEST, Allowed, Used, Values

Number = Annotated[int, Field(strict=True, ge=0, le=LARGEST)]


class LimitsRequest(Input):
    """`PUT /admin/organizations/{id}/limits`, flat: null is as the settings say, 0 any number; what is not sent stays."""

    events_per_minute: Number | None = None
    events_per_month: Number | None = None
    members: Number | None = None
    api_keys: Number | None = None
    exports_under_way: Number | None = None

    def to_values(self) -> Values:
        """What is sent, by limit."""
        return {Limit(name): number for name, number in self.sent.items()}


class AllowedOutput(BaseModel):
    code: Limit
    own: int | None
    """What is said of this organization: null for nothing, 0 for any number."""
    allowed: int | None
    """How much there may be; null for any number."""


class AllowedResponse(BaseModel):
    limits: list[AllowedOutput]

    @classmethod
    def of(cls, found: Sequence[Allowed]) -> AllowedResponse:
        """Show limits to whoever sets them."""
        return cls(limits=[AllowedOutput(code=one.limit, own=one.own, allowed=one.most) for one in found])


class UsedOutput(BaseModel):
    code: Limit
    used: int | None
    """How much there is; null where it is not counted in one place."""
    allowed: int | None
    """How much there may be; null for any number."""


class UsedResponse(BaseModel):
    limits: list[UsedOutput]

    @classmethod
    def of(cls, found: Sequence[Used]) -> UsedResponse:
        """Show an organization its limits."""
        return cls(
            limits=[
                UsedOutput(code=one.allowed.limit, used=one.used, allowed=one.allowed.most) for one in found
            ]
        )
