"""The sums, one statement for each question."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import text

from tallymark.db.engine import Tx
from tallymark.rooms.analytics.model import (
    BasePrices,
    Collection,
    GrossRevenue,
    InvoicedUsage,
    OverdueBalance,
    Scope,
    UsageAsked,
    UsageOfPeriod,
    WeeklyPrices,
)
from tallymark.rooms.analytics.periods import Granularity

# What every question by month may be narrowed to; the issuer and the customer are those of the invoice. Partners' invoices never
# count, and of what revenue is summed from, neither do lost disputes.
_OF_ISSUER = """
    NOT i.self_billed
    AND (CAST(:currency AS text) IS NULL OR i.currency = :currency)
    AND (CAST(:entity AS uuid) IS NULL OR i.billing_entity_id = :entity)
"""
_OF_CUSTOMER = """
    (CAST(:customer AS text) IS NULL OR i.customer_id = (
        SELECT id FROM customers WHERE external_id = :customer AND deleted_at IS NULL))
"""
_COUNTED = f"i.status = 'finalized' AND i.payment_dispute_lost_at IS NULL AND {_OF_ISSUER}"
_IN_MONTHS = "i.issuing_date >= :start AND i.issuing_date < :end"
COUNTED_IN_MONTHS = f"{_COUNTED} AND {_IN_MONTHS}"
_FINAL = f"{_COUNTED} AND {_OF_CUSTOMER}"
_ISSUED = f"{_FINAL} AND {_IN_MONTHS}"
_MONTH = "CAST(date_trunc('month', {day}::timestamp) AS date)"
ISSUED_IN = _MONTH.format(day="i.issuing_date")

_GROSS_REVENUE = text(f"""
    SELECT month, currency, billing_entity_id, CAST(sum(amount) AS bigint) AS amount_cents,
           CAST(sum(invoices) AS bigint) AS invoices_count
    FROM (
        SELECT {ISSUED_IN} AS month, i.currency, i.billing_entity_id, 1 AS invoices,
               i.total_amount_cents - (
                   SELECT coalesce(sum(n.refund_amount_cents), 0) FROM credit_notes n WHERE n.invoice_id = i.id
               ) AS amount
        FROM invoices i WHERE {_ISSUED}
        UNION ALL
        SELECT CAST(date_trunc('month', f.created_at AT TIME ZONE 'UTC') AS date), f.currency,
               coalesce(u.billing_entity_id, c.billing_entity_id), 0, f.amount_cents
        FROM fees f JOIN subscriptions u ON u.id = f.subscription_id JOIN customers c ON c.id = f.customer_id
        WHERE f.invoice_id IS NULL AND f.pay_in_advance AND c.account_type <> 'partner'
          AND f.created_at >= :start_at AND f.created_at < :end_at
          AND (CAST(:currency AS text) IS NULL OR f.currency = :currency)
          AND (CAST(:entity AS uuid) IS NULL OR coalesce(u.billing_entity_id, c.billing_entity_id) = :entity)
          AND (CAST(:customer AS text) IS NULL OR (c.external_id = :customer AND c.deleted_at IS NULL))
    ) counted
    GROUP BY month, currency, billing_entity_id
    ORDER BY month, currency, billing_entity_id
""")
_COLLECTION = text(f"""
    SELECT {ISSUED_IN} AS month, i.payment_status, i.currency, CAST(sum(i.total_amount_cents) AS bigint) AS amount_cents,
           count(*) AS invoices_count
    FROM invoices i WHERE {_ISSUED}
    GROUP BY month, i.payment_status, i.currency
    ORDER BY month, i.currency, i.payment_status
""")
_INVOICED_USAGE = text(f"""
    SELECT CAST(date_trunc('month', f.created_at AT TIME ZONE 'UTC') AS date) AS month, m.code, f.currency,
           CAST(round(sum(f.amount_cents - f.precise_coupons_amount_cents)) AS bigint) AS amount_cents
    FROM fees f JOIN invoices i ON i.id = f.invoice_id JOIN billable_metrics m ON m.id = f.billable_metric_id
    WHERE f.fee_type = 'charge' AND f.created_at >= :start_at AND f.created_at < :end_at AND {_FINAL}
    GROUP BY month, m.code, f.currency
    ORDER BY month DESC, amount_cents DESC, m.code, f.currency
""")
_OVERDUE_IN = _MONTH.format(day="i.payment_due_date")
_OVERDUE = text(f"""
    SELECT {_OVERDUE_IN} AS month, i.currency, i.billing_entity_id, array_agg(i.id ORDER BY i.id) AS invoice_ids,
           CAST(sum(i.total_amount_cents - i.total_paid_amount_cents - i.offset_amount_cents) AS bigint) AS amount_cents
    FROM invoices i
    WHERE i.payment_overdue AND i.status <> 'deleted' AND {_OF_ISSUER} AND {_OF_CUSTOMER}
      AND i.payment_due_date >= :start AND i.payment_due_date < :end
    GROUP BY month, i.currency, i.billing_entity_id
    ORDER BY month, i.currency, i.billing_entity_id
""")
_KEPT = "f.amount_cents - f.precise_coupons_amount_cents + f.taxes_amount_cents"
_BASE_FEES = f"""
    FROM invoices i JOIN fees f ON f.invoice_id = i.id JOIN plans p ON p.id = f.plan_id
    WHERE f.fee_type = 'subscription' AND {_ISSUED}
"""
_BASE_PRICES = text(f"""
    SELECT p.interval, f.pay_in_advance, f.currency, i.issuing_date,
           f.to_at - f.from_at - interval '1 microsecond' AS length, sum({_KEPT}) AS amount_cents
    {_BASE_FEES} AND p.interval <> 'weekly'
    GROUP BY p.interval, f.pay_in_advance, f.currency, i.issuing_date, length
""")
_WEEKLY_PRICES = text(f"""
    SELECT month, currency, fees_count, sum(amount_cents) AS amount_cents
    FROM (
        SELECT {ISSUED_IN} AS month, f.currency, count(*) AS fees_count, sum({_KEPT}) AS amount_cents
        {_BASE_FEES} AND p.interval = 'weekly'
        GROUP BY month, f.currency, f.subscription_id
    ) of_subscriptions
    GROUP BY month, currency, fees_count
""")
_PERIODS = {
    Granularity.DAILY: ("d.usage_date", "0 days"),
    Granularity.WEEKLY: ("CAST(date_trunc('week', d.usage_date::timestamp) AS date)", "6 days"),
    Granularity.MONTHLY: (_MONTH.format(day="d.usage_date"), "1 month -1 day"),
}
_NARROWED = {
    "currency": "d.currency = :currency",
    "from_date": "d.usage_date >= :from_date",
    "to_date": "d.usage_date <= :to_date",
    "customer_type": "c.customer_type = :customer_type",
    "customer_country": "c.country = :customer_country",
    "external_customer_id": "c.external_id = :external_customer_id",
    "external_subscription_id": "u.external_id = :external_subscription_id",
    "plan_code": "p.code = :plan_code",
    "billable_metric_code": "m.code = :billable_metric_code",
    "is_recurring": "m.recurring = :is_recurring",
}


async def gross_revenues(tx: Tx, scope: Scope) -> list[GrossRevenue]:
    """Totals of invoices less refunds, and fees in advance on no invoice."""
    return [GrossRevenue(**row._mapping) for row in await tx.execute(_GROSS_REVENUE, bound(scope))]


async def collections(tx: Tx, scope: Scope) -> list[Collection]:
    """Invoices by payment status."""
    return [Collection(**row._mapping) for row in await tx.execute(_COLLECTION, bound(scope))]


async def invoiced_usages(tx: Tx, scope: Scope) -> list[InvoicedUsage]:
    """Charge fees by metric, the newest month first."""
    return [InvoicedUsage(**row._mapping) for row in await tx.execute(_INVOICED_USAGE, bound(scope))]


async def overdue_balances(tx: Tx, scope: Scope) -> list[OverdueBalance]:
    """What is overdue, by the month in which it fell due."""
    return [OverdueBalance(**row._mapping) for row in await tx.execute(_OVERDUE, bound(scope))]


async def base_prices(tx: Tx, scope: Scope, *, issued_from: date) -> list[BasePrices]:
    """Base prices but weekly ones, alike ones summed, of invoices issued from a day on."""
    asked = {**bound(scope), "start": issued_from}
    return [BasePrices(**row._mapping) for row in await tx.execute(_BASE_PRICES, asked)]


async def weekly_prices(tx: Tx, scope: Scope) -> list[WeeklyPrices]:
    """Weekly base prices, of subscriptions with as many of them in a month together."""
    return [WeeklyPrices(**row._mapping) for row in await tx.execute(_WEEKLY_PRICES, bound(scope))]


async def usages(tx: Tx, asked: UsageAsked) -> list[UsageOfPeriod]:
    """The daily differences of usage, summed by metric and period."""
    start, length = _PERIODS[asked.granularity]
    wanted = {name: getattr(asked, name) for name in _NARROWED if getattr(asked, name) is not None}
    conditions = "".join(f" AND {_NARROWED[name]}" for name in wanted)
    statement = text(f"""
        SELECT start, CAST(start + CAST('{length}' AS interval) AS date) AS "end", currency, code, is_deleted,
               sum(units) AS units, CAST(sum(amount_cents) AS bigint) AS amount_cents
        FROM (
            SELECT {start} AS start, d.currency, m.code, m.deleted_at IS NOT NULL AS is_deleted,
                   CAST(item ->> 'units' AS numeric) AS units,
                   CAST(item ->> 'amount_cents' AS bigint) AS amount_cents
            FROM daily_usages d
            JOIN subscriptions u ON u.id = d.subscription_id
            JOIN customers c ON c.id = u.customer_id
            JOIN plans p ON p.id = u.plan_id
            CROSS JOIN LATERAL jsonb_array_elements(d.usage_diff -> 'charges_usage') AS item
            JOIN billable_metrics m ON m.id = CAST(item -> 'billable_metric' ->> 'lago_id' AS uuid)
            WHERE d.organization_id = :organization_id AND d.usage IS NOT NULL{conditions}
        ) of_days
        GROUP BY start, currency, code, is_deleted
        ORDER BY start, code, currency, is_deleted
    """)
    found = await tx.execute(statement, {"organization_id": tx.organization_id, **wanted})
    return [UsageOfPeriod(**row._mapping) for row in found]


def bound(scope: Scope) -> dict[str, Any]:
    """What a question by month binds; a statement takes of it what it names."""
    return {
        "start": scope.start,
        "end": scope.end,
        "start_at": datetime.combine(scope.start, time.min, UTC),
        "end_at": datetime.combine(scope.end, time.min, UTC),
        "currency": scope.currency,
        "entity": scope.billing_entity_id,
        "customer": scope.external_customer_id,
    }
