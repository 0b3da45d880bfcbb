"""Copy what is sold and who buys it: each object is made, changed, or left as it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from tallymark.domain.errors import TallymarkError
from tallymark.integrations.lago import ApiError, path_of
from tallymark.moving import bodies
from tallymark.moving.likeness import as_told, differences, plain
from tallymark.moving.report import CHANGED, CREATED, UNCHANGED, Report, why
from tallymark.moving.sides import Source, Target
from tallymark.rooms.coupons import service as coupons
from tallymark.rooms.coupons.schemas import CouponCreateInput

Json = dict[str, Any]
Told = Callable[[str, int, int], None]
"""Hears of progress: what is copied, how many of how many."""


@dataclass(slots=True)
class Known:
    """What copies are called here."""

    ids: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of metrics and add-ons: by kind and code."""

    entity_codes: dict[str, str] = field(default_factory=dict)
    """By their codes there: the default entity has the code that it was made with."""

    entity_sections: dict[str, list[str]] = field(default_factory=dict)
    """What invoices of an entity print, by its code there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of object with a code: where it is, and how its request is made of its answer."""

    name: str
    path: str
    root: str
    plural: str
    body: Callable[[Json], Json]
    is_listed_whole: bool = True
    is_optional: bool = False
    """Not every server has it."""


KINDS_BEFORE = (
    Kind(name="taxes", path="taxes", root="tax", plural="taxes", body=bodies.tax),
    Kind(
        name="custom sections", path="invoice_custom_sections", root="invoice_custom_section",
        plural="invoice_custom_sections", body=bodies.custom_section, is_optional=True,
    ),
    Kind(
        name="pricing units", path="pricing_units", root="pricing_unit", plural="pricing_units",
        body=bodies.pricing_unit, is_optional=True,
    ),
)  # fmt: skip
KINDS = (
    Kind(
        name="billable metrics", path="billable_metrics", root="billable_metric", plural="billable_metrics",
        body=bodies.billable_metric,
    ),
    Kind(name="add-ons", path="add_ons", root="add_on", plural="add_ons", body=bodies.add_on),
    Kind(
        name="features",
        path="features",
        root="feature",
        plural="features",
        body=bodies.feature,
        is_optional=True,
    ),
    Kind(
        name="plans", path="plans", root="plan", plural="plans", body=bodies.plan, is_listed_whole=False
    ),
    Kind(name="coupons", path="coupons", root="coupon", plural="coupons", body=bodies.coupon),
)  # fmt: skip


NAMED_BY_ID = ("billable_metric", "add_on")
"""What plans name by the id that it has here."""


@dataclass(slots=True)
class Catalog:
    """Copies everything but what customers have."""

    source: Source
    target: Target
    report: Report
    tell: Told
    is_live: bool
    known: Known = field(default_factory=Known)

    async def copy(self) -> None:
        """Copy in the order in which things need each other."""
        for kind in KINDS_BEFORE:
            await self._copy_kind(kind)
        await self._copy_entities()
        for kind in KINDS:
            await self._copy_kind(kind)
            if kind.root in NAMED_BY_ID:
                rows = self.target.api.newest_first(kind.path, kind.plural)
                self.known.ids[kind.root] = {row["code"]: row["lago_id"] async for row in rows}

    async def _copy_kind(self, kind: Kind) -> None:
        try:
            total = await self.source.api.count(kind.path, kind.plural)
        except ApiError as error:
            if kind.is_optional and error.is_absence:
                return
            raise
        here = {row["code"]: row async for row in self.target.api.newest_first(kind.path, kind.plural)}
        done = 0
        self.tell(kind.name, done, total)
        async for row in self.source.api.oldest_first(kind.path, kind.plural):
            try:
                await self._copy_one(kind, row, here.get(row["code"]))
            except (ApiError, TallymarkError, ValidationError, LookupError, ValueError) as error:
                self.report.fail(kind.name, row["code"], why(error))
            done += 1
            self.tell(kind.name, done, total)
        self.report.count(kind.name, UNCHANGED, 0)

    async def _copy_one(self, kind: Kind, there: Json, here: Json | None) -> None:
        own = path_of(*kind.path.split("/"), there["code"])
        if not kind.is_listed_whole:
            there = (await self.source.api.get(own))[kind.root]
            here = (await self.target.api.get(own))[kind.root] if here is not None else None
        wanted = kind.body(there)
        if here is not None and plain(as_told(wanted, kind.body(here))) == plain(wanted):
            outcome, made = UNCHANGED, here
        else:
            outcome = CREATED if here is None else CHANGED
            made = await self._send(kind, own, wanted, there, here)
        self.report.differ(kind.name, there["code"], differences(wanted, as_told(wanted, kind.body(made))))
        if kind.name == "plans" and await self._grant(there, made) and outcome == UNCHANGED:
            outcome = CHANGED
        self.report.count(kind.name, outcome)

    async def _send(self, kind: Kind, own: str, wanted: Json, there: Json, here: Json | None) -> Json:
        """Make or change an object; what came of it."""
        if kind.name == "coupons":
            now = await self.target.now()
            if (ended_at := _end_of(there, now)) is not None:
                return await self._keep_ended(own, wanted, ended_at, now, is_known=here is not None)
        if kind.name == "plans":
            wanted = self._with_ids(wanted, here)
        api = self.target.api
        if here is None:
            made: Json = (await api.call("POST", f"/{kind.path}", {kind.root: wanted}))[kind.root]
        else:
            made = (await api.call("PUT", own, {kind.root: wanted}))[kind.root]
        return made

    async def _keep_ended(
        self, own: str, wanted: Json, ended_at: datetime, now: datetime, *, is_known: bool
    ) -> Json:
        """An offer that is over can't be made over the API, and is needed for those who have it."""
        if not is_known:
            asked = CouponCreateInput.model_validate(wanted).to_value()
            async with self.target.transaction() as tx:
                await coupons.create_coupon(tx, asked, now=now, ended_at=ended_at)
        found: Json = (await self.target.api.get(own))["coupon"]
        return found

    def _with_ids(self, wanted: Json, here: Json | None) -> Json:
        """A plan as this server knows its metrics; a charge that there is keeps its id."""
        return {
            **wanted,
            "charges": self._named_by_id("billable_metric", wanted["charges"], (here or {}).get("charges")),
            "fixed_charges": self._named_by_id(
                "add_on", wanted["fixed_charges"], (here or {}).get("fixed_charges")
            ),
        }

    def _named_by_id(self, what: str, wanted: list[Json], here: list[Json] | None) -> list[Json]:
        before = {one["code"]: one["lago_id"] for one in here or ()}
        return [
            {
                **{name: value for name, value in one.items() if name != f"{what}_code"},
                f"{what}_id": self.known.ids[what].get(one[f"{what}_code"]),
                **({"id": before[one["code"]]} if one.get("code") in before else {}),
            }
            for one in wanted
        ]

    async def _grant(self, there: Json, here: Json) -> bool:
        """Have a plan entitle to the same; whether that changed anything."""
        own = path_of("plans", there["code"], "entitlements")
        told = await self.source.api.find(own)
        wanted = bodies.granted((told or {}).get("entitlements"))
        found = bodies.granted((await self.target.api.get(own))["entitlements"])
        if wanted == found:
            return False
        await self.target.api.call("POST", own, {"entitlements": wanted})
        made = bodies.granted((await self.target.api.get(own))["entitlements"])
        self.report.differ("plans", here["code"], differences(wanted, made, "entitlements"))
        return True

    async def _copy_entities(self) -> None:
        """Billing entities: the default one here becomes what the default one is there."""
        told = await self.source.api.find("billing_entities")
        there = (told or {}).get("billing_entities") or []
        here = {
            one["code"]: one for one in (await self.target.api.get("billing_entities"))["billing_entities"]
        }
        default = next(code for code, one in here.items() if one["is_default"])
        for done, listed in enumerate(there, 1):
            code = default if listed["is_default"] else listed["code"]
            self.known.entity_codes[listed["code"]] = code
            try:
                await self._copy_entity(listed["code"], code, is_known=code in here)
            except ApiError as error:
                self.report.fail("billing entities", listed["code"], error)
            self.tell("billing entities", done, len(there))

    async def _copy_entity(self, code_there: str, code: str, *, is_known: bool) -> None:
        found = (await self.source.api.get(path_of("billing_entities", code_there)))["billing_entity"]
        wanted = bodies.billing_entity(found, is_live=self.is_live)
        self.known.entity_sections[code_there] = wanted["invoice_custom_section_codes"]
        api, own = self.target.api, path_of("billing_entities", code)
        if not is_known:
            body = {"billing_entity": {"code": code, "name": found["name"]}}
            await api.call("POST", "/billing_entities", body)
        before = bodies.billing_entity((await api.get(own))["billing_entity"], is_live=self.is_live)
        if plain(as_told(wanted, before)) == plain(wanted):
            self.report.count("billing entities", UNCHANGED if is_known else CREATED)
            return
        made = (await api.call("PUT", own, {"billing_entity": wanted}))["billing_entity"]
        after = bodies.billing_entity(made, is_live=self.is_live)
        self.report.differ("billing entities", code_there, differences(wanted, as_told(wanted, after)))
        self.report.count("billing entities", CHANGED if is_known else CREATED)

    async def copy_endpoints(self) -> None:
        """Where messages go: only of an organization that takes over, and last. What is emitted before is told to nobody."""
        api, path = self.target.api, "webhook_endpoints"
        here = {row["webhook_url"]: row async for row in api.newest_first(path, path)}
        async for row in self.source.api.oldest_first(path, path):
            wanted, found = bodies.webhook_endpoint(row), here.get(row["webhook_url"])
            if found is not None and plain(bodies.webhook_endpoint(found)) == plain(wanted):
                self.report.count("webhook endpoints", UNCHANGED)
                continue
            try:
                if found is None:
                    await api.call("POST", f"/{path}", {"webhook_endpoint": wanted})
                else:
                    await api.call("PUT", path_of(path, found["lago_id"]), {"webhook_endpoint": wanted})
            except ApiError as error:
                self.report.fail("webhook endpoints", row["webhook_url"], error)
            else:
                self.report.count("webhook endpoints", CREATED if found is None else CHANGED)


def _end_of(there: Json, now: datetime) -> datetime | None:
    """When an offer ended; None for one that runs."""
    for name in ("terminated_at", "expiration_at"):
        if there.get(name):
            ended_at = datetime.fromisoformat(there[name])
            if ended_at <= now:
                return ended_at
    return None


async def customers_of(source: Source) -> AsyncIterator[Json]:
    """All customers there, those first that were made first."""
    async for row in source.api.oldest_first("customers", "customers"):
        yield row
