"""Which versions of rows plans are made of: told by PostgreSQL's own marks, so that nothing can change unseen."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text

from tallymark.db.engine import Tx

# A row that is changed gets another place (ctid), written by another transaction (xmin), whoever changes it and by whatever statement. Numbers of
# transactions go on only as long as the server does: one that was restored from a backup has started since.
_VERSIONS = text("""
    WITH asked AS (
        SELECT id AS plan_id, parent_id, ctid AS place, xmin AS writer FROM plans WHERE id = ANY(CAST(:ids AS uuid[]))
    ), sold AS (
        SELECT id, plan_id, billable_metric_id, pricing_unit_id, ctid AS place, xmin AS writer FROM charges
        WHERE plan_id = ANY(CAST(:ids AS uuid[])) AND deleted_at IS NULL
    ), fixed AS (
        SELECT id, plan_id, add_on_id, ctid AS place, xmin AS writer FROM fixed_charges
        WHERE plan_id = ANY(CAST(:ids AS uuid[])) AND deleted_at IS NULL
    ), promised AS (
        SELECT id, plan_id, ctid AS place, xmin AS writer FROM commitments WHERE plan_id = ANY(CAST(:ids AS uuid[]))
    ), taxed AS (
        SELECT 'taxes of plan' AS kind, o.plan_id, t.tax_id, t.ctid AS place, t.xmin AS writer
        FROM asked o JOIN plans_taxes t ON t.owner_id = o.plan_id
        UNION ALL
        SELECT 'taxes of charge', o.plan_id, t.tax_id, t.ctid, t.xmin FROM sold o JOIN charges_taxes t ON t.owner_id = o.id
        UNION ALL
        SELECT 'taxes of fixed charge', o.plan_id, t.tax_id, t.ctid, t.xmin
        FROM fixed o JOIN fixed_charges_taxes t ON t.owner_id = o.id
        UNION ALL
        SELECT 'taxes of add-on', o.plan_id, t.tax_id, t.ctid, t.xmin FROM fixed o JOIN add_ons_taxes t ON t.owner_id = o.add_on_id
        UNION ALL
        SELECT 'taxes of commitment', o.plan_id, t.tax_id, t.ctid, t.xmin
        FROM promised o JOIN commitments_taxes t ON t.owner_id = o.id
    ), parts AS (
        SELECT 'plan' AS kind, plan_id, place, writer FROM asked
        UNION ALL
        SELECT 'threshold', o.plan_id, t.ctid, t.xmin FROM asked o JOIN usage_thresholds t ON t.plan_id IN (o.plan_id, o.parent_id)
        UNION ALL
        SELECT 'charge', plan_id, place, writer FROM sold
        UNION ALL
        SELECT 'metric', o.plan_id, m.ctid, m.xmin FROM sold o JOIN billable_metrics m ON m.id = o.billable_metric_id
        UNION ALL
        SELECT 'filter of metric', o.plan_id, f.ctid, f.xmin
        FROM sold o JOIN billable_metric_filters f USING (billable_metric_id)
        UNION ALL
        SELECT 'filter', o.plan_id, f.ctid, f.xmin FROM sold o JOIN charge_filters f ON f.charge_id = o.id AND f.deleted_at IS NULL
        UNION ALL
        SELECT 'pricing unit', o.plan_id, u.ctid, u.xmin FROM sold o JOIN pricing_units u ON u.id = o.pricing_unit_id
        UNION ALL
        SELECT 'fixed charge', plan_id, place, writer FROM fixed
        UNION ALL
        SELECT 'add-on', o.plan_id, a.ctid, a.xmin FROM fixed o JOIN add_ons a ON a.id = o.add_on_id
        UNION ALL
        SELECT 'commitment', plan_id, place, writer FROM promised
        UNION ALL
        SELECT kind, plan_id, place, writer FROM taxed
        UNION ALL
        SELECT 'tax', o.plan_id, t.ctid, t.xmin FROM taxed o JOIN taxes t ON t.id = o.tax_id
    )
    SELECT plan_id, sha256(convert_to(
        concat_ws(' ', pg_postmaster_start_time(), string_agg(concat_ws(' ', kind, place, writer), ',' ORDER BY kind, place)),
        'UTF8')) AS version
    FROM parts GROUP BY plan_id
""")


async def versions_of(tx: Tx, plan_ids: Collection[UUID]) -> dict[UUID, bytes]:
    """A mark of each plan that is another one as soon as a row of all that it is made of is another one."""
    found = await tx.execute(_VERSIONS, {"ids": list(plan_ids)})
    return {row.plan_id: bytes(row.version) for row in found}
