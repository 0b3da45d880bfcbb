"""How people come to have an organization of their own: they ask, are sent a link, and name it; or have one already and name another."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.api.context import SignedIn
from tallymark.domain.errors import Forbidden, Invalid, NotAllowed, Problems
from tallymark.jobs.queue import SEND_SIGN_UP, Job, enqueue
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users import service
from tallymark.rooms.users.entering import PASSWORD, Door
from tallymark.rooms.users.guessing import DOOR, RESET
from tallymark.rooms.users.model import (
    LONGEST_NAME,
    Device,
    Membership,
    check_password,
    hash_token,
    read_address,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUpRules:
    """Who may have an organization of their own: nobody, anybody, or whoever has an address of some domains."""

    is_open: bool
    domains: frozenset[str] = frozenset()

    def admit(self, address: str) -> bool:
        """Whether somebody with this address may.

        >>> SignUpRules(is_open=True, domains=frozenset({"acme.test"})).admit("ada@acme.test")
        True
        >>> SignUpRules(is_open=True, domains=frozenset({"acme.test"})).admit("ada@not.acme.test")
        False
        """
        return self.is_open and (not self.domains or address.rpartition("@")[2] in self.domains)

    def check(self, address: str) -> None:
        """Raises `NotAllowed("signup_disabled")`, and `Invalid` with `domain_not_allowed` for an address of another domain."""
        if not self.is_open:
            raise NotAllowed("signup_disabled")
        if not self.admit(address):
            raise Invalid({"email": ["domain_not_allowed"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningUp:
    """Lets people have organizations of their own, as far as the rules go."""

    door: Door
    rules: SignUpRules

    async def ask(self, email: str, device: Device) -> None:
        """Have a link sent to an address. Nobody is told whether it is known here: whoever reads its mail is.

        Raises `NotAllowed("signup_disabled")`, `Invalid`, `TooMany`.
        """
        if not self.rules.is_open:
            raise NotAllowed("signup_disabled")
        address = read_address(email)
        self.rules.check(address)
        await self.door.count(RESET, "sign up", address, device)
        job = Job(
            task=SEND_SIGN_UP, arguments={"email": address}, lock=f"sign-up:{hash_token(address).hex()}"
        )
        async with self.door.database.system() as connection:
            await enqueue(connection, job)

    async def check(self, token: str) -> str:
        """The address that a link was sent to. Raises `NotFound("sign_up")`, and as the rules do."""
        async with self.door.database.system() as connection:
            address = await service.get_sign_up(connection, token, now=system_now())
        self.rules.check(address)
        return address

    async def finish(self, token: str, password: str, organization_name: str, device: Device) -> str:
        """Come in by a link, once, with a password and an organization; returns the token of the session that begins.

        Raises `NotFound("sign_up")`; `Invalid` for what is wrong, and `user_already_exists` where the address has joined meanwhile; `TooMany`.
        """
        problems = Problems()
        name = _read_name(organization_name, problems)
        try:
            check_password(password)
        except Invalid as error:
            problems.add_all(error)
        problems.raise_any()
        await self.door.count(DOOR, "sign up token", "", device)
        await self.check(token)
        password_hash = await self.door.passwords.hash(password)
        async with self.door.database.system() as connection:
            now = system_now()
            address = await service.take_sign_up(connection, token, now=now)
            user = await service.sign_up(
                connection, email=address, password_hash=password_hash, organization_name=name, now=now
            )
            return await service.first_log_in(connection, user, method=PASSWORD, device=device, now=now)

    async def found(self, session: SignedIn, organization_name: str, device: Device) -> Membership:
        """Make one more organization, of which whoever has signed in is the admin.

        Raises `Forbidden`: `organization_creation_disabled` where the rules do not admit them, `login_method_not_authorized` for
        whom an organization's provider let in; `Invalid` for the name; `TooMany`.
        """
        if not self.rules.admit(session.email):
            raise Forbidden("organization_creation_disabled")
        if session.organization_id is not None:
            raise Forbidden("login_method_not_authorized")
        problems = Problems()
        name = _read_name(organization_name, problems, field="name")
        problems.raise_any()
        await self.door.count(RESET, "found", session.email, device)
        async with self.door.database.system() as connection:
            now = system_now()
            user = await service.get_user(connection, session.user_id)
            return await service.found(connection, user, organization_name=name, device=device, now=now)


def _read_name(text: str, problems: Problems, *, field: str = "organization_name") -> str:
    name = text.strip()
    if not name:
        problems.add(field, "value_is_mandatory")
    elif len(name) > LONGEST_NAME:
        problems.add(field, "value_is_too_long")
    return name
