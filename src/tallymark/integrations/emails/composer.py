"""E-mails as their recipients get them: a text, the same as HTML, and the documents."""

from __future__ import annotations

from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tallymark.integrations.emails.colors import accent_of
from tallymark.integrations.emails.content import Content, content_of
from tallymark.rooms.emails.model import Attachment, Letter, Message, Shown
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.payment_requests.model import RequestView

PNG = b"\x89PNG"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("tallymark.integrations.emails"),
        autoescape=select_autoescape(["html.j2"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, mail: object, **more: object) -> str:
    """An e-mail by one of the templates."""
    return _templates().get_template(template).render(mail=mail, **more)


LOGO = "cid:logo"
"""The part of an e-mail that is its issuer's logo."""


def write_html(content: Content, *, logo: str | None = None) -> str:
    """An e-mail as HTML, with the issuer's logo from where it is, if it has one."""
    return render("email.html.j2", content, accent=accent_of(content.accent), logo=logo)


def write_text(content: Content) -> str:
    """The same for those who read plain text."""
    return render("email.txt.j2", content)


class EmailComposer:
    """Implements `rooms.emails.ports.Composer`: everything is sent from one address, and answered to the issuer's."""

    def __init__(self, *, sender: str) -> None:
        self._sender = sender

    def compose(self, letter: Letter, files: Sequence[Attachment], logo: bytes | None = None) -> Message:
        """The e-mail with its files and its issuer's logo; the files of a payment request are linked to instead."""
        content = content_of(letter, files)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address(_one_line(content.issuer), addr_spec=self._sender)
        mail["To"] = ", ".join(letter.recipients.to)
        if letter.recipients.cc:
            mail["Cc"] = ", ".join(letter.recipients.cc)
        mail["Reply-To"] = letter.issuer.email
        subject, body = _one_line(content.subject), write_text(content)
        mail["Subject"] = subject
        mail["Date"] = format_datetime(system_now())
        # The same at every try: a server that was asked twice may know it.
        mail["Message-ID"] = f"<{letter.email_id}@{self._sender.rpartition('@')[2]}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["Content-Language"] = content.language
        mail.set_content(body)
        mail.add_alternative(write_html(content, logo=None if logo is None else LOGO), subtype="html")
        if logo is not None:
            html = mail.get_body(("html",))
            assert html is not None, "it was added just now"
            kind = "png" if logo.startswith(PNG) else "jpeg"
            html.add_related(logo, maintype="image", subtype=kind, cid="<logo>", disposition="inline")
        if not isinstance(letter.subject, RequestView):
            for file in files:
                mail.add_attachment(file.content, maintype="application", subtype="pdf", filename=file.name)
        return Message(
            recipients=tuple(letter.recipients.everyone),
            content=mail.as_bytes(),
            subject=subject,
            text=body,
        )

    def show(self, letter: Letter, files: Sequence[Attachment], logo_url: str | None = None) -> Shown:
        """The e-mail as it is read, with its logo from a link, without its files."""
        content = content_of(letter, files)
        return Shown(
            sender=str(Address(_one_line(content.issuer), addr_spec=self._sender)),
            subject=_one_line(content.subject),
            language=content.language,
            text=write_text(content),
            html=write_html(content, logo=logo_url),
        )


def _one_line(text: str) -> str:
    """A text for a head of an e-mail, which ends with its line."""
    return " ".join(text.split())
