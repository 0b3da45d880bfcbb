"""Customers as a preview sees them: never stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tallymark.db.ids import new_id
from tallymark.domain.values import names_of
from tallymark.rooms.customers.model import ADDRESS, Address, Customer
from tallymark.rooms.organizations.model import BillingEntity

NOWHERE = Address(**dict.fromkeys(ADDRESS))


def imagine_changed(customer: Customer, values: Mapping[str, Any]) -> Customer:
    """A customer with other values of some columns; those of addresses are named like them."""
    own = {name: value for name, value in values.items() if name in ADDRESS}
    prefix = "shipping_"
    shipping = {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}
    rest = {
        name: value
        for name, value in values.items()
        if name not in own and name.removeprefix(prefix) not in shipping
    }
    return replace(
        customer,
        **rest,
        address=replace(customer.address, **own),
        shipping_address=replace(customer.shipping_address, **shipping),
    )


def imagine_new(entity: BillingEntity, values: Mapping[str, Any], *, now: datetime) -> Customer:
    """Somebody who is no customer yet, with a billing entity's terms; the external id is the id, and nobody knows it."""
    customer_id = new_id()
    blank: dict[str, Any] = {
        **dict.fromkeys(names_of(Customer)),
        "id": customer_id,
        "billing_entity_id": entity.id,
        "external_id": str(customer_id),
        "sequential_id": 0,
        "slug": "",
        "account_type": "customer",
        "address": NOWHERE,
        "shipping_address": NOWHERE,
        "finalize_zero_amount_invoice": "inherit",
        "skip_invoice_custom_sections": False,
        "metadata": (),
        "created_at": now,
        "updated_at": now,
    }
    return imagine_changed(Customer(**blank), values)
