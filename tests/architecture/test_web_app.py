"""What the web app lists by itself is what the server knows: a name that one of them has alone would be refused, or never offered."""

from __future__ import annotations

import re
from pathlib import Path

from tallymark.api.permissions import RESOURCES
from tallymark.integrations.payments import make_adapters
from tallymark.jobs.activity import RESOURCES as LOGGED_ON
from tallymark.jobs.activity import TYPES
from tallymark.jobs.security import EVENTS
from tallymark.rooms.activity_logs.model import RESOURCE_TYPES
from tallymark.rooms.webhooks.model import KNOWN_TYPES

PAGES = Path(__file__).parents[2] / "web" / "src" / "pages" / "developers"

WITHOUT_ENDPOINTS = {
    "order", "order_form", "plan_rate_card", "product", "product_category", "quote", "rate_card",
}  # fmt: skip
"""Resources of the contract for which there is nothing to read or write."""


def test_keys_are_given_rights_to_every_resource_with_endpoints():
    text = (PAGES / "rights.ts").read_text().partition("RESOURCES")[2]
    assert set(re.findall(r'"(\w+)"', text)) == RESOURCES - WITHOUT_ENDPOINTS


def test_endpoints_listen_to_types_that_there_are():
    topics = re.findall(r'^  (\w+):\s+"([\w ]+)"', (PAGES / "topics.ts").read_text(), re.MULTILINE)
    types = {f"{about}.{what}" for about, words in topics for what in words.split()}
    assert types <= KNOWN_TYPES
    assert {"invoice.created", "alert.triggered", "wallet_transaction.updated"} <= types


def types_of(text):
    """ "about.what" of a page's lists of what there is about something."""
    written = re.sub(r":\n\s+", ": ", text)
    found = re.findall(r'^  (\w+): "([\w ]+)"', written, re.MULTILINE)
    return {f"{about}.{what}" for about, words in found for what in words.split()}


def test_security_logs_are_filtered_by_events_that_there_are():
    text, _, words = (PAGES / "security.ts").read_text().partition("SECURITY_EVENTS")
    assert types_of(text) == EVENTS
    named = re.findall(r'^  (\w+): "', words, re.MULTILINE)
    assert named == sorted({event.split(".")[0] for event in EVENTS})


def test_activities_are_filtered_by_types_and_objects_that_there_are():
    text = (PAGES / "activities.ts").read_text()
    types = types_of(text.partition("OBJECTS")[0])
    unmade = {"order", "order_form", "quote"}
    assert types == {one for one in TYPES if one.split(".")[0] not in unmade}
    objects = set(re.findall(r'^  "?([A-Z][\w:]+)"?: "', text.partition("OBJECTS")[2], re.MULTILINE))
    assert objects == {name for _, name in LOGGED_ON.values()} <= set(RESOURCE_TYPES)


def test_payment_providers_do_what_the_pages_say():
    text = (PAGES.parent / "payment-providers" / "kinds.ts").read_text()
    written = re.findall(
        r'kind: "(\w+)".*?charges: (\w+),\s+hasPages: (\w+),\s+paysBack: (\w+)', text, re.DOTALL
    )
    said = {kind: tuple(word == "true" for word in words) for kind, *words in written}
    can = {kind: adapter.abilities for kind, adapter in make_adapters({}).items()}
    assert said == {kind: (able.charges, able.has_pages, able.refunds) for kind, able in can.items()}
