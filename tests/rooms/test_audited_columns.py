"""Every column of money, units or numbers is held by a law of the audit, or is named here with the reason why not."""

import pytest
from sqlalchemy import BigInteger, Integer, Numeric
from tests.rooms import audited

from tallymark.db.engine import Tx
from tallymark.db.tables import metadata
from tallymark.rooms.audit.service import LAWS, breaches_of

SET = "somebody said so: nothing that it follows from is kept"
RECORD = "what was told, or seen: it is the source of others"
PLUMBING = "no money: it counts work, tries, or places in a list"
EXCEPTIONS = {
    "activation_rules": SET,
    "activity_logs": RECORD,
    "add_ons": SET,
    "adjusted_fees": f"{SET}; what it makes of a fee is explained there",
    "agenda": PLUMBING,
    "api_logs": RECORD,
    "guesses": PLUMBING,
    "idempotent_answers": RECORD,
    "alerts": "the value seen last; looking again sets it",
    "backfilled_events": f"{RECORD}; what came of it is in event_versions",
    "billable_metrics": SET,
    "billing_entities": SET,
    "charge_filters": PLUMBING,
    "charges": SET,
    "commitments": SET,
    "coupons": SET,
    "customers.invoice_grace_period": SET,
    "customers.net_payment_term": SET,
    "data_exports": PLUMBING,
    "dunning_campaigns": SET,
    "dunning_thresholds": SET,
    "draft_credit_notes": f"{SET}; the note that comes of it is held when it is made",
    "elsewhere_fees": "what another system billed: it is the source of others",
    "emails": PLUMBING,
    "archived_streams": "held by events_are_kept: tests of archives, which have some, break it",
    "event_archives": f"{PLUMBING}; what it counts is in archived_streams",
    "event_backfills": PLUMBING,
    "event_counts": "no money: it counts what came in, against a limit",
    "event_keys": PLUMBING,
    "event_senders": PLUMBING,
    "event_streams": PLUMBING,
    "events": RECORD,
    "events_to_price": PLUMBING,
    "fees.position": PLUMBING,
    "fixed_charge_unit_events": RECORD,
    "fixed_charges": SET,
    "flawed_events": PLUMBING,
    "invoices.payment_attempts": PLUMBING,
    "invoices.net_payment_term": "days, not money: copied when the invoice is made and when it is issued",
    "job_errors": PLUMBING,
    "journal_entries.sequence": "an order with gaps, shared by all organizations",
    "journal_lines.position": PLUMBING,
    "late_events": PLUMBING,
    "lifetime_usages": SET,
    "organization_limits": SET,
    "organizations.late_event_window_days": SET,
    "organizations.max_wallets": SET,
    "outbox": PLUMBING,
    "payment_links": f"{RECORD}; what is paid on a page is a payment",
    "payment_requests_invoices.position": PLUMBING,
    "plans": SET,
    "priced_events.id": PLUMBING,
    "privileges.position": PLUMBING,
    "recurring_transaction_rules": SET,
    "rollups": PLUMBING,
    "rollup_parts.rollup_id": PLUMBING,
    "subscription_fixed_charge_units": SET,
    "taxes": SET,
    "test_clocks": PLUMBING,
    "untold_messages": PLUMBING,
    "usage_marks": PLUMBING,
    "usage_thresholds": SET,
    "link_tasks": PLUMBING,
    "vat_checks": PLUMBING,
    "versions": PLUMBING,
    "wallet_transactions.priority": SET,
    "wallets.paid_top_up_max_amount_cents": SET,
    "wallets.paid_top_up_min_amount_cents": SET,
    "wallets.priority": SET,
    "wallets.rate_amount": SET,
    "webhook_sequences": PLUMBING,
    "webhooks": PLUMBING,
}
"""Tables, or single columns of them, that no law holds."""


def numbers():
    """All columns that hold numbers, as "table.column", without those that are named above."""
    return {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, Numeric | Integer | BigInteger)
        and not {table.name, f"{table.name}.{column.name}"} & EXCEPTIONS.keys()
    }


HELD = sorted(set().union(*(law.columns for law in LAWS)))


def test_a_law_holds_every_number_that_follows_from_others():
    assert sorted(numbers()) == HELD


def test_what_is_excepted_is_there():
    tables = metadata.tables
    known = tables.keys() | {
        f"{table.name}.{column.name}" for table in tables.values() for column in table.columns
    }
    assert EXCEPTIONS.keys() <= known


ROW = {
    "event_versions.precise_total_amount_cents": "version = 2",
    "applied_usage_thresholds.level_cents": "NOT recurring",
    "applied_coupons.amount_cents": "frequency = 'once'",
    "applied_coupons.used_elsewhere_cents": "frequency = 'once'",
    "applied_coupons.uses_elsewhere": "frequency = 'recurring'",
    "credit_notes.taxes_rate": "taxes_rate > 0",
    "fees.events_count": "event_id IS NULL",
    "invoices.sequential_id": "status = 'finalized'",
}
"""Which rows of a table, where not any will do."""

OTHER = {
    "applied_coupons.amount_cents": "amount_cents = 1",
    "applied_coupons.used_elsewhere_cents": "used_elsewhere_cents = amount_cents",
    "applied_usage_thresholds.lifetime_usage_amount_cents": "lifetime_usage_amount_cents = level_cents - 1",
}
"""What to write to a column, where one more will not do. Numbers of documents become ones far away."""


@pytest.fixture
async def seller(make_organization, database):
    return await audited.seller(make_organization, database)


@pytest.mark.breaks_laws
async def test_no_number_can_be_changed_unseen(seller, database):
    """One row is changed as a superuser with triggers and checks off, looked at as the tenant, and changed back."""
    unseen = []
    async with audited.unguarded(database, seller.id) as connection:
        for column in HELD:
            async with audited.corrupted(connection, corruption(column), id=seller.id) as changed:
                laws = [law for law in LAWS if column in law.columns]
                found = [item for law in laws async for item in breaches_of(Tx(connection, seller.id), law)]
            if changed != 1 or not found:
                unseen.append(f"{column}: {changed} changed, {len(found)} breaches")
    assert unseen == []


def corruption(column):
    """One row of a table with one more in a column."""
    table, name = column.split(".")
    more = 1000 if name.endswith("sequential_id") else 1
    owner = "id" if table == "organizations" else "organization_id"
    which = f"{owner} = :id AND {name} IS NOT NULL AND {ROW.get(column, 'true')}"
    one = f"SELECT ctid FROM {table} WHERE {which} ORDER BY {name} DESC, ctid LIMIT 1"
    return f"UPDATE {table} SET {OTHER.get(column, f'{name} = {name} + {more}')} WHERE ctid = ({one})"
