"""What the API's description tells of prices: the properties of every charge model (pricing §7)."""

from __future__ import annotations

from typing import Any

JsonSchema = dict[str, Any]

AMOUNT: JsonSchema = {"type": "string", "description": "A decimal number as text."}
NUMBER: JsonSchema = {"type": ["number", "string"]}
TEXTS: JsonSchema = {"type": "array", "items": {"type": "string"}}


def _object(properties: JsonSchema, **more: Any) -> JsonSchema:
    return {"type": "object", "properties": properties, **more}


def _tiers(price: str) -> JsonSchema:
    end = {"type": ["number", "string", "null"]}
    tier = {"from_value": NUMBER, "to_value": end, price: AMOUNT, "flat_amount": AMOUNT}
    return {"type": "array", "items": _object(tier)}


FIXED_PROPERTIES = _object(
    {
        "amount": AMOUNT,
        "graduated_ranges": _tiers("per_unit_amount"),
        "volume_ranges": _tiers("per_unit_amount"),
    }
)
"""Of a fixed charge."""

FILTER_PROPERTIES = _object(
    {
        **FIXED_PROPERTIES["properties"],
        "graduated_percentage_ranges": _tiers("rate"),
        "package_size": {"type": "integer"},
        "free_units": {"type": "integer"},
        "rate": AMOUNT,
        "fixed_amount": AMOUNT,
        "free_units_per_events": {"type": ["integer", "null"]},
        "free_units_per_total_aggregation": AMOUNT,
        "per_transaction_min_amount": AMOUNT,
        "per_transaction_max_amount": AMOUNT,
        "pricing_group_keys": TEXTS,
        "grouped_by": TEXTS,
    }
)
"""Of a charge's filter, and of a fixed charge: those of the charge's model alone are kept."""

CHARGE_PROPERTIES = _object(
    {
        **FILTER_PROPERTIES["properties"],
        "presentation_group_keys": {
            "type": "array",
            "items": _object(
                {
                    "value": {"type": "string"},
                    "options": _object({"display_in_invoice": {"type": "boolean"}}),
                }
            ),
        },
    }
)
"""Of a charge: those of its model alone are kept."""


def optional(schema: JsonSchema) -> JsonSchema:
    """The same, or null."""
    return {**schema, "type": [schema["type"], "null"]}


def cascading(root: str) -> JsonSchema:
    """The body that a deletion may have, as a route's `openapi_extra`."""
    asked = _object({root: _object({"cascade_updates": {"type": "boolean"}})})
    return {"requestBody": {"required": False, "content": {"application/json": {"schema": asked}}}}
