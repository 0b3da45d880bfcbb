"""What usage that is not invoiced yet will take of wallets (wallets §7)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import FeeType
from tallymark.domain.invoicing import InvoicedFee, apply_fee_taxes
from tallymark.domain.wallets import Bucket, OngoingPurse, allocate_ongoing
from tallymark.rooms.alerts import service as alerts
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.model import PayableFee
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Contract
from tallymark.rooms.usage import service as usage
from tallymark.rooms.usage.model import ChargeLine
from tallymark.rooms.usage.partitions import TARGET_WALLET
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.model import Wallet

Nets = dict[tuple[UUID, str], dict[Bucket, Fraction]]
"""What is still to be paid by each customer in each currency, by what wallets may be limited to; minor units."""


async def refresh_wallets(
    tx: Tx, customer_ids: Collection[UUID], known: Collection[Contract] = (), *, now: datetime
) -> None:
    """Compute what usage leaves of all active wallets of customers, and hold their alerts against it.

    `known` contracts were read in this transaction and are not read again, but where their subscription has changed. As many
    statements for a wave of customers as for one. Needs their locks.
    """
    of_customers = await wallets.active_of_customers(tx, customer_ids, at=now)
    if not of_customers:
        return
    nets = await _gather(tx, of_customers.keys(), known, now=now)
    everyone = [wallet for of_customer in of_customers.values() for wallet in of_customer]
    rules = await wallets.threshold_rules(tx, [wallet.id for wallet in everyone], at=now)
    taken = [
        (wallet, cents)
        for customer_id, of_customer in of_customers.items()
        for currency, same in _by_currency(of_customer).items()
        for wallet, cents in zip(
            same, _allocate(nets.get((customer_id, currency), {}), same, rules), strict=True
        )
    ]
    fresh = await wallets.note_ongoing(tx, taken, rules, now=now)
    await alerts.evaluate_wallets(tx, fresh, now=now)


def _by_currency(of_customer: Iterable[Wallet]) -> dict[str, list[Wallet]]:
    found: dict[str, list[Wallet]] = defaultdict(list)
    for wallet in of_customer:
        found[wallet.currency].append(wallet)
    return found


def _allocate(
    nets: Mapping[Bucket, Fraction], same: Iterable[Wallet], rules: Mapping[UUID, object]
) -> list[int]:
    purses = [
        OngoingPurse(purse=wallet.purse(wallet.balance_cents), has_threshold_rule=wallet.id in rules)
        for wallet in same
    ]
    return allocate_ongoing(nets, purses)


async def _gather(
    tx: Tx, customer_ids: Collection[UUID], known: Collection[Contract], *, now: datetime
) -> Nets:
    """The usage of active subscriptions, less what of it was invoiced already, and what drafts have."""
    nets: Nets = defaultdict(lambda: defaultdict(Fraction))
    contracts = await subscriptions.active_contracts_of(tx, customer_ids, known)
    # What is paid in advance is billed already: it is left out of what is used and of what was billed alike.
    running = await usage.gather_running_lines(tx, contracts, now=now)
    billed = await fees.progressive_of(tx, [contract.subscription.id for contract in contracts])
    for contract in contracts:
        key = contract.customer.id, contract.plan.amount_currency
        window, lines = running[contract.subscription.id]
        for bucket, cents in _of_usage(lines):
            nets[key][bucket] += cents
        for from_at, fee in billed.get(contract.subscription.id, ()):
            if from_at in window.period:
                nets[key][_bucket(fee)] -= _payable(fee)
    await _add_drafts(tx, customer_ids, nets)
    return nets


def _of_usage(lines: Iterable[ChargeLine]) -> Iterable[tuple[Bucket, int]]:
    """What each line comes to, taxes included; most have nothing, right after a period was billed."""
    for line in lines:
        if not line.fee.amount_cents:
            continue
        taxed = apply_fee_taxes(InvoicedFee(fee=line.fee, taxes=line.rates))
        target = line.grouped_by.get(TARGET_WALLET) if line.charge.accepts_target_wallet else None
        bucket = Bucket(FeeType.CHARGE, line.charge.billable_metric.id, target or None)
        yield bucket, line.fee.amount_cents + taxed.taxes_amount_cents


async def _add_drafts(tx: Tx, customer_ids: Collection[UUID], nets: Nets) -> None:
    drafts = {draft.id: draft for draft in await invoices.drafts_of_customers(tx, customer_ids)}
    for invoice_id, of_draft in (await fees.payable_of_invoices(tx, drafts.keys())).items():
        draft = drafts[invoice_id]
        for fee in of_draft if draft.total_amount_cents else ():
            nets[draft.customer_id, draft.currency][_bucket(fee)] += _payable(fee)


def _bucket(fee: PayableFee) -> Bucket:
    return Bucket(FeeType(fee.fee_type), fee.billable_metric_id, fee.target_wallet_code or None)


def _payable(fee: PayableFee) -> Fraction:
    return fee.amount_cents + fee.taxes_amount_cents - Fraction(fee.precise_coupons_amount_cents)
