"""What the web app sends when staff come for a visit."""

from __future__ import annotations

from tallymark.api.wire import Input, Text


class VisitRequest(Input):
    token: Text = ""
