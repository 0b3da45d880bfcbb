"""What can be done with add-ons (pricing §3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.activity import Changes
from tallymark.jobs.activity import changes as changes_of
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.add_ons import repository
from tallymark.rooms.add_ons.model import AddOn
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.model import Owner


async def create_add_on(
    tx: Tx, values: Mapping[str, Any], *, tax_codes: Sequence[str] | None, now: datetime
) -> AddOn:
    """Make an add-on. Raises `Invalid` for a code that is taken, `NotFound("tax")` for an unknown tax."""
    await _claim_code(tx, values["code"])
    stamps = {"created_at": now, "updated_at": now}
    row = {"id": new_id(), "organization_id": tx.organization_id, **values, **stamps}
    made = await _save_taxes(tx, await repository.insert_add_on(tx, row), tax_codes)
    await log_alone(tx, "add_on.created", made.id, now=now)
    return made


async def get_add_on(tx: Tx, *, code: str) -> AddOn:
    """A live add-on by code. Raises `NotFound("add_on")`."""
    found = await find_add_ons(tx, [code])
    if code not in found:
        raise NotFound("add_on")
    return found[code]


async def find_add_ons(tx: Tx, codes: Collection[str]) -> dict[str, AddOn]:
    """Live add-ons by code; unknown codes are left out."""
    found = await repository.find_add_ons(tx, set(codes)) if codes else []
    return {add_on.code: add_on for add_on in await _with_taxes(tx, found)}


async def get_add_ons(tx: Tx, ids: Collection[UUID]) -> dict[UUID, AddOn]:
    """Add-ons by id, deleted ones too: fixed charges keep pointing to them."""
    found = await repository.get_add_ons(tx, ids) if ids else []
    return {add_on.id: add_on for add_on in await _with_taxes(tx, found)}


async def get_live_add_ons(tx: Tx, ids: Collection[UUID]) -> dict[UUID, AddOn]:
    """Add-ons by id. Raises `NotFound("add_ons")` if one is unknown or deleted."""
    found = await repository.get_add_ons(tx, set(ids), live_only=True) if ids else []
    if len(found) < len(set(ids)):
        raise NotFound("add_ons")
    return {add_on.id: add_on for add_on in await _with_taxes(tx, found)}


async def list_add_ons(tx: Tx, page: Page, *, search_term: str | None = None) -> tuple[list[AddOn], int]:
    """A page of add-ons, newest first, and how many there are; of those with a text in their name or code."""
    found, total = await repository.list_add_ons(tx, page, search_term)
    return await _with_taxes(tx, found), total


async def update_add_on(
    tx: Tx, code: str, changes: Mapping[str, Any], *, tax_codes: Sequence[str] | None, now: datetime
) -> AddOn:
    """Change what is sent. Raises `NotFound("add_on")`, and what `create_add_on` raises."""
    add_on = await get_add_on(tx, code=code)
    if changes.get("code", code) != code:
        await _claim_code(tx, changes["code"])
    row = await repository.update_add_on(tx, add_on.id, {**changes, "updated_at": now})
    changed = await _save_taxes(tx, row, tax_codes)
    different = {**changes_of(add_on, changed), **_change_of_taxes(add_on, changed)}
    await log_alone(tx, "add_on.updated", add_on.id, now=now, changed=different)
    return changed


async def delete_add_on(tx: Tx, code: str, *, now: datetime) -> AddOn:
    """Delete an add-on with the fixed charges built on it, in all plans; its code is free again."""
    await tx.lock("add-on-code", tx.organization_id)
    add_on = await get_add_on(tx, code=code)
    await repository.delete_add_on(tx, add_on.id, at=now)
    await log_alone(tx, "add_on.deleted", add_on.id, now=now)
    return add_on


def _change_of_taxes(before: AddOn, after: AddOn) -> Changes:
    codes = [[tax.code for tax in one.taxes] for one in (before, after)]
    return {} if codes[0] == codes[1] else {"tax_codes": codes}


async def _claim_code(tx: Tx, code: str) -> None:
    await tx.lock("add-on-code", tx.organization_id)
    if await repository.find_add_ons(tx, [code]):
        raise Invalid({"code": ["value_already_exist"]})


async def _save_taxes(tx: Tx, add_on: AddOn, tax_codes: Sequence[str] | None) -> AddOn:
    if tax_codes is not None:
        await taxes.replace_taxes(tx, Owner.ADD_ON, add_on.id, tax_codes)
    (saved,) = await _with_taxes(tx, [add_on])
    return saved


async def _with_taxes(tx: Tx, add_ons: Sequence[AddOn]) -> list[AddOn]:
    carried = await taxes.taxes_of(tx, Owner.ADD_ON, {add_on.id for add_on in add_ons})
    return [replace(add_on, taxes=carried.get(add_on.id, ())) for add_on in add_ons]
