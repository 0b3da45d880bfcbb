"""What is outside: mail server, file store, receivers of webhooks, and those who are told of errors and figures."""

from __future__ import annotations

import asyncio
import re
import ssl
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx

from tallymark.db.errors import StartupError
from tallymark.doctor.model import Finding, counted, failing, unused, warning, well
from tallymark.doctor.remedies import remedy_of_address, remedy_of_mail, remedy_of_receiver, remedy_of_store
from tallymark.integrations.emails.smtp import SmtpPost
from tallymark.integrations.files import StoredFiles, open_store
from tallymark.integrations.webhooks import Refused, checked_address, trusted
from tallymark.outside import mail_server
from tallymark.rooms.emails.model import NotTaken
from tallymark.settings import Settings

_SECONDS = 10.0
_AT_ONCE = 20
_SHOWN = 10
_RENEWED_BEFORE = timedelta(days=14)
"""By then a certificate is renewed wherever that goes by itself: most are a third of their time before the end."""

UNREACHABLE = (Refused, httpx.InvalidURL, OSError, TimeoutError, UnicodeError)


async def examine_mail(settings: Settings) -> Finding:
    """Whether the mail server lets Tallymark in; nothing is sent."""
    server = mail_server(settings)
    if server is None:
        return unused("e-mail", "no mail server is set (TALLYMARK_SMTP_HOST): no e-mails are sent")
    where = f"{server.host}:{server.port} ({server.security})"
    try:
        await SmtpPost(server).greet()
    except NotTaken as error:
        return failing("e-mail", f"{where}: {error}", remedy_of_mail(error.__cause__))
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
        remedy = "see that this user may write there, or name another TALLYMARK_DATA_DIR"
        if settings.files_address is not None:
            remedy = remedy_of_store(error)
        return failing("files", _words_of_store(error, where), remedy)
    if read != content:
        return failing("files", f"{where} gives back another content than was written", "use another store")
    return well("files", f"{where} keeps files and gives them back")


async def examine_address(settings: Settings, clock: Callable[[], datetime]) -> Finding:
    """Whether the public address leads to somebody, whose certificate is valid for some days yet."""
    if settings.public_url is None:
        return unused("address", "TALLYMARK_PUBLIC_URL is not set: nobody is sent there from elsewhere")
    origin = origin_of(settings.public_url)
    try:
        ends_at = await _connect(origin, allows_private=True)
    except UNREACHABLE as error:
        return warning("address", f"{origin}: {_words(error)}", remedy_of_address(error))
    if ends_at is None:
        return well("address", f"{origin} can be connected to")
    until = f"its certificate is valid until {ends_at:%Y-%m-%d %H:%M} UTC"
    if ends_at - clock() < _RENEWED_BEFORE:
        return warning("address", f"{origin}: {until}", "see why what renews it has not done so yet")
    return well("address", f"{origin} can be connected to, and {until}")


async def examine_receivers(settings: Settings, origins: Sequence[str]) -> list[Finding]:
    """Whether receivers of webhooks can be connected to; nothing is sent to them."""
    if not origins:
        return [unused("webhooks", "no organization has an endpoint")]
    places = asyncio.Semaphore(_AT_ONCE)

    async def connect(origin: str) -> Exception | None:
        async with places:
            return await _why_not(origin, allows_private=settings.webhooks_allow_private_networks)

    answers = dict(zip(origins, await asyncio.gather(*map(connect, origins)), strict=True))
    wrong = {origin: why for origin, why in answers.items() if why is not None}
    found = [
        warning("webhooks", f"{origin}: {_words(why)}", remedy_of_receiver(why))
        for origin, why in list(wrong.items())[:_SHOWN]
    ]
    if len(wrong) > _SHOWN:
        found.append(
            warning("webhooks", f"{len(wrong) - _SHOWN} more can't be reached", "mend the first ones first")
        )
    return found or [well("webhooks", f"{counted(len(origins), 'receiver')} can be connected to")]


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
            found.append(warning(about, f"{origin}: {_words(why)}", f"see {variable}, and firewalls"))
    return found


def origin_of(url: str) -> str:
    """Scheme, host and port of an address: what is secret in it, a key or a password, is left out.

    >>> [origin_of(one) for one in ("https://key@hooks.test:8443/a?b", "http://[::1]:4318/v1", "https://hooks.test")]
    ['https://hooks.test:8443', 'http://[::1]:4318', 'https://hooks.test']
    """
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc.rpartition('@')[2]}"


async def _why_not(origin: str, *, allows_private: bool) -> Exception | None:
    try:
        await _connect(origin, allows_private=allows_private)
    except UNREACHABLE as error:
        return error
    return None


async def _connect(origin: str, *, allows_private: bool) -> datetime | None:
    """Until when the certificate that is shown is valid; None without TLS. Raises what is `UNREACHABLE`."""
    url = httpx.URL(origin)
    is_secure = url.scheme == "https"
    async with asyncio.timeout(_SECONDS):
        address = await checked_address(url, allows_private=allows_private)
        _, writer = await asyncio.open_connection(
            address,
            url.port or (443 if is_secure else 80),
            ssl=trusted() if is_secure else None,
            server_hostname=url.raw_host.decode("ascii") if is_secure else None,
        )
        shown = writer.get_extra_info("peercert")
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC) if shown else None


def _words_of_store(error: Exception, where: str) -> str:
    """What a store says, and not how often and for how long it was asked."""
    if isinstance(error, StartupError):
        return str(error)
    told = re.search(r"<Message>([^<]+)</Message>", str(error))
    return f"{where}: {told[1] if told else _words(error)}"


def _words(error: Exception) -> str:
    said = str(error).strip().splitlines()
    return said[0] if said else type(error).__name__
