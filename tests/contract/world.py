"""A world to try calls on: everything that there can be, and what a caller may know of it: ids, codes, bodies that are taken."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import httpx
from tests import kit
from tests.api.test_statements_of_lists import fill, remind
from tests.kit import advance, call, get, post

Json = Any

# By the singular of a root: which of its fields name a record.
NAMES = ("lago_id", "code", "external_id", "transaction_id", "activity_id", "request_id", "log_id", "key")
ROOTS = {
    "taxes": "tax",
    "properties": "property",
    "billing_entities": "billing_entity",
    "metadata": "metadata",
}
MOST_KEPT = 40


def bare(path: str) -> str:
    """A path of a description, whatever its parameters are called there and whether it begins at the root."""
    return re.sub(r"\{[^}]*\}", "{}", path).removeprefix("/api/v1")


def singular(name: str) -> str:
    """The name of one of several."""
    return ROOTS.get(name) or (f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s"))


@dataclass
class Known:
    """What answers have told: ids and codes of records by their kind, and bodies that were taken by operation."""

    names: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    bodies: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))
    foreign: Known | None = None
    """What another organization is told."""

    def learn(self, answer: Json, kind: str = "") -> None:
        """Note the names of every record in an answer."""
        if isinstance(answer, list):
            for one in answer:
                self.learn(one, kind)
        if not isinstance(answer, dict):
            return
        for name in NAMES:
            if kind and isinstance(answer.get(name), str):
                self._note((kind, name), answer[name])
        for name, part in answer.items():
            if isinstance(part, dict | list):
                self.learn(part, singular(name))

    def _note(self, place: tuple[str, str], text: str) -> None:
        known = self.names[place]
        if text not in known:
            known.append(text)
            # The first ones stay: they have most that hangs on them.
            if len(known) > MOST_KEPT:
                del known[MOST_KEPT // 2]

    def forget(self, text: str) -> None:
        """Know a name no more."""
        for known in self.names.values():
            if text in known:
                known.remove(text)

    def take(self, method: str, path: str, body: Json) -> None:
        """Note a body that was accepted."""
        taken = self.bodies[f"{method} {bare(path)}"]
        if len(taken) < MOST_KEPT:
            taken.append(body)

    def taken(self, method: str, path: str) -> list[Json]:
        """Bodies that an operation has accepted."""
        return self.bodies.get(f"{method.upper()} {bare(path)}", [])

    def one(self, kind: str, name: str, chance: Random) -> str | None:
        """A name of some record of a kind, if one is known; now and then of somebody else's."""
        if self.foreign is not None and chance.random() < 0.05:
            return self.foreign.one(kind, name, chance)
        known = self.names.get((kind, name))
        return chance.choice(known) if known else None

    def for_path(self, path: str, name: str, chance: Random) -> str | None:
        """What may stand in a path for one of its parameters."""
        before = path.split("{" + name)[0].rstrip("/").rsplit("/", 1)[-1]
        kind, what = singular(before), name.split(":")[0]
        if what in ("external_customer_id", "organization_id"):
            kind, what = "customer", "external_id"
        elif what.endswith("_code"):
            kind, what = what.removesuffix("_code"), "code"
        if kind == "metadata":
            return chance.choice(["k", "a"])
        return self.one(kind, what, chance)

    def for_field(self, name: str, chance: Random) -> str | None:
        """What may stand in a field of a body, by its name."""
        bare = singular(name)
        if match := re.fullmatch(r"external_(\w+)_id", bare):
            return self.one(match[1], "external_id", chance)
        if match := re.fullmatch(r"(?:lago_)?(\w+)_(id|code)", bare):
            return self.one(match[1], "lago_id" if match[2] == "id" else "code", chance)
        return None


class Paths:
    """Tells which operation of a description a call was of."""

    def __init__(self, document: Json) -> None:
        paths = sorted(document["paths"], key=lambda path: path.count("{"))
        self._patterns = [(re.compile(re.sub(r"\\?\{[^}]*\\?\}", "[^/]+", path)), path) for path in paths]

    def find(self, path: str) -> str | None:
        """The path's name in the description."""
        return next((name for pattern, name in self._patterns if pattern.fullmatch(path)), None)


def listen(client: httpx.AsyncClient, known: Known, paths: Paths) -> None:
    """Have all that a client is told be known."""

    async def note(response: httpx.Response) -> None:
        if response.status_code != 200:
            return
        await response.aread()
        request = response.request
        found = paths.find(request.url.path)
        if found and request.content:
            # Where a body is optional, what is none is passed over.
            with suppress(ValueError, RecursionError):
                known.take(request.method, found, json.loads(request.content))
        if response.headers.get("content-type", "").startswith("application/json"):
            known.learn(response.json())

    client.event_hooks["response"].append(note)


async def change(client: httpx.AsyncClient) -> None:
    """One good call of every kind that the rest has none of."""
    endpoint = {
        "webhook_url": "https://hooks.test/a",
        "signature_algo": "hmac",
        "event_types": ["invoice.created"],
    }
    made = (await post(client, "/webhook_endpoints", {"webhook_endpoint": endpoint}))["webhook_endpoint"]
    await call(client, "PUT", f"/webhook_endpoints/{made['lago_id']}", {"webhook_endpoint": {"name": "a"}})
    await call(client, "PUT", "/organizations", {"organization": {
        "country": "FR", "timezone": "Europe/Paris", "net_payment_term": 3, "email_settings": ["invoice.finalized"],
        "billing_configuration": {"invoice_grace_period": 0, "document_locale": "fr"},
    }})  # fmt: skip
    await call(
        client, "PUT", "/billing_entities/e1", {"billing_entity": {"name": "E", "tax_codes": ["tax_0"]}}
    )
    await call(client, "PUT", "/taxes/tax_1", {"tax": {"name": "T", "rate": "5"}})
    await call(client, "PUT", "/add_ons/addon_1", {"add_on": {"name": "A", "amount_cents": 5}})
    await call(client, "PUT", "/billable_metrics/m1", {"billable_metric": {"name": "M"}})
    await call(client, "PUT", "/coupons/coupon_1", {"coupon": {"name": "C"}})
    await call(
        client,
        "PUT",
        "/features/f1",
        {"feature": {"name": "F", "privileges": [{"code": "max", "name": "M"}]}},
    )
    await call(client, "PUT", "/pricing_units/unit_1", {"pricing_unit": {"name": "U"}})
    await call(client, "PUT", "/invoice_custom_sections/section_1", {"invoice_custom_section": {"name": "S"}})
    await call(
        client, "PUT", "/plans/p1", {"plan": {"name": "P", "amount_cents": 2000, "cascade_updates": True}}
    )
    await call(
        client,
        "PUT",
        "/plans/p1/charges/c1",
        {"charge": {"charge_model": "standard", "properties": {"amount": "3"}}},
    )
    await call(
        client,
        "PUT",
        "/plans/big/fixed_charges/f1",
        {"fixed_charge": {"units": "2", "properties": {"amount": "2"}}},
    )
    filtered = {"filter": {"values": {"region": ["us"]}, "properties": {"amount": "4"}}}
    await post(client, "/plans/p1/charges/c1/filters", filtered)
    await post(client, "/plans/p1/metadata", {"metadata": {"a": "b"}})
    await post(client, "/plans/p0/entitlements", {"entitlements": {"f0": {"max": 3}}})
    await call(
        client,
        "PUT",
        "/subscriptions/s1",
        {"subscription": {"name": "S", "ending_at": "2027-01-01T00:00:00Z"}},
    )
    await call(client, "PUT", "/subscriptions/s1/charges/c1", {"charge": {"properties": {"amount": "9"}}})
    await call(client, "PATCH", "/subscriptions/s1/entitlements", {"entitlements": {"f1": {"max": 9}}})
    await call(
        client,
        "PUT",
        "/subscriptions/s1/lifetime_usage",
        {"lifetime_usage": {"external_historical_usage_amount_cents": 5}},
    )
    await call(
        client,
        "PUT",
        "/subscriptions/s0/alerts/alert_0",
        {"alert": {"name": "A", "thresholds": [{"value": 5}]}},
    )
    await estimate(client)
    await correct(client)
    await settle_up(client)


async def estimate(client: httpx.AsyncClient) -> None:
    """Everything that only computes."""
    expression = {
        "expression": "event.properties.a * 2",
        "event": {"code": "m0", "timestamp": 1767225600, "properties": {"a": 2}},
    }
    await post(client, "/billable_metrics/evaluate_expression", expression)
    preview = {"plan_code": "p0", "customer": {"external_id": "payer"}}
    await post(client, "/invoices/preview", preview)
    for path in ("current_usage", "current_usage/explanation", "projected_usage", "past_usage"):
        await get(client, f"/customers/payer/{path}", external_subscription_id="s0")


async def correct(client: httpx.AsyncClient) -> None:
    """Events that were others."""
    event = {
        "code": "m0",
        "external_subscription_id": "s0",
        "transaction_id": "w",
        "properties": {"value": 2},
    }
    for name in ("w", "v"):
        await post(client, "/events", {"event": {**event, "transaction_id": name}})
    amended = {"external_subscription_id": "s0", "reason": "r", "properties": {"value": 3}}
    await post(client, "/events/w/amend", {"event": amended})
    await post(client, "/events/v/void", {"event": {"external_subscription_id": "s0", "reason": "r"}})
    await post(client, "/events/replay", {"replay": {"from": "2026-02-01", "to": "2026-02-02"}})


async def settle_up(client: httpx.AsyncClient) -> None:
    """A customer with drafts, credits and fees that are not billed yet."""
    grace = {"invoice_grace_period": 30, "document_locale": "de"}
    late = await kit.customer(client, external_id="late", currency="EUR", billing_configuration=grace)
    at_once = await kit.metric(client, code="at_once")
    loose = {**kit.charge(at_once, amount="5"), "pay_in_advance": True, "invoiceable": False, "code": "loose"}
    plan = await kit.plan(client, loose, code="loose", amount_cents=700)
    await kit.subscribe(client, late, plan, external_id="late", subscription_at="2026-01-01T00:00:00Z")
    await kit.send(client, {"external_id": "late"}, at_once, 2, 3)
    event = {
        "code": "at_once",
        "external_subscription_id": "late",
        "transaction_id": "x",
        "properties": {"value": 2},
    }
    await post(client, "/events/estimate_fees", {"event": event})
    fees = (await get(client, "/fees", external_subscription_id="late"))["fees"]
    await call(client, "PUT", f"/fees/{fees[0]['lago_id']}", {"fee": {"payment_status": "succeeded"}})
    (wallet, *_) = (await get(client, "/wallets", external_customer_id="saver"))["wallets"]
    more = {"wallet_id": wallet["lago_id"], "paid_credits": "5", "granted_credits": "1"}
    await post(client, "/wallet_transactions", {"wallet_transaction": more})
    await call(client, "PUT", f"/wallets/{wallet['lago_id']}", {"wallet": {"name": "W", "priority": 3}})
    (bill, *_) = await kit.invoices(client, {"external_id": "payer"})
    note = {
        "invoice_id": bill["lago_id"],
        "items": [{"fee_id": bill["fees"][0]["lago_id"], "amount_cents": 1}],
    }
    await post(client, "/credit_notes/estimate", {"credit_note": note})
    await call(
        client, "PUT", f"/invoices/{bill['lago_id']}", {"invoice": {"metadata": [{"key": "a", "value": "b"}]}}
    )


def places(document: Json) -> Iterator[str]:
    """Paths of all lists that are nobody's."""
    for path, item in document["paths"].items():
        if "get" in item and "{" not in path and path.startswith("/api/v1/"):
            yield path.removeprefix("/api/v1")


async def settle(client: httpx.AsyncClient, document: Json) -> Known:
    """Fill an organization, two months of it, and come to know it."""
    known = Known()
    listen(client, known, Paths(document))
    await fill(client, range(2))
    await advance(client, "2026-02-02")
    await remind(client, range(2))
    await change(client)
    for path in places(document):
        await client.get(path)
    return known
