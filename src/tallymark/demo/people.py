"""Who works at the company of the demonstration: its first admin, colleagues, and somebody who has not answered yet."""

from __future__ import annotations

from typing import Any

import httpx

from tallymark.api.sessions import ORGANIZATION
from tallymark.db.errors import StartupError
from tallymark.demo.catalog import CAMPAIGN

COLLEAGUES = (
    ("oskar.lindqvist", "finance"),
    ("mara.devereux", "manager"),
    ("tomas.okafor", "support"),
)
INVITED = "jun.hallward"

SUPPORT = {
    "code": "support",
    "name": "Support",
    "description": "Looks things up for customers and changes nothing.",
    "permissions": [
        "customers:view", "subscriptions:view", "invoices:view", "payments:view", "credit_notes:view", "plans:view",
    ],
}  # fmt: skip


class People:
    """Calls of the web app's own endpoints; all have the first admin's password."""

    def __init__(self, http: httpx.AsyncClient, organization_id: str, password: str) -> None:
        self._http = http
        self._headers = {ORGANIZATION: organization_id}
        self.password = password
        self._domain = ""

    async def join(self, url: str) -> None:
        """Join by an invitation's link, as its first admin; the client is theirs from then on."""
        token = url.rsplit("/", 1)[-1]
        invited = await self._call("GET", f"/invitations/{token}")
        local, _, domain = invited["invitation"]["email"].partition("@")
        self._domain = f"{local[local.find('+') :]}@{domain}" if "+" in local else f"@{domain}"
        await self._call("POST", f"/invitations/{token}", {"password": self.password})

    async def invite_colleagues(self) -> None:
        """Let colleagues join, each as what they are, and invite one more."""
        await self._call("POST", "/roles", SUPPORT)
        for name, role in COLLEAGUES:
            url = await self._invite(name, role)
            await self._call_as_nobody(
                "POST", f"/invitations/{url.rsplit('/', 1)[-1]}", {"password": self.password}
            )
        await self._invite(INVITED, "finance")

    async def begin_dunning(self) -> None:
        """Let whoever owes enough be asked for it again."""
        await self._call("POST", "/dunning_campaigns", {"dunning_campaign": CAMPAIGN})

    async def _invite(self, name: str, role: str) -> str:
        made = await self._call("POST", "/invites", {"email": f"{name}{self._domain}", "roles": [role]})
        url: str = made["invite"]["url"]
        return url

    async def _call_as_nobody(self, method: str, path: str, body: object) -> None:
        cookies = dict(self._http.cookies)
        self._http.cookies.clear()
        await self._call(method, path, body)
        self._http.cookies.clear()
        for name, value in cookies.items():
            self._http.cookies.set(name, value)

    async def _call(self, method: str, path: str, body: object = None) -> Any:
        answer = await self._http.request(method, f"/app/v1{path}", json=body, headers=self._headers)
        if answer.status_code != httpx.codes.OK:
            raise StartupError(f"{method} {path} answered {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else None
