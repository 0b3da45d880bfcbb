"""Compute an invoice that is not made: gather and compute as billing does, without the write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.errors import Invalid
from tallymark.rooms.billing.model import Assumed, Computed, Subject
from tallymark.rooms.billing.service import progressive_credits
from tallymark.rooms.billing.service.compute import compute
from tallymark.rooms.billing.service.coupons import CouponBook
from tallymark.rooms.billing.service.subjects import make_subjects
from tallymark.rooms.credit_notes import service as credit_notes
from tallymark.rooms.credit_notes.model import CreditNote
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.previews.model import Bill, Parties, PreviewInput, Proposal, Scene
from tallymark.rooms.previews.service import coupons, scenes
from tallymark.rooms.previews.service.view import show


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """An invoice as it would be, the ids in it of what is not stored, and the notes that would be made before it."""

    view: InvoiceView
    imagined: frozenset[UUID]
    given_back: tuple[CreditNote, ...] = ()


async def preview(tx: Tx, asked: PreviewInput, *, now: datetime) -> Preview:
    """Compute the invoice that would come (invoicing §10.5); nothing is written.

    Raises `NotFound` for billing entity, customer, plan and subscription in this order, then `Invalid`.
    """
    parties = await _parties(tx, asked, now=now)
    if not isinstance(asked.question, Proposal) and not parties.is_stored:
        raise Invalid({"customer": ["must_be_persisted"]})
    scene = await scenes.set_scene(tx, parties, asked.question, now=now)
    subjects = await _subjects(tx, scene.bills, scene.assumed)
    book, described = await coupons.open_book(tx, parties, subjects, asked.coupons, now=now)
    assumed = replace(scene.assumed, billed=await _before(tx, scene, book, now=now))
    computed = await compute(tx, subjects, made_at=_made_at(subjects, now), book=book, assumed=assumed)
    given_back = await _notes(tx, scene, computed, now=now)
    view, made = await show(tx, computed, given_back, assumed.billed, now=now)
    transient = set() if parties.is_stored else {parties.customer.id}
    imagined = scene.imagined | made | described | transient
    return Preview(view=view, imagined=imagined, given_back=tuple(given_back))


async def _notes(tx: Tx, scene: Scene, computed: Computed, *, now: datetime) -> list[CreditNote]:
    """What would be given back before the invoice is issued: unused time, and usage that was billed too much."""
    found = [await credit_notes.note_to_be(tx, contract, now=now) for contract in scene.gives_back]
    found += [
        await credit_notes.excess_note_to_be(tx, invoice, cents, now=now)
        for invoice, cents in progressive_credits.excesses(computed)
    ]
    return [note for note in found if note is not None]


async def _parties(tx: Tx, asked: PreviewInput, *, now: datetime) -> Parties:
    entity = await organizations.get_entity(tx, code=asked.billing_entity_code)
    if asked.external_customer_id is None:
        customer = customers.imagine_new(entity, asked.customer, now=now)
        return Parties(customer=customer, customer_entity=entity, is_stored=False)
    known = await customers.get_customer(tx, external_id=asked.external_customer_id)
    own = (await organizations.get_entities(tx, {known.billing_entity_id}))[known.billing_entity_id]
    return Parties(
        customer=customers.imagine_changed(known, asked.customer), customer_entity=own, is_stored=True
    )


async def _before(tx: Tx, scene: Scene, book: CouponBook, *, now: datetime) -> list[Computed]:
    """The invoices that come before the previewed one: they use up what pays it, and count for its commitments."""
    found = []
    for bill in scene.before:
        subjects = await _subjects(tx, [bill], scene.assumed)
        made_at = _made_at(subjects, now)
        found.append(await compute(tx, subjects, made_at=made_at, book=book, assumed=scene.assumed))
    return found


def _made_at(subjects: Sequence[Subject], now: datetime) -> datetime:
    return max(now, *(subject.at for subject in subjects))


async def _subjects(tx: Tx, bills: Sequence[Bill], assumed: Assumed) -> list[Subject]:
    return [
        subject
        for bill in bills
        for subject in await make_subjects(
            tx, [bill.contract], reason=bill.reason, at=bill.at, assumed=assumed
        )
    ]
