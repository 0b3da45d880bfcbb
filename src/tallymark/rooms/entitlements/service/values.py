"""Values that requests give, found by codes and checked against their features (platform §11)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound, Problems
from tallymark.rooms.entitlements.inputs import Sent, read_entitlements, read_value
from tallymark.rooms.entitlements.model import Feature, Value
from tallymark.rooms.entitlements.repository import features as repository
from tallymark.rooms.entitlements.service.features import LOCK, find_privilege

Given = Mapping[UUID, Mapping[UUID, Value]]
"""Values by privilege, by feature; in the order in which they are sent."""


async def hold_features(tx: Tx) -> None:
    """Wait for whoever changes features, and keep them as they are until the transaction ends."""
    await tx.lock_all(LOCK, [tx.organization_id], is_shared=True)


async def read_given(tx: Tx, sent: Sent) -> Given:
    """What is sent of features. Raises `NotFound` for a code that is not known, else `Invalid` with all faults."""
    asked = read_entitlements(sent)
    features = await repository.find_features(tx, asked) if asked else {}
    for code in asked:
        if code not in features:
            raise NotFound("feature")
    problems = Problems()
    given = {features[code].id: _values(features[code], values, problems) for code, values in asked.items()}
    problems.raise_any()
    return given


def _values(feature: Feature, sent: Mapping[str, Any], problems: Problems) -> dict[UUID, Value]:
    named = [(find_privilege(feature, code), value) for code, value in sent.items()]
    read = {privilege.id: read_value(privilege, value, problems) for privilege, value in named}
    return {key: value for key, value in read.items() if value is not None}
