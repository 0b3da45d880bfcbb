"""How sending again looks on the wire (wallets §19)."""

from __future__ import annotations

from typing import Any

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
