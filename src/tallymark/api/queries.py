"""Query parameters that a door reads by itself, declared for the API's description."""

from __future__ import annotations

from typing import Any

from tallymark.domain.errors import Invalid


def reads(*names: str) -> dict[str, Any]:
    """What a route passes as `openapi_extra`: optional parameters by name; those that end in `[]` are lists.

    >>> reads("status[]")["parameters"][0]["schema"]["type"]
    'array'
    """
    return {"parameters": [_parameter(name) for name in names]}


def _parameter(name: str) -> dict[str, Any]:
    if name.endswith("[]"):
        schema: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
    elif name in ("amount_from", "amount_to"):
        schema = {"type": "integer"}
    elif name.startswith(("has_", "is_")) or name in FLAGS:
        schema = {"type": "boolean"}
    else:
        schema = {"type": "string"}
    return {"name": name, "in": "query", "required": False, "schema": schema}


FLAGS = (
    "payment_overdue", "payment_dispute_lost", "self_billed", "partially_paid", "full_usage", "skip_grouping",
)  # fmt: skip
"""Parameters that are booleans."""

BOOLEANS = frozenset({"true", "false", "1", "0", "t", "f", "yes", "no", "y", "n", "on", "off"})
"""What a parameter that is a boolean may be, in either case."""

LARGEST = 2**63 - 1
"""No stored amount is larger."""


def read_cents(text: str | None, field: str) -> int | None:
    """An amount that a filter compares with, in minor units; one beyond all amounts is the outermost one.

    Raises `Invalid` for what is no whole number.

    >>> read_cents("1200", "amount_from"), read_cents("-1" + "0" * 30, "amount_from"), read_cents("", "amount_to")
    (1200, -9223372036854775807, None)
    """
    if not text:
        return None
    try:
        return min(max(int(text.encode("ascii")), -LARGEST), LARGEST)
    except ValueError:
        raise Invalid({field: ["value_is_invalid"]}) from None
