"""The European Commission's register of VAT numbers (VIES), by its REST service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from tallymark.domain.european_vat import VatNumber
from tallymark.rooms.customers.ports import RegisterUnavailable

SECONDS = 10.0
"""How long an answer may take."""

_REFUSED = frozenset({"INVALID_INPUT"})
"""Errors that speak of the number; all others speak of the service."""


class ViesRegister:
    """Implements `rooms.customers.ports.VatRegister`."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    async def look_up(self, number: VatNumber) -> Mapping[str, Any]:
        """Ask for a number. Raises `RegisterUnavailable` when there is no answer, or none about the number."""
        asked = {"countryCode": number.prefix, "vatNumber": number.digits}
        try:
            async with httpx.AsyncClient(timeout=SECONDS) as client:
                response = await client.post(f"{self._url}/check-vat-number", json=asked)
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise RegisterUnavailable(f"{type(error).__name__}: {error}") from error
        if not isinstance(answer, dict):
            raise RegisterUnavailable(f"status {response.status_code}")
        errors = [str(wrapper.get("error")) for wrapper in answer.get("errorWrappers") or ()]
        if errors and _REFUSED.issuperset(errors):
            return {**asked, "valid": False}
        if errors or not isinstance(answer.get("valid"), bool):
            raise RegisterUnavailable(", ".join(errors) or f"status {response.status_code}")
        return answer
