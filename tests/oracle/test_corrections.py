"""What was billed and its adjustments are what the naive calculator has corrected events cost, and taken back what it had at first."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st
from tests import kit
from tests.oracle.corrections import (
    ENDS,
    Backfill,
    Change,
    Correction,
    changed_lives,
    corrected,
    corrected_lives,
    cost,
    late_lives,
)
from tests.oracle.engine import Engine
from tests.oracle.life import Life, Subscribe
from tests.oracle.telling import wire
from tests.oracle.test_agreement import EXAMPLES, lived_by_both

pytestmark = pytest.mark.timeout(120 + 30 * EXAMPLES)

PAGES: dict[str, Any] = {"per_page": 1000}
MINUTE = timedelta(minutes=1)


class Corrected(Engine):
    """A customer whose events are corrected once they are billed; with `mark_cents` usage is billed progressively, too."""

    mark_cents: int = 0

    def __init__(self, client: httpx.AsyncClient, life: Life) -> None:
        super().__init__(client, life)
        self.now = life.ends
        self.backfills: list[str] = []
        """Those that stand, the last one last."""

    async def subscribe(self, action: Subscribe) -> None:
        await super().subscribe(action)
        if self.mark_cents:
            marks = {"usage_thresholds": [{"amount_cents": self.mark_cents}]}
            await kit.call(
                self.client, "PUT", f"/subscriptions/{action.external_id}", {"subscription": marks}
            )

    async def change(self, one: Change) -> None:
        """Do one, and let what follows soon after be done."""
        await (self.correct(one) if isinstance(one, Correction) else self.backfill(one))
        self.now = await self.advance(self.now, self.now + MINUTE)

    async def take_back(self, one: Change) -> None:
        """Have the events of a change be what they were at first, where all later ones are taken back."""
        if isinstance(one, Backfill):
            await kit.post(self.client, f"{self.backfills.pop()}/revert", {})
        else:
            (sent,) = [event for event in self.life.events if event.id == one.id]
            await self.correct(
                Correction(
                    id=one.id,
                    properties=sent.properties,
                    precise_total_amount_cents=sent.precise_total_amount_cents,
                )
            )
        self.now = await self.advance(self.now, self.now + MINUTE)

    async def backfill(self, one: Backfill) -> None:
        body = {"external_subscription_id": "s1", "code": one.code, "reason": "r"}
        stretch = {"from": wire(one.begins), "to": wire(one.ends)}
        made = await kit.post(self.client, "/event_backfills", {"event_backfill": {**body, **stretch}})
        path = f"/event_backfills/{made['event_backfill']['lago_id']}"
        told = [
            {
                "transaction_id": event.id,
                "timestamp": int(event.timestamp.timestamp()),
                "properties": event.properties,
                "precise_total_amount_cents": event.precise_total_amount_cents,
            }
            for event in one.events
        ]
        if told:
            await kit.post(self.client, f"{path}/events", {"events": told})
        await kit.post(self.client, f"{path}/close", {})
        self.backfills.append(path)

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
        for fee in await self.alone():
            found[self.place(fee)] += fee["amount_cents"]
        return Counter({place: cents for place, cents in found.items() if cents})

    async def alone(self) -> list[kit.Json]:
        """The fees on no invoice."""
        found = (await kit.get(self.client, "/fees", **PAGES))["fees"]
        return [fee for fee in found if fee["lago_invoice_id"] is None]

    def place(self, fee: kit.Json) -> tuple[str, str]:
        kind = fee["item"]["type"]
        return kind, self.codes[fee["lago_charge_id"]] if kind == "charge" else ""

    async def net_cents(self) -> int:
        """The same in all, where invoices take over what others billed, but for what was billed of the period that runs."""
        billed = (await kit.get(self.client, "/invoices", **PAGES))["invoices"]
        running = {one["lago_id"] for one in billed if await self.is_running(one)}
        written = (await kit.get(self.client, "/credit_notes", **PAGES))["credit_notes"]
        return (
            sum(fee["amount_cents"] for fee in await self.alone())
            + sum(
                one["sub_total_excluding_taxes_amount_cents"]
                for one in billed
                if one["lago_id"] not in running
            )
            - sum(
                one["sub_total_excluding_taxes_amount_cents"]
                for one in written
                if one["lago_invoice_id"] not in running
            )
        )

    async def is_running(self, invoice: kit.Json) -> bool:
        """Whether it is of usage whose period has not ended."""
        if invoice["invoice_type"] != "progressive_billing":
            return False
        found = await kit.get(self.client, f"/invoices/{invoice['lago_id']}")
        (period,) = found["invoice"]["billing_periods"]
        return bool(period["charges_to_datetime"] > wire(self.now))


async def begun(make_organization: Any, life: Life, policy: str, *, mark_cents: int = 0) -> Any:
    organization = await make_organization(wire(life.begins))
    wanted = {"organization": {"metering": {"event_correction_policy": policy}}}
    await kit.call(organization.client, "PUT", "/organizations", wanted)
    engine = Corrected(organization.client, life)
    engine.mark_cents = mark_cents
    await engine.live()
    return organization, engine


@settings(lived_by_both, max_examples=max(EXAMPLES // 6, 1))
@given(told=corrected_lives() | changed_lives() | late_lives())
async def test_documented_now(make_organization, database, told: tuple[Life, list[Change]]) -> None:
    """Charges of every model and timing, minimums and commitments, events in time and late."""
    life, changes = told
    note(repr(told))
    organization, engine = await begun(make_organization, life, "document_now")
    assert await engine.cost() == cost(life)
    for one in changes:
        await engine.change(one)
    assert await engine.cost() == cost(corrected(life, changes))
    await kit.assert_audit_clean(database, organization.id)
    for one in reversed(changes):
        await engine.take_back(one)
    assert await engine.cost() == cost(life)
    await kit.assert_audit_clean(database, organization.id)


@settings(lived_by_both, max_examples=max(EXAMPLES // 12, 1))
@given(told=corrected_lives() | changed_lives())
async def test_on_the_next_invoice(make_organization, database, told: tuple[Life, list[Change]]) -> None:
    """After the next bill; what is corrected again before it leaves nothing else."""
    life, changes = told
    note(repr(told))
    organization, engine = await begun(make_organization, life, "next_invoice")
    for one in changes:
        await engine.change(one)
    for one in reversed(changes):
        await engine.take_back(one)
    for one in changes:
        await engine.change(one)
    await kit.assert_audit_clean(database, organization.id)
    await kit.advance(organization.client, wire(ENDS)[:16])
    assert await engine.cost() == cost(corrected(replace(life, ends=ENDS), changes))
    await kit.assert_audit_clean(database, organization.id)


@settings(lived_by_both, max_examples=max(EXAMPLES // 12, 1))
@given(told=corrected_lives() | changed_lives(), mark_cents=st.sampled_from([1, 700, 4000]))
async def test_of_what_is_billed_progressively(
    make_organization, database, told: tuple[Life, list[Change]], mark_cents: int
) -> None:
    """Each invoice gives back what it billed: all together come to the cent to what the events cost."""
    life, changes = told
    note(repr(told))
    organization, engine = await begun(make_organization, life, "document_now", mark_cents=mark_cents)
    assert await engine.net_cents() == sum(cost(life).values())
    for one in changes:
        await engine.change(one)
    meant = sum(cost(corrected(life, changes)).values())
    assert await engine.net_cents() == meant
    await kit.assert_audit_clean(database, organization.id)
    for one in reversed(changes):
        await engine.take_back(one)
    assert await engine.net_cents() == sum(cost(life).values())
    await kit.assert_audit_clean(database, organization.id)
