"""Corrections of a life's events: what they are to be, which is all that the naive calculator needs to know of them (beyond.md §3)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from tests.oracle.invoices import lived
from tests.oracle.life import Action, Event, Life, Plan, Properties, Subscribe
from tests.oracle.lives import BASE_PRICES, charges, decreases, precise, values

BEGINS = datetime(2023, 1, 10, tzinfo=UTC)
BILLED = datetime(2023, 3, 25, tzinfo=UTC)
"""Two months of the calendar are billed by then, and one of an anniversary more."""
ENDS = datetime(2023, 4, 12, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What an event is to be from now on; without properties it is void."""

    id: str
    properties: Properties | None
    precise_total_amount_cents: str | None = None


def corrected(life: Life, corrections: list[Correction]) -> Life:
    """The life in which its events were right at first: each came when it did, and is what it is in the end."""
    last = {one.id: one for one in corrections}

    def meant(action: Action) -> Action | None:
        if not isinstance(action, Event) or action.id not in last:
            return action
        told = last[action.id]
        if told.properties is None:
            return None
        return replace(
            action,
            properties=told.properties,
            precise_total_amount_cents=told.precise_total_amount_cents,
        )

    return replace(life, actions=tuple(one for action in life.actions if (one := meant(action))))


def cost(life: Life) -> Counter[tuple[str, str]]:
    """What a life comes to before taxes, in minor units: by the kind of fee and the code of its charge."""
    found: Counter[tuple[str, str]] = Counter()
    for invoice in lived(life).issuer.invoices:
        for fee in invoice.fees:
            kind = "charge" if fee.kind == "true_up" else fee.kind
            found[kind, fee.code if kind == "charge" else ""] += fee.amount_cents
    return +found


@st.composite
def corrected_lives(draw: st.DrawFn) -> tuple[Life, list[Correction]]:
    """A plan with charges of every kind that invoices bill, perhaps a commitment, events that come as they happen, and what they were to be."""
    sold = [
        replace(draw(charges(f"c{n}")), invoiceable=True, regroups=False, tax_codes=())
        for n in range(draw(st.integers(1, 3)))
    ]
    plan = Plan(
        code="plan",
        amount_cents=draw(st.sampled_from(BASE_PRICES)),
        pay_in_advance=draw(st.booleans()),
        charges=tuple(sold),
        commitment_cents=draw(st.sampled_from([0, 4321, 30_000])),
    )
    begun = Subscribe(
        at=BEGINS,
        external_id="s1",
        plan=plan,
        billing_time=draw(st.sampled_from(["calendar", "anniversary"])),
    )
    codes = [charge.metric.code for charge in sold]
    hours = sorted(draw(st.lists(st.integers(1, 73 * 24), min_size=3, max_size=8, unique=True)))
    sent = [
        Event(
            at=BEGINS + timedelta(hours=hour),
            id=f"e{n}",
            external_id="s1",
            code=draw(st.sampled_from(codes)),
            timestamp=BEGINS + timedelta(hours=hour),
            properties=draw(contents()),
            precise_total_amount_cents=draw(precise),
        )
        for n, hour in enumerate(hours)
    ]
    life = Life(zone="UTC", currency="EUR", begins=BEGINS, ends=BILLED, actions=(begun, *sent))
    return life, draw(st.lists(corrections_of([one.id for one in sent]), min_size=1, max_size=5))


@st.composite
def contents(draw: st.DrawFn) -> Properties:
    """What an event says: a number, and where it was used."""
    found: dict[str, Any] = {"value": draw(values | values | decreases)}
    for key, known in (("region", ["eu", "us", "xx"]), ("tier", ["gold", "std"])):
        if draw(st.booleans()):
            found[key] = draw(st.sampled_from(known))
    return found


@st.composite
def corrections_of(draw: st.DrawFn, ids: list[str]) -> Correction:
    """A new version of one of some events, or none of it."""
    return Correction(
        id=draw(st.sampled_from(ids)),
        properties=draw(st.none() | contents() | contents()),
        precise_total_amount_cents=draw(precise),
    )
