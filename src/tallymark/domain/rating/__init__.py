"""Units to exact amounts: one file per charge model (pricing §7)."""

from tallymark.domain.rating.model import NOTHING, ChargeModel, Needs, Price, Rated, Usage
from tallymark.domain.rating.properties import (
    LARGEST_PRICE,
    InvalidProperties,
    NoPrice,
    clean_properties,
    default_properties,
    parse_price,
)

__all__ = [
    "ChargeModel",
    "InvalidProperties",
    "LARGEST_PRICE",
    "NOTHING",
    "Needs",
    "NoPrice",
    "Price",
    "Rated",
    "Usage",
    "clean_properties",
    "default_properties",
    "parse_price",
]
