"""The API as one ASGI application: the rooms' routes, the fast lane for events, health and documentation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from fastapi import FastAPI
from starlette.datastructures import State
from starlette.types import ASGIApp, Receive, Scope, Send

from tallymark import __version__
from tallymark.api import batches, operations
from tallymark.api.context import Context
from tallymark.api.errors import register_error_handlers
from tallymark.api.forms import accept_form
from tallymark.api.limits import limited
from tallymark.api.links import Site
from tallymark.api.origins import readable_from
from tallymark.api.refusals import DescribedApi
from tallymark.api.requests import KeptSlashes, LimitedBody, NamedCharset
from tallymark.api.routing import authenticate
from tallymark.archives import keep_to_retention
from tallymark.chores import Retention, make_tasks
from tallymark.db.engine import Database, plain_url
from tallymark.db.errors import StartupError
from tallymark.doors import Doors, make_doors, make_letters
from tallymark.hands import Helpers, Terms
from tallymark.integrations.assistants.mounted import Assistants
from tallymark.metering.allowance import Allowance
from tallymark.metering.intake import Intake
from tallymark.outside import Adapters, ToProviders, mail_server, make_linking, make_outside, make_providers
from tallymark.rooms.activity_logs import service as activity_logs_service
from tallymark.rooms.activity_logs.jobs import Chronicler
from tallymark.rooms.api_logs.service import ApiLog
from tallymark.rooms.billing import jobs as billing_jobs
from tallymark.rooms.billing.paging import Pages
from tallymark.rooms.billing.request_pages import RequestPages
from tallymark.rooms.credit_notes.documents import NoteDocuments
from tallymark.rooms.data_exports.jobs import ExportDesk
from tallymark.rooms.data_exports.ports import FileStore, Messenger
from tallymark.rooms.emails.jobs import Mailroom
from tallymark.rooms.emails.ports import Composer, PayPages, Post
from tallymark.rooms.events import routes as events
from tallymark.rooms.events.ingest import EventsIngest, Measure
from tallymark.rooms.idempotency.service import KeptAnswers
from tallymark.rooms.invoices.documents import Documents, LinkSigner
from tallymark.rooms.organizations import service as organizations_service
from tallymark.rooms.organizations.access import Access
from tallymark.rooms.payment_providers.connecting import Connecting
from tallymark.rooms.payment_providers.inbound import Inbound
from tallymark.rooms.payments.documents import ReceiptDocuments
from tallymark.rooms.test_clocks.service import settle
from tallymark.rooms.webhooks.jobs import Courier
from tallymark.rooms.webhooks.jobs import Terms as CourierTerms
from tallymark.rooms.webhooks.signing import SECRET as WEBHOOK_SECRET
from tallymark.rooms.webhooks.signing import JwtSigner, make_key, read_key
from tallymark.routers import ROUTERS
from tallymark.settings import Settings
from tallymark.web.serving import serve_web_app
from tallymark.worker import Tasks

LINK_SECRET = "links"


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Who makes which documents; all are kept in one place."""

    invoices: Documents
    credit_notes: NoteDocuments
    receipts: ReceiptDocuments
    files: FileStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Wiring:
    """Everything the API needs from outside, made by whoever starts it."""

    database: Database
    base_url: str
    admin_api_key: str | None
    papers: Papers
    settle: Callable[[Context], Awaitable[None]]
    outside: billing_jobs.Outside
    providers: ToProviders
    hands: Sequence[billing_jobs.Lend]
    public_key: str
    sends_emails: bool
    composer: Composer
    doors: Doors
    logs_kept: timedelta | None
    site: Site
    keeps_event_senders: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The application with its connections open."""

    asgi: ASGIApp
    tasks: Tasks
    database: Database
    courier: Courier
    chronicler: Chronicler
    intake: Intake


@asynccontextmanager
async def running(settings: Settings, url: str, adapters: Adapters | None = None) -> AsyncIterator[Running]:
    """Open the application on a migrated database, and close it at the end; `adapters` speak to payment providers in place of its own."""
    database = _make_database(settings, url)
    helpers = _make_helpers(settings, database)
    try:
        papers = await _make_papers(settings, database)
        signer = await _make_signer(settings, database)
        site = _make_site(settings, papers)
        courier = _make_courier(settings, database, signer, site)
        providers = await make_providers(settings, database, adapters)
        pay_pages = RequestPages(database=database, vault=providers.vault, adapters=providers.adapters)
        mailroom = _make_mailroom(settings, database, papers, pay_pages)
        messenger = _make_messenger(settings, mailroom.post)
        outside = make_outside(settings, database, providers)

        async def settle_soon(context: Context) -> None:
            await settle(database, context.organization_id, now=context.now, outside=outside)

        logs_kept = timedelta(days=settings.logs_kept_days) if settings.logs_kept_days else None
        wiring = Wiring(
            database=database,
            base_url=settings.base_url,
            admin_api_key=settings.admin_api_key,
            papers=papers,
            settle=settle_soon,
            outside=outside,
            providers=providers,
            hands=helpers.hands,
            public_key=signer.public_key(),
            sends_emails=mailroom.post is not None,
            composer=mailroom.composer,
            doors=await make_doors(settings, database),
            logs_kept=logs_kept,
            site=site,
            keeps_event_senders=settings.event_senders,
        )
        measure = _make_measure(settings, database)
        async with measure.allowance, Intake(plain_url(database.url)) as intake:
            asgi = with_assistants(
                _with_bounds(with_fast_lane(create_api(wiring), intake, measure), settings)
            )
            tasks = make_tasks(
                outside,
                helpers.hands,
                mailroom,
                make_letters(settings, database, mailroom.post),
                ExportDesk(database=database, files=papers.files, site=site, messenger=messenger),
                Retention(
                    logs=logs_kept,
                    event_senders_months=settings.event_senders_kept_months,
                    archive_events=partial(keep_to_retention, settings, database),
                ),
            )
            try:
                yield Running(
                    asgi=asgi,
                    tasks=tasks,
                    database=database,
                    courier=courier,
                    chronicler=Chronicler(database, site),
                    intake=intake,
                )
            finally:
                await asgi.close()
    finally:
        await helpers.close()
        await database.close()


def _make_database(settings: Settings, url: str) -> Database:
    return Database(
        url,
        pool_size=settings.database_pool_size,
        settling_time=timedelta(minutes=settings.billing_settling_minutes),
        termination_alerts=settings.termination_alerts,
        patience=settings.patience,
    )


def _make_measure(settings: Settings, database: Database) -> Measure:
    allowance = Allowance(
        database,
        per_minute=settings.limit_events_per_minute,
        per_month=settings.limit_events_per_month,
    )
    return Measure(
        batch_max_length=settings.events_batch_max_length,
        allowance=allowance,
        keeps_senders=settings.event_senders,
    )


def _make_helpers(settings: Settings, database: Database) -> Helpers:
    terms = Terms(
        database_url=plain_url(database.url),
        settling_time=timedelta(minutes=settings.billing_settling_minutes),
        termination_alerts=settings.termination_alerts,
        patience=settings.patience,
        log_level=settings.log_level,
        log_format=settings.log_format,
    )
    return Helpers(settings.billing_helpers, terms)


async def _make_papers(settings: Settings, database: Database) -> Papers:
    from tallymark.integrations.documents import TypstRenderer
    from tallymark.integrations.files import StoredFiles, open_store

    if settings.secret_key is not None:
        secret = settings.secret_key.encode()
    else:
        async with database.system() as connection:
            secret = await organizations_service.get_or_make_secret(connection, LINK_SECRET)
    store = open_store(
        settings.files_address, settings.files_options, folder=settings.data_dir.expanduser() / "files"
    )
    renderer = TypstRenderer()
    files = StoredFiles(store)
    documents = Documents(renderer, files, LinkSigner(secret))
    return Papers(
        invoices=documents,
        credit_notes=NoteDocuments(renderer, documents),
        receipts=ReceiptDocuments(renderer, documents),
        files=files,
    )


async def _make_signer(settings: Settings, database: Database) -> JwtSigner:
    if settings.rsa_private_key is not None:
        return JwtSigner(_read_rsa_key(settings.rsa_private_key), settings.issuer)
    async with database.system() as connection:
        key = await organizations_service.get_or_make_secret(connection, WEBHOOK_SECRET, make_key)
    return JwtSigner(key, settings.issuer)


def _read_rsa_key(text: str) -> bytes:
    try:
        return read_key(text)
    except ValueError as error:
        raise StartupError(f"rsa_private_key: {error}") from None


def _make_site(settings: Settings, papers: Papers) -> Site:
    return Site(base_url=settings.base_url, app_url=settings.app_url, sign_file=papers.invoices.signer.sign)


def _make_courier(settings: Settings, database: Database, signer: JwtSigner, site: Site) -> Courier:
    from tallymark.integrations.webhooks import WebhookPost

    post = WebhookPost(
        timeout_seconds=settings.webhook_timeout_seconds,
        allows_private=settings.webhooks_allow_private_networks,
    )
    terms = CourierTerms(
        attempts=settings.webhook_attempts,
        lost_after=timedelta(seconds=5 * settings.webhook_timeout_seconds),
        clock=lambda: datetime.now(UTC),
    )

    return Courier(database, post=post, signer=signer, site=site, terms=terms)


def _make_mailroom(settings: Settings, database: Database, papers: Papers, pay_pages: PayPages) -> Mailroom:
    from tallymark.integrations.emails.composer import EmailComposer
    from tallymark.integrations.emails.smtp import SmtpPost

    server = mail_server(settings)
    return Mailroom(
        database=database,
        invoices=papers.invoices,
        credit_notes=papers.credit_notes,
        receipts=papers.receipts,
        composer=EmailComposer(sender=settings.email_sender),
        post=SmtpPost(server) if server is not None else None,
        pay_pages=pay_pages,
        base_url=settings.base_url,
    )


def _make_messenger(settings: Settings, post: Post | None) -> Messenger | None:
    from tallymark.integrations.emails.notices import MailMessenger

    return None if post is None else MailMessenger(post, sender=settings.email_sender)


def with_assistants(api: ASGIApp) -> Assistants:
    """Put the protocol of assistants beside the API, which its tools call."""
    state = api.state  # type: ignore[attr-defined]  # what stands here has one
    return Assistants(api, partial(authenticate, state.gatekeeper), state=state)


def _with_bounds(application: ASGIApp, settings: Settings) -> ASGIApp:
    """How often callers may call, and whose pages may."""
    base_url = settings.base_url
    counted = limited(application, per_minute=settings.rate_limit_per_minute, base_url=base_url)
    return readable_from(counted, settings.app_url, base_url=base_url)


def with_fast_lane(api: FastAPI, intake: Intake, measure: Measure) -> ASGIApp:
    """Put the intake of events in front of the framework."""
    ingest = EventsIngest(
        gatekeeper=api.state.gatekeeper,
        intake=intake,
        database=api.state.database,
        site=api.state.site,
        measure=measure,
    )

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        scope, receive = accept_form(scope, receive)
        if ingest.takes(scope):
            await ingest(scope, receive, send)
        else:
            await api(scope, receive, send)

    application.state = api.state  # type: ignore[attr-defined]  # whoever stops the server marks it as draining
    return application


def create_api(wiring: Wiring | None = None) -> FastAPI:
    """Build the FastAPI application; without a wiring it can only describe itself."""
    api = DescribedApi(
        title="Tallymark",
        version=__version__,
        summary="Metering and usage-based billing. Speaks the Lago REST API v1.",
        docs_url="/api-docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        redirect_slashes=False,
    )
    api.add_middleware(LimitedBody)
    api.add_middleware(KeptSlashes)
    api.add_middleware(NamedCharset)
    register_error_handlers(api)
    # Taken over as they are: a router that is included builds all of its routes once more at the first request.
    for router in ROUTERS:
        api.router.routes.extend(router.routes)
    events.describe(api)
    api.include_router(batches.router)
    api.include_router(operations.router)
    serve_web_app(api)
    if wiring is not None:
        api.state.database = wiring.database
        api.state.base_url = wiring.base_url
        api.state.admin_api_key = wiring.admin_api_key
        api.state.documents = wiring.papers.invoices
        api.state.note_documents = wiring.papers.credit_notes
        api.state.receipt_documents = wiring.papers.receipts
        api.state.outside = wiring.outside
        api.state.hands = wiring.hands
        api.state.public_key = wiring.public_key
        api.state.sends_emails = wiring.sends_emails
        api.state.composer = wiring.composer
        wiring.doors.put_on(api.state)
        api.state.logs_kept = wiring.logs_kept
        api.state.keeps_event_senders = wiring.keeps_event_senders
        api.state.call_log = ApiLog()
        api.state.site = wiring.site
        api.state.conclude = partial(activity_logs_service.close_own, site=wiring.site)
        api.state.answers = KeptAnswers()
        api.state.gatekeeper = Access(wiring.database, wiring.settle)
        _put_providers(api.state, wiring)
        api.state.is_draining = False
    return api


def _put_providers(state: State, wiring: Wiring) -> None:
    """Let the routes find how payment providers are spoken to, and heard."""
    vault, adapters = wiring.providers.vault, wiring.providers.adapters
    state.connecting = Connecting(vault=vault, adapters=adapters)
    state.linking = make_linking(wiring.database, wiring.providers)
    state.pages = Pages(vault=vault, adapters=adapters)
    state.inbound = Inbound(
        database=wiring.database,
        gatekeeper=state.gatekeeper,
        site=wiring.site,
        vault=vault,
        adapters=adapters,
    )
