"""An organization's own roles (platform §6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallymark.api.role_permissions import PERMISSIONS, PREDEFINED
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Forbidden, Invalid, NotFound, Problems
from tallymark.jobs import security
from tallymark.rooms.members import repository
from tallymark.rooms.members.model import (
    CODE,
    LONGEST_CODE,
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    PREDEFINED_ROLES,
    Role,
)

LOCK = "members"
"""What changes who may do what is done one after the other."""


async def list_roles(tx: Tx) -> list[tuple[Role, int]]:
    """Every role, the predefined ones first, with the number of members who have it."""
    counts = await repository.count_members_by_role(tx)
    found = [*PREDEFINED_ROLES, *await repository.list_roles(tx)]
    return [(role, counts.get(role.code, 0)) for role in found]


async def get_role(tx: Tx, code: str) -> tuple[Role, int]:
    """A role with the number of its members. Raises `NotFound("role")`."""
    for role, members in await list_roles(tx):
        if role.code == code:
            return role, members
    raise NotFound("role")


async def create_role(tx: Tx, sent: Mapping[str, Any], *, now: datetime) -> Role:
    """Make a role. Raises `Invalid` for a code that is none or taken, and for texts and permissions that are none."""
    await tx.lock(LOCK, tx.organization_id)
    problems = Problems()
    code = sent.get("code") or ""
    _check_code(code, problems)
    values = _read({"name": None, "permissions": None, **sent}, problems)
    if not problems.any and await _is_taken(tx, code):
        problems.add("code", "value_already_exist")
    problems.raise_any()
    values.setdefault("description", None)
    role = Role(
        id=new_id(),
        code=code,
        name=values["name"],
        description=values["description"],
        permissions=tuple(values["permissions"]),
        created_at=now,
    )
    await repository.insert_role(
        tx, {"id": role.id, "code": code, **values, "created_at": now, "updated_at": now}
    )
    told = {"code": code, "name": role.name, "permissions": list(role.permissions)}
    await security.record(tx, "role.created", told, now=now)
    return role


async def update_role(tx: Tx, code: str, sent: Mapping[str, Any], *, now: datetime) -> Role:
    """Change what is sent of a role; its code stays. Raises `NotFound("role")`, `Forbidden("predefined_role")`, `Invalid`."""
    role = await _lock_own(tx, code)
    problems = Problems()
    values = _read(sent, problems)
    if sent.get("code", code) != code:
        problems.add("code", "modification_not_allowed")
    problems.raise_any()
    shown = {"permissions": list(role.permissions), "name": role.name, "description": role.description}
    changes = {name: [shown[name], value] for name, value in values.items() if shown[name] != value}
    if not changes:
        return role
    await repository.update_role(tx, _id_of(role), {**values, "updated_at": now})
    told = {"code": code, **security.deletions_and_additions(changes)}
    await security.record(tx, "role.updated", told, now=now)
    if "permissions" in values:
        values["permissions"] = tuple(values["permissions"])
    return replace(role, **values)


async def delete_role(tx: Tx, code: str, *, now: datetime) -> None:
    """Delete a role that nobody has. Raises `NotFound`, `Forbidden("predefined_role")`, `Forbidden("role_assigned_to_members")`."""
    role = await _lock_own(tx, code)
    if await repository.is_assigned(tx, code):
        raise Forbidden("role_assigned_to_members")
    await repository.delete_role(tx, _id_of(role))
    await security.record(tx, "role.deleted", {"code": code, "name": role.name}, now=now)


async def unknown_roles(tx: Tx, codes: Sequence[str]) -> set[str]:
    """Which of these codes no role has."""
    return set(codes) - PREDEFINED.keys() - await repository.known_roles(tx, codes)


async def _lock_own(tx: Tx, code: str) -> Role:
    await tx.lock(LOCK, tx.organization_id)
    role, _ = await get_role(tx, code)
    if role.is_predefined:
        raise Forbidden("predefined_role")
    return role


def _id_of(role: Role) -> Any:
    assert role.id is not None, "an organization's own role has an id"
    return role.id


async def _is_taken(tx: Tx, code: str) -> bool:
    return not await unknown_roles(tx, [code])


def _check_code(code: str, problems: Problems) -> None:
    if not code:
        problems.add("code", "value_is_mandatory")
    elif len(code) > LONGEST_CODE:
        problems.add("code", "value_is_too_long")
    elif not CODE.fullmatch(code):
        problems.add("code", "invalid_format")


def _read(sent: Mapping[str, Any], problems: Problems) -> dict[str, Any]:
    """The texts and permissions that are sent, as they are kept."""
    values: dict[str, Any] = {}
    if "name" in sent:
        values["name"] = name = " ".join((sent["name"] or "").split())
        _check_length("name", name, LONGEST_NAME, problems)
        if not name:
            problems.add("name", "value_is_mandatory")
    if "description" in sent:
        values["description"] = sent["description"]
        _check_length("description", sent["description"] or "", LONGEST_DESCRIPTION, problems)
    if "permissions" in sent:
        values["permissions"] = _read_permissions(sent["permissions"], problems)
    return values


def _check_length(name: str, text: str, longest: int, problems: Problems) -> None:
    if len(text) > longest:
        problems.add(name, "value_is_too_long")


def _read_permissions(sent: Any, problems: Problems) -> list[str]:
    if not sent:
        problems.add("permissions", "value_is_mandatory")
    elif not isinstance(sent, list) or not all(isinstance(one, str) and one in PERMISSIONS for one in sent):
        problems.add("permissions", "value_is_invalid")
    else:
        return sorted(set(sent))
    return []


def check_known(unknown: set[str], roles: Sequence[str]) -> None:
    """Raises `Invalid` on `roles` for none, and for one that is no role."""
    if unknown or not roles:
        raise Invalid({"roles": ["invalid_role"]})
