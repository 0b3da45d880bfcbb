"""Short e-mails to people who use Tallymark: a few sentences and a link, from nobody's organization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

import structlog

from tallymark.integrations.documents.data import ACCENT
from tallymark.integrations.emails.colors import accent_of
from tallymark.integrations.emails.composer import render
from tallymark.jobs.notices import NoticeKind
from tallymark.rooms.emails.model import MaybeTaken, Message
from tallymark.rooms.emails.ports import Post
from tallymark.rooms.organizations.access import system_now

SENDER_NAME = "Tallymark"

_WORDS = {
    NoticeKind.KEY_CREATED: ("an API key was created", "The API key {about} of {organization} was created."),
    NoticeKind.KEY_ROTATED: (
        "an API key was rotated",
        "The API key {about} of {organization} was rotated: another one takes its place.",
    ),
    NoticeKind.KEY_DELETED: ("an API key was deleted", "The API key {about} of {organization} was deleted."),
    NoticeKind.METHODS_CHANGED: (
        "login methods were changed",
        "Members of {organization} sign in by other methods from now on: {about}.",
    ),
}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a short e-mail says; the button is its words and where it leads."""

    subject: str
    paragraphs: tuple[str, ...]
    button: tuple[str, str] | None = None
    closing: str = ""


class MailMessenger:
    """Implements `rooms.users.ports.Messenger` and `rooms.data_exports.ports.Messenger`."""

    def __init__(self, post: Post, *, sender: str) -> None:
        self._post = post
        self._sender = sender

    async def bring_reset(self, *, email: str, url: str) -> None:
        """Send the link with which a password is set. Raises `NotTaken`."""
        notice = Notice(
            subject="Set a new password",
            paragraphs=(f"Somebody asked for a new password for {email} on Tallymark.",),
            button=("Set a new password", url),
            closing="The link works once, for 30 minutes. If it was not you, there is nothing to do: your password stays as it is.",
        )
        await self._send(notice, to=(email,))

    async def bring_sign_up(self, *, email: str, url: str) -> None:
        """Send the link by which somebody signs up. Raises `NotTaken`."""
        notice = Notice(
            subject="Confirm your address",
            paragraphs=(f"Somebody wants to sign up to Tallymark with {email}. If it was you, go on here.",),
            button=("Confirm and go on", url),
            closing="The link works once, for 24 hours. If it was not you, there is nothing to do: nothing is made without it.",
        )
        await self._send(notice, to=(email,))

    async def bring_welcome_back(self, *, email: str, sign_in_url: str, reset_url: str) -> None:
        """Tell somebody who wanted to sign up that they have an account. Raises `NotTaken`."""
        notice = Notice(
            subject="You have an account",
            paragraphs=(
                f"Somebody wants to sign up to Tallymark with {email}, which has an account already.",
                f"If you have lost its password, set another one: {reset_url}",
            ),
            button=("Sign in", sign_in_url),
            closing="If it was not you, there is nothing to do: nothing has changed.",
        )
        await self._send(notice, to=(email,))

    async def bring_export(
        self, *, email: str, url: str, file_name: str, rows: int, lasts: timedelta
    ) -> None:
        """Send the link to a file that was asked for. Raises `NotTaken`."""
        counted = f"{rows} row" if rows == 1 else f"{rows} rows"
        notice = Notice(
            subject="Your export is ready",
            paragraphs=(f"The export that was asked for on Tallymark is ready: {file_name}, {counted}.",),
            button=("Download the file", url),
            closing=f"Whoever has the link can read the file. It works for {lasts.days} days; then the file is deleted.",
        )
        await self._send(notice, to=(email,))

    async def tell(self, emails: Sequence[str], kind: NoticeKind, *, about: str, organization: str) -> None:
        """Tell some people what was done; it is addressed to nobody. Raises `NotTaken`."""
        subject, sentence = _WORDS[kind]
        notice = Notice(
            subject=f"{organization}: {subject}",
            paragraphs=(sentence.format(about=about, organization=organization),),
            closing="You are told because you are an admin. If it was none of you, see the security logs, and change your passwords.",
        )
        await self._send(notice, to=(), unseen=tuple(emails))

    async def _send(self, notice: Notice, *, to: tuple[str, ...], unseen: tuple[str, ...] = ()) -> None:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(SENDER_NAME, addr_spec=self._sender)
        mail["To"] = ", ".join(to) or "undisclosed-recipients:;"
        mail["Subject"] = " ".join(notice.subject.split())
        mail["Date"] = format_datetime(system_now())
        mail["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = "en"
        mail.set_content(render("notice.txt.j2", notice))
        mail.add_alternative(render("notice.html.j2", notice, accent=accent_of(ACCENT)), subtype="html")
        try:
            await self._post(
                Message(recipients=(*to, *unseen), content=mail.as_bytes(), subject=notice.subject)
            )
        except MaybeTaken as error:
            log.warning("a notice may have been taken, and is not sent again", exc_info=error)
