"""How users look to the web app, and what it sends (decision 25). Bodies are flat."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from pydantic import BaseModel

from tallymark.api.context import SignedIn
from tallymark.api.role_permissions import permissions_of_visit
from tallymark.api.wire import Input, Instant, Text
from tallymark.rooms.users.model import Membership, User


class LoginRequest(Input):
    email: Text = ""
    password: Text = ""


class SignUpRequest(Input):
    email: Text = ""


class NewcomerRequest(Input):
    password: Text = ""
    organization_name: Text = ""


class NewOrganizationRequest(Input):
    name: Text = ""


class WelcomeRequest(Input):
    token: Text = ""
    email: Text = ""
    password: Text = ""


class ForgottenRequest(Input):
    email: Text = ""


class ResetRequest(Input):
    token: Text = ""
    new_password: Text = ""


class PasswordRequest(Input):
    password: Text = ""
    new_password: Text = ""


class OwnOrganizationOutput(BaseModel):
    lago_id: UUID
    name: str
    slug: str
    default_currency: str
    timezone: str
    test_clock: Instant | None
    """What a simulated organization's clock shows; null for a live one."""
    is_accessible: bool
    """Whether it may be entered by somebody who has signed in so."""


def _held(membership: Membership, session: SignedIn) -> frozenset[str]:
    """What somebody may do there in this session."""
    if session.visit is None:
        return membership.permissions
    return permissions_of_visit(membership.permissions, is_read_only=session.visit.is_read_only)


class OwnMembershipOutput(BaseModel):
    lago_id: UUID
    organization: OwnOrganizationOutput
    roles: list[str]
    permissions: list[str]

    @classmethod
    def of(cls, membership: Membership, session: SignedIn) -> OwnMembershipOutput:
        """Show where somebody belongs, and what they may do there."""
        return cls(
            lago_id=membership.id,
            organization=OwnOrganizationOutput(
                lago_id=membership.organization_id,
                name=membership.organization_name,
                slug=membership.organization_slug,
                default_currency=membership.default_currency,
                timezone=membership.timezone,
                test_clock=membership.clock,
                is_accessible=membership.is_open_to(session.login_method, session.organization_id),
            ),
            roles=list(membership.roles),
            permissions=sorted(_held(membership, session)),
        )


class VisitOutput(BaseModel):
    """That it is not the user who has signed in, but staff who look in as them."""

    staff: str
    reason: str
    is_read_only: bool
    expires_at: Instant


class CurrentUserOutput(BaseModel):
    lago_id: UUID
    email: str
    login_method: str
    has_password: bool
    visit: VisitOutput | None
    may_create_organizations: bool
    """Whether they may have organizations of their own."""
    memberships: list[OwnMembershipOutput]

    @classmethod
    def of(
        cls, user: User, belongs: Sequence[Membership], session: SignedIn, *, may_create: bool
    ) -> CurrentUserOutput:
        """Show who has signed in."""
        return cls(
            lago_id=user.id,
            email=user.email,
            login_method=session.login_method,
            has_password=user.password_hash is not None,
            visit=None
            if session.visit is None
            else VisitOutput(
                staff=session.visit.staff,
                reason=session.visit.reason,
                is_read_only=session.visit.is_read_only,
                expires_at=session.visit.expires_at,
            ),
            may_create_organizations=may_create,
            memberships=[OwnMembershipOutput.of(one, session) for one in belongs],
        )


class CurrentUserResponse(BaseModel):
    user: CurrentUserOutput


class FoundedResponse(BaseModel):
    membership: OwnMembershipOutput


class SignUpOutput(BaseModel):
    email: str


class SignUpResponse(BaseModel):
    sign_up: SignUpOutput


class ErrorReportingOutput(BaseModel):
    """Where the web app tells its errors to, and as what."""

    dsn: str
    environment: str
    release: str


class ConfigurationOutput(BaseModel):
    is_sign_up_open: bool
    sends_emails: bool
    has_google: bool
    """Whether the installation lets people sign in with Google."""
    error_reporting: ErrorReportingOutput | None


class ConfigurationResponse(BaseModel):
    configuration: ConfigurationOutput
