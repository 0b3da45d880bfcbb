"""What an answer says, as the request that would make the same: one function for each kind of object.

The same function reads both servers' answers, so that a copy can be held against its original.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Json = dict[str, Any]

ADDRESS = ("address_line1", "address_line2", "city", "zipcode", "state", "country")
ENTITY_CONFIGURATION = (
    "invoice_footer", "invoice_grace_period", "document_locale",
    "subscription_invoice_issuing_date_anchor", "subscription_invoice_issuing_date_adjustment",
)  # fmt: skip


def pick(wire: Json, *names: str) -> Json:
    """Some fields of an answer; one that it does not have is left out."""
    return {name: wire[name] for name in names if name in wire}


def codes(items: Iterable[Json] | None) -> list[str]:
    """The codes of what an answer lists, in an order of their own."""
    return sorted(item["code"] for item in items or ())


def tax(wire: Json) -> Json:
    """A tax."""
    return pick(wire, "name", "code", "rate", "description", "applied_to_organization")


def custom_section(wire: Json) -> Json:
    """A section of invoices."""
    return pick(wire, "name", "code", "description", "details", "display_name")


def billing_entity(wire: Json, *, is_live: bool) -> Json:
    """Who issues invoices, all but the prefix of its numbers; one that is not live sends no e-mails."""
    found = pick(
        wire, "name", "default_currency", "timezone", *ADDRESS, "phone", "email", "legal_name", "legal_number",
        "tax_identification_number", "einvoicing", "eu_tax_management", "net_payment_term", "document_numbering",
        "finalize_zero_amount_invoice", "brand_color",
    )  # fmt: skip
    return {
        **found,
        "billing_configuration": pick(wire, *ENTITY_CONFIGURATION),
        "tax_codes": codes(wire.get("taxes")),
        "invoice_custom_section_codes": codes(wire.get("selected_invoice_custom_sections")),
        **({"email_settings": wire.get("email_settings") or []} if is_live else {}),
    }


def pricing_unit(wire: Json) -> Json:
    """A unit that charges may be priced in."""
    return pick(wire, "name", "code", "short_name", "description")


def billable_metric(wire: Json) -> Json:
    """What is measured."""
    found = pick(
        wire, "name", "code", "description", "aggregation_type", "field_name", "recurring", "rounding_function",
        "rounding_precision", "expression", "weighted_interval",
    )  # fmt: skip
    filters = sorted(wire.get("filters") or (), key=lambda item: str(item["key"]))
    return {
        **found,
        "filters": [{"key": item["key"], "values": sorted(item["values"])} for item in filters],
    }


def add_on(wire: Json) -> Json:
    """What is sold by itself."""
    found = pick(
        wire, "name", "code", "amount_cents", "amount_currency", "invoice_display_name", "description"
    )
    return {**found, "tax_codes": codes(wire.get("taxes"))}


def feature(wire: Json) -> Json:
    """What plans may entitle to."""
    privileges = [pick(one, "code", "name", "value_type", "config") for one in wire.get("privileges") or ()]
    return {**pick(wire, "code", "name", "description"), "privileges": privileges}


def granted(entitlements: Iterable[Json] | None) -> Json:
    """The values of privileges, by the codes of features and privileges."""
    return {
        one["code"]: {each["code"]: each["value"] for each in one.get("privileges") or ()}
        for one in entitlements or ()
    }


def plan(wire: Json) -> Json:
    """An offer with all that it charges, but for what it entitles to."""
    return {
        **pick(
            wire, "name", "code", "invoice_display_name", "description", "interval", "amount_cents",
            "amount_currency", "pay_in_advance", "trial_period", "bill_charges_monthly",
            "bill_fixed_charges_monthly", "metadata",
        ),
        "tax_codes": codes(wire.get("taxes")),
        "charges": coded([charge(one) for one in in_order(wire.get("charges"))], "billable_metric_code"),
        "fixed_charges": coded(
            [fixed_charge(one) for one in in_order(wire.get("fixed_charges"))], "add_on_code"
        ),
        "minimum_commitment": commitment(wire.get("minimum_commitment")),
        "usage_thresholds": thresholds(wire.get("usage_thresholds")),
    }  # fmt: skip


def in_order(items: Sequence[Json] | None) -> list[Json]:
    """Charges in an order that both servers have: by code, and as they were made where there is none."""
    return sorted(items or (), key=lambda item: (item.get("code") or "", item.get("created_at") or ""))


def coded(items: Sequence[Json], of: str) -> list[Json]:
    """Charges with a code each: servers that give them none have them called by what they charge for, and their place.

    >>> [one["code"] for one in coded([{"m": "calls"}, {"m": "calls"}, {"m": "calls", "code": "own"}], "m")]
    ['calls', 'calls_2', 'own']
    """
    found: list[Json] = []
    for item in items:
        again = sum(one[of] == item[of] for one in found)
        found.append({**item, "code": item.get("code") or (f"{item[of]}_{again + 1}" if again else item[of])})
    return found


def properties(found: Json | None) -> Json:
    """Prices, without the older name of the group keys that is told beside the newer one."""
    shown = dict(found or {})
    if "pricing_group_keys" in shown:
        shown.pop("grouped_by", None)
    return shown


def charge(wire: Json) -> Json:
    """A priced metric of a plan; the metric is named by its code."""
    unit = wire.get("applied_pricing_unit")
    return {
        **pick(
            wire, "billable_metric_code", "code", "charge_model", "invoiceable", "pay_in_advance", "prorated",
            "min_amount_cents", "regroup_paid_fees", "accepts_target_wallet", "invoice_display_name",
        ),
        "properties": properties(wire.get("properties")),
        "filters": [
            {**pick(one, "invoice_display_name", "values"), "properties": properties(one.get("properties"))}
            for one in wire.get("filters") or ()
        ],
        "tax_codes": codes(wire.get("taxes")),
        "applied_pricing_unit": pick(unit, "code", "conversion_rate") if unit else None,
    }  # fmt: skip


def fixed_charge(wire: Json) -> Json:
    """Units of an add-on that a plan charges whatever is used."""
    found = pick(
        wire, "add_on_code", "code", "charge_model", "units", "pay_in_advance", "prorated", "properties",
        "invoice_display_name",
    )  # fmt: skip
    return {**found, "tax_codes": codes(wire.get("taxes"))}


def commitment(wire: Json | None) -> Json | None:
    """The least that a plan comes to."""
    if not wire:
        return None
    return {**pick(wire, "amount_cents", "invoice_display_name"), "tax_codes": codes(wire.get("taxes"))}


def thresholds(items: Iterable[Json] | None) -> list[Json]:
    """Marks of usage, the lowest first."""
    found = [pick(one, "amount_cents", "threshold_display_name", "recurring") for one in items or ()]
    return sorted(found, key=lambda one: (bool(one.get("recurring")), one["amount_cents"]))


def coupon(wire: Json) -> Json:
    """A discount on offer."""
    found = pick(
        wire, "name", "code", "description", "coupon_type", "amount_cents", "amount_currency", "percentage_rate",
        "frequency", "frequency_duration", "expiration", "expiration_at", "reusable",
    )  # fmt: skip
    return {
        **found,
        "applies_to": {
            "plan_codes": sorted(wire.get("plan_codes") or ()),
            "billable_metric_codes": sorted(wire.get("billable_metric_codes") or ()),
        },
    }


def customer(wire: Json, *, section_codes: Sequence[str] = ()) -> Json:
    """Who pays. The link to a payment provider stays where it is: the connection behind it is none of ours."""
    found = pick(
        wire, "external_id", "name", "firstname", "lastname", "legal_name", "legal_number", "url", "logo_url",
        "phone", "email", "tax_identification_number", "external_salesforce_id", "customer_type", "account_type",
        *ADDRESS, "currency", "timezone", "net_payment_term", "finalize_zero_amount_invoice", "billing_entity_code",
        "skip_invoice_custom_sections",
    )  # fmt: skip
    configuration = pick(
        wire.get("billing_configuration") or {}, "invoice_grace_period", "document_locale",
        "subscription_invoice_issuing_date_anchor", "subscription_invoice_issuing_date_adjustment",
    )  # fmt: skip
    notes = [pick(one, "key", "value", "display_in_invoice") for one in wire.get("metadata") or ()]
    return {
        **found,
        "shipping_address": pick(wire.get("shipping_address") or {}, *ADDRESS),
        "billing_configuration": configuration,
        "tax_codes": codes(wire.get("taxes")),
        "metadata": sorted(notes, key=lambda note: str(note["key"])),
        "invoice_custom_section_codes": list(section_codes),
    }


GENERATED = "funding_instructions"
"""How the codes of sections begin that are made for a customer: nobody selects them."""


def own_sections(wire: Json, inherited: Iterable[str]) -> list[str]:
    """The sections that a customer selects, as far as what applies to them tells: it is not what their entity selects.

    >>> listed = [{"code": "terms"}, {"code": "funding_instructions_eur"}]
    >>> [own_sections({"applicable_invoice_custom_sections": listed}, of) for of in (["terms"], [])]
    [[], ['terms']]
    """
    if wire.get("skip_invoice_custom_sections"):
        return []
    listed = codes(wire.get("applicable_invoice_custom_sections"))
    applicable = [code for code in listed if not code.startswith(GENERATED)]
    return [] if applicable == sorted(inherited) else applicable


def chosen_sections(wire: Json) -> Json | None:
    """The sections that a subscription, wallet or rule selects itself."""
    chosen = [one["invoice_custom_section"] for one in wire.get("applied_invoice_custom_sections") or ()]
    return {"invoice_custom_section_codes": codes(chosen)} if chosen else None


def paid_by(wire: Json) -> Json:
    """How something is paid; which method of a provider it is stays where the provider is connected."""
    method = wire.get("payment_method") or {}
    return {"payment_method_type": method.get("payment_method_type") or "provider"}


def subscription(wire: Json) -> Json:
    """A customer on a plan, without prices of its own."""
    return {
        **pick(
            wire, "external_customer_id", "plan_code", "external_id", "name", "billing_time", "subscription_at",
            "ending_at", "purchase_order_number", "consolidate_invoice", "billing_entity_code",
            "progressive_billing_disabled", "on_termination_credit_note", "on_termination_invoice",
        ),
        "payment_method": paid_by(wire),
        "invoice_custom_section": chosen_sections(wire),
    }  # fmt: skip


def wallet(wire: Json) -> Json:
    """Prepaid credits, but for the credits."""
    return {
        **pick(
            wire, "name", "code", "priority", "rate_amount", "currency", "expiration_at",
            "invoice_requires_successful_payment", "paid_top_up_min_amount_cents", "paid_top_up_max_amount_cents",
            "purchase_order_number", "metadata", "billing_entity_code",
        ),
        "applies_to": {
            "fee_types": sorted((wire.get("applies_to") or {}).get("fee_types") or ()),
            "billable_metric_codes": sorted((wire.get("applies_to") or {}).get("billable_metric_codes") or ()),
        },
        "payment_method": paid_by(wire),
        "invoice_custom_section": chosen_sections(wire),
        "recurring_transaction_rules": [
            rule(one, made_at=wire.get("created_at")) for one in wire.get("recurring_transaction_rules") or ()
        ],
    }  # fmt: skip


def rule(wire: Json, *, made_at: str | None) -> Json:
    """What fills a wallet by itself. Without an anchor it is the day on which its wallet was made, there."""
    found = pick(
        wire, "trigger", "method", "interval", "threshold_credits", "target_ongoing_balance", "paid_credits",
        "granted_credits", "grants_target_top_up", "expiration_at", "ignore_paid_top_up_limits",
        "invoice_requires_successful_payment", "transaction_name", "transaction_metadata", "purchase_order_number",
    )  # fmt: skip
    return {
        **found,
        "started_at": wire.get("started_at") or made_at,
        "payment_method": paid_by(wire),
        "invoice_custom_section": chosen_sections(wire),
    }


def alert(wire: Json) -> Json:
    """What watches usage or a wallet."""
    metric = wire.get("billable_metric")
    return {
        **pick(wire, "alert_type", "code", "name"),
        "billable_metric_code": metric["code"] if metric else None,
        "thresholds": [pick(one, "code", "value", "recurring") for one in wire.get("thresholds") or ()],
    }


def webhook_endpoint(wire: Json) -> Json:
    """Where messages go."""
    return pick(wire, "webhook_url", "signature_algo", "name", "event_types")
