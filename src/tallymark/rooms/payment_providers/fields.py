"""What may be set of a connection, by its kind of provider (wallets-and-payments §12.1)."""

from __future__ import annotations

import secrets as chance
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tallymark.domain.addresses import is_web_address
from tallymark.domain.errors import Problems
from tallymark.domain.values import value
from tallymark.rooms.payment_providers.model import Connection, ProviderKind

LONGEST = 255
LONGEST_SECRET = 1_024
LONGEST_URL = 1_024

LINK_FIRST = "link_first_minutes"
"""For so many minutes the first automatic attempt to collect waits, so that a payment page may win (§11.1)."""
LONGEST_WAIT = 24 * 60

WEBHOOK_SECRET = "webhook_secret"
"""By what inbound events are verified, where it is made here, and pasted at the provider."""


@value
class Setting:
    """One thing that is set of a kind: a text, or whether something is so."""

    name: str
    is_secret: bool = False
    is_required: bool = True
    is_flag: bool = False
    is_fixed: bool = False
    """Whether it stays as it was first given."""
    most: int = LONGEST


def _secret(name: str, **more: bool) -> Setting:
    return Setting(name=name, is_secret=True, most=LONGEST_SECRET, **more)


def _flag(name: str) -> Setting:
    return Setting(name=name, is_required=False, is_flag=True)


SETTINGS: Mapping[ProviderKind, tuple[Setting, ...]] = {
    ProviderKind.STRIPE: (
        _secret("secret_key", is_fixed=True),
        _flag("supports_3ds"),
        _flag("require_terms_of_service_consent"),
    ),
    ProviderKind.ADYEN: (
        _secret("api_key"),
        Setting(name="merchant_account"),
        Setting(name="live_prefix", is_required=False),
        _secret("hmac_key", is_required=False),
    ),
    ProviderKind.GOCARDLESS: (_secret("access_token"),),
    ProviderKind.CASHFREE: (Setting(name="client_id"), _secret("client_secret")),
    ProviderKind.FLUTTERWAVE: (_secret("secret_key"),),
    ProviderKind.MONEYHASH: (_secret("api_key"), Setting(name="flow_id", most=20)),
}
"""The first secret of each is the one that a provider refuses when nobody may come in by it."""

MADE_HERE: Mapping[ProviderKind, int] = {ProviderKind.GOCARDLESS: 25, ProviderKind.FLUTTERWAVE: 32}
"""Whose inbound secret is made here, and of how many bytes it is, each of two letters."""

TERMS = "require_terms_of_service_consent"
"""Whether Stripe's pages ask the customer to agree to terms: pages that were made before ask otherwise (§11.4)."""


def compose(before: Connection, sent: Mapping[str, Any], problems: Problems, *, is_new: bool) -> Connection:
    """A connection with what is sent of it; what is not sent stays. All that is wrong is noted."""
    code, name = (_text(sent, field, getattr(before, field), problems) for field in ("code", "name"))
    options, secrets = dict(before.options), dict(before.secrets)
    for setting in SETTINGS[before.kind]:
        kept = secrets if setting.is_secret else options
        _set(setting, kept, sent, problems)
    if sent.get(LINK_FIRST) is not None:
        options[LINK_FIRST] = sent[LINK_FIRST]
        if not 0 <= sent[LINK_FIRST] <= LONGEST_WAIT:
            problems.add(LINK_FIRST, "value_is_out_of_range")
    if is_new and before.kind in MADE_HERE:
        secrets[WEBHOOK_SECRET] = chance.token_hex(MADE_HERE[before.kind])
    return replace(
        before,
        code=code,
        name=name,
        success_redirect_url=_url(sent.get("success_redirect_url", before.success_redirect_url), problems),
        options=options,
        secrets=secrets,
    )


def shown_options(connection: Connection) -> dict[str, Any]:
    """The settings that are no secrets."""
    settings = SETTINGS[connection.kind]
    shown = {
        one.name: connection.options.get(one.name, False if one.is_flag else None)
        for one in settings
        if not one.is_secret
    }
    return {**shown, LINK_FIRST: connection.options.get(LINK_FIRST, 0)}


def endings(connection: Connection) -> dict[str, str]:
    """How the secrets end that were given; of one that is short nothing is told.

    >>> from uuid import UUID
    >>> of = {"id": UUID(int=1), "organization_id": UUID(int=2), "code": "c", "name": "N"}
    >>> endings(Connection(**of, kind=ProviderKind.ADYEN, secrets={"api_key": "AQEyhmfx4242", "hmac_key": "44"}))
    {'api_key': '…4242', 'hmac_key': '…'}
    """
    given = [one.name for one in SETTINGS[connection.kind] if one.is_secret]
    return {
        name: "…" + (text[-4:] if len(text := connection.secrets[name]) >= 12 else "")
        for name in given
        if name in connection.secrets
    }


def key_of(kind: ProviderKind) -> str:
    """The setting that is wrong where a provider lets nobody in."""
    return next(one.name for one in SETTINGS[kind] if one.is_secret)


def _text(sent: Mapping[str, Any], name: str, before: str, problems: Problems) -> str:
    text: str = before if name not in sent else (sent[name] or "").strip()
    if not text:
        problems.add(name, "value_is_mandatory")
    elif len(text) > LONGEST:
        problems.add(name, "value_is_too_long")
    return text


def _set(setting: Setting, kept: dict[str, Any], sent: Mapping[str, Any], problems: Problems) -> None:
    name, known = setting.name, kept.get(setting.name)
    if name in sent and setting.is_fixed and known is not None:
        if sent[name] not in (None, known):
            problems.add(name, "modification_not_allowed")
    elif name in sent and not (setting.is_secret and sent[name] is None and known is not None):
        given = bool(sent[name]) if setting.is_flag else sent[name]
        if given is None:
            kept.pop(name, None)
        else:
            kept[name] = given
    given = kept.get(name)
    if given is None and setting.is_required:
        problems.add(name, "value_is_mandatory")
    if isinstance(given, str) and len(given) > setting.most:
        problems.add(name, "value_is_too_long")


def _url(text: str | None, problems: Problems) -> str | None:
    if text is None:
        return None
    if len(text) > LONGEST_URL:
        problems.add("success_redirect_url", "value_is_too_long")
    elif not is_web_address(text):
        problems.add("success_redirect_url", "url_is_invalid")
    return text
