"""The customer portal's place, and the token by which a customer's link is known there (platform §8)."""

from __future__ import annotations

from starlette.datastructures import Headers

PREFIX = "/portal/v1"

TOKEN = "customer-portal-token"
"""The header that the pages name for the token; a bearer's will do as well."""


def read_token(headers: Headers) -> str | None:
    """The token that a request brings.

    >>> read_token(Headers({"Authorization": "Bearer a"})), read_token(Headers({TOKEN: "b"})), read_token(Headers({}))
    ('a', 'b', None)
    """
    words = headers.get("authorization", "").split()
    return words[1] if len(words) > 1 else headers.get(TOKEN) or None
