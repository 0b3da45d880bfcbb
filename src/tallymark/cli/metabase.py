"""`tallymark metabase`: questions and dashboards over the analytics views."""

from __future__ import annotations

from typing import Annotated

import typer

from tallymark.cli.terminal import make_console
from tallymark.db.errors import StartupError

commands = typer.Typer(help="Keep questions and dashboards in a Metabase.", no_args_is_help=True)


@commands.command("provision")
def provision(  # noqa: PLR0913 - a command's options
    url: Annotated[str, typer.Option(help="Metabase's address.", envvar="METABASE_URL")],
    analytics_url: Annotated[
        str,
        typer.Option(
            help="How Metabase reaches the database: postgresql://ROLE:PASSWORD@HOST:5432/DATABASE, the role of `analytics grant`.",
            envvar="TALLYMARK_ANALYTICS_URL",
            show_default=False,
        ),
    ],
    api_key: Annotated[
        str, typer.Option(help="A key of the group Administrators.", envvar="METABASE_API_KEY")
    ] = "",
    email: Annotated[
        str, typer.Option(help="An administrator, in place of a key.", envvar="METABASE_EMAIL")
    ] = "",
    password: Annotated[str, typer.Option(help="Their password.", envvar="METABASE_PASSWORD")] = "",
    name: Annotated[str, typer.Option(help="Of the connection and of the collection.")] = "Tallymark",
    allow_http: Annotated[
        bool,
        typer.Option(
            "--allow-http", help="Send the key over a connection that everybody on the way can read."
        ),
    ] = False,
) -> None:
    """Make the connection, the collection, the questions and the dashboards, or change what a release has changed.

    Run again, it makes nothing twice; what people made is left alone.
    """
    from tallymark.integrations.metabase.api import ApiKey, Login, Metabase, open_client
    from tallymark.integrations.metabase.provision import Provision, read_connection

    if bool(api_key) == bool(email and password):
        raise StartupError(
            "give either a key (METABASE_API_KEY), or an administrator (METABASE_EMAIL, METABASE_PASSWORD)"
        )
    who = ApiKey(value=api_key) if api_key else Login(email=email, password=password)
    connection = read_connection(analytics_url)
    console = make_console()

    def tell(kind: str, what: str, done: str) -> None:
        console.print(f"{done:<8}{kind:<12}{what}")

    with open_client(url, allows_http=allow_http) as client, Metabase(client).signed_in(who) as metabase:
        Provision(metabase=metabase, connection=connection, name=name, tell=tell).run()
