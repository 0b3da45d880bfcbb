"""Doing something in the office: by whom, why and when, in one transaction with the note of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette_admin import action, row_action
from starlette_admin.exceptions import ActionFailed

from tallymark.db.engine import Database, Tx, leave_tenant
from tallymark.domain.errors import Invalid
from tallymark.jobs.deeds import Deed, Staff, Verb, note
from tallymark.office.signing_in import staff_of
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.staff.model import read_reason


def reason_form(fields: str = "") -> str:
    """What is asked for before anything is done: why, after fields of its own as HTML."""
    return f"""
<form class="mt-3">
    {fields}
    <label class="form-label required" for="reason">Reason</label>
    <textarea class="form-control" id="reason" name="reason" rows="2" maxlength="500" required
        placeholder="A ticket, or who asked for it"></textarea>
    <div class="form-hint mt-2">Kept with your name in the audit, where nobody can change it.</div>
</form>
"""


REASON = reason_form()

deed = partial(action, form=REASON, modal_size="md")
row_deed = partial(row_action, form=REASON, modal_size="md")
"""What staff can do to many rows, or to one: they say why first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What somebody is about to do; its transaction sees all tenants, and commits when the block ends."""

    connection: AsyncConnection
    staff: Staff
    reason: str
    now: datetime

    async def note(
        self,
        verb: Verb,
        subject: tuple[str, object, str],
        *,
        organization_id: UUID | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
    ) -> None:
        """Note what was done; the subject is its type, its id and what it is called."""
        kind, key, called = subject
        deed = Deed(
            verb=verb,
            subject_type=kind,
            subject_id=str(key),
            subject=called,
            organization_id=organization_id,
            reason=self.reason,
            before=before or {},
            after=after or {},
        )
        await note(self.connection, self.staff, deed, now=self.now)


@asynccontextmanager
async def acting(database: Database, request: Request) -> AsyncIterator[Act]:
    """Do something as whoever asks for it. Raises `ActionFailed` where they don't say why."""
    reason = await read_reason_of(request)
    async with database.system() as connection:
        yield Act(connection=connection, staff=staff_of(request), reason=reason, now=system_now())


@asynccontextmanager
async def acting_for(
    database: Database, request: Request, organization_id: UUID
) -> AsyncIterator[tuple[Tx, Act]]:
    """Do something that a tenant could do too, seeing no other's rows, until it is to be noted: see `noting`."""
    reason = await read_reason_of(request)
    async with database.tenant(organization_id) as tx:
        yield (
            tx,
            Act(connection=tx.connection, staff=staff_of(request), reason=reason, now=system_now()),
        )


async def noting(tx: Tx, act: Act, verb: Verb, subject: tuple[str, object, str], **changes: Any) -> None:
    """Note what was done for a tenant, in its transaction, which sees no row of it from then on but the note's table."""
    await leave_tenant(tx)
    await act.note(verb, subject, organization_id=tx.organization_id, **changes)


async def read_reason_of(request: Request) -> str:
    """Why somebody does what they ask for. Raises `ActionFailed`."""
    form = await request.form()
    try:
        return read_reason(str(form.get("reason") or ""))
    except Invalid:
        raise ActionFailed("Nothing was done: say why, in 500 characters at the most.") from None
