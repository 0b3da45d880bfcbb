"""The sums of the app's dashboards, one statement for each question (platform §12.7).

A question is narrowed by conditions on customers, and on the fees of a plan or a subscription. Of what was taken off invoices only the
coupons are known fee by fee: nothing else is of a plan, so it is left out where one is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import TextClause, text

from tallymark.db.engine import Tx
from tallymark.db.names import CUSTOMER_NAME
from tallymark.rooms.analytics.model import (
    CreditsOfPeriod,
    CustomerRevenue,
    Movement,
    PlanRecurring,
    PlanRevenue,
    RevenueOfPeriod,
    Scope,
)
from tallymark.rooms.analytics.periods import Granularity
from tallymark.rooms.analytics.repository import COUNTED_IN_MONTHS, bound

_UNITS = {Granularity.DAILY: "day", Granularity.WEEKLY: "week", Granularity.MONTHLY: "month"}
_PERIOD = "CAST(date_trunc(CAST(:unit AS text), {instant}) AS date) AS start"
_LATER = "+ CAST('1 ' || CAST(:unit AS text) AS interval)"

# What is bought as credits is revenue once it is used: until then it is owed.
_FEES = (
    f"FROM invoices i JOIN fees f ON f.invoice_id = i.id WHERE {COUNTED_IN_MONTHS} AND f.fee_type <> 'credit'"
)
_GROSS = f"SELECT {{columns}}, f.fee_type AS stream, f.amount_cents AS cents {_FEES}"
_COUPONS_OF_FEES = f"""
    SELECT {{columns}}, 'coupons' AS stream, f.precise_coupons_amount_cents AS cents {_FEES}
    AND f.precise_coupons_amount_cents <> 0
"""
# Of an invoice whose credits are not known by their kind, all are taken for bought ones.
_CONTRA = f"""
    SELECT {{columns}}, taken.stream, taken.cents
    FROM invoices i CROSS JOIN LATERAL (VALUES
        ('progressive_billing', i.progressive_billing_credit_amount_cents),
        ('coupons', i.coupons_amount_cents),
        ('credit_notes', i.credit_notes_amount_cents),
        ('free_credits', coalesce(i.prepaid_granted_credit_amount_cents, 0)),
        ('prepaid_credits', i.prepaid_credit_amount_cents - coalesce(i.prepaid_granted_credit_amount_cents, 0))
    ) AS taken(stream, cents)
    WHERE {COUNTED_IN_MONTHS} AND taken.cents <> 0
"""


# What a question may be narrowed to, by its names: who pays, and what for.
_WHO = {
    "external_customer_id": "c.external_id = :external_customer_id AND c.deleted_at IS NULL",
    "customer_country": "c.country = :customer_country",
    "customer_type": "c.customer_type = :customer_type",
    "has_tax_number": "(coalesce(c.tax_identification_number, '') <> '') = :has_tax_number",
}
_OF_FEES = {
    "plan_code": "f.plan_id IN (SELECT id FROM plans WHERE code = :plan_code)",
    "external_subscription_id": "f.subscription_id IN (SELECT id FROM subscriptions WHERE external_id = :external_subscription_id)",
}
_OF_SUBSCRIPTIONS = {
    "plan_code": "p.code = :plan_code",
    "external_subscription_id": "s.external_id = :external_subscription_id",
}


def _both(scope: Scope, columns: str) -> str:
    """Fees, and what was taken off, of what is asked for."""
    who, what = _of_customers(scope), _and(scope, _OF_FEES)
    parts = (_GROSS + what, _COUPONS_OF_FEES + what) if what else (_GROSS, _CONTRA)
    return " UNION ALL ".join(part.format(columns=columns) + who for part in parts)


def _of_customers(scope: Scope) -> str:
    conditions = _and(scope, _WHO)
    return (
        f" AND i.customer_id IN (SELECT c.id FROM customers c WHERE true{conditions})" if conditions else ""
    )


def _and(scope: Scope, conditions: Mapping[str, str]) -> str:
    return "".join(f" AND {condition}" for name, condition in conditions.items() if name in scope.narrowed)


def _streams(scope: Scope) -> TextClause:
    return text(f"""
        SELECT start, currency, stream, CAST(round(sum(cents)) AS bigint) AS amount_cents
        FROM ({_both(scope, f"{_PERIOD.format(instant='i.issuing_date::timestamp')}, i.currency")}) counted
        GROUP BY start, currency, stream ORDER BY start, currency, stream
    """)


# A child plan is its parent's; net is less the coupons alone, rounded once as those of a customer are.
_BY_PLAN = f"""
    SELECT i.currency, sold.code, sold.name, sold.deleted_at IS NOT NULL AS is_deleted,
           CAST(sum(f.amount_cents) AS bigint) AS gross_cents,
           CAST(sum(f.amount_cents) - round(sum(f.precise_coupons_amount_cents)) AS bigint) AS net_cents,
           count(DISTINCT i.customer_id) AS customers_count
    FROM invoices i JOIN fees f ON f.invoice_id = i.id
    JOIN plans p ON p.id = f.plan_id JOIN plans sold ON sold.id = coalesce(p.parent_id, p.id)
    WHERE {COUNTED_IN_MONTHS} AND f.fee_type <> 'credit'{{narrowed}}
    GROUP BY i.currency, sold.id, sold.code, sold.name, sold.deleted_at
    ORDER BY i.currency, gross_cents DESC, sold.code, sold.id
"""
_MOST_CUSTOMERS = 20


def _by_customer(scope: Scope) -> TextClause:
    return text(f"""
        WITH counted AS ({_both(scope, "i.currency, i.customer_id")}), summed AS (
            SELECT currency, customer_id,
                   coalesce(sum(cents) FILTER (WHERE stream = ANY(:gross)), 0) AS gross,
                   round(coalesce(sum(cents) FILTER (WHERE stream <> ALL(:gross)), 0)) AS contra
            FROM counted GROUP BY currency, customer_id
        ), ranked AS (
            SELECT *, row_number() OVER (PARTITION BY currency ORDER BY gross DESC, customer_id) AS place FROM summed
        )
        SELECT r.currency, c.external_id, c.deleted_at IS NOT NULL AS is_deleted,
               {CUSTOMER_NAME} AS name,
               CAST(r.gross AS bigint) AS gross_cents, CAST(r.gross - r.contra AS bigint) AS net_cents
        FROM ranked r JOIN customers c ON c.id = r.customer_id
        WHERE r.place <= {_MOST_CUSTOMERS}
        ORDER BY r.currency, r.place
    """)


GROSS_STREAMS = ("subscription", "charge", "fixed_charge", "commitment", "add_on")

_A_MONTH = """
    CASE p.interval WHEN 'yearly' THEN 1.0 / 12 WHEN 'semiannual' THEN 1.0 / 6 WHEN 'quarterly' THEN 1.0 / 3
                    WHEN 'weekly' THEN 4.33 ELSE 1 END
"""
# Most customers have no coupon that recurs: nothing is looked for where there is none.
_HAVING = "SELECT customer_id FROM applied_coupons WHERE frequency IN ('recurring', 'forever')"
# A coupon for some plans takes something off subscriptions on these or on children of these; one for metrics off no base price.
_COUPONS = """
    FROM applied_coupons a JOIN coupons k ON k.id = a.coupon_id
    WHERE a.customer_id = {customer} AND a.frequency IN ('recurring', 'forever') AND NOT k.limited_billable_metrics
      AND a.created_at < {at} AND (a.terminated_at IS NULL OR a.terminated_at >= {at})
      AND (NOT k.limited_plans OR EXISTS (
          SELECT FROM coupon_targets t WHERE t.coupon_id = k.id AND t.plan_id = ANY({plans})))
"""
# Twelfths and products of shares are decimals of many places: what is off in the last ones must not tip a half cent over.
_PLACES = 12
_RUNNING = f"""
    ends AS (SELECT * FROM unnest(CAST(:starts AS date[]), CAST(:ends AS timestamptz[])) AS e(start, at)),
    running AS (
        SELECT e.start, e.at, s.customer_id, s.id, coalesce(p.parent_id, p.id) AS plan_id, p.amount_currency AS currency,
               {_A_MONTH} AS pace,
               p.amount_cents * {_A_MONTH} * CASE WHEN s.customer_id IN ({_HAVING}) THEN coalesce((
                   SELECT CASE WHEN bool_or(a.percentage_rate >= 100) THEN 0
                               ELSE round(exp(sum(ln(1 - least(a.percentage_rate, 99.9) / 100))), {_PLACES}) END
                   {_COUPONS.format(customer="s.customer_id", at="e.at", plans="ARRAY[coalesce(p.parent_id, p.id)]")}
                     AND a.percentage_rate IS NOT NULL
               ), 1) ELSE 1 END AS cents
        FROM ends e
        JOIN subscriptions s ON s.status IN ('active', 'terminated') AND s.started_at < e.at
             AND (s.terminated_at IS NULL OR s.terminated_at >= e.at)
        JOIN plans p ON p.id = s.plan_id
        JOIN customers c ON c.id = s.customer_id AND c.account_type <> 'partner'
        WHERE (CAST(:currency AS text) IS NULL OR p.amount_currency = :currency)
          AND (CAST(:entity AS uuid) IS NULL OR coalesce(s.billing_entity_id, c.billing_entity_id) = :entity){{narrowed}}
    )
"""
# A coupon of an amount is taken off what a customer pays in all: nobody can say how much of it is one plan's.
_MOVEMENTS = f"""
    WITH {_RUNNING}, of_customers AS (
        SELECT start, currency, customer_id, CAST(round(round(greatest(sum(cents) -
            CASE WHEN NOT :is_of_plan AND customer_id IN ({_HAVING}) THEN coalesce((
            SELECT sum(a.amount_cents)
            {_COUPONS.format(customer="running.customer_id", at="max(running.at)", plans="array_agg(running.plan_id)")}
              AND a.amount_currency = running.currency
        ), 0) * max(pace) ELSE 0 END, 0), {_PLACES})) AS bigint) AS cents
        FROM running GROUP BY start, currency, customer_id
    ), moves AS (
        SELECT coalesce(this.start, CAST(past.start {_LATER} AS date)) AS start,
               coalesce(this.currency, past.currency) AS currency,
               coalesce(past.cents, 0) AS was, coalesce(this.cents, 0) AS became
        FROM of_customers this FULL JOIN of_customers past
          ON past.customer_id = this.customer_id AND past.currency = this.currency
         AND this.start = CAST(past.start {_LATER} AS date)
    )
    SELECT start, currency,
           CAST(sum(was) AS bigint) AS starting_cents,
           CAST(coalesce(sum(became) FILTER (WHERE was = 0), 0) AS bigint) AS new_cents,
           CAST(coalesce(sum(became - was) FILTER (WHERE was > 0 AND became > was), 0) AS bigint) AS expansion_cents,
           CAST(coalesce(sum(became - was) FILTER (WHERE became > 0 AND became < was), 0) AS bigint) AS contraction_cents,
           CAST(coalesce(sum(-was) FILTER (WHERE became = 0), 0) AS bigint) AS churn_cents,
           CAST(sum(became) AS bigint) AS ending_cents
    FROM moves WHERE start >= :start AND start < :end
    GROUP BY start, currency ORDER BY start, currency
"""
_RECURRING_BY_PLAN = f"""
    WITH {_RUNNING}
    SELECT r.currency, p.code, p.name, p.interval, p.deleted_at IS NOT NULL AS is_deleted,
           CAST(round(round(sum(r.cents), {_PLACES})) AS bigint) AS amount_cents, count(DISTINCT r.customer_id) AS customers_count
    FROM running r JOIN plans p ON p.id = r.plan_id
    GROUP BY r.currency, p.id, p.code, p.name, p.interval, p.deleted_at
    ORDER BY r.currency, amount_cents DESC, p.code, p.id
"""
_CREDITS = f"""
    SELECT {_PERIOD.format(instant="t.settled_at AT TIME ZONE 'UTC'")}, w.currency, w.rate_amount,
           t.transaction_status AS kind, CAST(sum(t.amount_cents) AS bigint) AS amount_cents,
           sum(t.precise_amount_cents) AS precise_amount_cents
    FROM wallet_transactions t JOIN wallets w ON w.id = t.wallet_id JOIN customers c ON c.id = w.customer_id
    WHERE t.status = 'settled' AND t.settled_at >= :start_at AND t.settled_at < :end_at
      AND (CAST(:currency AS text) IS NULL OR w.currency = :currency)
      AND (CAST(:entity AS uuid) IS NULL OR coalesce(w.billing_entity_id, c.billing_entity_id) = :entity){{narrowed}}
    GROUP BY start, w.currency, w.rate_amount, t.transaction_status
    ORDER BY start, w.currency, t.transaction_status, w.rate_amount
"""


async def revenue_streams(tx: Tx, scope: Scope) -> list[RevenueOfPeriod]:
    """What fees of a kind came to before coupons and taxes, and what was taken off invoices."""
    return [RevenueOfPeriod(**row._mapping) for row in await tx.execute(_streams(scope), _bound(scope))]


async def revenue_by_plan(tx: Tx, scope: Scope) -> list[PlanRevenue]:
    """The same fees by plan, the most first, and less their coupons."""
    statement = text(_BY_PLAN.format(narrowed=_and(scope, _OF_FEES) + _of_customers(scope)))
    return [PlanRevenue(**row._mapping) for row in await tx.execute(statement, _bound(scope))]


async def revenue_by_customer(tx: Tx, scope: Scope) -> list[CustomerRevenue]:
    """The customers that brought the most, by currency."""
    asked = {**_bound(scope), "gross": list(GROSS_STREAMS)}
    return [CustomerRevenue(**row._mapping) for row in await tx.execute(_by_customer(scope), asked)]


async def movements(tx: Tx, scope: Scope, ends: Sequence[tuple[date, datetime]]) -> list[Movement]:
    """How recurring revenue moved from one period's end to the next; `ends` begins with the period before the first."""
    is_of_plan = any(name in scope.narrowed for name in _OF_SUBSCRIPTIONS)
    asked = {**_bound(scope), **_at(ends), "is_of_plan": is_of_plan}
    rows = await tx.execute(text(_MOVEMENTS.format(narrowed=_of_running(scope))), asked)
    return [Movement(**row._mapping) for row in rows]


async def recurring_by_plan(tx: Tx, scope: Scope, at: tuple[date, datetime]) -> list[PlanRecurring]:
    """Recurring revenue at an instant by plan, less shares that coupons take."""
    statement = text(_RECURRING_BY_PLAN.format(narrowed=_of_running(scope)))
    rows = await tx.execute(statement, {**_bound(scope), **_at([at])})
    return [PlanRecurring(**row._mapping) for row in rows]


async def credits_moved(tx: Tx, scope: Scope) -> list[CreditsOfPeriod]:
    """Prepaid credits that were bought, given, used and voided, by what one is worth."""
    statement = text(_CREDITS.format(narrowed=_and(scope, _WHO)))
    return [CreditsOfPeriod(**row._mapping) for row in await tx.execute(statement, _bound(scope))]


def _of_running(scope: Scope) -> str:
    return _and(scope, _WHO) + _and(scope, _OF_SUBSCRIPTIONS)


def _at(ends: Sequence[tuple[date, datetime]]) -> dict[str, Any]:
    return {"starts": [start for start, _ in ends], "ends": [at for _, at in ends]}


def _bound(scope: Scope) -> dict[str, Any]:
    return {**bound(scope), "unit": _UNITS[scope.granularity], **scope.narrowed}
