"""What a change of a billing entity names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PER_ENTITY = "per_billing_entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityInput:
    """The columns that a request names, and what is kept in tables of its own (None: not sent)."""

    values: Mapping[str, Any] = field(default_factory=dict)
    tax_codes: Sequence[str] | None = None
    section_codes: Sequence[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """A picture as it was sent."""

    content: bytes
    extension: str
