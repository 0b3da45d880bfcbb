"""Say how much an organization may have, show how much it has, and let rooms make one more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from tallymark.api.tenant_limits import Limit
from tallymark.db.engine import Actor
from tallymark.domain.errors import Invalid
from tallymark.domain.values import value
from tallymark.jobs import security
from tallymark.jobs.activity import differences
from tallymark.jobs.deeds import Deed, Staff, Verb, note
from tallymark.rooms.limits import repository
from tallymark.rooms.limits.model import Allowed, Used, Values
from tallymark.rooms.organizations import census

Defaults = Mapping[Limit, int]
"""What the settings say of each limit; 0 for any number."""


@value
class Setter:
    """Who says how much an organization may have: whom the audit names, and whom the organization's security log does."""

    staff: Staff
    reason: str | None = None
    actor: Actor | None = None


class Limits:
    """Implements `api.tenant_limits.TenantLimits`."""

    def __init__(self, defaults: Defaults) -> None:
        self.defaults = defaults

    async def check(
        self, connection: AsyncConnection, organization_id: UUID, limit: Limit, *, now: datetime
    ) -> None:
        """Let one more be made. Raises `Invalid` with `exceeded_limit` on `base`, as the contract does for endpoints."""
        own = await repository.find_own(connection, organization_id)
        most = Allowed(limit=limit, own=own[limit], default=self.defaults[limit]).most
        if most is None:
            return
        await repository.lock(connection, organization_id, limit)
        used = await repository.count_all(connection, organization_id, now=now)
        if used[limit] >= most:
            raise Invalid({"base": ["exceeded_limit"]})


async def list_allowed(
    connection: AsyncConnection, organization_id: UUID, defaults: Defaults
) -> list[Allowed]:
    """Every limit of an organization. Raises `NotFound("organization")`."""
    await census.get_entry(connection, organization_id)
    own = await repository.find_own(connection, organization_id)
    return [Allowed(limit=limit, own=own[limit], default=defaults[limit]) for limit in Limit]


async def list_used(
    connection: AsyncConnection, organization_id: UUID, defaults: Defaults, *, now: datetime
) -> list[Used]:
    """Every limit of an organization with how much of it is used; of the events of a minute each process knows its own alone."""
    own = await repository.find_own(connection, organization_id)
    used = await repository.count_all(connection, organization_id, now=now)
    return [
        Used(
            allowed=Allowed(limit=limit, own=own[limit], default=defaults[limit]),
            used=used.get(limit),
        )
        for limit in Limit
    ]


async def set_own(
    connection: AsyncConnection,
    organization_id: UUID,
    values: Values,
    *,
    by: Setter,
    now: datetime,
) -> Values:
    """Say something of some limits of an organization, and nothing of others. `now` is a live organization's.

    The organization's security log tells what has changed, and the audit of staff who did it. Returns what was said before.
    Raises `NotFound("organization")`, and `Invalid` where nothing is said.
    """
    entry = await census.get_entry(connection, organization_id)
    if not values:
        raise Invalid({"base": ["value_is_mandatory"]})
    await repository.lock_own(connection, organization_id)
    own = await repository.find_own(connection, organization_id)
    await repository.save_own(connection, organization_id, values, now=now)
    before, after = ({limit.value: of[limit] for limit in values} for of in (own, values))
    if changed := differences(before, after):
        told = {"limits": security.deletions_and_additions(changed)}
        clock = {organization_id: entry.frozen_time or now}
        await security.record_in_each(connection, clock, "organization.updated", told, actor=by.actor)
    for limit in values:
        if own[limit] != values[limit]:
            deed = _deed(organization_id, limit, by.reason, before=own[limit], after=values[limit])
            await note(connection, by.staff, deed, now=now)
    return own


def _deed(
    organization_id: UUID, limit: Limit, reason: str | None, *, before: int | None, after: int | None
) -> Deed:
    return Deed(
        verb=Verb.LIMITED,
        subject_type="limit",
        subject_id=f"{organization_id}:{limit.value}",
        subject=limit.value,
        organization_id=organization_id,
        reason=reason,
        before={"own": before},
        after={"own": after},
    )
