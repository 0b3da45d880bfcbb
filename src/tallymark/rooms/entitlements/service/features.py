"""Make, change and delete features and their privileges (platform §11)."""

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
from tallymark.jobs.activity import changes
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.entitlements.inputs import PrivilegeInput, Sent, read_feature
from tallymark.rooms.entitlements.model import (
    Feature,
    Named,
    Owner,
    Privilege,
    ValueType,
    changes_between,
    named,
)
from tallymark.rooms.entitlements.repository import features as repository
from tallymark.rooms.entitlements.repository import grants

LOCK = "features"
"""Whoever changes features waits for whoever gives values of them, and they for it."""


async def create_feature(tx: Tx, sent: Sent, *, now: datetime) -> Feature:
    """Make a feature with its privileges. Raises `Invalid`, also for a code that is taken."""
    asked = read_feature(sent)
    await tx.lock(LOCK, tx.organization_id)
    code = asked.values["code"]
    if await repository.find_features(tx, [code]):
        raise Invalid({"code": ["value_already_exist"]})
    feature_id = new_id()
    stamps = {"created_at": now, "updated_at": now}
    row = {"id": feature_id, "organization_id": tx.organization_id, **asked.values, **stamps}
    await repository.insert_feature(tx, row)
    await _add_privileges(tx, feature_id, asked.privileges, start=0, now=now)
    await emit(tx, _message("feature.created", feature_id), now=now)
    return await get_feature(tx, code=code)


async def get_feature(tx: Tx, *, code: str) -> Feature:
    """A live feature by code. Raises `NotFound("feature")`."""
    found = await repository.find_features(tx, [code])
    if not found:
        raise NotFound("feature")
    return found[code]


async def get_features(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Feature]:
    """Features by id, deleted ones too."""
    return await repository.get_features(tx, ids) if ids else {}


async def list_features(tx: Tx, page: Page, *, search_term: str | None) -> tuple[list[Feature], int]:
    """A page of features, newest first, and how many there are."""
    return await repository.list_features(tx, page, search_term)


async def update_feature(tx: Tx, code: str, sent: Sent, *, now: datetime) -> Feature:
    """Change what is sent: privileges that are not known are added, of others the name, and options are added.

    Raises `NotFound("feature")` and `Invalid`.
    """
    await tx.lock(LOCK, tx.organization_id)
    feature = await get_feature(tx, code=code)
    if sent.get("code") not in (None, feature.code):
        raise Invalid({"code": ["modification_not_allowed"]})
    known = {one.code: one for one in feature.privileges}
    asked = read_feature(sent, known)
    await repository.update_feature(tx, feature.id, {**asked.values, "updated_at": now})
    changed = [
        _changed_row(known[item.code], item, now=now) for item in asked.privileges if item.code in known
    ]
    await repository.update_privileges(tx, changed)
    fresh = [item for item in asked.privileges if item.code not in known]
    start = max((one.position for one in feature.privileges), default=-1) + 1
    await _add_privileges(tx, feature.id, fresh, start=start, now=now)
    updated = await get_feature(tx, code=code)
    told = replace(
        _message("feature.updated", feature.id), changes=changes(feature, updated, parts=["privileges"])
    )
    await emit(tx, told, now=now)
    return updated


async def delete_feature(tx: Tx, code: str, *, now: datetime) -> Feature:
    """Delete a feature, and take it from all plans and subscriptions. Raises `NotFound("feature")`."""
    await tx.lock(LOCK, tx.organization_id)
    feature = await get_feature(tx, code=code)
    concerned = await _granting(tx, feature)
    await grants.drop_feature(tx, feature.id)
    await repository.delete_feature(tx, feature.id, at=now)
    told = await _updated(tx, feature, concerned)
    await emit(tx, *told, _message("feature.deleted", feature.id), now=now)
    return feature


async def delete_privilege(tx: Tx, code: str, privilege_code: str, *, now: datetime) -> Feature:
    """Delete a privilege with its values, and answer the feature. Raises `NotFound` of either."""
    await tx.lock(LOCK, tx.organization_id)
    feature = await get_feature(tx, code=code)
    gone = find_privilege(feature, privilege_code)
    concerned = await _granting(tx, feature, gone)
    await grants.drop_privilege(tx, gone.id)
    await repository.delete_privilege(tx, gone.id)
    await repository.update_feature(tx, feature.id, {"updated_at": now})
    left = await get_feature(tx, code=code)
    told = replace(
        _message("feature.updated", feature.id), changes=changes(feature, left, parts=["privileges"])
    )
    await emit(tx, *await _updated(tx, feature, concerned), told, now=now)
    return left


def find_privilege(feature: Feature, code: str) -> Privilege:
    """A privilege of a feature by code. Raises `NotFound("privilege")`."""
    for privilege in feature.privileges:
        if privilege.code == code:
            return privilege
    raise NotFound("privilege")


async def _add_privileges(
    tx: Tx, feature_id: UUID, asked: Sequence[PrivilegeInput], *, start: int, now: datetime
) -> None:
    rows = [
        {
            "id": new_id(),
            "organization_id": tx.organization_id,
            "feature_id": feature_id,
            "code": item.code,
            "name": item.values.get("name"),
            "value_type": item.value_type or ValueType.STRING,
            "select_options": item.select_options,
            "position": position,
            "created_at": now,
            "updated_at": now,
        }
        for position, item in enumerate(asked, start)
    ]
    await repository.insert_privileges(tx, rows)


def _changed_row(known: Privilege, item: PrivilegeInput, *, now: datetime) -> Mapping[str, Any]:
    options = known.select_options
    if options is not None:
        options = tuple(dict.fromkeys((*options, *(item.select_options or ()))))
    name = item.values.get("name", known.name)
    return {"id": known.id, "name": name, "select_options": options, "updated_at": now}


def _message(webhook_type: str, feature_id: UUID) -> Message:
    return Message(webhook_type=webhook_type, object_type="feature", object_id=feature_id)


Granted = Mapping[tuple[Owner, UUID], Named]
"""What plans and subscriptions grant of one feature, by whose it is."""


async def _granting(tx: Tx, feature: Feature, part: Privilege | None = None) -> Granted:
    """What is granted of a feature, by whoever grants it, or a value of one of its privileges; plans first."""
    found: dict[tuple[Owner, UUID], Named] = {}
    for owner in Owner:
        ids = await grants.owners_granting(tx, owner, feature.id, part.id if part else None)
        of_all = await grants.grants_of(tx, owner, ids) if ids else {}
        for one in ids:
            found[owner, one] = named([grant for grant in of_all[one] if grant.feature.id == feature.id])
    return found


async def _updated(tx: Tx, feature: Feature, before: Granted) -> list[Message]:
    """What is to be told of those who grant a feature otherwise now: the outside hears of plans, the log of subscriptions too."""
    messages = []
    for owner in Owner:
        ids = [one for kind, one in before if kind is owner]
        left = await grants.grants_of(tx, owner, ids) if ids else {}
        for one in ids:
            after = named([grant for grant in left.get(one, ()) if grant.feature.id == feature.id])
            kind = "plan" if owner is Owner.PLAN else "subscription"
            messages.append(
                Message(
                    webhook_type="plan.updated" if owner is Owner.PLAN else None,
                    activity_type=f"{kind}.updated",
                    object_type=kind,
                    object_id=one,
                    changes=changes_between(before[owner, one], after),
                )
            )
    return messages
