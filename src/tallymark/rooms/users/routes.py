"""The doors of the web app: through which people come in, and out again."""

from __future__ import annotations

from fastapi import Request, Response

from tallymark.api.context import SignedIn
from tallymark.api.sessions import InSession, app_router, cookie_of
from tallymark.db.engine import Database
from tallymark.domain.errors import Forbidden, NotFound
from tallymark.rooms.organizations.access import system_now
from tallymark.rooms.users import service
from tallymark.rooms.users.entering import Door
from tallymark.rooms.users.model import Device
from tallymark.rooms.users.schemas import (
    ConfigurationOutput,
    ConfigurationResponse,
    CurrentUserOutput,
    CurrentUserResponse,
    ForgottenRequest,
    FoundedResponse,
    LoginRequest,
    NewcomerRequest,
    NewOrganizationRequest,
    OwnMembershipOutput,
    PasswordRequest,
    ResetRequest,
    SignUpOutput,
    SignUpRequest,
    SignUpResponse,
    WelcomeRequest,
)
from tallymark.rooms.users.signing_up import SigningUp

router = app_router("app: session")


@router.get("/configuration")
async def get_configuration(request: Request) -> ConfigurationResponse:
    """Tell which doors are open, before anybody has come in."""
    signing_up: SigningUp = request.app.state.signing_up
    shown = ConfigurationOutput(
        is_sign_up_open=signing_up.rules.is_open,
        sends_emails=request.app.state.sends_emails,
        has_google=request.app.state.sso.google is not None,
        error_reporting=request.app.state.error_reporting,
    )
    return ConfigurationResponse(configuration=shown)


@router.post("/session")
async def log_in(body: LoginRequest, request: Request, response: Response) -> CurrentUserResponse:
    """Sign in with an address and a password: 422 `incorrect_login_or_password` for whatever is wrong with them."""
    door: Door = request.app.state.door
    return await _enter(request, response, await door.log_in(body.email, body.password, device_of(request)))


@router.get("/session")
async def get_current_user(request: Request, session: InSession) -> CurrentUserResponse:
    """Read who has signed in, where they belong, and what they may do there."""
    return await _show(request, session)


@router.delete("/session", response_class=Response)
async def log_out(request: Request) -> Response:
    """Sign out. Without a session there is nothing to end, and that is as good."""
    cookie = cookie_of(request)
    token = cookie.read(request)
    if token is not None:
        database: Database = request.app.state.database
        async with database.system() as connection:
            await service.log_out(connection, token, now=system_now())
    response = Response(status_code=200)
    cookie.drop(response)
    return response


@router.post("/sign_ups", response_class=Response)
async def ask_to_sign_up(body: SignUpRequest, request: Request) -> Response:
    """Have a link sent by which somebody signs up. The answer is the same for an address that is known."""
    signing_up: SigningUp = request.app.state.signing_up
    await signing_up.ask(body.email, device_of(request))
    return Response(status_code=200)


@router.get("/sign_ups/{token}")
async def check_sign_up(token: str, request: Request) -> SignUpResponse:
    """Read whose address a link has confirmed: 404 `sign_up_not_found` when it is over."""
    signing_up: SigningUp = request.app.state.signing_up
    return SignUpResponse(sign_up=SignUpOutput(email=await signing_up.check(token)))


@router.post("/sign_ups/{token}")
async def sign_up(
    token: str, body: NewcomerRequest, request: Request, response: Response
) -> CurrentUserResponse:
    """Sign up by a link, once: with a password, and with an organization of which one is the admin."""
    signing_up: SigningUp = request.app.state.signing_up
    begun = await signing_up.finish(token, body.password, body.organization_name, device_of(request))
    return await _enter(request, response, begun)


@router.post("/organizations")
async def create_organization(
    body: NewOrganizationRequest, request: Request, session: InSession
) -> FoundedResponse:
    """Make one more organization of one's own, where this installation lets people."""
    signing_up: SigningUp = request.app.state.signing_up
    made = await signing_up.found(session, body.name, device_of(request))
    return FoundedResponse(membership=OwnMembershipOutput.of(made, session))


@router.get("/welcome/{token}", response_class=Response)
async def check_welcome(token: str, request: Request) -> Response:
    """Whether nobody has come yet, and this is the first user's link."""
    database: Database = request.app.state.database
    async with database.system() as connection:
        if not await service.is_welcome(connection, token):
            raise NotFound("welcome")
    return Response(status_code=200)


@router.post("/welcome")
async def welcome(body: WelcomeRequest, request: Request, response: Response) -> CurrentUserResponse:
    """Make the first user, the admin of the first organization, by the link that the first start has printed."""
    door: Door = request.app.state.door
    token = await door.welcome(body.token, body.email, body.password, device_of(request))
    return await _enter(request, response, token)


@router.post("/password_resets", response_class=Response)
async def forget_password(body: ForgottenRequest, request: Request) -> Response:
    """Have a link to another password sent. The answer is the same for an unknown address."""
    if not request.app.state.sends_emails:
        raise Forbidden("feature_unavailable")
    door: Door = request.app.state.door
    await door.forget_password(body.email, device_of(request))
    return Response(status_code=200)


@router.get("/password_resets/{token}", response_class=Response)
async def check_reset(token: str, request: Request) -> Response:
    """Whether a link still sets a password."""
    database: Database = request.app.state.database
    async with database.system() as connection:
        await service.check_reset(connection, token, now=system_now())
    return Response(status_code=200)


@router.put("/password_resets")
async def reset_password(body: ResetRequest, request: Request, response: Response) -> CurrentUserResponse:
    """Set another password by a link, once, and sign in."""
    door: Door = request.app.state.door
    token = await door.reset_password(body.token, body.new_password, device_of(request))
    return await _enter(request, response, token)


@router.put("/password")
async def change_password(
    body: PasswordRequest, request: Request, response: Response, session: InSession
) -> CurrentUserResponse:
    """Change one's own password; whatever else was signed in is signed out."""
    if session.visit is not None:
        raise Forbidden("forbidden")
    database: Database = request.app.state.database
    async with database.system() as connection:
        user = await service.get_user(connection, session.user_id)
    door: Door = request.app.state.door
    token = await door.change_password(
        user, old=body.password, new=body.new_password, device=device_of(request)
    )
    return await _enter(request, response, token)


def device_of(request: Request) -> Device:
    """What a request comes from."""
    return Device(
        user_agent=request.headers.get("user-agent", ""),
        ip_address=request.client.host if request.client else None,
    )


async def _enter(request: Request, response: Response, token: str) -> CurrentUserResponse:
    """Hand over the cookie of a session that has just begun, and show whose it is."""
    cookie_of(request).put(response, token)
    return await show_session(request, token)


async def show_session(request: Request, token: str) -> CurrentUserResponse:
    """Show whose session has just begun."""
    session = await request.app.state.sessions.find(token)
    assert session is not None, "a session that has just begun is there"
    return await _show(request, session)


async def _show(request: Request, session: SignedIn) -> CurrentUserResponse:
    database: Database = request.app.state.database
    async with database.system() as connection:
        user = await service.get_user(connection, session.user_id)
        found = await service.list_memberships(connection, user.id)
    # Whom an organization's provider let in may be nobody else's member: it is not told where else they belong.
    belongs = [one for one in found if session.organization_id in (None, one.organization_id)]
    signing_up: SigningUp = request.app.state.signing_up
    may_create = signing_up.rules.admit(user.email) and session.organization_id is None
    return CurrentUserResponse(user=CurrentUserOutput.of(user, belongs, session, may_create=may_create))
