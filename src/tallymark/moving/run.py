"""The whole of an import, in an order in which it can be cut off anywhere and gone on with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tallymark.db.errors import StartupError
from tallymark.domain.errors import TallymarkError
from tallymark.integrations.lago import ApiError, path_of, together
from tallymark.moving import bodies
from tallymark.moving.catalog import Catalog, customers_of
from tallymark.moving.likeness import as_told, differences, plain
from tallymark.moving.moves import Mover
from tallymark.moving.report import CHANGED, CREATED, UNCHANGED, Remark, Report, why
from tallymark.moving.sides import Source, Target
from tallymark.moving.state import State, read_state
from tallymark.moving.usage import Events
from tallymark.rooms.takeovers import service as takeovers

Json = dict[str, Any]
LEFT_OUT = (
    ("issued invoices", "invoices", "invoices"),
    ("credit notes", "credit_notes", "credit_notes"),
    ("payments", "payments", "payments"),
    ("payment requests", "payment_requests", "payment_requests"),
)
UNREADABLE = (
    "users and roles", "API keys", "payment providers and methods", "dunning campaigns", "integrations", "logos",
    "prefixes of numbers",
)  # fmt: skip
"""What the API does not tell, or that must not be had twice."""


@dataclass(slots=True, kw_only=True)
class Import:
    """One run: what is here is compared, what is missing is made, customers move one by one."""

    source: Source
    target: Target
    tell: Callable[[str, int, int], None] = lambda _kind, _done, _total: None
    is_live: bool = False
    copies_events: bool = True
    report: Report = field(default_factory=Report)

    async def run(self) -> Report:
        """Copy everything. Raises `StartupError` where the source can't be reached; what was copied stays."""
        try:
            return await self._run()
        except ApiError as error:
            raise StartupError(f"{error}; what was copied stays") from None

    async def _run(self) -> Report:
        catalog = Catalog(
            source=self.source, target=self.target, report=self.report, tell=self.tell, is_live=self.is_live
        )
        await catalog.copy()
        await self._copy_customers(catalog)
        if self.is_live:
            await self._open_the_doors(catalog)
        for name, path, root in LEFT_OUT:
            self.report.left_out[name] = await self._count(path, root)
        self.report.left_out |= dict.fromkeys(UNREADABLE)
        self._tell_of_entities(catalog)
        return self.report

    async def _open_the_doors(self, catalog: Catalog) -> None:
        """Have messages go out once everybody is here: nobody is to hear of those who move that they are new."""
        if self.report.held or self.report.failed:
            text = "are copied when nobody is held back any more, and nothing fails"
            self.report.notes.append(Remark("webhook endpoints", "all", text))
        else:
            await catalog.copy_endpoints()

    def _tell_of_entities(self, catalog: Catalog) -> None:
        for there, here in catalog.known.entity_codes.items():
            if there != here:
                text = f"the default entity has the code {here} here: codes of entities don't change"
                self.report.notes.append(Remark("billing entities", there, text))

    async def _count(self, path: str, root: str) -> int | None:
        try:
            return await self.source.api.count(path, root)
        except ApiError:
            return None

    async def _copy_customers(self, catalog: Catalog) -> None:
        total = await self.source.api.count("customers", "customers")
        async with self.target.database.tenant(self.target.organization_id) as tx:
            marks = await takeovers.moved_customers(tx, self.source.name)
        # Who had nothing yet may have something by now.
        moved = {key for key, mark in marks.items() if mark.has_moved_something}
        done = 0
        async for listed in customers_of(self.source):
            external_id = listed["external_id"]
            try:
                await self._copy_customer(catalog, external_id, is_moved=external_id in moved)
            except (ApiError, TallymarkError, ValidationError, LookupError, ValueError) as error:
                self.report.fail("customers", external_id, why(error))
            done += 1
            self.tell("customers", done, total)

    async def _copy_customer(self, catalog: Catalog, external_id: str, *, is_moved: bool) -> None:
        now = await self.target.now()
        state = await read_state(self.source.api, external_id, now=now)
        await self._copy_fields(catalog, state)
        reasons = [] if is_moved else list(state.reasons_to_wait(now))
        self.report.held += [Remark("customers", external_id, reason) for reason in reasons]
        if reasons:
            return
        if self.copies_events:
            events = Events(source=self.source, target=self.target, report=self.report, tell=self.tell)
            for subscription in state.subscriptions:
                await events.copy(await events.stretches(subscription))
        if not is_moved:
            await self._move(catalog, state)
        await self._compare(state, is_moved=is_moved)

    async def _copy_fields(self, catalog: Catalog, state: State) -> None:
        there, known = state.customer, catalog.known
        code = there.get("billing_entity_code") or ""
        own = bodies.own_sections(there, known.entity_sections.get(code, ()))
        entity = known.entity_codes.get(code, code)
        wanted = {**bodies.customer(there, section_codes=own), "billing_entity_code": entity or None}
        found = await self.target.api.find(path_of("customers", there["external_id"]))
        here = found["customer"] if found else None
        inherited = known.entity_sections.get(code, ())
        before = self._customer(here, inherited) if here else None
        if before is not None and plain(as_told(wanted, before)) == plain(wanted):
            self.report.count("customers", UNCHANGED)
            return
        ids = {note["key"]: note["lago_id"] for note in (here or {}).get("metadata") or ()}
        notes = [
            {**note, **({"id": ids[note["key"]]} if note["key"] in ids else {})}
            for note in wanted["metadata"]
        ]
        sent = {**wanted, "metadata": notes}
        if wanted.get("skip_invoice_custom_sections"):
            del sent["invoice_custom_section_codes"]
        made = (await self.target.api.call("POST", "/customers", {"customer": sent}))["customer"]
        after = as_told(wanted, self._customer(made, inherited))
        self.report.differ("customers", there["external_id"], differences(wanted, after))
        self.report.count("customers", CREATED if here is None else CHANGED)

    @staticmethod
    def _customer(wire: Json, inherited: list[str] | tuple[()]) -> Json:
        return bodies.customer(wire, section_codes=bodies.own_sections(wire, inherited))

    async def _move(self, catalog: Catalog, state: State) -> None:
        mover = Mover(source=self.source.api, target=self.target.api, entity_codes=catalog.known.entity_codes)
        move = await mover.move(state)
        now = await self.target.now()
        async with self.target.transaction() as tx:
            await takeovers.move_customer(tx, self.source.name, move, now=now)
        for kind, things in (
            ("subscriptions", move.subscriptions),
            ("wallets", move.wallets),
            ("applied coupons", move.coupons),
        ):
            self.report.count(kind, CREATED, len(things))
        if state.notes:
            cents = Counter[str]()
            for note in state.notes:
                cents[note["currency"]] += int(note["balance_amount_cents"])
            told = ", ".join(f"{amount} {code} (minor units)" for code, amount in sorted(cents.items()))
            text = f"{told} left of {len(state.notes)} credit notes are in a wallet that pays first"
            self.report.notes.append(Remark("customers", state.customer["external_id"], text))

    async def _compare(self, state: State, *, is_moved: bool) -> None:
        """Hold what moved against what is there, as far as neither goes on by itself, and copy what hangs on it."""
        api, names = self.source.api, [there["external_id"] for there in state.subscriptions]
        alerts = await together(
            *(api.any_of(f"{path_of('subscriptions', name)}/alerts", "alerts") for name in names)
        )
        entitlements = await together(
            *(api.find(path_of("subscriptions", name, "entitlements")) for name in names)
        )
        for there, alerted, entitled in zip(state.subscriptions, alerts, entitlements, strict=True):
            external_id = there["external_id"]
            found = await self.target.api.find(path_of("subscriptions", external_id))
            if found is None:
                text = "was made there after its customer had moved, or has ended here"
                self.report.notes.append(Remark("subscriptions", external_id, text))
                continue
            if is_moved:
                self.report.count("subscriptions", UNCHANGED)
            here = found["subscription"]
            self.report.differ("subscriptions", external_id, _subscription_differences(there, here))
            await self._copy_alerts(path_of("subscriptions", external_id), alerted)
            await self._copy_entitlements(external_id, entitled)
        await self._compare_wallets(state, is_moved=is_moved)

    async def _compare_wallets(self, state: State, *, is_moved: bool) -> None:
        who = state.customer["external_id"]
        rows = self.target.api.newest_first("wallets", "wallets", external_customer_id=who)
        here = {row["code"]: row async for row in rows if row["status"] == "active"}
        owners = [path_of("customers", who, "wallets", there.get("code") or "") for there, _ in state.wallets]
        alerts = await together(*(self.source.api.any_of(f"{own}/alerts", "alerts") for own in owners))
        for (there, _), own, alerted in zip(state.wallets, owners, alerts, strict=True):
            found = here.get(there.get("code") or "")
            if found is None:
                continue
            if is_moved:
                self.report.count("wallets", UNCHANGED)
            elif there["balance_cents"] != found["balance_cents"]:
                self.report.differ(
                    "wallets",
                    f"{who}/{there['code']}",
                    differences(there["balance_cents"], found["balance_cents"], "balance_cents"),
                )
            await self._copy_alerts(own, alerted)

    async def _copy_alerts(self, owner: str, wanted_rows: list[Json]) -> None:
        path = f"{owner}/alerts"
        here = {row["code"]: row async for row in self.target.api.newest_first(path, "alerts")}
        for row in wanted_rows:
            wanted, found = bodies.alert(row), here.get(row["code"])
            if found is not None and plain(bodies.alert(found)) == plain(wanted):
                self.report.count("alerts", UNCHANGED)
            elif found is None:
                await self.target.api.call("POST", path, {"alert": wanted})
                self.report.count("alerts", CREATED)
            else:
                await self.target.api.call("PUT", f"{path}{path_of(row['code'])}", {"alert": wanted})
                self.report.count("alerts", CHANGED)

    async def _copy_entitlements(self, external_id: str, told: Json | None) -> None:
        """Have a subscription entitle to the same, whatever its plan says."""
        path = path_of("subscriptions", external_id, "entitlements")
        if told is None:
            return
        wanted = bodies.granted(told["entitlements"])
        found = bodies.granted((await self.target.api.get(path))["entitlements"])
        if wanted == found:
            return
        for feature in found.keys() - wanted.keys():
            await self.target.api.call("DELETE", f"{path}{path_of(feature)}")
        for feature in found.keys() & wanted.keys():
            for privilege in found[feature].keys() - wanted[feature].keys():
                own = f"{path}{path_of(feature, 'privileges', privilege)}"
                await self.target.api.call("DELETE", own)
        await self.target.api.call("PATCH", path, {"entitlements": wanted})
        made = bodies.granted((await self.target.api.get(path))["entitlements"])
        self.report.differ("entitlements", external_id, differences(wanted, made))
        self.report.count("entitlements", CHANGED)


MOVING = (
    "subscription_at", "started_at", "ending_at", "billing_time", "name", "plan_code", "plan_amount_cents",
    "plan_amount_currency", "next_plan_code", "trial_ended_at", "purchase_order_number", "consolidate_invoice",
    "progressive_billing_disabled", "on_termination_credit_note", "on_termination_invoice",
    "current_billing_period_started_at", "current_billing_period_ending_at",
)  # fmt: skip
"""Fields of a subscription that say when it is billed, and what."""


def _subscription_differences(there: Json, here: Json) -> list[Any]:
    own = bodies.plan(there["plan"]) if there.get("plan") else {}
    copied = bodies.plan(here["plan"]) if here.get("plan") else {}
    told = {name: there[name] for name in MOVING if name in there}
    return [*differences(told, as_told(told, here)), *differences(own, as_told(own, copied), "plan")]
