"""GoCardless's API, of version 2015-07-06: its resources, its errors, and what was made with a key before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from tallymark.integrations.payments.http import Api, Explained, RefusedByVendor, segment
from tallymark.rooms.payment_providers.ports import ProviderUnavailable

VERSION = "2015-07-06"
LIVE_URL = "https://api.gocardless.com"
SANDBOX_URL = "https://api-sandbox.gocardless.com"
SANDBOX_PREFIX = "sandbox_"
_PAGE = "500"

Resource = Mapping[str, Any]


def api_of(token: str, url: str | None) -> Api:
    """The API on behalf of an account; its token says by its prefix whether it is of the sandbox."""
    return Api(
        url=url or (SANDBOX_URL if token.startswith(SANDBOX_PREFIX) else LIVE_URL),
        explain=_explain,
        headers={"Authorization": f"Bearer {token}", "GoCardless-Version": VERSION},
    )


async def create(api: Api, name: str, fields: Mapping[str, Any], *, key: str | None = None) -> Resource:
    """Make a resource, or get the one that was made with the key."""
    try:
        return one(await api.ask("POST", f"/{name}", {name: fields}, key=key), name)
    except RefusedByVendor as refused:
        made = _made_before(refused.details)
        if made is None:
            raise
    return await get(api, name, made)


def _made_before(body: Mapping[str, Any]) -> str | None:
    """What was made with a key before, if that is what is refused."""
    for error in _errors(body):
        if error.get("reason") == "idempotent_creation_conflict":
            return text(part(error, "links"), "conflicting_resource_id")
    return None


async def get(api: Api, name: str, resource_id: str) -> Resource:
    """A resource as it is now. Raises `RefusedByVendor` for one that is not there."""
    return one(await api.ask("GET", f"/{name}/{segment(resource_id)}"), name)


async def each_of(api: Api, name: str, filters: Mapping[str, str]) -> AsyncIterator[Resource]:
    """All resources of a kind that fit, the newest first."""
    after: str | None = None
    while True:
        params = {**filters, "limit": _PAGE, **({"after": after} if after else {})}
        answer = await api.ask("GET", f"/{name}", params=params)
        for resource in answer.get(name) or ():
            yield resource
        after = text(part(part(answer, "meta"), "cursors"), "after")
        if after is None:
            return


def one(answer: Mapping[str, Any], name: str) -> Resource:
    """The resource in an answer."""
    found = answer.get(name)
    if not isinstance(found, dict):
        raise ProviderUnavailable(f"GoCardless answers without {name}")
    return found


def _explain(body: Mapping[str, Any]) -> Explained:
    error = part(body, "error")
    reasons = [" ".join(filter(None, (text(each, "field"), text(each, "message")))) for each in _errors(body)]
    first = text(error, "message")
    words = [first, *(reason for reason in reasons if reason != first)]
    code = next((reason for each in _errors(body) if (reason := text(each, "reason"))), text(error, "type"))
    return Explained(message=": ".join(word for word in words if word) or None, code=code)


def _errors(body: Mapping[str, Any]) -> Sequence[Resource]:
    errors = part(body, "error").get("errors")
    return [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []


def strings(resource: Resource) -> dict[str, str]:
    """What a resource was made with to be known by."""
    return {name: str(value) for name, value in part(resource, "metadata").items()}


def part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object in an object; empty where there is none."""
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def text(found: Mapping[str, Any], name: str) -> str | None:
    """A text in an object; None for an empty one."""
    value = found.get(name)
    return str(value) if value not in (None, "") else None
