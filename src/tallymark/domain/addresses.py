"""Addresses of the web, as people and programs write them."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_web_address(text: str) -> bool:
    """Whether something can be asked for at an address.

    >>> is_web_address("https://example.com/hooks?of=1"), is_web_address("ftp://example.com"), is_web_address("https://a b")
    (True, False, False)
    """
    if not text.isprintable() or " " in text:
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
