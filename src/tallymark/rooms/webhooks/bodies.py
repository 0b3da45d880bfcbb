"""What a delivery says: the object of a message as the API shows it, in the envelope of the contract (platform §9.2)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel

from tallymark.api.links import Links, Site
from tallymark.db.engine import Tx
from tallymark.domain.redaction import without_keys
from tallymark.rooms.add_ons import service as add_ons
from tallymark.rooms.add_ons.schemas import AddOnOutput
from tallymark.rooms.alerts import service as alerts
from tallymark.rooms.alerts.schemas import AlertOutput
from tallymark.rooms.billable_metrics import service as metrics
from tallymark.rooms.billable_metrics.schemas import MetricOutput
from tallymark.rooms.billing_entities.schemas import EntityOutput
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.coupons.model import NO_TARGETS
from tallymark.rooms.coupons.schemas import AppliedCouponOutput, CouponOutput
from tallymark.rooms.credit_notes import service as notes
from tallymark.rooms.credit_notes.schemas import CreditNoteOutput
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.schemas import DetailedCustomerOutput
from tallymark.rooms.dunning import service as dunning
from tallymark.rooms.dunning.schemas import CampaignOutput
from tallymark.rooms.entitlements import service as entitlements
from tallymark.rooms.entitlements.schemas import FeatureOutput
from tallymark.rooms.events import service as events
from tallymark.rooms.events.schemas import EventOutput
from tallymark.rooms.fees import service as fees
from tallymark.rooms.fees.schemas import DetailedFeeOutput
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoice_custom_sections.schemas import SectionOutput
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.schemas import InvoiceOutput
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.schemas import OrganizationOutput
from tallymark.rooms.payment_requests import service as payment_requests
from tallymark.rooms.payment_requests.schemas import RequestOutput
from tallymark.rooms.payments import service as payments
from tallymark.rooms.payments.schemas import PaymentOutput, ReceiptOutput
from tallymark.rooms.plans import entitlements as plan_entitlements
from tallymark.rooms.plans import pricing_units
from tallymark.rooms.plans import service as plans
from tallymark.rooms.plans.schemas.outputs import PlanOutput, PricingUnitOutput
from tallymark.rooms.subscriptions import service as subscriptions
from tallymark.rooms.subscriptions.schemas import DetailedSubscriptionOutput
from tallymark.rooms.taxes import service as taxes
from tallymark.rooms.taxes.schemas import TaxOutput
from tallymark.rooms.wallets import service as wallets
from tallymark.rooms.wallets.schemas.outputs import TransactionOutput, WalletOutput
from tallymark.rooms.webhooks import repository
from tallymark.rooms.webhooks.model import Told

T = TypeVar("T")

Shown = Mapping[UUID, Mapping[str, Any]]
Loader = Callable[["Sight", Sequence[UUID]], Awaitable[Shown]]

log = structlog.get_logger(__name__)

ESCAPED = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What may not stand in a body as it is (quirk of the reference)."""

AS_STORED = frozenset(
    {
        "credit_note_payment_provider_refund_error",
        "dunning_campaign",
        "events_errors",
        "payment_provider_customer_checkout_url",
        "payment_provider_customer_error",
        "payment_provider_error",
        "payment_provider_invoice_payment_error",
        "payment_provider_payment_request_payment_error",
        "payment_provider_wallet_transaction_payment_error",
        "triggered_alert",
    }
)
"""Objects that no row holds: the message brings the whole of them."""


_NO_ENTITLEMENTS = ("entitlements",)
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "plan.deleted": _NO_ENTITLEMENTS,
    "subscription": _NO_ENTITLEMENTS,
    "subscription.started": (),
    "subscription.updated": (),
    "wallet": ("applies_to",),
    "wallet.depleted_ongoing_balance": ("applies_to", "recurring_transaction_rules"),
}
"""What an object of a type does not show here, or in messages of one type (§9.4, wallets §21)."""


class Untellable(Exception):
    """A message's object is not there any more, or can't be shown."""


@dataclass(frozen=True, slots=True)
class Sight:
    """How objects look in one transaction as of one instant: each is shown once, however many messages and objects name it."""

    tx: Tx
    at: datetime
    site: Site
    seen: dict[str, dict[UUID, Mapping[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    async def show(self, kind: str, ids: Iterable[UUID]) -> Shown:
        """Objects of a kind by their ids, in a constant number of queries; those that are not there are left out."""
        seen = self.seen[kind]
        unseen = [one for one in dict.fromkeys(ids) if one not in seen]
        if unseen:
            seen.update(await LOADERS[kind](self, unseen))
        return seen

    @property
    def links(self) -> Links:
        """The links of the organization whose transaction it is."""
        return self.site.links(self.tx.organization_id)


async def make_bodies(
    tx: Tx, messages: Sequence[Told], site: Site
) -> tuple[list[tuple[Told, str]], list[tuple[Told, str]]]:
    """The bodies of messages, and of those that have none the reason."""
    shown, failed = await show_objects(tx, messages, site)
    made = [
        (told, envelope(tx.organization_id, told, shown[told.message_id]))
        for told in messages
        if told.message_id in shown
    ]
    return made, failed


async def show_objects(
    tx: Tx, messages: Sequence[Told], site: Site
) -> tuple[dict[int, Mapping[str, Any]], list[tuple[Told, str]]]:
    """The objects of messages by their ids, and of those that can't be shown the reason.

    Takes a constant number of queries for each kind and instant.
    """
    sights = {told.created_at: Sight(tx, told.created_at, site) for told in messages}
    alike: dict[tuple[str, datetime], list[Told]] = defaultdict(list)
    for told in messages:
        alike[told.object_type, told.created_at].append(told)
    shown: dict[int, Mapping[str, Any]] = {}
    failed: list[tuple[Told, str]] = []
    for (_, at), group in alike.items():
        try:
            async with tx.connection.begin_nested():
                shown.update(await _show(sights[at], group))
        except Exception:  # noqa: BLE001 - one that can't be shown holds back none of the others
            await _show_one_by_one(sights[at], group, shown=shown, failed=failed)
    return shown, failed


async def _show_one_by_one(
    on: Sight, group: Sequence[Told], *, shown: dict[int, Mapping[str, Any]], failed: list[tuple[Told, str]]
) -> None:
    for told in group:
        try:
            async with on.tx.connection.begin_nested():
                shown.update(await _show(on, [told]))
        except Exception as error:
            log.exception("message can't be told", webhook_type=told.webhook_type, message_id=told.message_id)
            failed.append((told, f"{type(error).__name__}: {error}"))


async def _show(on: Sight, group: Sequence[Told]) -> dict[int, Mapping[str, Any]]:
    kind = group[0].object_type
    if kind in AS_STORED:
        return {told.message_id: _stored(told) for told in group}
    found = await on.show(kind, (told.object_id for told in group if told.object_id is not None))
    missing = [told.object_id for told in group if told.object_id not in found]
    if missing:
        raise Untellable(f"{kind} {missing[0]} is not there")
    return {
        told.message_id: _for_type(told, found[told.object_id])
        for told in group
        if told.object_id is not None
    }


def _stored(told: Told) -> Mapping[str, Any]:
    payload = told.payload or {}
    inner = payload.get(told.object_type, payload)
    assert isinstance(inner, Mapping), "an object is stored whole"
    return inner


def _for_type(told: Told, shown: Mapping[str, Any]) -> Mapping[str, Any]:
    """An object with what the message adds to it, and without what its type leaves out (§9.4, wallets §21)."""
    left_out = LEFT_OUT.get(told.webhook_type, LEFT_OUT.get(told.object_type, ()))
    return {
        **{name: value for name, value in shown.items() if name not in left_out},
        **(told.payload or {}),
    }


def envelope(organization_id: UUID, told: Told, shown: Mapping[str, Any]) -> str:
    """The body as it is sent: compact JSON, its keys in the order of the contract."""
    whole = {
        "webhook_type": told.webhook_type,
        "object_type": told.object_type,
        "organization_id": str(organization_id),
        told.object_type: shown,
    }
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).translate(ESCAPED)


def _dump(pairs: Iterable[tuple[UUID, BaseModel]]) -> Shown:
    return {key: output.model_dump(mode="json", by_alias=True) for key, output in pairs}


def _by_itself(
    get: Callable[[Tx, Sequence[UUID]], Awaitable[Mapping[UUID, T]]], show: Callable[[T], BaseModel]
) -> Loader:
    """The loader of objects that show nothing of others."""

    async def load(on: Sight, ids: Sequence[UUID]) -> Shown:
        return _dump((key, show(one)) for key, one in (await get(on.tx, ids)).items())

    return load


async def _load_plans(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await plans.get_plans(on.tx, ids)
    grants = await plan_entitlements.grants_of(on.tx, [*found.values()])
    return _dump((key, PlanOutput.of(plan, grants[key])) for key, plan in found.items())


async def _load_customers(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await customers.get_customers(on.tx, ids)
    entities = await organizations.get_entities(on.tx, {who.billing_entity_id for who in found.values()})
    carried = await customers.taxes_of(on.tx, [*found.values()])
    printed = await customers.shown_sections(on.tx, [*found.values()])
    return _dump(
        (
            key,
            DetailedCustomerOutput.with_taxes(
                who, entities[who.billing_entity_id], carried.get(key, ()), printed.get(key, ())
            ),
        )
        for key, who in found.items()
    )


async def _load_subscriptions(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = [contract.subscription for contract in await subscriptions.live_contracts(on.tx, ids)]
    details = await subscriptions.get_details(on.tx, found, now=on.at)
    dumped = _dump(
        (one.id, DetailedSubscriptionOutput.detailed(of)) for one, of in zip(found, details, strict=True)
    )
    owners = {one.id: one.customer_id for one in found}
    whose = await on.show("customer", owners.values())
    return {key: {**shown, "customer": whose[owners[key]]} for key, shown in dumped.items()}


async def _load_invoices(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = [*(await invoices.get_invoices(on.tx, ids)).values()]
    views = await invoices.get_views(on.tx, found, now=on.at)
    return _dump((one.id, InvoiceOutput.of(view, on.links)) for one, view in zip(found, views, strict=True))


async def _load_lost_disputes(on: Sight, ids: Sequence[UUID]) -> Shown:
    """The invoice alone: why a provider says that it was lost comes with the message (wallets §21)."""
    return {key: {"invoice": shown} for key, shown in (await on.show("invoice", ids)).items()}


async def _load_notes(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await notes.get_notes(on.tx, ids)
    views = await notes.get_views(on.tx, [*found.values()])
    return _dump((view.note.id, CreditNoteOutput.of(view, on.links.file)) for view in views)


async def _load_receipts(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await payments.get_receipts(on.tx, ids)
    views = await payments.get_receipt_views(on.tx, [*found.values()])
    return _dump((view.receipt.id, ReceiptOutput.of(view, on.links.file)) for view in views)


async def _load_payment_requests(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await payment_requests.get_requests(on.tx, ids)
    views = await payment_requests.get_views(on.tx, [*found.values()], now=on.at)
    return _dump((view.request.id, RequestOutput.of(view, on.links)) for view in views)


async def _load_payments(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await payments.get_payments(on.tx, ids)
    views = await payments.get_views(on.tx, [*found.values()])
    return _dump((view.payment.id, PaymentOutput.of(view)) for view in views)


async def _load_coupons(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await coupons.get_coupons(on.tx, ids)
    targets = await coupons.targets_of(on.tx, [*found.values()])
    return _dump(
        (key, CouponOutput.of(coupon, targets.get(key, NO_TARGETS))) for key, coupon in found.items()
    )


async def _load_applied_coupons(on: Sight, ids: Sequence[UUID]) -> Shown:
    views = await coupons.get_applied(on.tx, ids)
    return _dump((view.applied.id, AppliedCouponOutput.of(view)) for view in views)


async def _load_alerts(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await alerts.get_alerts(on.tx, ids)
    watched = await wallets.get_wallets(on.tx, {one.wallet_id for one in found.values() if one.wallet_id})
    codes = {key: wallet.code for key, wallet in watched.items()}
    owner = on.tx.organization_id
    return _dump(
        (key, AlertOutput.of(alert, codes[alert.wallet_id] if alert.wallet_id else None, owner))
        for key, alert in found.items()
    )


async def _load_entities(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await organizations.get_entities(on.tx, set(ids))
    default = await organizations.get_default_entity(on.tx)
    return _dump(
        (key, EntityOutput.of(entity, default=default, logo_url=on.links.file(entity.logo_key)))
        for key, entity in found.items()
    )


async def _load_organizations(on: Sight, ids: Sequence[UUID]) -> Shown:
    """The organization of the transaction, for the log: an endpoint's address without the login that may stand in it."""
    found = await organizations.get_organization(on.tx)
    urls = [without_keys(endpoint.webhook_url) for endpoint in await repository.list_endpoints(on.tx)]
    return _dump((key, OrganizationOutput.of(found, urls)) for key in ids)


async def _load_wallets(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await wallets.get_wallets(on.tx, ids)
    views = await wallets.get_views(on.tx, [*found.values()])
    return _dump((view.wallet.id, WalletOutput.of(view)) for view in views)


async def _load_transactions(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await wallets.get_transactions(on.tx, ids)
    views = await wallets.transaction_views(on.tx, [*found.values()])
    around = await on.show("wallet", (view.transaction.wallet_id for view in views))
    dumped = _dump((view.transaction.id, TransactionOutput.of(view)) for view in views)
    return {
        view.transaction.id: {
            **dumped[view.transaction.id],
            "wallet": around[view.transaction.wallet_id],
        }
        for view in views
    }


async def _load_events(on: Sight, ids: Sequence[UUID]) -> Shown:
    found = await events.get_events(on.tx, ids)
    dumped = _dump((key, EventOutput.of(event)) for key, event in found.items())
    return {key: {"event": event} for key, event in dumped.items()}


LOADERS: Mapping[str, Loader] = {
    "add_on": _by_itself(add_ons.get_add_ons, AddOnOutput.of),
    "alert": _load_alerts,
    "applied_coupon": _load_applied_coupons,
    "billable_metric": _by_itself(metrics.get_metrics, MetricOutput.of),
    "billing_entity": _load_entities,
    "campaign": _by_itself(dunning.get_campaigns, CampaignOutput.of),
    "coupon": _load_coupons,
    "credit_note": _load_notes,
    "customer": _load_customers,
    "event_error": _load_events,
    "feature": _by_itself(entitlements.get_features, FeatureOutput.of),
    "fee": _by_itself(fees.get_fees, DetailedFeeOutput.of),
    "invoice": _load_invoices,
    "invoice_custom_section": _by_itself(sections.get_sections, SectionOutput.of),
    "organization": _load_organizations,
    "payment": _load_payments,
    "payment_dispute_lost": _load_lost_disputes,
    "payment_receipt": _load_receipts,
    "payment_request": _load_payment_requests,
    "plan": _load_plans,
    "pricing_unit": _by_itself(pricing_units.get_pricing_units, PricingUnitOutput.of),
    "subscription": _load_subscriptions,
    "tax": _by_itself(taxes.get_taxes, TaxOutput.of),
    "wallet": _load_wallets,
    "wallet_transaction": _load_transactions,
}
"""How objects of each type are shown, many at a time."""

OBJECT_TYPES = (*LOADERS, *sorted(AS_STORED))
"""Whatever a delivery may tell of."""
