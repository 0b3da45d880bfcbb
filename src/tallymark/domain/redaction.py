"""What is cut out of texts before they are logged: whatever lets somebody in."""

from __future__ import annotations

import re

FILTERED = "[FILTERED]"

_SIGNATURE = re.compile(r"([?&]signature=)[^&\"\\\s]+")
_LOGIN = re.compile(r"(https?://)[^/@\s\"\\]+@", re.IGNORECASE)


def without_keys(text: str) -> str:
    """A text without logins in its addresses, and without the signatures that open files.

    >>> without_keys("https://me:pw@a.test/x http://b.test/files/1.pdf?signature=abc")
    'https://[FILTERED]@a.test/x http://b.test/files/1.pdf?signature=[FILTERED]'
    """
    return _LOGIN.sub(rf"\1{FILTERED}@", _SIGNATURE.sub(rf"\1{FILTERED}", text))
