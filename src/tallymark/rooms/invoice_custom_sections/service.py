"""What can be done with custom sections (platform §13): make, change, delete and select them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotFound
from tallymark.jobs.activity import changes as changes_of
from tallymark.jobs.outbox import log_alone
from tallymark.rooms.invoice_custom_sections import repository
from tallymark.rooms.invoice_custom_sections.model import Owner, Section


async def create_section(tx: Tx, values: Mapping[str, Any], *, now: datetime) -> Section:
    """Make a section. Raises `Invalid` for a code that is taken."""
    await _claim_code(tx, values["code"])
    stamps = {"created_at": now, "updated_at": now}
    row = {"id": new_id(), "organization_id": tx.organization_id, **values, **stamps}
    made = await repository.insert_section(tx, row)
    await log_alone(tx, "invoice_custom_section.created", made.id, now=now)
    return made


async def get_section(tx: Tx, *, code: str) -> Section:
    """A live section by code. Raises `NotFound("invoice_custom_section")`."""
    found = await repository.find_sections(tx, [code])
    if not found:
        raise NotFound("invoice_custom_section")
    return found[0]


async def list_sections(tx: Tx, page: Page) -> tuple[list[Section], int]:
    """A page of live sections by name, and how many there are."""
    return await repository.list_sections(tx, page)


async def update_section(tx: Tx, code: str, changes: Mapping[str, Any], *, now: datetime) -> Section:
    """Change what is sent; invoices that are issued keep their copies. Raises what the others raise."""
    section = await get_section(tx, code=code)
    if changes.get("code", code) != code:
        await _claim_code(tx, changes["code"])
    changed = await repository.update_section(tx, section.id, {**changes, "updated_at": now})
    different = changes_of(section, changed)
    await log_alone(tx, "invoice_custom_section.updated", section.id, now=now, changed=different)
    return changed


async def delete_section(tx: Tx, code: str, *, now: datetime) -> Section:
    """Delete a section and deselect it everywhere."""
    await tx.lock("section-code", tx.organization_id)
    section = await get_section(tx, code=code)
    await repository.delete_section(tx, section.id, at=now)
    await log_alone(tx, "invoice_custom_section.deleted", section.id, now=now)
    return section


async def get_sections(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Section]:
    """Sections by id, deleted ones too."""
    return {section.id: section for section in await repository.get_sections(tx, ids)} if ids else {}


async def select_sections(tx: Tx, owner: Owner, owner_id: UUID, codes: Sequence[str]) -> None:
    """Make these an owner's selection. Raises `Invalid` for an unknown code."""
    found = await find_sections(tx, codes)
    await repository.replace_links(tx, owner, owner_id, [section.id for section in found])


async def find_sections(tx: Tx, codes: Collection[str]) -> list[Section]:
    """Sections by code. Raises `Invalid` for an unknown one."""
    found = await repository.find_sections(tx, set(codes)) if codes else []
    if len(found) < len(set(codes)):
        raise Invalid({"invoice_custom_section_codes": ["value_is_invalid"]})
    return found


async def sections_of(tx: Tx, owner: Owner, ids: Collection[UUID]) -> dict[UUID, tuple[Section, ...]]:
    """What owners have selected, by name; owners without a selection are left out."""
    return await repository.sections_of(tx, owner, ids) if ids else {}


async def _claim_code(tx: Tx, code: str) -> None:
    await tx.lock("section-code", tx.organization_id)
    if await repository.find_sections(tx, [code]):
        raise Invalid({"code": ["value_already_exist"]})
