"""Notices to the admins of an organization: that what lets somebody in was changed; sent by a job, once it was (platform §5, §7)."""

from __future__ import annotations

from enum import StrEnum

from tallymark.db.engine import Tx
from tallymark.jobs.queue import SEND_NOTICE, Job, enqueue


class NoticeKind(StrEnum):
    """What the admins are told."""

    KEY_CREATED = "api_key.created"
    KEY_ROTATED = "api_key.rotated"
    KEY_DELETED = "api_key.deleted"
    METHODS_CHANGED = "authentication_methods.updated"


async def notify_admins(tx: Tx, kind: NoticeKind, about: str) -> None:
    """Have the admins told; `about` is what it was done to, in words that they know."""
    arguments = {"organization_id": str(tx.organization_id), "kind": kind.value, "about": about}
    await enqueue(tx, Job(task=SEND_NOTICE, arguments=arguments))
