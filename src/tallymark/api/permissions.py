"""What whoever calls may do: a key reads or writes resources (platform §5), a person has permissions (platform §6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from tallymark.api.role_permissions import PERMISSIONS
from tallymark.domain.errors import Forbidden, Invalid, Lacking

READ, WRITE = "read", "write"
MODES = (READ, WRITE)

RESOURCES = frozenset(
    [
        "activity_log",
        "add_on",
        "alert",
        "analytic",
        "api_log",
        "applied_coupon",
        "billable_metric",
        "billing_entity",
        "coupon",
        "credit_note",
        "customer",
        "customer_usage",
        "event",
        "feature",
        "fee",
        "invoice",
        "invoice_custom_section",
        "lifetime_usage",
        "order",
        "order_form",
        "organization",
        "payment",
        "payment_method",
        "payment_receipt",
        "payment_request",
        "plan",
        "plan_rate_card",
        "product",
        "product_category",
        "quote",
        "rate_card",
        "security_log",
        "subscription",
        "tax",
        "wallet",
        "wallet_transaction",
        "webhook_endpoint",
        "webhook_jwt_public_key",
    ]
)

PermissionMap = Mapping[str, Sequence[str]]
"""Modes by resource; a resource that is missing grants nothing."""

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

_guarded: dict[Callable[..., Any], str] = {}
_reading: dict[Callable[..., Any], tuple[str, ...]] = {}
_permitted: dict[Callable[..., Any], frozenset[str]] = {}


class Right(NamedTuple):
    """What a call needs, and a key has: one mode of one resource."""

    mode: str
    resource: str

    @property
    def refusal(self) -> str:
        """The code by which a key without it is refused.

        >>> Right("write", "customer").refusal
        'write_action_not_allowed_for_customer'
        """
        return f"{self.mode}_action_not_allowed_for_{self.resource}"


class Need(NamedTuple):
    """What a route asks of whoever calls it: of a key any one of some rights, of a person any one of some permissions.

    Where there are no rights, no key may; where there are no permissions, whoever belongs to the organization may.
    """

    rights: tuple[Right, ...]
    permissions: frozenset[str]


def guarded_by(resource: str) -> Callable[[Endpoint], Endpoint]:
    """Name the resource of an endpoint that has another one than its router."""

    def mark(endpoint: Endpoint) -> Endpoint:
        _guarded[endpoint] = resource
        return endpoint

    return mark


def reading(*resources: str) -> Callable[[Endpoint], Endpoint]:
    """Name the resources of an endpoint that reads one of them, whatever its method: it sees itself which one it is."""

    def mark(endpoint: Endpoint) -> Endpoint:
        _reading[endpoint] = resources
        return endpoint

    return mark


def rights_for(endpoint: Callable[..., Any], methods: set[str], *, resource: str) -> tuple[Right, ...]:
    """What a route's callers need, any one of it: to read for GET, to write for every other method (platform §1.1)."""
    mode = READ if methods == {"GET"} or endpoint in _reading else WRITE
    names = _reading.get(endpoint, (_guarded.get(endpoint, resource),))
    assert RESOURCES.issuperset(names), f"no resources of keys: {names}"
    return tuple(Right(mode, name) for name in names)


def permitted(*permissions: str) -> Callable[[Endpoint], Endpoint]:
    """Name the permissions of an endpoint of the web app, of which any one is enough; none for whoever is a member."""
    assert PERMISSIONS.issuperset(permissions), f"no permissions: {permissions}"

    def mark(endpoint: Endpoint) -> Endpoint:
        _permitted[endpoint] = frozenset(permissions)
        return endpoint

    return mark


def permissions_asked_by(endpoint: Callable[..., Any]) -> frozenset[str]:
    """What an endpoint of the web app was marked with; each has to be."""
    return _permitted[endpoint]


def check_permitted(held: frozenset[str], needed: frozenset[str]) -> None:
    """Let a person pass who has any of what is needed. Raises `Lacking`."""
    if needed and not held & needed:
        raise Lacking(sorted(needed))


def check_right(rights: frozenset[Right] | None, needed: Right, *others: Right) -> None:
    """Let a key pass that has any of what is needed; None has everything.

    Raises `Forbidden` with the mode and resource of the first as code.
    """
    if rights is not None and not rights & {needed, *others}:
        raise Forbidden(needed.refusal)


def rights_of(permissions: PermissionMap | None) -> frozenset[Right] | None:
    """The rights that a map grants; None grants everything.

    >>> sorted(rights_of({"customer": ["read"], "event": []}))
    [Right(mode='read', resource='customer')]
    """
    if permissions is None:
        return None
    return frozenset(Right(mode, resource) for resource, modes in permissions.items() for mode in modes)


def check_permissions(permissions: PermissionMap) -> None:
    """Refuse a map that grants nothing, or what there is not, with `Invalid` on `permissions` (platform §5).

    >>> check_permissions({"customer": ["read", "write"]})
    """
    if not permissions:
        raise Invalid({"permissions": ["value_is_mandatory"]})
    if unknown := sorted(permissions.keys() - RESOURCES):
        raise Invalid({"permissions": [f"contains forbidden keys: {', '.join(unknown)}"]})
    if any(mode not in MODES for modes in permissions.values() for mode in modes):
        raise Invalid({"permissions": ["value_is_invalid"]})
