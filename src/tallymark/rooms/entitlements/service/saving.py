"""Write the grants of a plan or a subscription: what is not wanted any more goes, what stays keeps its age."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.rooms.entitlements.model import Grant, Owner, Values
from tallymark.rooms.entitlements.repository import grants as repository


async def save_grants(
    tx: Tx,
    owner: tuple[Owner, UUID],
    known: Collection[Grant],
    wanted: Mapping[UUID, Values],
    *,
    now: datetime,
) -> None:
    """Make an owner's grants, of which it has the `known` ones, those that are wanted: values by feature."""
    ids = {grant.feature.id: grant.id for grant in known}
    before = {grant.feature.id: grant.values for grant in known}
    await repository.delete_grants(tx, [ids[key] for key in ids.keys() - wanted.keys()])
    fresh = {feature_id: new_id() for feature_id in wanted if feature_id not in ids}
    kind, owner_id = owner
    common = {
        "organization_id": tx.organization_id,
        kind.value: owner_id,
        "created_at": now,
        "updated_at": now,
    }
    rows = [{"id": grant_id, "feature_id": feature_id, **common} for feature_id, grant_id in fresh.items()]
    await repository.insert_grants(tx, rows)
    changed = [key for key in wanted if key in ids and wanted[key] != before[key]]
    values = [
        {
            "organization_id": tx.organization_id,
            "entitlement_id": (ids | fresh)[feature_id],
            "privilege_id": privilege_id,
            "value": value,
        }
        for feature_id in (*fresh, *changed)
        for privilege_id, value in wanted[feature_id].items()
    ]
    await repository.replace_values(tx, [ids[key] for key in changed], values)
