"""Which custom sections a subscription's invoices print (subscriptions §1.8, platform §13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.rooms.customers import service as customers
from tallymark.rooms.invoice_custom_sections import service as sections
from tallymark.rooms.invoice_custom_sections.model import Owner, Section
from tallymark.rooms.subscriptions import repository
from tallymark.rooms.subscriptions.model import Contract, Subscription


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionsInput:
    """What is sent: None stands for what was left out."""

    skips: bool | None = None
    codes: Sequence[str] | None = None


async def choose_sections(tx: Tx, subscription: Subscription, asked: SectionsInput | None) -> Subscription:
    """Take a selection: skipping clears it, codes replace it, and what is left out stays.

    Raises `Invalid` for an unknown code.
    """
    if asked is None:
        return subscription
    if asked.skips:
        await sections.select_sections(tx, Owner.SUBSCRIPTION, subscription.id, [])
    elif asked.codes is not None:
        await sections.select_sections(tx, Owner.SUBSCRIPTION, subscription.id, asked.codes)
    skips = subscription.skip_invoice_custom_sections if asked.skips is None else asked.skips
    if asked.codes is not None and asked.skips is None:
        skips = False
    return await repository.update_subscription(tx, subscription.id, {"skip_invoice_custom_sections": skips})


async def sections_of(tx: Tx, subscription_ids: Sequence[UUID]) -> dict[UUID, tuple[Section, ...]]:
    """What subscriptions have selected themselves."""
    return await sections.sections_of(tx, Owner.SUBSCRIPTION, subscription_ids)


async def copy_sections(tx: Tx, from_id: UUID, to_id: UUID) -> None:
    """Give a successor the sections that the subscription before it had selected (§2.6)."""
    selected = (await sections_of(tx, [from_id])).get(from_id, ())
    if selected:
        await sections.select_sections(tx, Owner.SUBSCRIPTION, to_id, [section.code for section in selected])


async def invoice_sections(tx: Tx, invoiced: Sequence[Sequence[Contract]]) -> list[list[Section]]:
    """What each invoice prints, by name; given are the subscriptions on it, of one customer.

    Those that skip are left out; if all do, nothing is printed. Own selections add up; the customer's are printed
    where one has none of its own. What is generated for the customer stands beside both.
    """
    taking = [[c for c in of_one if not c.subscription.skip_invoice_custom_sections] for of_one in invoiced]
    own = await sections_of(tx, [contract.subscription.id for of_one in taking for contract in of_one])
    inheriting = [c for of_one in taking for c in of_one if c.subscription.id not in own]
    inherited = await customers.applicable_sections(
        tx, {contract.customer.id: contract.customer for contract in inheriting}.values()
    )
    printed = []
    for of_one in taking:
        chosen = [_printed(tx, c, own, inherited) for c in of_one]
        found = {section.id: section for selected in chosen for section in selected}
        printed.append(sorted(found.values(), key=lambda section: (section.name, section.id)))
    return printed


def _printed(
    tx: Tx, one: Contract, own: Mapping[UUID, Sequence[Section]], inherited: Mapping[UUID, Sequence[Section]]
) -> Sequence[Section]:
    selected = own.get(one.subscription.id)
    if selected:
        return [*selected, *customers.generated_sections(tx, one.customer)]
    return inherited.get(one.customer.id, ())
