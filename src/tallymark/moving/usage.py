"""Copy events: those of the running period, and all of metrics that carry over."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tallymark.integrations.lago import ApiError, path_of
from tallymark.moving.report import CREATED, UNCHANGED, Report
from tallymark.moving.sides import Source, Target
from tallymark.rooms.takeovers import service as takeovers
from tallymark.rooms.takeovers.model import MarkKind

Json = dict[str, Any]
KIND = "events"
OVERLAP = timedelta(days=1)
"""How much of what was read the last time is read again: events come in after their time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Events to copy: of a subscription from an instant on, of one code or of all."""

    external_subscription_id: str
    since: datetime
    code: str | None = None

    @property
    def key(self) -> str:
        """What its mark is kept under."""
        return json.dumps([self.external_subscription_id, self.code])


@dataclass(slots=True)
class Events:
    """Copies events page by page, and notes after each how far it is; what is here already is left out."""

    source: Source
    target: Target
    report: Report
    tell: Callable[[str, int, int], None]

    async def stretches(self, subscription: Json) -> list[Stretch]:
        """What a running subscription's bills depend on: the running window, and the past of what carries over."""
        external_id = subscription["external_id"]
        since = datetime.fromisoformat(subscription["current_billing_period_started_at"])
        begun = datetime.fromisoformat(subscription["started_at"])
        codes = {one["billable_metric_code"] for one in (subscription.get("plan") or {}).get("charges") or ()}
        carried = [code for code in sorted(codes) if await self._carries_over(code)]
        first = min(begun, datetime.fromisoformat(subscription["subscription_at"]))
        past = [Stretch(external_subscription_id=external_id, since=first, code=code) for code in carried]
        return [*past, Stretch(external_subscription_id=external_id, since=since)]

    async def _carries_over(self, code: str) -> bool:
        found = await self.target.api.find(path_of("billable_metrics", code))
        return bool(found and found["billable_metric"]["recurring"])

    async def copy(self, stretches: Iterable[Stretch]) -> None:
        """Copy what came in until now."""
        for stretch in stretches:
            await self._copy(stretch)

    async def _copy(self, stretch: Stretch) -> None:
        now = await self.target.now()
        async with self.target.database.tenant(self.target.organization_id) as tx:
            mark = await takeovers.find_mark(tx, self.source.name, MarkKind.EVENTS, stretch.key)
        detail = dict(mark.detail) if mark else {}
        since = stretch.since
        if "done_until" in detail:
            since = max(since, datetime.fromisoformat(detail["done_until"]) - OVERLAP)
        # What comes in meanwhile would move the pages: it is left to the next run.
        until = datetime.fromisoformat(detail["until"]) if "page" in detail else now
        query: dict[str, str | int | list[str]] = {
            "external_subscription_id": stretch.external_subscription_id,
            "timestamp_from": since.isoformat(),
            "timestamp_to": until.isoformat(),
        }
        if stretch.code is not None:
            query["code"] = stretch.code
        first = await self.source.api.page("events", "events", 1, **query)
        left = range(min(detail.get("page", first.pages), first.pages), 0, -1)
        async for page in self.source.api.pages("events", "events", left, first=first, **query):
            await self._store(list(reversed(page.rows)))
            going_on = {**detail, "until": until.isoformat(), "page": page.number - 1}
            await self._note(stretch, going_on)
            self.tell(KIND, first.pages - page.number + 1, first.pages)
        await self._note(stretch, {"done_until": until.isoformat()})

    async def _note(self, stretch: Stretch, detail: Json) -> None:
        now = await self.target.now()
        async with self.target.database.tenant(self.target.organization_id) as tx:
            await takeovers.note(tx, self.source.name, MarkKind.EVENTS, stretch.key, detail, now=now)

    async def _store(self, rows: list[Json]) -> None:
        """Store a page; of a batch with events that are here, those that are not."""
        events = [_event(row) for row in rows]
        if not events:
            return
        try:
            await self.target.api.call("POST", "/events/batch", {"events": events})
        except ApiError as error:
            known = _known(error)
            self.report.count(KIND, UNCHANGED, len(known))
            fresh = [event for index, event in enumerate(events) if index not in known]
            if not known:
                await self._store_singly(fresh)
            elif fresh:
                await self._store_fresh(fresh)
        else:
            self.report.count(KIND, CREATED, len(events))

    async def _store_fresh(self, events: list[Json]) -> None:
        try:
            await self.target.api.call("POST", "/events/batch", {"events": events})
        except ApiError:
            await self._store_singly(events)
        else:
            self.report.count(KIND, CREATED, len(events))

    async def _store_singly(self, events: list[Json]) -> None:
        """One by one, so that one that is refused keeps no other out."""
        for event in events:
            try:
                await self.target.api.call("POST", "/events", {"event": event})
            except ApiError as error:
                self.report.fail(KIND, event["transaction_id"], error)
            else:
                self.report.count(KIND, CREATED)


def _event(row: Json) -> Json:
    """An event as it is sent, its time to the millisecond."""
    at = datetime.fromisoformat(row["timestamp"])
    return {
        "transaction_id": row["transaction_id"],
        "external_subscription_id": row["external_subscription_id"],
        "code": row["code"],
        "timestamp": f"{int(at.timestamp())}.{at.microsecond // 1000:03d}",
        "properties": row.get("properties") or {},
        "precise_total_amount_cents": row.get("precise_total_amount_cents"),
    }


def _known(error: ApiError) -> set[int]:
    """The positions of a batch that are here already; none where it was refused for anything else."""
    try:
        details = json.loads(error.body).get("error_details") or {}
    except ValueError:
        return set()
    if not all(details[at] == {"transaction_id": ["value_already_exist"]} for at in details):
        return set()
    return {int(at) for at in details}
