"""Names of the contract's document that stand elsewhere here: the API's description has them, and says where.

Where its pages and its document disagree, answers follow the pages. Whoever reads a client's types against our description still
finds every name: as a field that is optional, marked as deprecated, and never answered.
"""

from __future__ import annotations

from typing import Any, NamedTuple

Json = dict[str, Any]


class _Names(NamedTuple):
    """Fields of `of` that the document has at `place`: all of them where none are named, it as a whole where `as_one` says how."""

    place: str
    """A schema's name, and the way from there: `PreviewResponse.invoice.fees[]`."""

    of: str
    why: str
    fields: tuple[str, ...] = ()
    as_one: str = ""


_ROOT = "Stands below the root of the answer (platform §2)."
_TAKEN = "Taken without a root, too; answers have one (platform §4)."
_NAMES = (
    _Names("EntityResponse", "EntityOutput", _ROOT),
    _Names("DetailedEntityResponse", "DetailedEntityOutput", _ROOT),
    _Names("EntityUpdateRequest", "EntityUpdateInput", _TAKEN),
    _Names("PaymentResponse", "PaymentOutput", _ROOT),
    _Names("RequestResponse", "RequestOutput", _ROOT),
    _Names("TransactionResponse", "TransactionOutput", _ROOT),
    _Names("FeeOutput", "DetailedFeeOutput", "At `/fees` alone (invoicing §2.3).", ("applied_taxes",)),
    _Names("PreviewResponse.invoice.fees[]", "DetailedFeeOutput", "At `/fees` alone (invoicing §2.3).", ("applied_taxes",)),
    _Names("PreviewResponse.invoice.subscriptions[]", "DetailedSubscriptionOutput", "On a single subscription alone (subscriptions §2.1).", ("applied_invoice_custom_sections",)),
    _Names("InvoiceListOutput", "InvoiceOutput", "On a single invoice alone (invoicing §2.3).", ("applied_invoice_custom_sections",)),
    _Names(
        "InvoiceFileOutput", "InvoiceOutput", "At `/invoices/{lago_id}`, not beside its file (invoicing §2.3).",
        (
            "customer", "billing_periods", "subscriptions", "fees", "credits", "metadata", "applied_taxes", "error_details",
            "applied_invoice_custom_sections",
        ),
    ),
    _Names("SubscriptionOutput", "DetailedSubscriptionOutput", "On a single subscription alone (subscriptions §2.1).", ("applied_invoice_custom_sections",)),
    _Names("ListedSubscriptionOutput", "DetailedSubscriptionOutput", "On a single subscription alone (subscriptions §2.1).", ("applied_invoice_custom_sections",)),
    _Names("ListedCustomerOutput", "DetailedCustomerOutput", "On a single customer alone (subscriptions §1.3).", ("applicable_invoice_custom_sections", "error_details")),
    _Names("PlanListOutput", "PlanOutput", "On a single plan alone (pricing §4.1).", ("fixed_charges",)),
    _Names("GrantOutput", "GrantOutput", "The fields of an entitlement stand without a root (platform §11).", as_one="entitlement"),
    _Names("EntitlementsResponse", "EntitlementOutput", "All that are left are answered, in `entitlements` (platform §11).", as_one="entitlement"),
    _Names("EstimatedEvent", "EstimatedEvent", "An event may stand below a root of its own.", as_one="event"),
    _Names("MadeAlertsResponse", "Meta", "What is made is no page of a list (wallets §9).", as_one="meta"),
)  # fmt: skip


def add_contract_names(document: Json) -> None:
    """Have a description name what the contract's document names."""
    schemas: Json = document["components"]["schemas"]
    found = [(_at(schemas, one.place), _described(one, schemas[one.of])) for one in _NAMES]
    for schema, fields in found:
        schema["properties"] = {**fields, **schema["properties"]}


def _at(schemas: Json, place: str) -> Json:
    name, *way = place.split(".")
    schema: Json = schemas[name]
    for part in way:
        schema = schema["properties"][part.removesuffix("[]")]
        schema = schema["items"] if part.endswith("[]") else schema
    return schema


def _described(one: _Names, of: Json) -> Json:
    told = {"deprecated": True, "description": one.why}
    if one.as_one:
        # A copy: a schema that refers to itself would say no more below it.
        return {one.as_one: {"type": "object", "properties": dict(of["properties"]), **told}}
    return {name: {**of["properties"][name], **told} for name in one.fields or of["properties"]}
