"""What e-mails ask of the outside: a text, and somebody who takes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from tallymark.rooms.emails.model import Attachment, Letter, Message, Shown


class Composer(Protocol):
    """Writes e-mails."""

    def compose(self, letter: Letter, files: Sequence[Attachment], logo: bytes | None = None) -> Message:
        """The e-mail with its files, one for each paper of the letter, and its issuer's logo (PNG or JPEG)."""

    def show(self, letter: Letter, files: Sequence[Attachment], logo_url: str | None = None) -> Shown:
        """The same as it is read, with the logo from a link, without its files, of which the links alone count."""


class PayPages(Protocol):
    """Knows where payment requests are paid."""

    async def __call__(self, organization_id: UUID, request_id: UUID, *, is_simulated: bool) -> str | None:
        """The address of a page to pay a request on; None where there is none."""


class Post(Protocol):
    """Hands e-mails over."""

    async def __call__(self, message: Message) -> None:
        """Hand one over. Raises `NotTaken`, and `MaybeTaken` where nobody knows."""
