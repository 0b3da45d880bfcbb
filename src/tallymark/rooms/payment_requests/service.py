"""What can be done with payment requests (wallets §16)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from tallymark.api.pagination import Page
from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.errors import Invalid, NotAllowed, NotFound
from tallymark.jobs import agenda, mail
from tallymark.jobs.agenda import Item, Kind
from tallymark.jobs.mail import MailKind
from tallymark.jobs.outbox import Message, emit
from tallymark.rooms.customers import service as customers
from tallymark.rooms.customers.model import Customer
from tallymark.rooms.invoices import service as invoices
from tallymark.rooms.invoices.model import VISIBLE, Invoice, InvoiceStatus
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_requests import repository
from tallymark.rooms.payment_requests.model import (
    Bundle,
    Filters,
    NewRequest,
    PaymentRequest,
    Requested,
    RequestView,
)
from tallymark.rooms.subscriptions.model import PaidBy

PENDING, SUCCEEDED, FAILED = "pending", "succeeded", "failed"
MANUAL = "manual"


async def create(tx: Tx, asked: NewRequest, *, now: datetime) -> PaymentRequest:
    """Ask a customer for some overdue invoices at once.

    Raises in the order of wallets §16: `NotFound("customer")`, `NotFound("invoice")`, and `NotAllowed` where an invoice is
    not overdue, where they differ in currency or issuer, and where one can't be paid, or is being paid; then `Invalid` for a
    payment method that is not the customer's.
    """
    customer = await customers.get_customer(tx, external_id=asked.external_customer_id)
    await tx.lock("customer", customer.id)
    bundle, _ = await _bundle(tx, customer, asked)
    (request_id,) = await save(tx, [bundle], now=now)
    return await get_request(tx, request_id)


async def imagine(tx: Tx, asked: NewRequest, *, now: datetime) -> RequestView:
    """A request as `create` would make it, without making it. Raises what that does."""
    customer = await customers.get_customer(tx, external_id=asked.external_customer_id)
    bundle, wanted = await _bundle(tx, customer, asked)
    entities = await organizations.get_entities(tx, {customer.billing_entity_id})
    request = PaymentRequest(
        id=new_id(),
        customer_id=customer.id,
        billing_entity_id=bundle.billing_entity_id,
        dunning_campaign_id=None,
        email=bundle.email,
        payment_method_type=None,
        payment_method_id=None,
        payment_status=PENDING,
        amount_cents=sum(bundle.due_cents.values()),
        currency=bundle.currency,
        created_at=now,
        updated_at=now,
    )
    return RequestView(
        request=request,
        customer=customer,
        customer_entity=entities[customer.billing_entity_id],
        invoices=tuple(await invoices.get_views(tx, wanted, now=now, with_lines=False)),
    )


async def _bundle(tx: Tx, customer: Customer, asked: NewRequest) -> tuple[Bundle, list[Invoice]]:
    wanted = await _invoices(tx, customer.id, asked.invoice_ids)
    _check(wanted, being_collected=await repository.being_collected(tx, [one.id for one in wanted]))
    await _check_method(tx, customer, asked.paid_by)
    first = wanted[0]
    bundle = Bundle(
        customer_id=customer.id,
        billing_entity_id=first.billing_entity_id,
        email=asked.email or customer.email,
        currency=first.currency,
        due_cents={invoice.id: invoice.total_due_amount_cents for invoice in wanted},
        paid_by=asked.paid_by,
    )
    return bundle, wanted


async def _check_method(tx: Tx, customer: Customer, paid_by: PaidBy | None) -> None:
    if paid_by is None or paid_by.method_id is None:
        return
    if await customers.find_payment_method(tx, customer.id, paid_by.method_id) is None:
        raise Invalid({"payment_method": ["invalid_payment_method"]})


async def save(tx: Tx, bundles: Sequence[Bundle], *, now: datetime) -> list[UUID]:
    """Make requests, tell of them, and have them collected or sent; their ids. Needs the customers' locks."""
    made = {new_id(): bundle for bundle in bundles}
    rows = [
        {
            "id": request_id,
            "organization_id": tx.organization_id,
            "customer_id": bundle.customer_id,
            "billing_entity_id": bundle.billing_entity_id,
            "dunning_campaign_id": bundle.dunning_campaign_id,
            "email": bundle.email,
            "payment_method_type": bundle.paid_by and bundle.paid_by.method_type,
            "payment_method_id": bundle.paid_by and bundle.paid_by.method_id,
            "payment_status": PENDING,
            "amount_cents": sum(bundle.due_cents.values()),
            "currency": bundle.currency,
            "created_at": now,
            "updated_at": now,
        }
        for request_id, bundle in made.items()
    ]
    held = [
        {
            "organization_id": tx.organization_id,
            "payment_request_id": request_id,
            "invoice_id": invoice_id,
            "position": position,
            "amount_cents": cents,
        }
        for request_id, bundle in made.items()
        for position, (invoice_id, cents) in enumerate(bundle.due_cents.items())
    ]
    await repository.insert(tx, rows, held)
    await emit(tx, *(_message("created", request_id) for request_id in made), now=now)
    linked = await _linked(tx, {bundle.customer_id for bundle in bundles})
    collected = [
        request_id
        for request_id, bundle in made.items()
        if bundle.customer_id in linked and not (bundle.paid_by and bundle.paid_by.method_type == MANUAL)
    ]
    items = [_item(request_id, made[request_id].customer_id, now) for request_id in collected]
    await agenda.put(tx, *items)
    await send(tx, *(request_id for request_id in made if request_id not in set(collected)), now=now)
    return list(made)


async def _linked(tx: Tx, customer_ids: Collection[UUID]) -> set[UUID]:
    """Those of some customers of whom a provider can be asked for money."""
    who = (await customers.get_customers(tx, customer_ids)).values()
    return {
        one.id for one in who if one.payment_provider_id is not None and one.provider_customer_id is not None
    }


def _item(request_id: UUID, customer_id: UUID, now: datetime) -> Item:
    return Item(kind=Kind.ASK_FOR_PAYMENT, subject_id=request_id, owner_id=customer_id, due_at=now)


async def send(tx: Tx, *request_ids: UUID, now: datetime) -> None:
    """Have requests sent by e-mail, each once."""
    await mail.note(tx, MailKind.REQUEST, *request_ids, now=now)


async def _invoices(tx: Tx, customer_id: UUID, asked: Sequence[object]) -> list[Invoice]:
    ids = list(dict.fromkeys(_read_id(text) for text in asked))
    found = await invoices.get_invoices(tx, ids)
    wanted = [found[id_] for id_ in ids if id_ in found]
    mine = [one for one in wanted if one.customer_id == customer_id and one.status in VISIBLE]
    if not ids or len(mine) != len(ids):
        raise NotFound("invoice")
    return mine


def _read_id(text: object) -> UUID:
    try:
        return UUID(str(text))
    except ValueError:
        raise NotFound("invoice") from None


def _check(wanted: Sequence[Invoice], *, being_collected: Collection[UUID]) -> None:
    if not all(invoice.payment_overdue for invoice in wanted):
        raise NotAllowed("invoices_not_overdue")
    if len({invoice.currency for invoice in wanted}) > 1:
        raise NotAllowed("invoices_have_different_currencies")
    if len({invoice.billing_entity_id for invoice in wanted}) > 1:
        raise NotAllowed("invoices_have_different_billing_entities")
    if being_collected or not all(_is_ready(invoice) for invoice in wanted):
        raise NotAllowed("invoices_not_ready_for_payment_processing")


def _is_ready(invoice: Invoice) -> bool:
    return (
        invoice.status is InvoiceStatus.FINALIZED
        and invoice.payment_status != SUCCEEDED
        and invoice.total_due_amount_cents > 0
    )


async def get_request(tx: Tx, request_id: UUID) -> PaymentRequest:
    """A request. Raises `NotFound("payment_request")`."""
    found = (await repository.get_requests(tx, [request_id])).get(request_id)
    if found is None:
        raise NotFound("payment_request")
    return found


async def get_requests(tx: Tx, ids: Collection[UUID]) -> dict[UUID, PaymentRequest]:
    """Requests by id."""
    return await repository.get_requests(tx, ids) if ids else {}


async def list_requests(tx: Tx, filters: Filters, page: Page) -> tuple[list[PaymentRequest], int]:
    """A page of requests, newest first. Raises `NotFound("billing_entity")` for an unknown code."""
    await organizations.check_entity_codes(tx, filters.billing_entity_codes)
    return await repository.list_requests(tx, filters, page)


async def requested_by(tx: Tx, ids: Collection[UUID]) -> dict[UUID, list[Requested]]:
    """The invoices of requests, by request, in their order."""
    rows = await repository.invoices_of(tx, ids) if ids else []
    found = await invoices.get_invoices(tx, {row.invoice_id for row in rows})
    by_request: dict[UUID, list[Requested]] = defaultdict(list)
    for row in rows:
        one = Requested(invoice=found[row.invoice_id], paid_amount_cents=row.paid_amount_cents)
        by_request[row.payment_request_id].append(one)
    return by_request


async def get_views(tx: Tx, requests: Sequence[PaymentRequest], *, now: datetime) -> list[RequestView]:
    """Requests with their customers and invoices, in the order given, in a constant number of queries."""
    held = await requested_by(tx, [request.id for request in requests])
    who = await customers.get_customers(tx, {request.customer_id for request in requests})
    entities = await organizations.get_entities(tx, {one.billing_entity_id for one in who.values()})
    whole = {one.invoice.id: one.invoice for of_request in held.values() for one in of_request}
    shown = await invoices.get_views(tx, [*whole.values()], now=now, with_lines=False)
    views = {view.invoice.id: view for view in shown}
    return [
        RequestView(
            request=request,
            customer=who[request.customer_id],
            customer_entity=entities[who[request.customer_id].billing_entity_id],
            invoices=tuple(views[one.invoice.id] for one in held[request.id]),
        )
        for request in requests
    ]


async def asked_by_campaigns(tx: Tx, invoice_ids: Collection[UUID]) -> set[UUID]:
    """Those of some invoices that a dunning campaign has asked for."""
    return await repository.held_by_campaigns(tx, invoice_ids) if invoice_ids else set()


async def being_collected(tx: Tx, invoice_ids: Collection[UUID]) -> set[UUID]:
    """Those of some invoices that are not ready to be asked for: a provider is at work on them, alone or with others."""
    return await repository.being_collected(tx, invoice_ids) if invoice_ids else set()


async def holding(tx: Tx, invoice_ids: Collection[UUID]) -> list[PaymentRequest]:
    """The requests that hold any of some invoices."""
    ids = await repository.holding(tx, invoice_ids) if invoice_ids else ()
    return [*(await get_requests(tx, ids)).values()]


async def is_paid_with_others(tx: Tx, invoice_id: UUID) -> bool:
    """Whether a request that was paid holds an invoice."""
    return await repository.is_held_by_paid(tx, invoice_id)


async def note_paid(tx: Tx, request: PaymentRequest, paid: Mapping[UUID, int], *, now: datetime) -> None:
    """Note that a request was paid, and how much of each of its invoices that was."""
    await repository.set_paid(tx, request.id, paid)
    await repository.update_request(tx, request.id, {"payment_status": SUCCEEDED, "updated_at": now})
    await emit(tx, _message("payment_status_updated", request.id), now=now)


async def note_status(
    tx: Tx, request: PaymentRequest, payment_status: str, *, is_told: bool = True, now: datetime
) -> None:
    """Note that a request is not paid yet, or that its payment failed; the same again changes nothing.

    Whoever asked and was answered at once is not told of it again.
    """
    if payment_status == request.payment_status:
        return
    await repository.update_request(tx, request.id, {"payment_status": payment_status, "updated_at": now})
    if is_told:
        await emit(tx, _message("payment_status_updated", request.id), now=now)


def _message(what: str, request_id: UUID) -> Message:
    return Message(
        webhook_type=f"payment_request.{what}", object_type="payment_request", object_id=request_id
    )
