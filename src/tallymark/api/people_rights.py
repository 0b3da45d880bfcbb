"""Which permission somebody who has signed in needs for which route (platform §2, §6).

The most specific rule counts: that of the route, else that of its resource. Any one of several permissions is enough.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from tallymark.api.role_permissions import PERMISSIONS


class _Resource(NamedTuple):
    """What it takes to see a resource, make one, change it or what hangs on it, and delete it."""

    view: str
    create: str = ""
    update: str = ""
    delete: str = ""


def _area(name: str) -> _Resource:
    return _Resource(f"{name}:view", f"{name}:create", f"{name}:update", f"{name}:delete")


_DEVELOPERS = _Resource(*["developers:manage"] * 4)
_ORGANIZATION = _Resource("organization:view", *["organization:update"] * 3)

_BY_RESOURCE = {
    "activity_log": _Resource("audit_logs:view"),
    "add_on": _area("addons"),
    "alert": _Resource("subscriptions:view customers:view", *["subscriptions:update"] * 3),
    "analytic": _Resource("analytics:view"),
    "api_log": _Resource("audit_logs:view developers:manage"),
    "applied_coupon": _Resource("coupons:view customers:view", "coupons:attach", "", "coupons:detach"),
    "billable_metric": _area("billable_metrics"),
    "billing_entity": _area("billing_entities"),
    "coupon": _area("coupons"),
    "credit_note": _area("credit_notes")._replace(delete="credit_notes:update"),
    "customer": _area("customers"),
    "customer_usage": _Resource("customers:view subscriptions:view"),
    "event": _DEVELOPERS,
    "feature": _area("features"),
    "fee": _Resource("invoices:view", *["invoices:update"] * 3),
    "invoice": _area("invoices"),
    "invoice_custom_section": _area("invoice_custom_sections"),
    "lifetime_usage": _Resource("subscriptions:view customers:view", *["subscriptions:update"] * 3),
    "organization": _ORGANIZATION,
    "payment": _Resource("payments:view", *["payments:create"] * 3),
    "payment_method": _area("payment_methods"),
    "payment_request": _Resource("payments:view", *["payments:create"] * 3),
    "plan": _area("plans"),
    "security_log": _Resource("security_logs:view"),
    "subscription": _area("subscriptions")._replace(delete="subscriptions:update"),
    "tax": _Resource("organization:taxes:view", *["organization:taxes:update"] * 3),
    "wallet": _Resource("customers:view", "wallets:create", "wallets:update", "wallets:terminate"),
    "wallet_transaction": _Resource("customers:view", *["wallets:top_up"] * 3),
    "webhook_endpoint": _DEVELOPERS,
    "webhook_jwt_public_key": _DEVELOPERS,
}

_BY_ROUTE = (
    ("POST", "/billable_metrics/evaluate_expression", "billable_metrics:create billable_metrics:update"),
    ("POST", "/plans/*/(fixed_)?charges", "charges:create"),
    ("PUT|PATCH", "/plans/*/(fixed_)?charges/*", "charges:update"),
    ("DELETE", "/plans/*/(fixed_)?charges/*", "charges:delete"),
    ("POST|PUT|PATCH|DELETE", "/plans/*/charges/*/filters(/*)?", "charges:update"),
    ("GET", "/pricing_units(/*)?", "pricing_units:view"),
    ("POST", "/pricing_units", "pricing_units:create"),
    ("PUT|PATCH", "/pricing_units/*", "pricing_units:update"),
    ("POST", "/customers", "customers:create customers:update"),
    ("POST|PUT|PATCH|DELETE", "/customers/*/wallets/*/alerts(/*)?", "wallets:update"),
    ("POST", "/customers/*/wallets", "wallets:create"),
    ("DELETE", "/customers/*/wallets/*", "wallets:terminate"),
    ("DELETE", "/customers/*/applied_coupons/*", "coupons:detach"),
    ("DELETE", "/customers/*/payment_methods/*", "payment_methods:delete"),
    ("POST", "/invoices/preview", "invoices:view"),
    ("POST", "/invoices/*/download(_pdf|_xml)?", "invoices:view"),
    ("POST", "/invoices/*/resend_email", "invoices:send"),
    ("POST", "/invoices/*/void", "invoices:void"),
    ("POST", "/invoices/*/regenerate", "invoices:create"),
    ("POST", "/credit_notes/*/download(_pdf|_xml)?", "credit_notes:view"),
    ("POST", "/credit_notes/*/resend_email", "credit_notes:send"),
    ("PUT", "/credit_notes/*/void", "credit_notes:void"),
    ("GET", "/payment_receipts(/*)?", "payment_receipts:view"),
    ("GET|POST", "/data_exports(/*)?", "invoices:export credit_notes:export"),
    ("POST", "/payment_receipts/*/resend_email", "payment_receipts:send"),
)
"""Methods, paths below `/api/v1` with a `*` for each free part, and what it takes, where a resource's own rule says another thing."""


def permissions_for(methods: AbstractSet[str], path: str, *, resource: str) -> frozenset[str]:
    """What somebody needs for a route, one of them at the least.

    >>> sorted(permissions_for({"POST"}, "/api/v1/invoices/{lago_id}/void", resource="invoice"))
    ['invoices:void']
    >>> sorted(permissions_for({"POST"}, "/api/v1/plans/{code}/metadata", resource="plan"))
    ['plans:update']
    """
    (method, *_) = sorted(methods)
    shape = re.sub(r"{[^}]*}", "*", path.removeprefix("/api/v1"))
    found = _of_route(method, shape) or _of_resource(method, shape, _BY_RESOURCE[resource])
    needed = frozenset(found.split())
    assert needed, f"nobody may {method} {path}"
    assert needed <= PERMISSIONS, f"no permissions: {needed - PERMISSIONS}"
    return needed


def _of_route(method: str, shape: str) -> str:
    for methods, pattern, needed in _BY_ROUTE:
        if re.fullmatch(methods, method) and re.fullmatch(pattern.replace("*", r"\*"), shape):
            return needed
    return ""


def _of_resource(method: str, shape: str, rule: _Resource) -> str:
    """What hangs on a record is made and deleted by whoever may change it."""
    if method == "GET":
        return rule.view
    if method == "POST" and "*" not in shape:
        return rule.create
    if method == "DELETE" and shape.count("*") == 1 and shape.endswith("*"):
        return rule.delete
    return rule.update
