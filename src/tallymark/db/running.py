"""Find the embedded PostgreSQL that another process runs on a data directory."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import psutil

from tallymark.db.embedded import DATABASE, SUPERUSER


def running_server_url(data_dir: Path) -> str | None:
    """The URL of the server that serves this data directory now; None when there is none.

    PostgreSQL notes in `postmaster.pid` its process (line 1), its socket's folder (5) and its status (8).
    """
    noted = _note_of_living(data_dir)
    if noted is None or len(noted) < 8 or noted[7].strip() != "ready":
        return None
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(noted[4])}"


def is_server_alive(data_dir: Path) -> bool:
    """Whether the server of this data directory lives, be it ready or not."""
    return _note_of_living(data_dir) is not None


def _note_of_living(data_dir: Path) -> list[str] | None:
    try:
        noted = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(noted[0]))
        is_alive = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return noted if is_alive else None
