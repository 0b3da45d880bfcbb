"""How customers send money to a balance of theirs at a provider: asked for once, and printed on their invoices (wallets-and-payments §12.2, platform §13)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.db.ids import new_id
from tallymark.domain.values import value
from tallymark.jobs.queue import RENDER_DOCUMENT, Job, enqueue
from tallymark.rooms.customers import funding_rows, repository
from tallymark.rooms.customers.bank_words import describe, heading
from tallymark.rooms.customers.model import Ask, Customer, FundingInstructions, Step
from tallymark.rooms.customers.service.link import finish, is_current, note_steps
from tallymark.rooms.customers.service.provider import TRANSFER_CURRENCIES, sends_money
from tallymark.rooms.invoice_custom_sections.model import Section
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.payment_providers.model import BankAccount

NAME = "Bank transfer"
"""What the section is called where people choose among sections; invoices have a heading in their own language."""

ASKED_AGAIN = timedelta(days=1)
"""How long after a refusal another invoice asks again: what kept Stripe from telling may be mended there."""


@value
class Told:
    """What an invoice prints of how to send money; without details the provider has not told it yet."""

    instructions_id: UUID
    code: str
    name: str
    display_name: str
    details: str | None


def generated_sections(tx: Tx, customer: Customer) -> tuple[Section, ...]:
    """What a customer's invoices print beside what is selected, unless they print nothing: how to send money, in the invoice's currency."""
    if not sends_money(customer):
        return ()
    section = Section(
        id=customer.id,
        organization_id=tx.organization_id,
        code=_code(""),
        name=NAME,
        description=None,
        display_name=None,
        details=None,
        applied_to_organization=False,
        created_at=customer.created_at,
        is_generated=True,
    )
    return (section,)


async def known_sections(
    tx: Tx, of: Iterable[Customer], *, currency: str | None = None
) -> dict[UUID, tuple[Section, ...]]:
    """The generated sections of customers as far as they are known, of one currency or by currency; who has none is left out."""
    senders = {one.id: one for one in of if generated_sections(tx, one)}
    known = await funding_rows.of_customers(tx, senders) if senders else []
    locales = await _locales(tx, senders.values()) if known else {}
    found: dict[UUID, tuple[Section, ...]] = {}
    for one in known:
        told = _tell(one, locales[one.customer_id])
        if told.details is not None and currency in (None, one.currency):
            section = Section(
                id=one.id,
                organization_id=tx.organization_id,
                code=told.code,
                name=told.name,
                description=None,
                display_name=told.display_name,
                details=told.details,
                applied_to_organization=False,
                created_at=one.created_at,
            )
            found[one.customer_id] = (*found.get(one.customer_id, ()), section)
    return found


async def require(
    tx: Tx, wanted: Collection[tuple[UUID, str]], *, now: datetime
) -> Mapping[tuple[UUID, str], Told]:
    """What invoices print of how customers send money, by customer and currency; what nobody knows yet is asked for.

    A currency in which no money can be sent is left out. Needs the customers' locks.
    """
    who = await repository.get_customers(tx, {customer_id for customer_id, _ in wanted})
    senders = {one.id: one for one in who.values() if sends_money(one)}
    pairs = {pair for pair in wanted if pair[0] in senders and pair[1] in TRANSFER_CURRENCIES}
    known = {(one.customer_id, one.currency): one for one in await funding_rows.of_customers(tx, senders)}
    for customer_id, currency in sorted(pairs):
        one = known.get((customer_id, currency))
        if one is None:
            one = await _note(tx, senders[customer_id], currency, now=now)
        elif one.refused_at is not None and one.refused_at + ASKED_AGAIN <= now:
            await funding_rows.update_instructions(tx, one.id, {"refused_at": None, "updated_at": now})
        elif one.accounts is not None or one.refused_at is not None:
            continue
        known[customer_id, currency] = one
        await note_steps(tx, customer_id, [Step.FUND], is_anew=False, is_awaited=False, now=now)
    locales = await _locales(tx, senders.values())
    return {pair: _tell(known[pair], locales[pair[0]]) for pair in pairs}


async def look_ahead(tx: Tx, before: Customer | None, customer: Customer, *, now: datetime) -> bool:
    """Whether a provider is to be asked how a customer sends money, before the first invoice needs it."""
    if not sends_money(customer):
        return False
    await tx.lock("customer", customer.id)
    if before is not None and _where(before) != _where(customer):
        await funding_rows.forget_refusals(tx, customer.id)
    known, currency = await funding_rows.of_customers(tx, {customer.id}), customer.currency
    is_new = currency in TRANSFER_CURRENCIES and currency not in {one.currency for one in known}
    if currency is not None and is_new:
        known.append(await _note(tx, customer, currency, now=now))
    return any(one.accounts is None and one.refused_at is None for one in known)


async def forget(tx: Tx, customer_id: UUID) -> None:
    """Forget how a customer sent money: they are another one now, or at another provider."""
    await funding_rows.delete_instructions(tx, customer_id)


async def note_accounts(tx: Tx, ask: Ask, accounts: Collection[BankAccount], *, now: datetime) -> None:
    """Keep to which accounts a customer sends money, and write it on the invoices that wait for it; their documents are made then."""
    await tx.lock("customer", ask.customer.id)
    known = await funding_rows.of_customers(tx, {ask.customer.id})
    waiting = next((one for one in known if one.currency == ask.currency), None)
    if waiting is not None and await is_current(tx, ask):
        values = {"accounts": list(map(dict, accounts)), "refused_at": None, "updated_at": now}
        await funding_rows.update_instructions(tx, waiting.id, values)
        (told,) = (
            one for one in await funding_rows.of_customers(tx, {ask.customer.id}) if one.id == waiting.id
        )
        locale = (await _locales(tx, [ask.customer]))[ask.customer.id]
        text = describe(told.accounts or (), locale)
        issued = await funding_rows.tell_invoices(tx, told, display_name=heading(locale), details=text)
        await _draw(tx, issued)
    await finish(tx, ask, now=now)


async def _draw(tx: Tx, invoice_ids: Collection[UUID]) -> None:
    """Have the documents of invoices made with what they say now; a simulated organization's are made when they are asked for."""
    if tx.is_simulated:
        return
    jobs = [
        Job(
            task=RENDER_DOCUMENT,
            arguments={
                "organization_id": str(tx.organization_id),
                "invoice_id": str(one),
                "is_anew": True,
            },
            # Not that of its first document, which may wait for this.
            lock=f"document-anew:{one}",
        )
        for one in invoice_ids
    ]
    await enqueue(tx, *jobs)


async def _note(tx: Tx, customer: Customer, currency: str, *, now: datetime) -> FundingInstructions:
    """Note that it is to be asked how a customer sends money in a currency."""
    one = FundingInstructions(
        id=new_id(),
        customer_id=customer.id,
        currency=currency,
        accounts=None,
        refused_at=None,
        created_at=now,
    )
    values = {
        "id": one.id,
        "organization_id": tx.organization_id,
        "customer_id": customer.id,
        "payment_provider_id": customer.payment_provider_id,
        "currency": currency,
        "created_at": now,
        "updated_at": now,
    }
    await funding_rows.insert_instructions(tx, values)
    return one


def _tell(one: FundingInstructions, locale: str) -> Told:
    return Told(
        instructions_id=one.id,
        code=_code(one.currency),
        name=NAME,
        display_name=heading(locale),
        details=None if one.accounts is None else describe(one.accounts, locale),
    )


def _code(currency: str) -> str:
    return "_".join(("funding_instructions", *([currency.lower()] if currency else [])))


def _where(customer: Customer) -> tuple[str | None, UUID]:
    return customer.address.country, customer.billing_entity_id


async def _locales(tx: Tx, of: Iterable[Customer]) -> dict[UUID, str]:
    """In which language the documents of customers are."""
    who = {one.id: one for one in of}
    entities = await organizations.get_entities(tx, {one.billing_entity_id for one in who.values()})
    return {
        one.id: one.document_locale or entities[one.billing_entity_id].document_locale for one in who.values()
    }
