"""The wiring of what people come in by: sign-in, invitations, and the e-mails that bring them a link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.fernet import Fernet
from starlette.datastructures import State

from tallymark import __version__
from tallymark.api.operations import SecurityContact
from tallymark.db.engine import Database, Tx
from tallymark.jobs.notices import NoticeKind
from tallymark.rooms.emails.ports import Post
from tallymark.rooms.limits.service import Limits
from tallymark.rooms.members.joining import Joining
from tallymark.rooms.members.model import INVITES
from tallymark.rooms.members.service import invites
from tallymark.rooms.organizations import service as organizations
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.organizations.model import Connections
from tallymark.rooms.portal.links import SECRET as PORTAL
from tallymark.rooms.portal.links import PortalDoor, PortalLinks
from tallymark.rooms.sso.signing_in import Google, SingleSignOn
from tallymark.rooms.users import jobs as user_jobs
from tallymark.rooms.users.entering import Door
from tallymark.rooms.users.model import Device
from tallymark.rooms.users.passwords import Passwords
from tallymark.rooms.users.ports import Messenger
from tallymark.rooms.users.schemas import ErrorReportingOutput
from tallymark.rooms.users.sessions import UserSessions
from tallymark.rooms.users.signing_up import SigningUp, SignUpRules
from tallymark.rooms.webhooks import service as webhooks
from tallymark.settings import Settings
from tallymark.worker import SendNotice, SendPasswordReset, SendSignUp

SSO = "sso"
"""Under what name the installation keeps the key by which the secrets of its clients at identity providers are encrypted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """What the routes of the web app, of the customer portal and of whoever reports a vulnerability find on the application."""

    sessions: UserSessions
    door: Door
    signing_up: SigningUp
    joining: Joining
    sso: SingleSignOn
    tenant_limits: Limits
    portal: PortalDoor
    invite_secret: bytes
    app_url: str
    error_reporting: ErrorReportingOutput | None
    connections: Connections
    security_contact: SecurityContact | None

    async def invite_admin(self, tx: Tx, emails: str | None, *, now: datetime) -> str | None:
        """Invite the first of an organization's addresses as its admin; returns the link."""
        return await invites.invite_first_admin(tx, self.invite_secret, emails, app_url=self.app_url, now=now)

    def put_on(self, state: State) -> None:
        """Let the routes find it."""
        for name in self.__slots__:
            setattr(state, name, getattr(self, name))
        state.invite_admin = self.invite_admin
        state.webhook_urls = webhooks


async def make_doors(settings: Settings, database: Database) -> Doors:
    """Everything that people come in by."""
    door = Door(database=database, passwords=Passwords())
    limits = Limits(settings.limits)
    rules = SignUpRules(is_open=settings.is_sign_up_open, domains=settings.domains_of_sign_up)
    async with database.system() as connection:
        secret = await organizations.get_or_make_secret(connection, INVITES)
        key = await organizations.get_or_make_secret(connection, SSO, Fernet.generate_key)
        portal_key = await organizations.get_or_make_secret(connection, PORTAL, Fernet.generate_key)
    return Doors(
        sessions=UserSessions(database),
        door=door,
        signing_up=SigningUp(door=door, rules=rules),
        joining=Joining(database=database, door=door),
        sso=_make_sso(settings, door, limits, rules, key),
        tenant_limits=limits,
        portal=PortalDoor(database, PortalLinks(portal_key)),
        invite_secret=secret,
        app_url=settings.app_url,
        error_reporting=_make_error_reporting(settings),
        connections=Connections(
            emails=settings.smtp_host is not None,
            telemetry=settings.otlp_endpoint is not None,
            error_reports=settings.sentry_dsn is not None,
        ),
        security_contact=_security_contact(settings),
    )


def _make_error_reporting(settings: Settings) -> ErrorReportingOutput | None:
    """Whom browsers tell the web app's errors."""
    if settings.sentry_browser_dsn is None:
        return None
    return ErrorReportingOutput(
        dsn=settings.sentry_browser_dsn,
        environment=settings.sentry_environment,
        release=f"tallymark@{__version__}",
    )


def _security_contact(settings: Settings) -> SecurityContact | None:
    if settings.security_contact is None:
        return None
    return SecurityContact(address=settings.security_contact, base_url=settings.base_url, clock=system_now)


def _make_sso(settings: Settings, door: Door, limits: Limits, rules: SignUpRules, key: bytes) -> SingleSignOn:
    from tallymark.integrations.oidc import OpenIdConnect

    google = None
    if settings.google_client_id and settings.google_client_secret:
        google = Google(client_id=settings.google_client_id, client_secret=settings.google_client_secret)
    return SingleSignOn(
        database=door.database,
        door=door,
        rules=rules,
        limits=limits,
        provider=OpenIdConnect(allows_private=settings.sso_allows_private_networks),
        key=key,
        app_url=settings.app_url,
        google=google,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Letters:
    """The jobs that bring people e-mails; without a mail server they bring none."""

    send_password_reset: SendPasswordReset
    send_sign_up: SendSignUp
    send_notice: SendNotice


def make_letters(settings: Settings, database: Database, post: Post | None) -> Letters:
    """What sends links to other passwords and to sign up by, and notices to admins."""
    from tallymark.integrations.emails.notices import MailMessenger

    messenger: Messenger | None = None if post is None else MailMessenger(post, sender=settings.email_sender)

    async def send_password_reset(*, email: str, user_agent: str, ip_address: str | None) -> None:
        device = Device(user_agent=user_agent, ip_address=ip_address)
        await user_jobs.send_password_reset(
            database, messenger, settings.app_url, email=email, device=device, now=system_now()
        )

    async def send_sign_up(*, email: str) -> None:
        await user_jobs.send_sign_up(database, messenger, settings.app_url, email=email, now=system_now())

    async def send_notice(*, organization_id: UUID, kind: str, about: str) -> None:
        await user_jobs.send_notice(database, messenger, organization_id, kind=NoticeKind(kind), about=about)

    return Letters(
        send_password_reset=send_password_reset, send_sign_up=send_sign_up, send_notice=send_notice
    )
