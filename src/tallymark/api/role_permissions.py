"""What people may do: the permissions that there are, and which of them the predefined roles hold (platform §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

ADMIN, FINANCE, MANAGER = "admin", "finance", "manager"

_TABLE = {
    "addons": "view:FM create update delete",
    "ai_conversations": "view create",
    "analytics": "view:F",
    "audit_logs": "view",
    "authentication_methods": "view update",
    "billable_metrics": "view create update delete",
    "billing_entities": "view:FM create:F update:F delete:F",
    "charges": "create update delete",
    "coupons": "view:FM create update delete attach:M detach:M",
    "credit_notes": "view:FM create:FM update:FM void:FM export:FM send:FM",
    "customers": "view:FM create:M update:M delete:M",
    "data_api": "view:F",
    "developers": "manage",
    "developers:keys": "manage",
    "dunning_campaigns": "view:FM create:F update:F delete:F",
    "features": "view create update delete",
    "invoice_custom_sections": "view:F create:F update:F delete:F",
    "invoices": "view:FM send:FM create:FM update:FM void:FM delete export:FM",
    "order_forms": "view:FM sign:M void:M",
    "orders": "view:FM update:M execute:M",
    "organization": "view:F update:F",
    "organization:emails": "view update",
    "organization:integrations": "view:F create:F update:F delete:F",
    "organization:invoices": "view:F update:F",
    "organization:members": "view create update delete",
    "organization:taxes": "view update",
    "payment_methods": "view create update delete",
    "payment_receipts": "view:FM send:FM",
    "payments": "view:FM create:FM",
    "plans": "view:FM create update delete",
    "pricing_units": "view:F create update",
    "product_categories": "view create update delete",
    "product_filters": "view create update delete",
    "products": "view create update delete",
    "quotes": "view:FM create:M update:M approve:M clone:M void:M",
    "rate_cards": "view create update delete",
    "roles": "view create update delete",
    "security_logs": "view",
    "subscriptions": "view:FM create:M update:M",
    "wallets": "create:M update:M top_up:M terminate:M",
}
"""Actions by area; F and M for those that finance and manager hold. Every one belongs to admin."""

_HOLDERS: Mapping[str, str] = {
    f"{area}:{action.partition(':')[0]}": action.partition(":")[2]
    for area, actions in _TABLE.items()
    for action in actions.split()
}

PERMISSIONS = frozenset(_HOLDERS)
"""Every name, `area:action`."""

PREDEFINED: Mapping[str, frozenset[str]] = {
    ADMIN: PERMISSIONS,
    FINANCE: frozenset(name for name, holders in _HOLDERS.items() if "F" in holders),
    MANAGER: frozenset(name for name, holders in _HOLDERS.items() if "M" in holders),
}
"""The roles that every organization has, and none can change."""


_LASTING = frozenset(
    name
    for name in PERMISSIONS
    if name.startswith(
        (
            "developers:keys:",
            "organization:members:",
            "organization:integrations:",
            "roles:",
            "authentication_methods:",
        )
    )
    and not name.endswith(":view")
)
"""What lets somebody in for longer than a visit of staff lasts."""


def permissions_of_visit(held: frozenset[str], *, is_read_only: bool) -> frozenset[str]:
    """What staff may do as a member who holds these permissions: look, or whatever does not outlast their visit.

    >>> sorted(permissions_of_visit(frozenset({"plans:view", "plans:create", "roles:create"}), is_read_only=False))
    ['plans:create', 'plans:view']
    >>> sorted(permissions_of_visit(frozenset({"plans:view", "plans:create"}), is_read_only=True))
    ['plans:view']
    """
    if is_read_only:
        return frozenset(name for name in held if name.endswith(":view"))
    return held - _LASTING


def permissions_of(roles: Iterable[str], own: Mapping[str, Iterable[str]]) -> frozenset[str]:
    """What a member may do: all that its roles hold together; `own` are the organization's. Unknown names count for nothing.

    >>> sorted(permissions_of(["seller", "gone"], {"seller": ["coupons:view", "coffee:make"]}))
    ['coupons:view']
    """
    held = (PREDEFINED.get(code, own.get(code, ())) for code in roles)
    return frozenset(name for names in held for name in names) & PERMISSIONS
