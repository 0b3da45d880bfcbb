"""What was billed and its adjustments are what the naive calculator has corrected events cost, and taken back what it had at first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests import kit
from tests.oracle.corrections import ENDS, Correction, corrected, corrected_lives, cost
from tests.oracle.engine import Engine
from tests.oracle.life import Life, Subscribe
from tests.oracle.telling import wire
from tests.oracle.test_agreement import EXAMPLES, lived_by_both

pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)

PAGES: dict[str, Any] = {"per_page": 1000}


class Corrected(Engine):
    """A customer whose events are corrected once they are billed; with `mark_cents` usage is billed progressively, too."""

    mark_cents: int = 0

    async def subscribe(self, action: Subscribe) -> None:
        await super().subscribe(action)
        if self.mark_cents:
            marks = {"usage_thresholds": [{"amount_cents": self.mark_cents}]}
            await kit.call(
                self.client, "PUT", f"/subscriptions/{action.external_id}", {"subscription": marks}
            )

    async def correct(self, one: Correction) -> None:
        body: dict[str, Any] = {"external_subscription_id": "s1", "reason": "r"}
        if one.properties is not None:
            body["properties"] = one.properties
            body["precise_total_amount_cents"] = one.precise_total_amount_cents
            await kit.post(self.client, f"/events/{one.id}/amend", {"event": body})
            return
        answer = await self.client.post(f"/events/{one.id}/void", json={"event": body})
        assert answer.status_code == 200 or answer.json()["code"] == "event_already_voided", answer.text

    async def cost(self) -> Counter[tuple[str, str]]:
        """What was billed, less what notes gave back, before taxes: by the kind of fee and the code of its charge."""
        found: Counter[tuple[str, str]] = Counter()
        for invoice in (await kit.get(self.client, "/invoices", **PAGES))["invoices"]:
            path = f"/invoices/{invoice['lago_id']}"
            for fee in (await kit.get(self.client, path))["invoice"]["fees"]:
                found[self.place(fee)] += fee["amount_cents"]
        for written in (await kit.get(self.client, "/credit_notes", **PAGES))["credit_notes"]:
            path = f"/credit_notes/{written['lago_id']}"
            for item in (await kit.get(self.client, path))["credit_note"]["items"]:
                found[self.place(item["fee"])] -= item["amount_cents"]
        return Counter({place: cents for place, cents in found.items() if cents})

    def place(self, fee: kit.Json) -> tuple[str, str]:
        kind = fee["item"]["type"]
        return kind, self.codes[fee["lago_charge_id"]] if kind == "charge" else ""

    async def net_cents(self) -> int:
        """The same in all, where invoices take over what others billed."""
        billed = (await kit.get(self.client, "/invoices", **PAGES))["invoices"]
        written = (await kit.get(self.client, "/credit_notes", **PAGES))["credit_notes"]
        return sum(one["sub_total_excluding_taxes_amount_cents"] for one in billed) - sum(
            one["sub_total_excluding_taxes_amount_cents"] for one in written
        )


def at_first(life: Life, corrections: list[Correction]) -> list[Correction]:
    """What takes corrections back, the last one first."""
    sent = {event.id: event for event in life.events}
    return [
        Correction(
            id=one.id,
            properties=sent[one.id].properties,
            precise_total_amount_cents=sent[one.id].precise_total_amount_cents,
        )
        for one in reversed(corrections)
    ]


async def begun(make_organization: Any, life: Life, policy: str, *, mark_cents: int = 0) -> Any:
    organization = await make_organization(wire(life.begins))
    wanted = {"organization": {"metering": {"event_correction_policy": policy}}}
    await kit.call(organization.client, "PUT", "/organizations", wanted)
    engine = Corrected(organization.client, life)
    engine.mark_cents = mark_cents
    await engine.live()
    return organization, engine


@settings(lived_by_both, max_examples=max(EXAMPLES // 6, 1))
@given(told=corrected_lives())
async def test_documented_now(make_organization, database, told: tuple[Life, list[Correction]]) -> None:
    """Charges of every model and timing, minimums and commitments."""
    life, corrections = told
    note(repr(told))
    organization, engine = await begun(make_organization, life, "document_now")
    assert await engine.cost() == cost(life)
    for one in corrections:
        await engine.correct(one)
    assert await engine.cost() == cost(corrected(life, corrections))
    await kit.assert_audit_clean(database, organization.id)
    for one in at_first(life, corrections):
        await engine.correct(one)
    assert await engine.cost() == cost(life)
    await kit.assert_audit_clean(database, organization.id)


@settings(lived_by_both, max_examples=max(EXAMPLES // 12, 1))
@given(told=corrected_lives())
async def test_on_the_next_invoice(make_organization, database, told: tuple[Life, list[Correction]]) -> None:
    """After the next bill; what is corrected again before it leaves nothing else."""
    life, corrections = told
    note(repr(told))
    organization, engine = await begun(make_organization, life, "next_invoice")
    for one in [*corrections, *at_first(life, corrections), *corrections]:
        await engine.correct(one)
    await kit.assert_audit_clean(database, organization.id)
    await kit.advance(organization.client, wire(ENDS)[:16])
    assert await engine.cost() == cost(corrected(replace(life, ends=ENDS), corrections))
    await kit.assert_audit_clean(database, organization.id)


@settings(lived_by_both, max_examples=max(EXAMPLES // 12, 1))
@given(told=corrected_lives(), mark_cents=st.sampled_from([1, 700, 4000]))
async def test_of_what_is_billed_progressively(
    make_organization, database, told: tuple[Life, list[Correction]], mark_cents: int
) -> None:
    """Each invoice gives back what it billed: all together come to the cent to what the events cost."""
    life, corrections = told
    note(repr(told))
    organization, engine = await begun(make_organization, life, "document_now", mark_cents=mark_cents)
    assert await engine.net_cents() == sum(cost(life).values())
    for one in corrections:
        await engine.correct(one)
    meant = sum(cost(corrected(life, corrections)).values())
    assert await engine.net_cents() == meant
    await kit.assert_audit_clean(database, organization.id)
    for one in at_first(life, corrections):
        await engine.correct(one)
    assert await engine.net_cents() == sum(cost(life).values())
    await kit.assert_audit_clean(database, organization.id)
