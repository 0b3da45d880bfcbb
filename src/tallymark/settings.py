"""What an operator can set: flags of the command line, `TALLYMARK_*` variables, defaults, in that order."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from tallymark.api.tenant_limits import Limit
from tallymark.foundations import Foundations
from tallymark.rooms.payment_providers.model import ProviderKind
from tallymark.variables import (
    FromJson,
    WebAddress,
    half_the_cores,
    read_address,
    read_level,
)


class Settings(Foundations):
    """Every setting of Tallymark; docs/settings.md is generated from these fields."""

    public_url: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_PUBLIC_URL", "LAGO_API_URL"),
        description="The API's address as clients write it; base of links to files. Default: http://host:port.",
    )
    front_url: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_FRONT_URL", "LAGO_FRONT_URL"),
        description="The web app's address; base of the links that people are sent, and whose pages may read the API's answers. Default: public_url.",
    )
    disable_signup: bool = Field(
        False,
        validation_alias=AliasChoices("TALLYMARK_DISABLE_SIGNUP", "LAGO_DISABLE_SIGNUP"),
        description="Keeps sign-up closed, whatever sign_up says.",
    )
    sign_up: Literal["off", "open", "domains"] = Field(
        "off",
        description="Who may make an organization for themselves: nobody (`off`), anybody (`open`), or whoever has an address of"
        " sign_up_domains (`domains`). Addresses are confirmed by e-mail, so that it needs smtp_host.",
    )
    sign_up_domains: str | None = Field(
        None,
        pattern=r"^ *[^\s@,]+( *, *[^\s@,]+)* *$",
        description="The domains of addresses that `sign_up=domains` means, with commas between them.",
    )
    google_client_id: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_GOOGLE_CLIENT_ID", "GOOGLE_AUTH_CLIENT_ID"),
        description="Tallymark's client at Google, by which people sign in; without one nobody does.",
    )
    google_client_secret: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_GOOGLE_CLIENT_SECRET", "GOOGLE_AUTH_CLIENT_SECRET"),
        description="The secret of Tallymark's client at Google.",
    )
    sso_allows_private_networks: bool = Field(
        False,
        description="Whether identity providers may be at private addresses, and be reached without TLS.",
    )
    secret_key: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_SECRET_KEY", "SECRET_KEY_BASE"),
        description="Signs links to files. Default: made at the first start and kept in the database.",
    )
    rsa_private_key: str | None = Field(
        None,
        repr=False,
        validation_alias=AliasChoices("TALLYMARK_RSA_PRIVATE_KEY", "LAGO_RSA_PRIVATE_KEY"),
        description="Signs webhooks: an RSA key as PEM, in Base64. Default: made at the first start and kept in the database.",
    )
    admin_api_key: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_ADMIN_API_KEY", "ADMIN_API_KEY"),
        description="Enables the admin API (`X-Admin-API-Key`); without it these routes answer 404.",
    )
    security_contact: Annotated[str | None, BeforeValidator(read_address)] = Field(
        None,
        pattern=r"^(mailto:[^\s@]+@[^\s@]+|https://\S+|tel:\+?[0-9.-]+)$",
        description="Where vulnerabilities are reported: an e-mail address, or an https, mailto or tel address."
        " `/.well-known/security.txt` tells it; without one that answers 404.",
    )
    create_org: bool = Field(
        False,
        validation_alias=AliasChoices("TALLYMARK_CREATE_ORG", "LAGO_CREATE_ORG"),
        description="Whether `tallymark up` and `tallymark migrate` make the organization that the next four settings tell of,"
        " unless there is one of that name.",
    )
    org_name: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_ORG_NAME", "LAGO_ORG_NAME"),
        description="The name of the organization that `create_org` makes.",
    )
    org_user_email: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_ORG_USER_EMAIL", "LAGO_ORG_USER_EMAIL"),
        description="The address by which its first admin signs in.",
    )
    org_user_password: str | None = Field(
        None,
        repr=False,
        validation_alias=AliasChoices("TALLYMARK_ORG_USER_PASSWORD", "LAGO_ORG_USER_PASSWORD"),
        description="The first admin's password; one who is known keeps theirs.",
    )
    org_api_key: str | None = Field(
        None,
        repr=False,
        validation_alias=AliasChoices("TALLYMARK_ORG_API_KEY", "LAGO_ORG_API_KEY"),
        description="The organization's API key, of at least 20 characters. Default: made up, and shown once.",
    )
    events_batch_max_length: int = Field(
        100,
        ge=1,
        le=10_000,
        validation_alias=AliasChoices("TALLYMARK_EVENTS_BATCH_MAX_LENGTH", "LAGO_EVENTS_BATCH_MAX_LENGTH"),
        description="Most events in one batch request.",
    )
    rate_limit_per_minute: int = Field(
        0,
        ge=0,
        le=10_000_000,
        description="Calls a minute that one process answers of each API key, session, or address without either;"
        " 0 means any number.",
    )
    limit_events_per_minute: int = Field(
        0,
        ge=0,
        description="Events a minute that one process takes of each organization that has no limit of its own; 0 means any number.",
    )
    limit_events_per_month: int = Field(
        0,
        ge=0,
        description="Events that each organization may send in a calendar month (UTC); 0 means any number.",
    )
    limit_members: int = Field(
        0,
        ge=0,
        description="Members of each organization, those who are invited included; 0 means any number.",
    )
    limit_api_keys: int = Field(
        0, ge=0, description="API keys of each organization that have not ended; 0 means any number."
    )
    limit_exports_under_way: int = Field(
        0,
        ge=0,
        description="Data exports of each organization that are asked for and not done; 0 means any number.",
    )
    billing_settling_minutes: int = Field(
        10,
        ge=0,
        le=1440,
        description="Minutes after a period's end until it is invoiced, so that its last events are in.",
    )
    billing_helpers: int = Field(
        default_factory=half_the_cores,
        ge=0,
        le=64,
        description="Processes that are started beside this one while a long billing run lasts. Default: half the cores.",
    )
    termination_alert_days: str = Field(
        "15,45",
        pattern=r"^[1-9]\d{0,3}( *, *[1-9]\d{0,3})*$",
        validation_alias=AliasChoices(
            "TALLYMARK_TERMINATION_ALERT_DAYS", "LAGO_SUBSCRIPTION_TERMINATION_ALERT_SENT_AT_DAYS"
        ),
        description="How many days before a subscription's end webhooks warn of it (`subscription.termination_alert`).",
    )
    vies_url: WebAddress = Field(
        "https://ec.europa.eu/taxation_customs/vies/rest-api",
        description="The European register of VAT numbers that automatic EU taxes ask.",
    )
    payment_provider_urls: Annotated[dict[ProviderKind, WebAddress], *FromJson] = Field(
        default_factory=dict,
        description='Where payment providers are asked in place of their own addresses, as JSON by kind: `{"stripe": "http://proxy.internal"}`.',
    )
    webhook_attempts: int = Field(
        3,
        ge=1,
        le=10,
        validation_alias=AliasChoices("TALLYMARK_WEBHOOK_ATTEMPTS", "LAGO_WEBHOOK_ATTEMPTS"),
        description="How often a webhook is tried in all before it counts as failed.",
    )
    webhook_timeout_seconds: int = Field(
        30,
        ge=1,
        le=300,
        validation_alias=AliasChoices("TALLYMARK_WEBHOOK_TIMEOUT_SECONDS", "LAGO_WEBHOOK_TIMEOUT_SECONDS"),
        description="How long a webhook's receiver may take to connect, to read and to answer, each.",
    )
    webhooks_allow_private_networks: bool = Field(
        False,
        description="Whether webhooks may go to private, loopback and link-local addresses.",
    )
    events_kept_months: int = Field(
        default=0,
        ge=0,
        le=1200,
        description="Full months after which events that nobody bills from any more leave for archives; 0: never.",
    )
    event_senders: bool = Field(
        True, description="Whether the address and the client that sent an event are kept with it."
    )
    event_senders_kept_months: int = Field(
        0, ge=0, le=1200, description="Full months after which who sent an event is forgotten; 0: never."
    )
    logs_kept_days: int = Field(
        30,
        ge=0,
        le=36_500,
        description="Days for which API and activity logs are shown and kept; 0 means for ever.",
    )
    smtp_host: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_SMTP_HOST", "LAGO_SMTP_ADDRESS"),
        description="The mail server that e-mails are handed to; without one none are sent.",
    )
    smtp_port: int = Field(
        587,
        ge=1,
        le=65535,
        validation_alias=AliasChoices("TALLYMARK_SMTP_PORT", "LAGO_SMTP_PORT"),
        description="The mail server's port.",
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How the mail server is spoken to: `starttls` (587), `tls` from the start (465), or `none`.",
    )
    smtp_username: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_SMTP_USERNAME", "LAGO_SMTP_USERNAME"),
        description="Name at the mail server; without one nobody logs in.",
    )
    smtp_password: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_SMTP_PASSWORD", "LAGO_SMTP_PASSWORD"),
        description="Password at the mail server.",
    )
    smtp_domain: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_SMTP_DOMAIN", "LAGO_SMTP_DOMAIN"),
        description="The name by which the mail server is greeted. Default: this machine's.",
    )
    email_from: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_EMAIL_FROM", "LAGO_FROM_EMAIL"),
        description="The address that e-mails come from. Default: noreply@ the host of public_url.",
    )
    api_workers: int = Field(
        1,
        ge=1,
        le=64,
        description="Processes of `tallymark api`, each with connections of its own to the database.",
    )
    drain_seconds: int = Field(
        0,
        ge=0,
        le=300,
        description="Seconds for which the API still answers after it is told to stop, while `/ready` says that it is:"
        " load balancers take a while to notice.",
    )
    worker_concurrency: int = Field(4, ge=1, le=64, description="Jobs that one worker runs side by side.")
    sentry_dsn: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_SENTRY_DSN", "SENTRY_DSN"),
        description="The project at Sentry that errors are told to; without one they are only logged.",
    )
    sentry_browser_dsn: WebAddress | None = Field(
        None,
        description="The project that errors of the web app are told to, by the browsers of those who use it; without one they are not.",
    )
    sentry_environment: str = Field(
        "production",
        validation_alias=AliasChoices("TALLYMARK_SENTRY_ENVIRONMENT", "SENTRY_ENVIRONMENT"),
        description="Under which environment Sentry shows them.",
    )
    otlp_endpoint: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="Where traces, metrics and logs go by OTLP over HTTP (a collector, New Relic); without one they go nowhere."
        " The other `OTEL_*` variables mean what OpenTelemetry says.",
    )
    otlp_headers: str | None = Field(
        None,
        repr=False,
        validation_alias=AliasChoices("TALLYMARK_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
        description="Headers of what is sent there, such as `api-key=…`.",
    )
    worker_heartbeat: Path | None = Field(
        None,
        description="A file that the worker touches while it is alive: `tallymark health --worker` looks at its age.",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(read_level)] = Field(
        "info",
        validation_alias=AliasChoices("TALLYMARK_LOG_LEVEL", "LAGO_LOG_LEVEL"),
        description="Least severe level logged: `debug`, `info`, `warning` or `error`.",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto",
        description="`console` for people, `json` for machines; `auto` picks by whether stderr is a terminal.",
    )

    @model_validator(mode="after")
    def _can_confirm_addresses(self) -> Self:
        if self.sign_up != "off" and self.smtp_host is None:
            raise ValueError("TALLYMARK_SIGN_UP needs TALLYMARK_SMTP_HOST: addresses are confirmed by e-mail")
        if (self.sign_up == "domains") != (self.sign_up_domains is not None):
            raise ValueError("TALLYMARK_SIGN_UP=domains and TALLYMARK_SIGN_UP_DOMAINS need each other")
        return self

    @property
    def limits(self) -> dict[Limit, int]:
        """How much an organization may have of which nothing else is said; 0 for any number."""
        return {limit: getattr(self, f"limit_{limit.value}") for limit in Limit}

    @property
    def is_sign_up_open(self) -> bool:
        """Whether anybody may make an organization for themselves."""
        return self.sign_up != "off" and not self.disable_signup

    @property
    def domains_of_sign_up(self) -> frozenset[str]:
        """Of which domains their addresses are; none for any."""
        return frozenset(
            domain.strip().lower() for domain in (self.sign_up_domains or "").split(",") if domain
        )

    @property
    def base_url(self) -> str:
        """The address under which clients reach the API, without a trailing slash."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def app_url(self) -> str:
        """The address under which people reach the web app, without a trailing slash."""
        return (self.front_url or self.base_url).rstrip("/")

    @property
    def termination_alerts(self) -> tuple[timedelta, ...]:
        """How long before an end it is warned of, the earliest first."""
        days = {int(number) for number in self.termination_alert_days.split(",")}
        return tuple(timedelta(days=number) for number in sorted(days, reverse=True))

    @property
    def email_sender(self) -> str:
        """The address that e-mails come from."""
        return self.email_from or f"noreply@{urlsplit(self.base_url).hostname or 'localhost'}"

    @property
    def issuer(self) -> str:
        """The API's address exactly as it was configured: what signed webhooks name as their origin."""
        return self.public_url or self.base_url
