"""Keep first answers, and find them again (beyond §5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from tallymark.api.idempotency import KeptAnswer
from tallymark.db.engine import Tx
from tallymark.rooms.idempotency import repository

KEPT_FOR = timedelta(hours=24)


class KeptAnswers:
    """Implements `api.idempotency.Answers`."""

    async def find(self, tx: Tx, slot: UUID, *, now: datetime) -> KeptAnswer | None:
        """The answer of a slot, where it is younger than a day."""
        return await repository.find_answer(tx, slot, after=now - KEPT_FOR)

    async def keep(self, tx: Tx, slot: UUID, answer: KeptAnswer, *, now: datetime) -> None:
        """Keep an answer for a day, in place of an older one."""
        await repository.keep_answer(tx, slot, answer, at=now)
