"""How an invoice's total came to be, step by step, and the total recomputed from these steps alone (beyond.md §1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tallymark.domain.exact import Fraction
from tallymark.domain.fees.model import JSON, FeeType, Step
from tallymark.domain.fees.recompute import Unexplained
from tallymark.domain.money import plain_text, round_cents
from tallymark.domain.values import value

ZERO = Fraction(0)
PROGRESSIVE, COUPON, CREDIT_NOTE = "invoice", "coupon", "credit_note"
"""Where credits come from, as an invoice's credits name it."""

TOTALS = (
    "fees_amount_cents", "progressive_billing_credit_amount_cents", "coupons_amount_cents",
    "sub_total_excluding_taxes_amount_cents", "taxes_amount_cents", "sub_total_including_taxes_amount_cents",
    "credit_notes_amount_cents", "prepaid_credit_amount_cents", "total_amount_cents",
)  # fmt: skip


@value
class ExplainedTax:
    """A tax on a fee; `rate` is in percent."""

    code: str
    name: str
    rate: Decimal


@value
class ExplainedFee:
    """A fee on an invoice, in minor units: what it came to, and what it bears of the deductions before taxes."""

    id: str
    fee_type: FeeType
    amount_cents: int
    deducted_cents: Decimal
    taxes_amount_cents: int
    taxes: tuple[ExplainedTax, ...] = ()


@value
class ExplainedCredit:
    """What was taken off; `terms` tell by what rule, of what base, and which fee bears what of it."""

    kind: str
    code: str
    name: str
    amount_cents: int
    terms: Mapping[str, JSON] | None = None


@value
class ExplainedInvoice:
    """All that an invoice's totals follow from, in the order in which it was applied; amounts in minor units.

    `sums_taxes` tells that its taxes are those of its fees, which were paid before. `prepaid_parts` are what wallets had from
    grants and from purchases. `totals` are named as on the wire.
    """

    fees: Sequence[ExplainedFee]
    credits: Sequence[ExplainedCredit]
    wallets: Sequence[tuple[str, int]]
    sums_taxes: bool
    prepaid_parts: tuple[int | None, int | None] = (None, None)
    totals: Mapping[str, int]

    @property
    def fee_cents(self) -> dict[FeeType, int]:
        """What its fees come to by type, before anything is taken off."""
        found: dict[FeeType, int] = {}
        for fee in self.fees:
            found[fee.fee_type] = found.get(fee.fee_type, 0) + fee.amount_cents
        return found


def credit_terms(
    shares: Iterable[tuple[int, Fraction]],
    *,
    base_cents: Fraction | None = None,
    rate: Decimal | None = None,
    at_most_cents: int | None = None,
) -> dict[str, JSON]:
    """The terms of a credit to be kept: shares by the position of the fee, and of a coupon what it was of how much."""
    terms: dict[str, JSON] = {}
    if base_cents is not None:
        terms["base_cents"] = plain_text(base_cents, 20)
        if at_most_cents is None:
            terms["percentage_rate"] = plain_text(rate or 0, 20)
        else:
            terms["at_most_cents"] = at_most_cents
    return {**terms, "shares": [[position, plain_text(share, 5)] for position, share in shares]}


def explain_invoice(invoice: ExplainedInvoice) -> tuple[Step, ...]:
    """The steps that apply, in the order in which they were applied."""
    steps: list[Step] = [_fees(invoice)]
    for kind, name in ((PROGRESSIVE, "progressive_billing_credits"), (COUPON, "coupons")):
        found = [credit for credit in invoice.credits if credit.kind == kind]
        if found:
            steps.append(_step(name, "credits", [_before_taxes(one, invoice.fees) for one in found]))
    if any(fee.taxes for fee in invoice.fees):
        steps.append(_summed_taxes(invoice) if invoice.sums_taxes else _taxes(invoice))
    notes = [credit for credit in invoice.credits if credit.kind == CREDIT_NOTE]
    if notes:
        listed: list[dict[str, JSON]] = [
            {"number": one.code, "amount_cents": one.amount_cents} for one in notes
        ]
        steps.append(_step("credit_notes", "credits", listed))
    if invoice.wallets:
        listed = [{"code": code, "amount_cents": cents} for code, cents in invoice.wallets]
        step = _step("wallets", "credits", listed)
        granted, purchased = invoice.prepaid_parts
        steps.append({**step, "granted_cents": granted, "purchased_cents": purchased})
    return (*steps, {"step": "totals", **{name: invoice.totals[name] for name in TOTALS}})


def _step(name: str, of: str, parts: Sequence[dict[str, JSON]]) -> dict[str, JSON]:
    total = sum(int(str(part["amount_cents"])) for part in parts)
    return {"step": name, of: list(parts), "amount_cents": total}


def _fees(invoice: ExplainedInvoice) -> dict[str, JSON]:
    listed: list[dict[str, JSON]] = [
        {"lago_fee_id": fee.id, "type": fee.fee_type.value, "amount_cents": fee.amount_cents}
        for fee in invoice.fees
    ]
    return _step("fees", "fees", listed)


def _before_taxes(credit: ExplainedCredit, fees: Sequence[ExplainedFee]) -> dict[str, JSON]:
    terms = dict(credit.terms or {})
    shares = terms.pop("shares", None)
    named: list[JSON] = [
        {"lago_fee_id": fees[position].id, "amount_cents": text} for position, text in _pairs(shares)
    ]
    shown: dict[str, JSON] = {"shares": named} if shares is not None else {}
    return {"code": credit.code, "name": credit.name, **terms, "amount_cents": credit.amount_cents, **shown}


def _pairs(shares: JSON) -> Iterable[tuple[int, str]]:
    for pair in shares if isinstance(shares, list) else ():
        assert isinstance(pair, list), "a share is a position and a text"
        yield int(str(pair[0])), str(pair[1])


def _taxes(invoice: ExplainedInvoice) -> dict[str, JSON]:
    """Each tax on what deductions leave of the fees that carry it; their sum is rounded once (invoicing §5.4)."""
    bases: dict[ExplainedTax, Fraction] = {}
    carriers: dict[ExplainedTax, list[JSON]] = {}
    for fee in invoice.fees:
        for tax in fee.taxes:
            bases[tax] = bases.get(tax, ZERO) + fee.amount_cents - Fraction(fee.deducted_cents)
            carriers.setdefault(tax, []).append(fee.id)
    exact = {tax: base * Fraction(tax.rate) / 100 for tax, base in bases.items()}
    listed: list[JSON] = [
        {
            "code": tax.code,
            "name": tax.name,
            "rate": plain_text(tax.rate, 20),
            "lago_fee_ids": carriers[tax],
            "base_cents": plain_text(base, 20),
            "precise_amount_cents": plain_text(exact[tax], 20),
            "amount_cents": round_cents(exact[tax]),
        }
        for tax, base in bases.items()
    ]
    taxable: list[JSON] = [
        {"lago_fee_id": fee.id, "base_cents": plain_text(fee.amount_cents - Fraction(fee.deducted_cents), 5)}
        for fee in invoice.fees
    ]
    total = round_cents(sum(exact.values(), ZERO))
    return {"step": "taxes", "rule": "of_bases", "fees": taxable, "taxes": listed, "amount_cents": total}


def _summed_taxes(invoice: ExplainedInvoice) -> dict[str, JSON]:
    listed: list[dict[str, JSON]] = [
        {"lago_fee_id": fee.id, "amount_cents": fee.taxes_amount_cents} for fee in invoice.fees
    ]
    return {**_step("taxes", "fees", listed), "rule": "sum_of_fees"}


def recompute_total(steps: Sequence[Mapping[str, Any]]) -> int:
    """The invoice's total in minor units, from its explanation alone. Raises `Unexplained`."""
    try:
        return _recompute({step["step"]: step for step in steps})
    except (KeyError, TypeError, ArithmeticError) as error:
        raise Unexplained(f"a step cannot be read: {error!r}") from None


def _recompute(steps: Mapping[str, Mapping[str, Any]]) -> int:
    left = {fee["lago_fee_id"]: Fraction(fee["amount_cents"]) for fee in steps["fees"]["fees"]}
    found = {"fees_amount_cents": _sum(steps["fees"], "fees")}
    found["progressive_billing_credit_amount_cents"] = _take(steps.get("progressive_billing_credits"), left)
    found["coupons_amount_cents"] = _take(steps.get("coupons"), left)
    net = found["fees_amount_cents"] - found["progressive_billing_credit_amount_cents"]
    net -= found["coupons_amount_cents"]
    found["sub_total_excluding_taxes_amount_cents"] = net
    found["taxes_amount_cents"] = _tax(steps.get("taxes"), left)
    found["sub_total_including_taxes_amount_cents"] = gross = net + found["taxes_amount_cents"]
    found["credit_notes_amount_cents"] = _sum(steps.get("credit_notes"), "credits")
    found["prepaid_credit_amount_cents"] = _sum(steps.get("wallets"), "credits")
    found["total_amount_cents"] = (
        gross - found["credit_notes_amount_cents"] - found["prepaid_credit_amount_cents"]
    )
    for name in TOTALS:
        _hold(found[name], steps["totals"][name], name)
    return found["total_amount_cents"]


def _sum(step: Mapping[str, Any] | None, of: str) -> int:
    if step is None:
        return 0
    found = sum(int(part["amount_cents"]) for part in step[of])
    _hold(found, step["amount_cents"], step["step"])
    return found


def _take(step: Mapping[str, Any] | None, left: dict[str, Fraction]) -> int:
    """Take credits off what is left of the fees: a coupon by its rule, and each by its shares."""
    for credit in step["credits"] if step is not None else ():
        if "base_cents" in credit:
            whole = int(_exact(credit["base_cents"]))
            if "at_most_cents" in credit:
                given = min(credit["at_most_cents"], whole)
            else:
                given = min(whole, round_cents(whole * _exact(credit["percentage_rate"]) / 100))
            _hold(given, credit["amount_cents"], f"coupon {credit['code']}")
        for share in credit.get("shares", ()):
            left[share["lago_fee_id"]] -= _exact(share["amount_cents"])
    return _sum(step, "credits")


def _tax(step: Mapping[str, Any] | None, left: Mapping[str, Fraction]) -> int:
    if step is None or step["rule"] == "sum_of_fees":
        return _sum(step, "fees")
    bases = {fee["lago_fee_id"]: _exact(fee["base_cents"]) for fee in step["fees"]}
    if bases != left:
        raise Unexplained("the bases of taxes are not what deductions leave of the fees")
    total = ZERO
    for tax in step["taxes"]:
        base = sum((bases[fee_id] for fee_id in tax["lago_fee_ids"]), ZERO)
        amount = base * _exact(tax["rate"]) / 100
        _hold(round_cents(amount), tax["amount_cents"], f"tax {tax['code']}")
        total += amount
    _hold(round_cents(total), step["amount_cents"], "taxes")
    return round_cents(total)


def _exact(text: str | int) -> Fraction:
    return Fraction(Decimal(text))


def _hold(found: int, said: int, what: str) -> None:
    if found != said:
        raise Unexplained(f"{what}: {said} is said, {found} follows")
