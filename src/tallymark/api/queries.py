"""Query parameters that a door reads by itself, declared for the API's description."""

from __future__ import annotations

from typing import Any


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
