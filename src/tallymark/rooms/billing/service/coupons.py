"""The coupons of customers while their invoices are made: each invoice sees what the one before it left (pricing §16.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from uuid import UUID

from tallymark.db.engine import Tx
from tallymark.domain.exact import Fraction
from tallymark.domain.invoicing import Billed, Coupon, CouponCredit, InvoicedFee, compute_invoice
from tallymark.domain.invoicing.explain import credit_terms
from tallymark.rooms.billing.model import Computed, Line, Source, Subject
from tallymark.rooms.billing.service.progressive_credits import as_billed, credited
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.coupons.model import Frequency, Status, UsableCoupon, Use
from tallymark.rooms.customers import service as customers


class CouponBook:
    """What customers may still use of their coupons. Invoices that stay drafts are computed without it."""

    def __init__(self, usable: dict[UUID, list[UsableCoupon]]) -> None:
        self._usable = usable
        self._used: dict[UUID, UsableCoupon] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nobody has any."""
        return not any(self._usable.values())

    @property
    def used(self) -> list[UsableCoupon]:
        """The coupons that were used, as they stand now."""
        return list(self._used.values())

    def of(self, customer_id: UUID, currency: str) -> list[UsableCoupon]:
        """The coupons that an invoice of this currency may use, in their order."""
        return [
            one
            for one in self._usable.get(customer_id, ())
            if one.applied.status is Status.ACTIVE
            and (not one.applied.is_fixed or one.applied.amount_currency == currency)
        ]

    def use(self, offered: Sequence[UsableCoupon], credits: Iterable[CouponCredit]) -> list[Use]:
        """Note what an invoice took of the coupons that it was offered."""
        uses = [_use(offered[credit.position], credit) for credit in credits]
        for use in uses:
            left = _after(use)
            self._used[left.applied.id] = left
            of_customer = self._usable[left.applied.customer_id]
            self._usable[left.applied.customer_id] = [
                left if one.applied.id == left.applied.id else one for one in of_customer
            ]
        return uses


def _use(usable: UsableCoupon, credit: CouponCredit) -> Use:
    terms = credit_terms(
        credit.shares,
        base_cents=credit.base_cents,
        rate=usable.applied.percentage_rate,
        at_most_cents=usable.at_most_cents,
    )
    return Use(usable=usable, amount_cents=credit.amount_cents, terms=terms)


def _after(use: Use) -> UsableCoupon:
    """A coupon after one more use."""
    usable, applied = use.usable, use.usable.applied
    is_over = False
    remaining = applied.frequency_duration_remaining
    if applied.frequency is Frequency.RECURRING and remaining is not None:
        remaining -= 1
        is_over = remaining <= 0
    elif applied.frequency is Frequency.ONCE:
        at_most = usable.at_most_cents
        is_over = at_most is None or use.amount_cents >= at_most
    status = Status.TERMINATED if is_over else applied.status
    return replace(
        usable,
        applied=replace(applied, status=status, frequency_duration_remaining=remaining),
        used_cents=usable.used_cents + use.amount_cents,
    )


NO_COUPONS = CouponBook({})

NOTHING_BILLED: Mapping[UUID, Source] = MappingProxyType({})
"""Where no usage was billed progressively."""


async def open_book(tx: Tx, subjects: Iterable[Subject]) -> CouponBook:
    """The coupons of the customers of invoices that are about to be issued; none of those whose taxes are not known yet."""
    contracts = [subject.contract for subject in subjects]
    waiting = await customers.awaiting_vat_checks(
        tx, {c.customer.id for c in contracts if c.customer_entity.eu_tax_management}
    )
    owners = {contract.customer.id for contract in contracts} - waiting
    return CouponBook(await coupons.usable(tx, owners))


def make_computed(
    subjects: Sequence[Subject],
    lines: Sequence[Line],
    book: CouponBook = NO_COUPONS,
    sources: Mapping[UUID, Source] = NOTHING_BILLED,
    kept: Sequence[Billed] = (),
) -> Computed:
    """Take lines to an invoice (invoicing §5): what was billed progressively, coupons as far as the book has any, taxes.

    `sources` are the progressive invoices of its subscriptions; `kept` is what one took over already that is taxed anew.
    """
    fees = [InvoicedFee(fee=line.fee, taxes=tuple(tax.as_rate for tax in line.taxes)) for line in lines]
    billed = [
        *kept,
        *(as_billed(source, subscription_id, lines) for subscription_id, source in sources.items()),
    ]
    if not lines:
        # Even without usage: what was billed progressively was too much then.
        totals = compute_invoice(fees, (), billed)
        return Computed(
            subjects=tuple(subjects),
            lines=(),
            totals=totals,
            credited=credited(sources, totals.progressive_credits[len(kept) :]),
        )
    contract = lines[0].contract
    offered = book.of(contract.customer.id, contract.plan.amount_currency)
    totals = compute_invoice(fees, [_as_applied(one, lines) for one in offered], billed)
    return Computed(
        subjects=tuple(subjects),
        lines=tuple(lines),
        totals=totals,
        coupon_uses=tuple(book.use(offered, totals.coupon_credits)),
        credited=credited(sources, totals.progressive_credits[len(kept) :]),
    )


def _as_applied(usable: UsableCoupon, lines: Sequence[Line]) -> Coupon:
    return Coupon(
        amount_cents=usable.at_most_cents,
        rate=Fraction(usable.applied.percentage_rate or 0),
        covers=_covered(usable, lines),
    )


def _covered(usable: UsableCoupon, lines: Sequence[Line]) -> frozenset[int] | None:
    """The lines that a coupon is limited to: of its metrics, or of its plans and their children; None for all."""
    coupon, targets = usable.coupon, usable.targets
    if coupon.limited_billable_metrics:
        return frozenset(
            index for index, line in enumerate(lines) if line.billable_metric_id in targets.billable_metrics
        )
    if coupon.limited_plans:
        return frozenset(
            index
            for index, line in enumerate(lines)
            if {line.contract.plan.id, line.contract.plan.parent_id} & targets.plans.keys()
        )
    return None
