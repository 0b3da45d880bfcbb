"""Identity providers by OpenID Connect: discovered, asked with PKCE, and believed only what they sign."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tallymark.integrations.webhooks import Refused, checked_address, trusted
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.sso.model import Client, Identity, Ticket
from tallymark.rooms.sso.ports import ProviderFailed, TokenRefused

SCOPES = "openid profile email"
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures by a key that the provider alone has: no shared secret, and never none."""

_LEEWAY_SECONDS = 60
_TIMEOUT_SECONDS = 10
_LARGEST = 1_000_000


class OpenIdConnect:
    """Implements `rooms.sso.ports.Provider`. What a URL leads to is looked up once, and checked, as for webhooks."""

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private

    async def authorize_url(self, client: Client, ticket: Ticket, *, email: str | None) -> str:
        """Where somebody goes to say who they are. Raises `ProviderFailed`."""
        found = await self._discover(client)
        asked = {
            "response_type": "code",
            "client_id": client.client_id,
            "redirect_uri": client.redirect_uri,
            "scope": SCOPES,
            "state": ticket.state,
            "nonce": ticket.nonce,
            "code_challenge": create_s256_code_challenge(ticket.verifier),  # type: ignore[no-untyped-call]  # untyped there
            "code_challenge_method": "S256",
            **({"login_hint": email} if email else {}),
        }
        endpoint = _text(found, "authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(asked)}"

    async def identify(self, client: Client, ticket: Ticket, code: str) -> Identity:
        """Who somebody is, by the code with which they came back. Raises `ProviderFailed`, `TokenRefused`."""
        found = await self._discover(client)
        answer = await self._exchange(client, ticket, code, found)
        keys = await self._ask("GET", _text(found, "jwks_uri"))
        claims = _read_token(_text(answer, "id_token"), keys, client, ticket, issuer=_text(found, "issuer"))
        verified = claims.get("email_verified")
        return Identity(
            email=_lower(claims.get("email")),
            username=_lower(claims.get("preferred_username")),
            is_verified=None if verified is None else verified in (True, "true"),
        )

    async def _discover(self, client: Client) -> Mapping[str, Any]:
        found = await self._ask("GET", f"{client.issuer.rstrip('/')}/.well-known/openid-configuration")
        told = _text(found, "issuer")
        # Who names a tenant by a domain is told its number.
        is_right = told == client.issuer or (
            client.is_issuer_told and urlsplit(told)[:2] == urlsplit(client.issuer)[:2]
        )
        if not is_right:
            raise ProviderFailed(f"{client.issuer} says that it is {told}")
        return found

    async def _exchange(
        self, client: Client, ticket: Ticket, code: str, found: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": client.redirect_uri,
            "code_verifier": ticket.verifier,
        }
        ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        auth = None
        if "client_secret_basic" in ways:
            auth = httpx.BasicAuth(client.client_id, client.client_secret)
        else:
            form |= {"client_id": client.client_id, "client_secret": client.client_secret}
        return await self._ask("POST", _text(found, "token_endpoint"), form=form, auth=auth)

    async def _ask(
        self, method: str, url: str, *, form: Mapping[str, str] | None = None, auth: httpx.Auth | None = None
    ) -> Mapping[str, Any]:
        """A JSON object. Raises `ProviderFailed` for whatever else there is."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                return await self._send(method, httpx.URL(url), form, auth)
        except (Refused, httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError, ValueError) as error:
            raise ProviderFailed(f"{type(error).__name__}: {error}") from error

    async def _send(
        self, method: str, url: httpx.URL, form: Mapping[str, str] | None, auth: httpx.Auth | None
    ) -> Mapping[str, Any]:
        if url.scheme != "https" and not (self._allows_private and url.scheme == "http"):
            raise Refused("identity providers are reached by https")
        to = url.copy_with(host=await checked_address(url, allows_private=self._allows_private))
        async with (
            httpx.AsyncClient(
                verify=trusted(), timeout=_TIMEOUT_SECONDS, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(
                method,
                to,
                data=form,
                auth=auth,
                headers={"Host": url.netloc.decode("ascii"), "Accept": "application/json"},
                extensions={"sni_hostname": url.raw_host.decode("ascii")},
            ) as response,
        ):
            body = b""
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise Refused("the answer is too long")
        if response.status_code != 200:
            raise Refused(f"{url.copy_with(query=None)} answered {response.status_code}")
        answer = json.loads(body)
        if not isinstance(answer, dict):
            raise Refused("the answer is no object")
        return answer


def _read_token(
    token: str, keys: Mapping[str, Any], client: Client, ticket: Ticket, *, issuer: str
) -> Mapping[str, Any]:
    """What an ID token says, if the provider has signed it for this client and this try. Raises `TokenRefused`."""
    options = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client.client_id},
    }
    params = {"nonce": ticket.nonce, "client_id": client.client_id}
    try:
        decoded = jwt.decode(token, KeySet.import_key_set(dict(keys)), algorithms=ALGORITHMS)  # type: ignore[arg-type]  # JSON
        claims = CodeIDToken(decoded.claims, decoded.header, options, params)
        claims.validate(now=int(system_now().timestamp()), leeway=_LEEWAY_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise TokenRefused(f"{type(error).__name__}: {error}") from error
    return decoded.claims


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise ProviderFailed(f"there is no {name}")
    return value


def _lower(value: object) -> str | None:
    return value.strip().lower() if isinstance(value, str) and value.strip() else None
