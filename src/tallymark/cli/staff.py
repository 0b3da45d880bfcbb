"""`tallymark staff`: who runs the installation, and comes into its back office."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from tallymark.cli.terminal import DatabaseUrl, DataDir, InternalPort, migrated_database, read_settings, show
from tallymark.db.errors import StartupError

commands = typer.Typer(help="Let those who run the installation into its back office.", no_args_is_help=True)

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}
_LOOK_SECONDS = 5.0


@commands.command("link")
def make_link(
    login: Annotated[
        str, typer.Argument(help="Under which name, like an e-mail address, their deeds are noted.")
    ],
    url: Annotated[
        str | None,
        typer.Option(help="Where the internal listener is reached.", show_default="its own address"),
    ] = None,
    internal_port: InternalPort = None,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a link into the back office that is good once, for ten minutes."""
    from tallymark import people

    settings = read_settings(internal_port=internal_port, data_dir=data_dir, database_url=database_url)
    if url is None and settings.internal_port is None:
        raise StartupError("where is the back office? Give --internal-port, TALLYMARK_INTERNAL_PORT or --url")
    host = _ANYWHERE.get(settings.internal_host, settings.internal_host)
    base = (url or f"http://{host}:{settings.internal_port}").rstrip("/")
    with migrated_database(data_dir, database_url) as (database, _):
        token = asyncio.run(people.make_staff_link(database, login))
        doubt = _doubt(f"{base}/office/enter/{token}")
    if doubt == _UNKNOWN:
        from tallymark.which_database import where_data_is

        raise StartupError(
            f"the back office at {base} runs on another database than {where_data_is(settings)}, and does not know the link:"
            " name its own by --data-dir or --database-url, as its server does"
        )
    show({"Link": f"{base}/office/enter/{token}", "Good": "once, for 10 minutes"})
    if doubt is not None:
        typer.echo(f"Look at this: {doubt}.", err=True)


_UNKNOWN = "the link is unknown there"


def _doubt(link: str) -> str | None:
    """Why a link may lead nowhere, where that can be seen from here: its page is asked for, which uses it not up."""
    import httpx

    try:
        answer = httpx.get(link, timeout=_LOOK_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return f"nobody answers there from here ({error}); is the server running, with this internal port?"
    if answer.status_code == httpx.codes.OK:
        return None
    if answer.status_code == httpx.codes.NOT_FOUND and "tallymark staff link" in answer.text:
        return _UNKNOWN
    return (
        f"what answers there is no back office, or does not let this machine in (status {answer.status_code})"
    )
