"""What customers ask of the outside: whether a VAT number exists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tallymark.domain.european_vat import VatNumber


class RegisterUnavailable(Exception):
    """The register did not answer, or a member state's part of it: ask again later."""


class VatRegister(Protocol):
    """Knows the VAT numbers of the European Union."""

    async def look_up(self, number: VatNumber) -> Mapping[str, Any]:
        """What is known of a number, as the register says it; `valid` tells whether it exists.

        Raises `RegisterUnavailable`.
        """
