"""Files in a bucket of Google's, over the XML API of Cloud Storage as its reference has it, on a server in this process."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tallymark.integrations.files import StoredFiles, open_store
from tallymark.settings import Settings

BUCKET = "bills"


class Bucket(BaseHTTPRequestHandler):
    """Objects of one bucket: `PUT`, `GET` and `DELETE /bucket/object`."""

    held: dict[str, bytes]

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.held[self.key] = content
        self.answer(200, b"", content)

    def do_GET(self) -> None:
        content = self.held.get(self.key)
        if content is None:
            self.answer(404, b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>", b"")
        else:
            self.answer(200, content, content)

    def do_DELETE(self) -> None:
        self.answer(404 if self.held.pop(self.key, None) is None else 204, b"", b"")

    @property
    def key(self) -> str:
        _, bucket, key = unquote(urlsplit(self.path).path).split("/", 2)
        assert bucket == BUCKET
        return key

    def answer(self, status: int, body: bytes, content: bytes) -> None:
        self.send_response(status)
        self.send_header("ETag", f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"')
        self.send_header("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.send_header("x-goog-generation", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def held() -> Iterator[tuple[str, dict[str, bytes]]]:
    """The address of a server, and what lies in its bucket."""
    objects: dict[str, bytes] = {}
    serving = type("Serving", (Bucket,), {"held": objects})
    with ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", objects
        server.shutdown()


@pytest.fixture
def files(held, tmp_path: Path, monkeypatch) -> StoredFiles:
    """The store as the environment of a self-hoster configures it, its key's file leading to the server."""
    key = {
        "gcs_base_url": held[0],
        "disable_oauth": True,
        "client_email": "",
        "private_key": "",
        "private_key_id": "",
    }
    account = tmp_path / "account.json"
    account.write_text(json.dumps(key))
    for name, value in {
        "LAGO_USE_GCS": "true",
        "LAGO_GCS_BUCKET": BUCKET,
        "GOOGLE_SERVICE_ACCOUNT": str(account),
        "GOOGLE_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings()
    return StoredFiles(open_store(settings.files_address, settings.files_options, folder=tmp_path / "files"))


async def test_files_are_written_read_and_deleted(files, held, tmp_path):
    _, objects = held
    await files.put("invoices/a b.pdf", b"%PDF")
    assert objects == {"invoices/a b.pdf": b"%PDF"}
    assert await files.get("invoices/a b.pdf") == b"%PDF"
    await files.put("invoices/a b.pdf", b"anew")
    assert await files.get("invoices/a b.pdf") == b"anew"
    await files.delete("invoices/a b.pdf")
    await files.delete("invoices/a b.pdf")
    assert objects == {}
    assert await files.get("invoices/a b.pdf") is None
    assert not (tmp_path / "files").exists()


async def test_whole_files_come_and_go(files, held, tmp_path):
    export, copy = tmp_path / "export.csv", tmp_path / "copy.csv"
    export.write_bytes(b"a,b\n" * 1000)
    await files.put_file("exports/e.csv", export)
    assert held[1] == {"exports/e.csv": export.read_bytes()}
    assert await files.fetch_file("exports/e.csv", copy)
    assert copy.read_bytes() == export.read_bytes()
    assert not await files.fetch_file("exports/none.csv", copy)
