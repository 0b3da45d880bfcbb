"""What a backup is: a folder with a dump, documents, what they are of, and the checksums of all.

tallymark-20261130T031500Z/
    SHA256SUMS       of every other file; `sha256sum --check SHA256SUMS` reads it, too
    manifest.json    release, schema, rows of each table, ...
    database.dump    pg_dump's custom format, but for the schema's revision: without it nothing starts on a half restored database
    files/           documents, below their keys
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import msgspec

from tallymark.db.errors import StartupError

FORMAT = 1
SUMS, MANIFEST, DUMP, FILES = "SHA256SUMS", "manifest.json", "database.dump", "files"
NAME = re.compile(r"tallymark-\d{8}T\d{6}Z")

Tell = Callable[[str, int, int | None], None]
"""Hears what is being done, how much of it is, and of how much, where that is known."""

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")
_PART = 1 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """Of what a backup is."""

    format: int
    made_at: datetime
    release: str
    revision: str
    """The schema's."""
    server: int
    """PostgreSQL's major version: what was dumped of one goes into none that is older."""
    program: int
    """And that of the program that dumped it: no older one reads it."""
    roles: tuple[str, ...]
    """Tallymark's own roles, which belong to the server and not to the database."""
    schemas: tuple[str, ...]
    rows: dict[str, int]
    """Of each table, those of events in all months together."""
    files: int
    files_elsewhere: str | None
    """Where documents are when they are not in the backup: a bucket keeps them by itself."""
    missing: tuple[str, ...]
    """Documents that rows name and that were not there."""
    secrets: tuple[str, ...]
    """Settings with secrets that were set: what they encrypted or signed needs them again. All others are in the database."""


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write it as people read it, too."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(text + b"\n")


def write_sums(folder: Path, sums: Mapping[str, str]) -> None:
    """Write the checksums of files by their paths in the backup."""
    lines = [f"{digest}  {path}\n" for path, digest in sorted(sums.items())]
    (folder / SUMS).write_text("".join(lines))


def check(folder: Path, tell: Tell = lambda *_: None) -> Manifest:
    """Read every file of a backup. Raises `StartupError` unless all are there, and as they were written."""
    sums = _read_sums(folder)
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SUMS}
    if missing := sorted(set(sums) - found):
        raise StartupError(f"the backup is incomplete: {missing[0]} is missing" + _more(missing))
    if foreign := sorted(found - set(sums)):
        raise StartupError(f"the backup was altered: {foreign[0]} is not of it" + _more(foreign))
    for done, (path, digest) in enumerate(sums.items()):
        tell("Checking the backup", done, len(sums))
        if digest_of(folder / path) != digest:
            raise StartupError(f"the backup was altered: {path} is not as it was written")
    tell("Checking the backup", len(sums), len(sums))
    return read_manifest(folder)


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while part := file.read(_PART):
            digest.update(part)
    return digest.hexdigest()


def _read_sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise StartupError(_no_backup(folder)) from None
    read = [_LINE.fullmatch(line) for line in lines]
    sums = {line[2]: line[1] for line in read if line is not None}
    if len(sums) != len(lines) or not {MANIFEST, DUMP} <= set(sums):
        raise StartupError(f"the backup was altered: {folder / SUMS} is not as it was written")
    return sums


def _no_backup(folder: Path) -> str:
    within = backups_in(folder)
    if within:
        return f"{folder} holds backups, the newest of which is {within[-1].name}: name one of them"
    return f"{folder} is no backup: it has no {SUMS}"


def backups_in(folder: Path) -> list[Path]:
    """The whole backups in a folder, the oldest first: an unfinished one has another name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name) and (path / SUMS).is_file())


def read_manifest(folder: Path) -> Manifest:
    """What a backup says of itself, unchecked. Raises `StartupError`."""
    text = (folder / MANIFEST).read_bytes()
    try:
        known = msgspec.json.decode(text, type=dict[str, object]).get("format")
        if known != FORMAT:
            raise StartupError(
                f"the backup's format is {known}, and this release knows {FORMAT}: upgrade Tallymark"
            )
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError as error:
        raise StartupError(f"{folder / MANIFEST} can't be read: {error}") from None


def _more(paths: list[str]) -> str:
    return f", and {len(paths) - 1} more" if len(paths) > 1 else ""
