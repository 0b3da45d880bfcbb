"""Keeps a world of this schema, made by this release: `python -m deploy.worlds.make`, which `make release` does."""

from __future__ import annotations

import asyncio
import json
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from deploy.worlds.life import Json, build
from deploy.worlds.rest import add_the_rest

from tallymark.backups import back_up
from tallymark.db.embedded import embedded_postgres_server
from tallymark.db.migrate import migrate
from tallymark.settings import Settings

WORLDS = Path(__file__).parents[2] / "tests" / "upgrades" / "worlds"


def make() -> Path:
    """A world in a database of its own: what it is backed up to, and what the API told of it; kept unless it is already."""
    with tempfile.TemporaryDirectory(prefix="tm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # the database's own user passes through
        with embedded_postgres_server(folder / "data") as url:
            kept = WORLDS / f"{migrate(url)}.tar.xz"
            if not kept.exists():
                options = Settings(database_url=url, data_dir=folder / "data")
                told = asyncio.run(build(url, folder / "data"))
                asyncio.run(add_the_rest(url, folder / "data"))
                backup = back_up(options, folder / "backups", tell=lambda *_: None, now=datetime.now(UTC))
                pack(backup, told, kept)
    return kept


def pack(backup: Path, told: Json, kept: Path) -> None:
    """Put a backup and what was told into one file."""
    (backup.parent / "world.json").write_text(json.dumps(told, indent=1))
    kept.parent.mkdir(exist_ok=True)
    with tarfile.open(kept, "w:xz", preset=9) as archive:
        archive.add(backup, "backup")
        archive.add(backup.parent / "world.json", "world.json")


if __name__ == "__main__":
    sys.stdout.write(f"{make()}\n")
