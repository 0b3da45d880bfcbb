"""How sending again looks on the wire (wallets §19)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from tallymark.api.wire import Input
from tallymark.rooms.emails.service import Asked


class ResendRequest(Input):
    """Who is to get it; the customer where nobody is named."""

    to: Any = None
    cc: Any = None
    bcc: Any = None

    def to_value(self) -> Asked:
        """The recipients as they were sent."""
        return Asked(to=self.to, cc=self.cc, bcc=self.bcc)


class EmailPreviewOutput(BaseModel):
    """An e-mail as it would be read. `html` is a page of its own: show it where no script runs."""

    sender: str
    reply_to: str | None
    """The billing entity's address; without one nothing is sent."""
    to: list[str]
    subject: str
    language: str
    text: str
    html: str
    attachments: list[str]
    """Names of files; those of a payment request are linked to instead."""


class EmailPreviewResponse(BaseModel):
    email_preview: EmailPreviewOutput
