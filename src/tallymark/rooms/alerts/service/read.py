"""Find alerts, and what they hang on."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.domain.errors import NotFound
from tallymark.domain.exact import Fraction
from tallymark.rooms.alerts import repository
from tallymark.rooms.alerts.model import Alert, AlertType, Subject
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.model import Status
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.model import Wallet


async def on_subscription(tx: Tx, *, external_id: str, status: str) -> Subject:
    """The external id of a subscription with a status. Raises `NotFound("subscription")`."""
    found = await subscriptions.find_newest(tx, external_id=external_id, status=status)
    if found is None:
        raise NotFound("subscription")
    return Subject(
        customer_id=found.customer_id,
        subscription_id=found.id if found.status is Status.ACTIVE else None,
        external_subscription_id=found.external_id,
    )


async def on_wallet(tx: Tx, *, external_customer_id: str, code: str) -> Subject:
    """A customer's wallet. Raises `NotFound("customer")` and `NotFound("wallet")`."""
    wallet = await wallets.get_wallet_by_code(tx, external_customer_id=external_customer_id, code=code)
    return Subject(
        customer_id=wallet.customer_id,
        wallet_id=wallet.id,
        wallet_code=wallet.code,
        starts_at=values_of(wallet),
    )


def values_of(wallet: Wallet) -> dict[AlertType, Fraction]:
    """What alerts watch of a wallet: minor units and credits."""
    return {
        AlertType.BALANCE_AMOUNT: Fraction(wallet.balance_cents),
        AlertType.BALANCE_CREDITS: wallet.credits_balance,
        AlertType.ONGOING_AMOUNT: Fraction(wallet.ongoing_balance_cents),
        AlertType.ONGOING_CREDITS: wallet.credits_ongoing_balance,
    }


async def get_alerts(tx: Tx, ids: Collection[UUID]) -> dict[UUID, Alert]:
    """Alerts by id, deleted ones too."""
    return {alert.id: alert for alert in await repository.get_alerts(tx, ids)}


async def get_alert(tx: Tx, subject: Subject, code: str) -> Alert:
    """An alert by code. Raises `NotFound("alert")`."""
    found = await repository.find_alert(tx, subject, code)
    if found is None:
        raise NotFound("alert")
    return found


async def list_alerts(tx: Tx, subject: Subject, page: Page) -> tuple[list[Alert], int]:
    """A page of a subject's alerts, newest first, and how many there are."""
    return await repository.list_alerts(tx, subject, page)


async def of_subscriptions(tx: Tx, external_ids: Collection[str]) -> dict[str, list[Alert]]:
    """The alerts that hang on external ids."""
    found: dict[str, list[Alert]] = {}
    for alert in await repository.of_subscriptions(tx, external_ids) if external_ids else ():
        found.setdefault(alert.external_subscription_id or "", []).append(alert)
    return found


async def of_wallets(tx: Tx, wallet_ids: Collection[UUID]) -> dict[UUID, list[Alert]]:
    """The alerts that hang on wallets."""
    found: dict[UUID, list[Alert]] = {}
    for alert in await repository.of_wallets(tx, wallet_ids) if wallet_ids else ():
        if alert.wallet_id is not None:
            found.setdefault(alert.wallet_id, []).append(alert)
    return found
