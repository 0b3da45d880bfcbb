"""Locks that are held for longer than a transaction."""

from __future__ import annotations

from uuid import uuid4

from tallymark.db.engine import Database


async def test_a_lock_that_was_let_go_of_is_free_at_once(database: Database) -> None:
    """The next advance of a clock is not refused because the server has not noticed yet that the last one is over."""
    key = uuid4()
    for _ in range(100):
        async with database.held("clock", key) as is_mine:
            assert is_mine


async def test_a_lock_has_one_holder(database: Database) -> None:
    key = uuid4()
    async with database.held("clock", key) as is_mine:
        assert is_mine
        async with database.held("clock", key) as is_mine_too:
            assert not is_mine_too
        async with database.held("clock", uuid4()) as is_another:
            assert is_another
