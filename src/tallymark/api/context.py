"""What a request knows: whose data it works on, and what time it is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Request

from tallymark.api.links import Links
from tallymark.api.permissions import Need, Right, check_permitted, check_right
from tallymark.db.engine import Actor, Database, Source, Tx
from tallymark.metering.allowance import EventLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """That a session is no user's own: staff look in as them, for a while (decision 41)."""

    id: UUID
    staff: str
    """Who it is, by the login under which staff are known."""
    reason: str
    is_read_only: bool
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody with a session, whatever they belong to."""

    session_id: UUID
    user_id: UUID
    email: str
    login_method: str
    organization_id: UUID | None
    """Whose identity provider let them in: they may enter no other organization."""
    visit: Visit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody who has signed in and belongs to the organization that they have entered."""

    user_id: UUID
    email: str
    membership_id: UUID
    roles: tuple[str, ...]
    permissions: frozenset[str]
    staff: str | None = None
    """Who it is in truth, where staff look in as the member."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Whom a call comes from: somebody with an API key, a member, or a customer in their portal."""

    organization_id: UUID
    is_simulated: bool
    api_key_id: UUID | None = None
    member: Member | None = None
    expires_at: datetime | None = None
    rights: frozenset[Right] | None = None
    """What the key may do; None is everything."""
    turns_events_away: bool = False
    """Whether staff have the organization's events turned away for now."""
    event_limits: EventLimits | None = None
    """How many events its organization may send, where that is said of it."""
    customer_id: UUID | None = None
    """Whose portal it is that somebody came into by a customer's link."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One request's organization, caller and time. `now` was read once, from the organization's clock.

    Where a transaction was `joined`, all that the request does is a part of it.
    """

    database: Database
    organization_id: UUID
    api_key_id: UUID | None
    is_simulated: bool
    now: datetime
    links: Links
    user_agent: str = ""
    ip_address: str | None = None
    member: Member | None = None
    """Who calls in the web app; None for a key."""
    customer_id: UUID | None = None
    """Whose portal it is; None outside of portals."""
    rights: frozenset[Right] | None = None
    """What the key may do; None is everything."""
    conclude: Callable[[Tx], Awaitable[None]] | None = None
    """What is still to be done in a transaction that has logged something."""
    joined: Tx | None = None

    @property
    def principal(self) -> Principal:
        """Whom the request comes from."""
        return Principal(
            organization_id=self.organization_id,
            is_simulated=self.is_simulated,
            api_key_id=self.api_key_id,
            member=self.member,
            rights=self.rights,
            customer_id=self.customer_id,
        )

    def check(self, need: Need) -> None:
        """Let a caller pass that may do what a request turns out to ask for. Raises `Forbidden`."""
        if self.member is not None:
            check_permitted(self.member.permissions, need.permissions)
        else:
            check_right(self.rights, *need.rights)

    @property
    def actor(self) -> Actor:
        """Whom the logs name: staff by their own login, never as the member they look in as."""
        member = self.member
        return Actor(
            user_agent=self.user_agent,
            ip_address=self.ip_address,
            api_key_id=self.api_key_id,
            user_id=member.user_id if member and not member.staff else None,
            user_email=(member.staff or member.email) if member else None,
        )

    def file_url(self, key: str | None) -> str | None:
        """A link to a file that needs no API key; None where there is no file."""
        return self.links.file(key)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Tx]:
        """Open a transaction on this organization's rows; it commits when the block ends, or what it joined does."""
        async with self._open() as tx:
            yield tx
            if tx.logged and self.conclude is not None:
                await self.conclude(tx)

    def _open(self) -> AbstractAsyncContextManager[Tx]:
        if self.joined is not None:
            return self.joined.part()
        return self.database.tenant(
            self.organization_id,
            is_simulated=self.is_simulated,
            source=Source.FRONT if self.member or self.customer_id else Source.API,
            actor=self.actor,
        )


class Gatekeeper(Protocol):
    """What the API asks of the organizations room: keys, clocks and the settling of a simulated one."""

    async def authenticate(self, token: str) -> Principal | None:
        """Find who a bearer token stands for; None when it is unknown or expired."""

    async def read_clock(self, principal: Principal, *, is_write: bool) -> datetime:
        """The organization's now. Raises `Conflict("test_clock_advancing")` for a write during an advance."""

    async def settle(self, context: Context) -> None:
        """Do what a live organization would do soon after the call, before the call returns."""


class Sessions(Protocol):
    """What the API asks of the room that keeps sessions."""

    async def find(self, token: str) -> SignedIn | None:
        """Whose session a token opens; None where there is none, or it is over. One that is used lasts longer."""

    async def enter(self, token: str, organization: str) -> Principal | None:
        """Let somebody enter an organization, by its id or slug; None where the session is over.

        Raises `NotFound("organization")` for one that they don't belong to, `Forbidden("login_method_not_authorized")` where its
        members may not sign in so.
        """


class Portal(Protocol):
    """What the API asks of the room that keeps the customers' portal."""

    async def admit(self, token: str) -> Principal | None:
        """Whose portal a link's token opens; None for one that was not made here, is over, or whose customer is no more."""


def get_context(request: Request) -> Context:
    """The context that `TenantRoute` put on the request."""
    context: Context = request.state.context
    return context


InContext = Annotated[Context, Depends(get_context)]
