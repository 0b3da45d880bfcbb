"""Connections as people make them, with the adapters of Cashfree, Flutterwave and MoneyHash behind: what the one side keeps the other finds."""

import base64
import hashlib
import hmac
import json
from uuid import UUID

import httpx
from sqlalchemy import select
from tests.kit import call
from tests.loopback import loopback
from tests.people import sign_up

from tallymark.app import running
from tallymark.db.tables import provider_events
from tallymark.integrations.payments import make_adapters
from tallymark.settings import Settings

SETTINGS = {
    "cashfree": {"client_id": "TEST109", "client_secret": "cfsk_ma_test_1"},
    "flutterwave": {"secret_key": "FLWSECK_TEST-1"},
    "moneyhash": {"api_key": "EfCa.zRPM", "flow_id": "VglRW9x"},
}
EVENT = json.dumps({"type": "a test"}).encode()


def vendors(asked):
    """Each of the three, which knows its own key and no other."""
    if asked.path == "/links/no-such-link":
        known = (asked.headers["x-client-id"], asked.headers["x-client-secret"])
        return (404 if known == ("TEST109", "cfsk_ma_test_1") else 401), {"message": "no"}
    if asked.path == "/banks/NG":
        return (200 if asked.headers["authorization"] == "Bearer FLWSECK_TEST-1" else 401), {"status": "x"}
    known = asked.headers["x-api-key"] == "EfCa.zRPM"
    return (200, {"data": {"webhook_signature_secret": "mh-key"}}) if known else (403, {})


def signed(kind, made):
    """The headers that each sends along with the event."""
    if kind == "cashfree":
        signature = hmac.digest(b"cfsk_ma_test_1", b"17" + EVENT, hashlib.sha256)
        return {"x-webhook-timestamp": "17", "x-webhook-signature": base64.b64encode(signature).decode()}
    if kind == "flutterwave":
        return {"verif-hash": made["inbound_secret"]}
    text = hmac.new(b"mh-key", base64.b64encode(EVENT) + b"17", hashlib.sha256).hexdigest()
    return {"MoneyHash-Signature": f"t=17,v1=0,v2=0,v3={text}"}


async def test_keys_are_tried_and_events_are_let_in_by_what_was_kept(database, database_url, tmp_path):
    options = Settings(admin_api_key="admin-key", public_url="http://test", data_dir=tmp_path)
    async with loopback(vendors) as vendor:
        adapters = make_adapters(dict.fromkeys(SETTINGS, vendor.url))
        async with running(options, database_url, adapters) as parts:
            admin = await sign_up(parts)
            admin.browser.headers["X-Lago-Organization"] = admin.organization_id
            transport = httpx.ASGITransport(parts.asgi, raise_app_exceptions=False)
            for kind, settings in SETTINGS.items():
                asked = {"kind": kind, "code": kind, "name": kind, **settings}
                made = (await call(admin.browser, "POST", "/payment_providers", {"payment_provider": asked}))[
                    "payment_provider"
                ]
                secret = next(name for name in settings if name in made["secrets"])
                wrong = {"payment_provider": {**asked, "code": "wrong", secret: "another one"}}
                refused = await call(admin.browser, "POST", "/payment_providers", wrong, expect=422)
                assert refused["error_details"] == {secret: ["value_is_invalid"]}
                async with httpx.AsyncClient(transport=transport) as provider:
                    for headers, status in ((signed(kind, made), 200), ({}, 400)):
                        sent = await provider.post(made["inbound_url"], content=EVENT, headers=headers)
                        assert (kind, sent.status_code) == (kind, status)
    async with database.tenant(UUID(admin.organization_id)) as tx:
        kept = (await tx.execute(select(provider_events.c.body))).scalars().all()
    assert [bytes(body) for body in kept] == [EVENT] * 3
