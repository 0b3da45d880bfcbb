"""The search, in one statement."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from sqlalchemy import text

from tallymark.db.engine import Tx
from tallymark.db.names import CUSTOMER_NAME
from tallymark.domain.values import names_of
from tallymark.rooms.invoices.model import VISIBLE
from tallymark.rooms.search.model import MOST_OF_A_KIND, Hit, Kind

_SHOWN = ", ".join(f"'{status}'" for status in VISIBLE)

# Of each kind: its id, what is looked at, what is shown, and where it is.
_SOURCES: Mapping[Kind, str] = {
    Kind.CUSTOMER: f"""
        SELECT c.id, concat_ws(chr(10), c.name, c.legal_name, concat_ws(' ', c.firstname, c.lastname), c.external_id, c.email) AS names,
            {CUSTOMER_NAME} AS title, c.email AS subtitle, NULL AS status, NULL AS code, NULL AS number,
            c.external_id, c.external_id AS external_customer_id, c.created_at
        FROM customers c WHERE c.deleted_at IS NULL""",
    Kind.SUBSCRIPTION: f"""
        SELECT s.id, concat_ws(chr(10), s.name, s.external_id) AS names, coalesce(nullif(s.name, ''), p.name) AS title,
            {CUSTOMER_NAME} AS subtitle, s.status, NULL AS code, NULL AS number,
            s.external_id, c.external_id AS external_customer_id, s.created_at
        FROM subscriptions s JOIN plans p ON p.id = s.plan_id JOIN customers c ON c.id = s.customer_id""",
    Kind.INVOICE: f"""
        SELECT i.id, i.number AS names, i.number AS title, {CUSTOMER_NAME} AS subtitle, i.status, NULL AS code, i.number,
            NULL AS external_id, c.external_id AS external_customer_id, i.created_at
        FROM invoices i JOIN customers c ON c.id = i.customer_id WHERE i.status IN ({_SHOWN})""",
    Kind.CREDIT_NOTE: f"""
        SELECT n.id, n.number AS names, n.number AS title, {CUSTOMER_NAME} AS subtitle, n.credit_status AS status, NULL AS code,
            n.number, NULL AS external_id, c.external_id AS external_customer_id, n.created_at
        FROM credit_notes n JOIN customers c ON c.id = n.customer_id""",
    Kind.WALLET: f"""
        SELECT w.id, concat_ws(chr(10), w.name, w.code) AS names, coalesce(nullif(w.name, ''), w.code) AS title,
            {CUSTOMER_NAME} AS subtitle, w.status, w.code, NULL AS number,
            NULL AS external_id, c.external_id AS external_customer_id, w.created_at
        FROM wallets w JOIN customers c ON c.id = w.customer_id WHERE c.deleted_at IS NULL""",
    Kind.PLAN: """
        SELECT id, concat_ws(chr(10), name, code) AS names, name AS title, code AS subtitle, NULL AS status, code, NULL AS number,
            NULL AS external_id, NULL AS external_customer_id, created_at
        FROM plans WHERE deleted_at IS NULL AND parent_id IS NULL""",
    Kind.COUPON: """
        SELECT id, concat_ws(chr(10), name, code) AS names, name AS title, code AS subtitle, status, code, NULL AS number,
            NULL AS external_id, NULL AS external_customer_id, created_at
        FROM coupons WHERE deleted_at IS NULL""",
} | {
    kind: f"""
        SELECT id, concat_ws(chr(10), name, code) AS names, coalesce(nullif(name, ''), code) AS title, code AS subtitle,
            NULL AS status, code, NULL AS number, NULL AS external_id, NULL AS external_customer_id, created_at
        FROM {table} WHERE deleted_at IS NULL"""
    for kind, table in (
        (Kind.BILLABLE_METRIC, "billable_metrics"),
        (Kind.ADD_ON, "add_ons"),
        (Kind.FEATURE, "features"),
    )
}  # fmt: skip

# A whole name before the beginning of one, and that before a part of one; then the newest.
_FOUND = """
    (SELECT '{kind}' AS kind, {position} AS position, found.*,
        CASE WHEN chr(10) || names || chr(10) ILIKE :whole OR id = CAST(:id AS uuid) THEN 0
             WHEN chr(10) || names ILIKE :beginning THEN 1 ELSE 2 END AS rank
     FROM ({source}) found
     WHERE names ILIKE :part OR CAST(id AS text) LIKE :id_beginning
     ORDER BY rank, created_at DESC, id LIMIT :most)
"""

_BEGINNING_OF_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f-]{0,27})?")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


async def search(tx: Tx, term: str, kinds: Collection[Kind]) -> list[Hit]:
    """What has the term in it, of these kinds: some of each, the best first."""
    parts = [
        _FOUND.format(kind=kind, position=position, source=_SOURCES[kind])
        for position, kind in enumerate(Kind)
        if kind in kinds
    ]
    if not parts:
        return []
    statement = text(" UNION ALL ".join(parts) + " ORDER BY rank, position, created_at DESC, id")
    rows = await tx.execute(statement, _patterns(term))
    shown = [name for name in names_of(Hit) if name != "kind"]
    return [Hit(kind=Kind(row.kind), **{name: getattr(row, name) for name in shown}) for row in rows]


def _patterns(term: str) -> dict[str, object]:
    escaped = re.sub(r"([\\%_])", r"\\\1", term)
    lower = term.lower()
    begins_an_id = _BEGINNING_OF_ID.fullmatch(lower) is not None
    return {
        "part": f"%{escaped}%",
        "beginning": f"%\n{escaped}%",
        "whole": f"%\n{escaped}\n%",
        "id": lower if _ID.fullmatch(lower) else None,
        "id_beginning": f"{lower}%" if begins_an_id else None,
        "most": MOST_OF_A_KIND,
    }
