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
    try:
        noted = (data_dir / "postgres" / "postmaster.pid").read_text().splitlines()
        process = psutil.Process(int(noted[0]))
        is_serving = process.name() == "postgres" and noted[7].strip() == "ready"
    except (OSError, ValueError, IndexError, psutil.Error):
        return None
    return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(noted[4])}" if is_serving else None
