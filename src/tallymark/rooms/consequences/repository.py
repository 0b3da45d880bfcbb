"""The counts, one statement for each act."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import TextClause, text
from sqlalchemy.engine import RowMapping

from tallymark.db.engine import Tx
from tallymark.rooms.consequences.model import (
    AddOnDeletion,
    CouponDeletion,
    MetricDeletion,
    PlanDeletion,
    Release,
    Taken,
    TaxDeletion,
    Used,
)

_DRAFTS_OF = """(
    SELECT count(DISTINCT i.id) FROM invoices i
    JOIN billing_records r ON r.invoice_id = i.id JOIN subscriptions s ON s.id = r.subscription_id
    WHERE i.status = 'draft' AND s.plan_id IN (SELECT id FROM concerned)
)"""
_ACTIVE_ON = (
    "(SELECT count(*) FROM subscriptions WHERE status = 'active' AND plan_id IN (SELECT id FROM concerned))"
)
# A plan and its children count as one.
_PLANS = "(SELECT count(DISTINCT coalesce(parent_id, id)) FROM concerned)"

_METRIC = text(f"""
    WITH charged AS (
        SELECT c.id, p.id AS plan_id, p.parent_id FROM charges c JOIN plans p ON p.id = c.plan_id
        WHERE c.billable_metric_id = :id AND c.deleted_at IS NULL AND p.deleted_at IS NULL
    ), concerned AS (SELECT DISTINCT plan_id AS id, parent_id FROM charged)
    SELECT {_PLANS} AS plans_count,
        (SELECT count(*) FROM charged WHERE parent_id IS NULL) AS charges_count,
        {_ACTIVE_ON} AS active_subscriptions_count, {_DRAFTS_OF} AS draft_invoices_count,
        (SELECT count(*) FROM alerts WHERE billable_metric_id = :id AND deleted_at IS NULL) AS alerts_count
""")
_PLAN = text(f"""
    WITH concerned AS (SELECT id, parent_id FROM plans WHERE (id = :id OR parent_id = :id) AND deleted_at IS NULL),
    living AS (
        SELECT status, customer_id FROM subscriptions
        WHERE status IN ('active', 'pending', 'incomplete') AND plan_id IN (SELECT id FROM concerned)
    )
    SELECT (SELECT count(*) FROM living WHERE status = 'active') AS active_subscriptions_count,
        (SELECT count(*) FROM living WHERE status <> 'active') AS pending_subscriptions_count,
        (SELECT count(DISTINCT customer_id) FROM living) AS customers_count,
        {_DRAFTS_OF} AS draft_invoices_count,
        (SELECT count(*) FROM concerned WHERE parent_id IS NOT NULL) AS overridden_plans_count
""")
_ADD_ON = text(f"""
    WITH charged AS (
        SELECT c.id, p.id AS plan_id, p.parent_id FROM fixed_charges c JOIN plans p ON p.id = c.plan_id
        WHERE c.add_on_id = :id AND c.deleted_at IS NULL AND p.deleted_at IS NULL
    ), concerned AS (SELECT DISTINCT plan_id AS id, parent_id FROM charged)
    SELECT {_PLANS} AS plans_count,
        (SELECT count(*) FROM charged WHERE parent_id IS NULL) AS fixed_charges_count,
        {_ACTIVE_ON} AS active_subscriptions_count
""")
_TAX = text("""
    SELECT
        (SELECT count(*) FROM customers c WHERE c.deleted_at IS NULL AND (
            EXISTS (SELECT FROM customers_taxes t WHERE t.owner_id = c.id AND t.tax_id = :id)
            OR (NOT EXISTS (SELECT FROM customers_taxes t WHERE t.owner_id = c.id)
                AND EXISTS (SELECT FROM billing_entities_taxes t WHERE t.owner_id = c.billing_entity_id AND t.tax_id = :id))
        )) AS customers_count,
        (SELECT count(*) FROM billing_entities_taxes t JOIN billing_entities o ON o.id = t.owner_id
            WHERE t.tax_id = :id AND o.archived_at IS NULL) AS billing_entities_count,
        (SELECT count(*) FROM plans_taxes t JOIN plans o ON o.id = t.owner_id
            WHERE t.tax_id = :id AND o.deleted_at IS NULL AND o.parent_id IS NULL) AS plans_count,
        (SELECT count(*) FROM charges_taxes t JOIN charges o ON o.id = t.owner_id JOIN plans p ON p.id = o.plan_id
            WHERE t.tax_id = :id AND o.deleted_at IS NULL AND p.deleted_at IS NULL AND p.parent_id IS NULL) AS charges_count,
        (SELECT count(*) FROM fixed_charges_taxes t JOIN fixed_charges o ON o.id = t.owner_id JOIN plans p ON p.id = o.plan_id
            WHERE t.tax_id = :id AND o.deleted_at IS NULL AND p.deleted_at IS NULL AND p.parent_id IS NULL) AS fixed_charges_count,
        (SELECT count(*) FROM add_ons_taxes t JOIN add_ons o ON o.id = t.owner_id
            WHERE t.tax_id = :id AND o.deleted_at IS NULL) AS add_ons_count,
        (SELECT count(*) FROM commitments_taxes t JOIN commitments o ON o.id = t.owner_id JOIN plans p ON p.id = o.plan_id
            WHERE t.tax_id = :id AND p.deleted_at IS NULL AND p.parent_id IS NULL) AS commitments_count,
        (SELECT count(DISTINCT i.id) FROM invoices i JOIN invoices_applied_taxes t ON t.invoice_id = i.id
            WHERE t.tax_id = :id AND i.status = 'draft') AS draft_invoices_count
""")
_COUPON = text("""
    SELECT count(*) AS applied_coupons_count, count(DISTINCT customer_id) AS customers_count
    FROM applied_coupons WHERE coupon_id = :id AND status = 'active'
""")
_RELEASES = text("""
    SELECT 'coupon' AS kind, a.id, c.code, c.name, CAST(sum(x.amount_cents) AS bigint) AS amount_cents, true AS is_given_back
    FROM invoice_credits x JOIN applied_coupons a ON a.id = x.applied_coupon_id JOIN coupons c ON c.id = a.coupon_id
    WHERE x.invoice_id = :id GROUP BY a.id, c.code, c.name
    UNION ALL
    SELECT 'credit_note', n.id, n.number, NULL, CAST(sum(x.amount_cents) AS bigint), true
    FROM invoice_credits x JOIN credit_notes n ON n.id = x.credit_note_id
    WHERE x.invoice_id = :id GROUP BY n.id, n.number
    UNION ALL
    SELECT 'wallet', w.id, w.code, w.name, CAST(sum(t.amount_cents) AS bigint), w.status = 'active'
    FROM wallet_transactions t JOIN wallets w ON w.id = t.wallet_id
    WHERE t.invoice_id = :id AND t.transaction_status = 'invoiced' AND t.status = 'settled'
    GROUP BY w.id, w.code, w.name, w.status
    ORDER BY kind, code, id
""")

# By code, what runs now of what a page of a list shows.
_USES = {
    Used.PLAN: text("""
        SELECT p.code, count(*) AS uses FROM subscriptions s JOIN plans p ON p.id = s.plan_id
        WHERE s.status = 'active' AND p.code = ANY(:codes) GROUP BY p.code
    """),
    Used.FEATURE: text("""
        WITH wanted AS (SELECT id, code FROM features WHERE code = ANY(:codes) AND deleted_at IS NULL), entitled AS (
            SELECT s.id AS subscription_id, e.feature_id
            FROM wanted w JOIN entitlements e ON e.feature_id = w.id JOIN plans p ON e.plan_id IN (p.id, p.parent_id)
            JOIN subscriptions s ON s.plan_id = p.id
            WHERE s.status = 'active' AND NOT EXISTS (
                SELECT FROM entitlement_removals r
                WHERE r.subscription_id = s.id AND r.feature_id = e.feature_id AND r.privilege_id IS NULL
            )
            UNION
            SELECT s.id, e.feature_id
            FROM wanted w JOIN entitlements e ON e.feature_id = w.id JOIN subscriptions s ON s.id = e.subscription_id
            WHERE s.status = 'active'
        )
        SELECT w.code, count(*) AS uses FROM wanted w JOIN entitled e ON e.feature_id = w.id GROUP BY w.code
    """),
    Used.ADD_ON: text("""
        WITH wanted AS (SELECT id, code FROM add_ons WHERE code = ANY(:codes) AND deleted_at IS NULL), owned AS (
            SELECT w.code, s.customer_id FROM wanted w JOIN fixed_charges f ON f.add_on_id = w.id
            JOIN subscriptions s ON s.plan_id = f.plan_id WHERE s.status = 'active' AND f.deleted_at IS NULL
            UNION
            SELECT w.code, i.customer_id FROM invoices i JOIN fees f ON f.invoice_id = i.id JOIN wanted w ON w.id = f.add_on_id
            WHERE i.invoice_type = 'one_off' AND i.status = 'finalized'
        )
        SELECT o.code, count(*) AS uses FROM owned o JOIN customers c ON c.id = o.customer_id AND c.deleted_at IS NULL
        GROUP BY o.code
    """),
    Used.COUPON: text("""
        SELECT c.code, count(DISTINCT a.customer_id) AS uses FROM coupons c JOIN applied_coupons a ON a.coupon_id = c.id
        WHERE a.status = 'active' AND c.deleted_at IS NULL AND c.code = ANY(:codes) GROUP BY c.code
    """),
}


async def uses_of(tx: Tx, kind: Used, codes: Sequence[str]) -> dict[str, int]:
    """How many run with each of some objects; without those that none runs with."""
    rows = await tx.execute(_USES[kind], {"codes": list(codes)})
    return {row.code: row.uses for row in rows}


async def of_metric(tx: Tx, metric_id: UUID) -> MetricDeletion:
    return MetricDeletion(**await _counts(tx, _METRIC, metric_id))


async def of_plan(tx: Tx, plan_id: UUID) -> PlanDeletion:
    return PlanDeletion(**await _counts(tx, _PLAN, plan_id))


async def of_tax(tx: Tx, tax_id: UUID) -> TaxDeletion:
    return TaxDeletion(**await _counts(tx, _TAX, tax_id))


async def of_add_on(tx: Tx, add_on_id: UUID) -> AddOnDeletion:
    return AddOnDeletion(**await _counts(tx, _ADD_ON, add_on_id))


async def of_coupon(tx: Tx, coupon_id: UUID) -> CouponDeletion:
    return CouponDeletion(**await _counts(tx, _COUPON, coupon_id))


async def releases_of(tx: Tx, invoice_id: UUID) -> list[Release]:
    """What an issued invoice took of coupons, credit notes and wallets."""
    rows = (await tx.execute(_RELEASES, {"id": invoice_id})).mappings()
    return [Release(**{**row, "kind": Taken(row["kind"])}) for row in rows]


async def _counts(tx: Tx, statement: TextClause, subject_id: UUID) -> RowMapping:
    return (await tx.execute(statement, {"id": subject_id})).mappings().one()
