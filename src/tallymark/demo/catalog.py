"""What the company of the demonstration sells: metrics, plans in two currencies, extras, taxes, coupons and features."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

COMPANY = "Skerry Cloud"
"""An invented company."""

EMAIL = "ines.calloway@skerry.example"
"""Its first admin."""

ENTITY: Json = {
    "legal_name": "Skerry Cloud Ltd", "legal_number": "IE 900417", "address_line1": "14 Lantern Quay", "city": "Galway",
    "zipcode": "H91 X2C4", "country": "IE", "email": "billing@skerry.example", "phone": "+353 91 000 000",
    "tax_identification_number": "IE0000000XX", "default_currency": "EUR", "timezone": "Europe/Dublin",
    "net_payment_term": 14, "document_number_prefix": "SKY", "brand_color": "#1c6e8c", "tax_codes": ["vat_ie"],
    "billing_configuration": {
        "document_locale": "en", "invoice_grace_period": 0,
        "invoice_footer": "Skerry Cloud Ltd, 14 Lantern Quay, Galway\nbilling@skerry.example",
    },
}  # fmt: skip

AMERICAN_ENTITY: Json = {
    "code": "skerry_us", "name": "Skerry Cloud US", "legal_name": "Skerry Cloud Inc.", "legal_number": "OR 4471190",
    "address_line1": "220 Beacon Street", "city": "Portland", "zipcode": "97205", "state": "OR", "country": "US",
    "email": "billing-us@skerry.example", "phone": "+1 503 000 0000", "default_currency": "USD",
    "timezone": "America/Los_Angeles", "net_payment_term": 30, "document_number_prefix": "SKU", "brand_color": "#6b4fa0",
    "billing_configuration": {"document_locale": "en", "invoice_footer": "Skerry Cloud Inc., 220 Beacon Street, Portland"},
}  # fmt: skip
"""Who bills customers in the United States."""

SECTION: Json = {
    "code": "support_hours", "name": "Support hours", "display_name": "Support",
    "details": "Write to help@skerry.example on working days, 9:00 to 17:00 in Galway.",
}  # fmt: skip

PRICING_UNIT: Json = {
    "code": "compute_unit", "name": "Compute unit", "short_name": "CU", "description": "What a second of a small host counts for."
}  # fmt: skip

CAMPAIGN: Json = {
    "code": "reminders", "name": "Friendly reminders", "description": "Three letters, a week apart.",
    "days_between_attempts": 7, "max_attempts": 3, "applied_to_organization": True,
    "thresholds": [{"currency": "EUR", "amount_cents": 20_000}, {"currency": "USD", "amount_cents": 20_000}],
}  # fmt: skip

DESCRIPTIONS: tuple[tuple[str, str, str], ...] = (
    ("/billable_metrics/compute_seconds", "billable_metric", "Seconds that a host has computed, by its region."),
    ("/billable_metrics/ai_tokens", "billable_metric", "Tokens read and written, by model."),
    ("/billable_metrics/seats", "billable_metric", "People who have signed in at least once in the month."),
    ("/plans/team", "plan", "For one team: seats and projects, two weeks free."),
    ("/plans/ai", "plan", "Models by the token, requests by the thousand."),
    ("/plans/enterprise", "plan", "With a commitment, support and every region."),
    ("/plans/annual", "plan", "A year paid ahead; requests are billed each month."),
    ("/plans/prepaid", "plan", "No fee: compute and egress, drawn from credits."),
    ("/add_ons/onboarding", "add_on", "Two days with a team, on site or by video."),
    ("/add_ons/migration", "add_on", "Data brought over from where it was, and checked."),
    ("/features/audit_trail", "feature", "Who has done what, for as long as the plan says."),
    ("/features/sso", "feature", "Signing in by the customer's own directory."),
    ("/coupons/LOYAL50", "coupon", "For those who stay for a second year."),
    ("/coupons/WELCOME20", "coupon", "A fifth off the first three invoices."),
)  # fmt: skip
"""What is described in the last days, so that there is something in the histories of these, too."""

TAXES: tuple[Json, ...] = (
    {"code": "vat_ie", "name": "VAT Ireland", "rate": "23"},
    {"code": "vat_de", "name": "USt. Deutschland", "rate": "19"},
    {"code": "vat_fr", "name": "TVA France", "rate": "20"},
    {"code": "vat_es", "name": "IVA España", "rate": "21"},
    {"code": "vat_it", "name": "IVA Italia", "rate": "22"},
    {"code": "vat_se", "name": "Moms Sverige", "rate": "25"},
    {"code": "vat_nl", "name": "BTW Nederland", "rate": "21"},
    {"code": "no_tax", "name": "Outside the scope of VAT", "rate": "0"},
)

METRICS: tuple[Json, ...] = (
    {"code": "api_requests", "name": "API requests", "aggregation_type": "count_agg"},
    {"code": "seats", "name": "Seats", "aggregation_type": "unique_count_agg", "field_name": "user_id", "recurring": True},
    {"code": "compute_seconds", "name": "Compute seconds", "aggregation_type": "sum_agg", "field_name": "seconds",
     "filters": [{"key": "region", "values": ["eu", "us"]}]},
    {"code": "ai_tokens", "name": "AI tokens", "aggregation_type": "sum_agg", "field_name": "tokens"},
    {"code": "peak_memory", "name": "Peak memory", "aggregation_type": "max_agg", "field_name": "gb"},
    {"code": "projects", "name": "Projects", "aggregation_type": "latest_agg", "field_name": "count"},
    {"code": "storage", "name": "Storage", "aggregation_type": "weighted_sum_agg", "field_name": "gb",
     "weighted_interval": "seconds", "recurring": True},
    {"code": "egress", "name": "Egress", "aggregation_type": "sum_agg", "field_name": "gb",
     "expression": "round(event.properties.megabytes / 1000, 3)", "rounding_function": "ceil", "rounding_precision": 0},
)  # fmt: skip
"""Eight metrics: all seven ways of counting, one of them over an expression."""

ADD_ONS: tuple[Json, ...] = (
    {"code": "support", "name": "Priority support", "amount_cents": 9_000},
    {"code": "onboarding", "name": "Onboarding workshop", "amount_cents": 120_000},
    {"code": "migration", "name": "Data migration", "amount_cents": 85_000},
)

COUPONS: tuple[Json, ...] = (
    {"code": "WELCOME20", "name": "Welcome", "coupon_type": "percentage", "percentage_rate": "20",
     "frequency": "recurring", "frequency_duration": 3, "expiration": "no_expiration"},
    {"code": "LOYAL50", "name": "Thank you", "coupon_type": "fixed_amount", "amount_cents": 5_000,
     "amount_currency": "EUR", "frequency": "once", "expiration": "no_expiration", "reusable": True},
    {"code": "SPRING", "name": "Spring offer", "coupon_type": "percentage", "percentage_rate": "10", "frequency": "once",
     "expiration": "time_limit", "expiration_at": "2026-05-31T23:59:59Z"},
)  # fmt: skip
"""The last one expires within the year."""

FEATURES: tuple[Json, ...] = (
    {"code": "sso", "name": "Single sign-on", "privileges": [
        {"code": "provider", "name": "Provider", "value_type": "select",
         "config": {"select_options": ["google", "okta", "entra_id"]}}]},
    {"code": "audit_trail", "name": "Audit trail", "privileges": [
        {"code": "days", "name": "Days kept", "value_type": "integer"}]},
    {"code": "regions", "name": "Regions", "privileges": [
        {"code": "max", "name": "Most regions", "value_type": "integer"},
        {"code": "dedicated", "name": "Dedicated hosts", "value_type": "boolean"}]},
)  # fmt: skip

ENTITLEMENTS: dict[str, Json] = {
    "team": {"regions": {"max": 1}},
    "ai": {"regions": {"max": 2}, "audit_trail": {"days": 30}},
    "enterprise": {
        "sso": {"provider": "okta"},
        "audit_trail": {"days": 365},
        "regions": {"max": 8, "dedicated": True},
    },
    "annual": {"audit_trail": {"days": 90}, "regions": {"max": 3}},
}


def _tiers(*tiers: tuple[int | None, str, str]) -> list[Json]:
    """Tiers of (last unit, price of one, flat price), the first from 0 on."""
    found, start = [], 0
    for last, each, flat in tiers:
        found.append({"from_value": start, "to_value": last, "per_unit_amount": each, "flat_amount": flat})
        start = (last or 0) + 1
    return found


def _charge(metrics: dict[str, str], code: str, model: str, name: str, properties: Json, **more: Any) -> Json:
    return {
        "billable_metric_id": metrics[code], "code": code, "charge_model": model, "invoice_display_name": name,
        "properties": properties, **more,
    }  # fmt: skip


def plans(metrics: dict[str, str], add_ons: dict[str, str], currency: str) -> list[Json]:
    """The five plans in a currency; `metrics` and `add_ons` are ids by code. Codes outside of euros end with the currency."""
    suffix = "" if currency == "EUR" else f"_{currency.lower()}"
    support = {
        "code": "support", "add_on_id": add_ons["support"], "charge_model": "standard", "units": "1",
        "invoice_display_name": "Priority support", "properties": {"amount": "90"},
    }  # fmt: skip
    team = {
        "name": "Team", "code": "team", "interval": "monthly", "amount_cents": 4_900, "pay_in_advance": True,
        "trial_period": 14, "charges": [
            _charge(metrics, "seats", "graduated", "Seats",
                    {"graduated_ranges": _tiers((5, "12", "0"), (20, "10", "0"), (None, "8", "0"))}),
            _charge(metrics, "projects", "package", "Projects", {"amount": "15", "package_size": 10, "free_units": 10}),
        ],
    }  # fmt: skip
    ai = {
        "name": "AI Platform", "code": "ai", "interval": "monthly", "amount_cents": 1_900, "pay_in_advance": False,
        "charges": [
            _charge(metrics, "ai_tokens", "package", "Tokens",
                    {"amount": "2.50", "package_size": 1_000_000, "free_units": 100_000, "pricing_group_keys": ["model"]}),
            _charge(metrics, "api_requests", "volume", "API requests",
                    {"volume_ranges": _tiers((100, "0.05", "0"), (None, "0.03", "2"))}),
            _charge(metrics, "peak_memory", "standard", "Peak memory, GB", {"amount": "0.80"}),
        ],
    }  # fmt: skip
    prepaid = {
        "name": "Pay as you go", "code": "prepaid", "interval": "monthly", "amount_cents": 0, "pay_in_advance": False,
        "charges": [
            _charge(metrics, "compute_seconds", "standard", "Compute", {"amount": "0.004"}, filters=[
                {"values": {"region": ["us"]}, "invoice_display_name": "Compute, US", "properties": {"amount": "0.0035"}},
            ]),
            _charge(metrics, "egress", "percentage", "Egress", {"rate": "8", "fixed_amount": "0.02"}),
        ],
    }  # fmt: skip
    enterprise = {
        "name": "Enterprise", "code": "enterprise", "interval": "monthly", "amount_cents": 49_900, "pay_in_advance": False,
        "minimum_commitment": {"amount_cents": 150_000, "invoice_display_name": "Minimum commitment"},
        "usage_thresholds": [
            {"amount_cents": 100_000, "threshold_display_name": "First thousand"},
            {"amount_cents": 250_000, "recurring": True, "threshold_display_name": "Every further 2,500"},
        ],
        "fixed_charges": [support],
        "charges": [
            _charge(metrics, "compute_seconds", "graduated", "Compute",
                    {"graduated_ranges": _tiers((50_000, "0.003", "0"), (None, "0.002", "0"))}),
            _charge(metrics, "storage", "standard", "Storage, GB", {"amount": "0.11"}),
            _charge(metrics, "egress", "standard", "Egress, GB", {"amount": "0.07"}, min_amount_cents=1_000),
            _charge(metrics, "ai_tokens", "package", "Tokens", {"amount": "2", "package_size": 1_000_000, "free_units": 0}),
        ],
    }  # fmt: skip
    annual = {
        "name": "Annual", "code": "annual", "interval": "yearly", "amount_cents": 960_000, "pay_in_advance": True,
        "bill_charges_monthly": True, "fixed_charges": [{**support, "pay_in_advance": True}],
        "charges": [
            _charge(metrics, "api_requests", "graduated", "API requests",
                    {"graduated_ranges": _tiers((200, "0", "0"), (None, "0.02", "0"))}),
        ],
    }  # fmt: skip
    return [
        {**plan, "code": f"{plan['code']}{suffix}", "amount_currency": currency}
        for plan in (team, ai, prepaid, enterprise, annual)
    ]
