"""Handing e-mails over by SMTP, so that it is known whether the server has taken one."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tallymark.rooms.emails.model import MaybeTaken, Message, NotTaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where e-mails are handed over, and as whom; `security` is "starttls", "tls" or "none"."""

    host: str
    port: int
    security: str
    sender: str
    username: str | None = None
    password: str | None = None
    domain: str | None = None
    timeout_seconds: int = 30


class SmtpPost:
    """Implements `rooms.emails.ports.Post`: one connection for each e-mail."""

    def __init__(self, server: Server) -> None:
        self._server = server

    async def __call__(self, message: Message) -> None:
        """Hand one over. Raises `NotTaken`, and `MaybeTaken` where the connection broke in the middle of it."""
        await asyncio.to_thread(self._send, message)

    async def greet(self) -> None:
        """Log in and leave. Raises `NotTaken`."""
        await asyncio.to_thread(self._greet)

    def _greet(self) -> None:
        with self._connected() as smtp:
            _expect(*smtp.noop())

    def _send(self, message: Message) -> None:
        with self._connected() as smtp:
            try:
                _expect(*smtp.mail(self._server.sender))
                for address in message.recipients:
                    _expect(*smtp.rcpt(address))
            except (OSError, smtplib.SMTPException) as error:
                raise NotTaken(_words(error)) from error
            try:
                code, answer = smtp.data(message.content)
            except smtplib.SMTPDataError as error:
                raise NotTaken(_words(error)) from error
            except (OSError, smtplib.SMTPException) as error:
                raise MaybeTaken(_words(error)) from error
            _expect(code, answer)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        try:
            smtp = self._open()
        except (OSError, smtplib.SMTPException) as error:
            raise NotTaken(_words(error)) from error
        try:
            yield smtp
        finally:
            # It is taken or not by now, whatever becomes of the goodbye.
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _open(self) -> smtplib.SMTP:
        server = self._server
        context = ssl.create_default_context()
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host,
                server.port,
                local_hostname=server.domain,
                timeout=server.timeout_seconds,
                context=context,
            )
        else:
            smtp = smtplib.SMTP(
                server.host, server.port, local_hostname=server.domain, timeout=server.timeout_seconds
            )
        try:
            if server.security == "starttls":
                smtp.starttls(context=context)
            smtp.ehlo_or_helo_if_needed()
            if server.username is not None:
                smtp.login(server.username, server.password or "")
        except BaseException:
            smtp.close()
            raise
        return smtp


def _expect(code: int, answer: bytes) -> None:
    if not 200 <= code < 300:
        raise NotTaken(f"{code} {answer.decode(errors='replace')}")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
