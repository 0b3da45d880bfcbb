"""What can be done with alerts: one file per use case."""

from tallymark.rooms.alerts.service.change import (
    create_alert,
    create_alerts,
    delete_alert,
    delete_all,
    update_alert,
)
from tallymark.rooms.alerts.service.evaluate import evaluate_subscription, evaluate_wallets
from tallymark.rooms.alerts.service.read import (
    get_alert,
    get_alerts,
    list_alerts,
    of_subscriptions,
    of_wallets,
    on_subscription,
    on_wallet,
)

__all__ = [
    "create_alert",
    "create_alerts",
    "delete_alert",
    "delete_all",
    "evaluate_subscription",
    "evaluate_wallets",
    "get_alert",
    "get_alerts",
    "list_alerts",
    "of_subscriptions",
    "of_wallets",
    "on_subscription",
    "on_wallet",
    "update_alert",
]
