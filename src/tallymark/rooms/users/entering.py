"""How people come in, step by step: a try is counted, a password compared outside of any transaction, a session begun."""

from __future__ import annotations

from dataclasses import dataclass

from tallymark.db.engine import Database
from tallymark.domain.errors import Invalid, Problems
from tallymark.jobs.queue import SEND_PASSWORD_RESET, Job, enqueue
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users import guessing, service
from tallymark.rooms.users.guessing import DOOR, LOGIN, RESET, Limits
from tallymark.rooms.users.model import (
    LONGEST_PASSWORD,
    Device,
    LoginMethod,
    User,
    check_password,
    hash_token,
    read_address,
)
from tallymark.rooms.users.passwords import Passwords, is_outdated

PASSWORD = LoginMethod.EMAIL_PASSWORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Lets people in. Each method that does returns the token of the session that it began."""

    database: Database
    passwords: Passwords

    async def log_in(self, email: str, password: str, device: Device) -> str:
        """By address and password. Raises `Invalid`, the same for whatever is wrong with the pair, and `TooMany`."""
        user = await self.compare(email.strip().lower(), password, device)
        async with self.database.system() as connection:
            return await service.log_in(connection, user, method=PASSWORD, device=device, now=system_now())

    async def welcome(self, token: str, email: str, password: str, device: Device) -> str:
        """As the first of all. Raises `NotFound("welcome")` for another token, or when somebody has come; `Invalid`, `TooMany`."""
        address = _read_newcomer(email, password)
        await self.count(DOOR, "welcome", "", device)
        password_hash = await self.passwords.hash(password)
        async with self.database.system() as connection:
            now = system_now()
            user = await service.welcome(
                connection, token=token, email=address, password_hash=password_hash, now=now
            )
            return await service.first_log_in(connection, user, method=PASSWORD, device=device, now=now)

    async def forget_password(self, email: str, device: Device) -> None:
        """Have a link sent, if there is somebody of that address; nobody is told whether there is. Raises `Invalid`, `TooMany`."""
        address = read_address(email)
        await self.count(RESET, "reset", address, device)
        async with self.database.system() as connection:
            await enqueue(connection, _password_reset(address, device))

    async def reset_password(self, token: str, new_password: str, device: Device) -> str:
        """By a link, with another password. Raises `NotFound("password_reset")`, `Invalid`, `TooMany`."""
        _check_reset(token, new_password)
        await self.count(DOOR, "reset token", "", device)
        async with self.database.system() as connection:
            await service.check_reset(connection, token, now=system_now())
        password_hash = await self.passwords.hash(new_password)
        async with self.database.system() as connection:
            now = system_now()
            user = await service.take_reset(connection, token, now=now)
            await service.change_password(connection, user, password_hash, device=device, now=now)
            return await service.log_in(connection, user, method=PASSWORD, device=device, now=now)

    async def change_password(self, user: User, *, old: str, new: str, device: Device) -> str:
        """From the inside; every session ends, and a new one begins. Raises `Invalid`, `TooMany`."""
        check_password(new, name="new_password")
        await self.count(LOGIN, "login", user.email, device)
        if not await self._matches(user.password_hash, old):
            raise Invalid({"password": ["value_is_invalid"]})
        password_hash = await self.passwords.hash(new)
        async with self.database.system() as connection:
            now = system_now()
            await service.change_password(connection, user, password_hash, device=device, now=now)
            return await service.log_in(connection, user, method=PASSWORD, device=device, now=now)

    async def count(self, limits: Limits, what: str, address: str, device: Device) -> None:
        """Count a try, before anything is looked at. Raises `TooMany`."""
        async with self.database.system() as connection:
            refused = await guessing.count(
                connection, limits, what=what, address=address, caller=device.ip_address, now=system_now()
            )
        if refused is not None:  # only now: what is refused counts too
            raise refused

    async def compare(self, address: str, password: str, device: Device) -> User:
        """Whose address and password these are. Raises `Invalid` and `TooMany` as `log_in` does."""
        await self.count(LOGIN, "login", address, device)
        async with self.database.system() as connection:
            user = await service.find_user(connection, address)
        is_right = await self._matches(user.password_hash if user else None, password)
        if user is None or user.password_hash is None or not is_right:
            raise service.wrong_login()
        async with self.database.system() as connection:
            await guessing.forgive(connection, LOGIN, what="login", address=address, caller=device.ip_address)
        if is_outdated(user.password_hash):
            stronger = await self.passwords.hash(password)
            async with self.database.system() as connection:
                await service.strengthen_password(connection, user, stronger, now=system_now())
        return user

    async def _matches(self, kept: str | None, password: str) -> bool:
        """No password is longer than they may be, and what is longer costs as much."""
        is_possible = len(password) <= LONGEST_PASSWORD
        return await self.passwords.matches(kept, password[:LONGEST_PASSWORD]) and is_possible


def _read_newcomer(email: str, password: str) -> str:
    """The address of somebody new. Raises `Invalid` with all that is wrong."""
    problems = Problems()
    address = ""
    try:
        address = read_address(email)
    except Invalid as error:
        problems.add_all(error)
    try:
        check_password(password)
    except Invalid as error:
        problems.add_all(error)
    problems.raise_any()
    return address


def _password_reset(email: str, device: Device) -> Job:
    """The job of an address that somebody has typed in, whether or not it is a user's: so it takes as long for either."""
    return Job(
        task=SEND_PASSWORD_RESET,
        arguments={"email": email, "user_agent": device.user_agent, "ip_address": device.ip_address},
        lock=f"password-reset:{hash_token(email).hex()}",
    )


def _check_reset(token: str, new_password: str) -> None:
    problems = Problems()
    if not token:
        problems.add("token", "missing_token")
    try:
        check_password(new_password, name="new_password", missing="missing_password")
    except Invalid as error:
        problems.add_all(error)
    problems.raise_any()
