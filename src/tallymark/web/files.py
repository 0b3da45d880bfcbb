"""The files that the web app's build has left, each as it is and as it was compressed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INDEX = "index.html"
"""The page that the app begins with, whatever address somebody comes to."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".gif": "image/gif",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Named here: what a machine's own table says differs from machine to machine."""

_SUFFIXES = {"br": ".br", "gzip": ".gz"}
"""The codings that the build writes beside a file, the smallest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltFile:
    """A file with its content in each coding that there is; "identity" is the file as it is."""

    content_type: str
    contents: Mapping[str, bytes]
    digest: str

    def etag(self, coding: str) -> str:
        """The strong validator of a coding: each has its own bytes."""
        return f'"{self.digest}"' if coding == "identity" else f'"{self.digest}-{coding}"'

    def best_coding(self, accepted: str) -> str:
        """The coding to send to whoever says that in `Accept-Encoding`; the file as it is, where nothing else will do.

        >>> file = BuiltFile(content_type="", contents={"identity": b"", "br": b"", "gzip": b""}, digest="")
        >>> [file.best_coding(text) for text in ("gzip, deflate, br", "gzip", "br;q=0, *", "gzip;q=0.9, br;q=0.1", "")]
        ['br', 'gzip', 'gzip', 'gzip', 'identity']
        """
        weights = _read_weights(accepted)
        everything = weights.get("*", 0)
        offered = [coding for coding in _SUFFIXES if coding in self.contents]
        best = max(offered, key=lambda coding: weights.get(coding, everything), default="identity")
        return best if weights.get(best, everything) > 0 else "identity"


def _read_weights(accepted: str) -> dict[str, int]:
    """Thousandths by coding, of a header of codings with weights; a weight that is none counts as no wish at all."""
    weights = {}
    for part in accepted.lower().split(","):
        name, _, rest = part.partition(";")
        weights[name.strip()] = _read_weight(rest)
    return weights


def _read_weight(text: str) -> int:
    name, _, value = text.strip().partition("=")
    if not text.strip():
        return 1000
    found = re.fullmatch(r"([01])(?:\.(\d{0,3}))?", value.strip(), re.ASCII)
    if name.strip() != "q" or found is None:
        return 0
    return min(int(found[1] + (found[2] or "").ljust(3, "0")), 1000)


class Build:
    """What is in the build's folder; it is read when it is first asked for, and again once another build is there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamp: tuple[int, int] | None = None
        self._files: Mapping[str, BuiltFile] = {}

    def files(self) -> Mapping[str, BuiltFile]:
        """The files by their path below the folder; none where nothing is built. No other path leads to a file."""
        stamp = self._read_stamp()
        if stamp != self._stamp:
            self._files = {} if stamp is None else _read_all(self._folder)
            self._stamp = stamp
        return self._files

    def _read_stamp(self) -> tuple[int, int] | None:
        """What changes with every build: its page names files by what is in them."""
        try:
            found = (self._folder / INDEX).stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def _read_all(folder: Path) -> dict[str, BuiltFile]:
    paths = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    variants = {name + suffix for name in paths for suffix in _SUFFIXES.values()}
    return {name: _read(path, paths, name) for name, path in paths.items() if name not in variants}


def _read(path: Path, paths: Mapping[str, Path], name: str) -> BuiltFile:
    content = path.read_bytes()
    compressed = {
        coding: paths[name + suffix].read_bytes()
        for coding, suffix in _SUFFIXES.items()
        if name + suffix in paths
    }
    return BuiltFile(
        content_type=_TYPES.get(path.suffix.lower(), "application/octet-stream"),
        contents={"identity": content, **compressed},
        digest=hashlib.sha256(content).hexdigest()[:32],
    )
