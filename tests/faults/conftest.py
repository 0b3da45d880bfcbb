"""Two worlds for a life that is lived with and without power cuts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.faults.lives import START, Lives, World

from tallymark.app import Running
from tallymark.db.engine import Tx
from tallymark.jobs import agenda
from tallymark.jobs.agenda import Batch


@pytest.fixture
async def lives(
    make_organization: Any,
    application: Running,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Lives]:
    """Two organizations that have nothing yet; whatever happens, every law of the audit holds for both in the end.

    A test names by its mark `cuts` what it cuts the power of: the routes that it calls, the kinds of work that fall due and the
    jobs of the queue. With `is_live` the organizations have no clock of their own, and jobs do what is due.
    """
    marked = request.node.get_closest_marker("cuts")
    assert marked is not None, "a mark tells what is cut"
    is_simulated = not marked.kwargs.get("is_live", False)
    worlds = [await make_organization(START if is_simulated else None) for _ in range(2)]
    calm, stormy = (
        World(one.client, application.database, application.tasks, one.id, is_simulated) for one in worlds
    )
    both = Lives(calm, stormy)
    complete = agenda.complete

    async def note(tx: Tx, batch: Batch) -> None:
        both.worked.add(batch.kind)
        await complete(tx, batch)

    monkeypatch.setattr(agenda, "complete", note)
    yield both
    assert both.is_broken or set(marked.args) <= both.done, f"not cut: {set(marked.args) - both.done}"
