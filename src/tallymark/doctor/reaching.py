"""What is outside: mail server, file store, receivers of webhooks, and those who are told of errors and figures."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import Sequence
from contextlib import suppress
from urllib.parse import urlsplit

import httpx

from tallymark.doctor.model import Finding, failing, unused, warning, well
from tallymark.integrations.emails.smtp import SmtpPost
from tallymark.integrations.files import StoredFiles, open_store
from tallymark.integrations.webhooks import Refused, checked_address
from tallymark.outside import mail_server
from tallymark.rooms.emails.model import NotTaken
from tallymark.settings import Settings

_SECONDS = 10.0
_AT_ONCE = 20
_SHOWN = 10
_STORE = "see TALLYMARK_FILES_URL and TALLYMARK_S3_* in `tallymark settings`, and what the credentials may do"


async def examine_mail(settings: Settings) -> Finding:
    """Whether the mail server lets Tallymark in; nothing is sent."""
    server = mail_server(settings)
    if server is None:
        return unused("e-mail", "no mail server is set (TALLYMARK_SMTP_HOST): no e-mails are sent")
    where = f"{server.host}:{server.port} ({server.security})"
    try:
        await SmtpPost(server).greet()
    except NotTaken as error:
        return failing("e-mail", f"{where}: {error}", "see TALLYMARK_SMTP_* in `tallymark settings`")
    who = f"lets {server.username} in" if server.username else "answers"
    return well("e-mail", f"{where} {who}; e-mails come from {server.sender}")


async def examine_files(settings: Settings) -> Finding:
    """Whether a file can be written, read back and deleted where documents are kept."""
    folder = settings.data_dir.expanduser() / "files"
    where = settings.files_address or str(folder)
    key, content = f"doctor/{uuid.uuid4()}", uuid.uuid4().bytes
    try:
        async with asyncio.timeout(_SECONDS * 3):
            files = StoredFiles(open_store(settings.files_address, settings.files_options, folder=folder))
            await files.put(key, content)
            try:
                read = await files.get(key)
            finally:
                await files.delete(key)
    except Exception as error:  # noqa: BLE001 - whatever a store does not do is what is asked
        is_elsewhere = settings.files_address is not None
        remedy = (
            _STORE
            if is_elsewhere
            else "see that this user may write there, or name another TALLYMARK_DATA_DIR"
        )
        return failing("files", f"{where}: {_words(error)}", remedy)
    if read != content:
        return failing("files", f"{where} gives back another content than was written", "use another store")
    return well("files", f"{where} keeps files and gives them back")


async def examine_receivers(settings: Settings, origins: Sequence[str]) -> list[Finding]:
    """Whether receivers of webhooks can be connected to; nothing is sent to them."""
    if not origins:
        return [unused("webhooks", "no organization has an endpoint")]
    places = asyncio.Semaphore(_AT_ONCE)

    async def connect(origin: str) -> str | None:
        async with places:
            return await _why_not(origin, allows_private=settings.webhooks_allow_private_networks)

    answers = dict(zip(origins, await asyncio.gather(*map(connect, origins)), strict=True))
    wrong = {origin: why for origin, why in answers.items() if why is not None}
    found = [
        warning(
            "webhooks",
            f"{origin}: {why}",
            "see that its name, its certificate and firewalls let this machine through",
        )
        for origin, why in list(wrong.items())[:_SHOWN]
    ]
    if len(wrong) > _SHOWN:
        found.append(
            warning("webhooks", f"{len(wrong) - _SHOWN} more can't be reached", "mend the first ones first")
        )
    return found or [well("webhooks", f"{_counted(len(origins), 'receiver')} can be connected to")]


async def examine_watchers(settings: Settings) -> list[Finding]:
    """Whether those who are told of errors and figures can be connected to."""
    watchers = (
        ("errors", "Sentry", settings.sentry_dsn, "TALLYMARK_SENTRY_DSN"),
        ("telemetry", "OTLP", settings.otlp_endpoint, "TALLYMARK_OTLP_ENDPOINT"),
    )
    found = []
    for about, name, url, variable in watchers:
        if url is None:
            found.append(unused(about, f"{variable} is not set: nothing is told to {name}"))
            continue
        origin = origin_of(url)
        why = await _why_not(origin, allows_private=True)
        if why is None:
            found.append(well(about, f"{origin} can be connected to"))
        else:
            found.append(warning(about, f"{origin}: {why}", f"see {variable}, and firewalls"))
    return found


def origin_of(url: str) -> str:
    """Scheme, host and port of an address: what is secret in it, a key or a password, is left out.

    >>> [origin_of(one) for one in ("https://key@hooks.test:8443/a?b", "http://[::1]:4318/v1", "https://hooks.test")]
    ['https://hooks.test:8443', 'http://[::1]:4318', 'https://hooks.test']
    """
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}"


async def _why_not(origin: str, *, allows_private: bool) -> str | None:
    try:
        url = httpx.URL(origin)
        is_secure = url.scheme == "https"
        async with asyncio.timeout(_SECONDS):
            address = await checked_address(url, allows_private=allows_private)
            _, writer = await asyncio.open_connection(
                address,
                url.port or (443 if is_secure else 80),
                ssl=ssl.create_default_context() if is_secure else None,
                server_hostname=url.raw_host.decode("ascii") if is_secure else None,
            )
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    except (Refused, httpx.InvalidURL, OSError, TimeoutError, UnicodeError) as error:
        return _words(error)
    return None


def _words(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
