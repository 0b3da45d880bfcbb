"""Settings that are valid each, and wrong together or by a slip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from ipaddress import ip_address
from shutil import disk_usage
from urllib.parse import urlsplit

from tallymark.doctor.model import Finding, failing, warning, well
from tallymark.settings import Settings
from tallymark.variables import variables_of

_OF_COMMANDS = frozenset({"TALLYMARK_URL", "TALLYMARK_API_KEY"})
_OF_SERVICES = re.compile(r"TALLYMARK_(\w+_)?(SERVICE_(HOST|PORT\w*)|PORT(_\d+_\w+)?)$")
"""What Kubernetes and old container links set for a service of the name."""

_SHORTEST_KEY = 20
_GIGABYTE = 10**9
_LEAST_SPACE, _GOOD_SPACE = 1 * _GIGABYTE, 5 * _GIGABYTE


def examine_settings(settings: Settings, variables: Iterable[str]) -> Iterator[Finding]:
    """What the settings, and the names of the environment's variables, give away."""
    found = [*_misspelt(variables), *_addresses(settings), *_doors(settings)]
    yield from found or [well("settings", "every variable is known, and they go together")]


def _misspelt(variables: Iterable[str]) -> Iterator[Finding]:
    known = {name for field in Settings.model_fields.items() for name in variables_of(*field)}
    known |= {f"{name}_FILE" for name in known} | _OF_COMMANDS
    for name in sorted(variables):
        if not name.startswith("TALLYMARK_") or name in known or _OF_SERVICES.fullmatch(name):
            continue
        (meant, *_) = [*get_close_matches(name, known, n=1), ""]
        remedy = f"is {meant} meant?" if meant else "`tallymark settings` lists all"
        yield warning("settings", f"{name} is set, and is no setting", remedy)


def _addresses(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.base_url)
    is_open = not _is_loopback(settings.host)
    if settings.public_url is None and is_open:
        yield warning(
            "settings",
            f"links in e-mails, portals and files lead to {settings.base_url}, where nobody else finds it",
            "set TALLYMARK_PUBLIC_URL to the address that clients write",
        )
    elif url.scheme == "http" and not _is_loopback(url.hostname or ""):
        yield warning(
            "settings",
            f"{settings.base_url} is not encrypted: API keys and sessions can be read on the way",
            "put TLS before it, and https:// into TALLYMARK_PUBLIC_URL",
        )


def _doors(settings: Settings) -> Iterator[Finding]:
    if settings.staff is not None and settings.internal_port is None:
        yield warning(
            "settings",
            "TALLYMARK_STAFF lists who may enter the back office, which has no port",
            "set TALLYMARK_INTERNAL_PORT where the API runs",
        )
    if settings.admin_api_key is not None and len(settings.admin_api_key) < _SHORTEST_KEY:
        yield warning(
            "settings",
            f"the admin API's key has fewer than {_SHORTEST_KEY} characters, and opens every organization",
            "make a long one: openssl rand -hex 32",
        )
    if settings.public_url is not None and settings.sign_up == "open" and not settings.disable_signup:
        yield warning(
            "settings",
            "anybody who reaches the web app may sign up and make an organization",
            "leave TALLYMARK_SIGN_UP out unless that is wanted",
        )


def examine_space(settings: Settings) -> Iterator[Finding]:
    """Whether the data directory has room to grow."""
    folder = settings.data_dir.expanduser().absolute()
    while not folder.exists():
        folder = folder.parent
    free = disk_usage(folder).free
    says = f"{free / _GIGABYTE:,.1f} GB are free for {settings.data_dir}"
    remedy = "free some, or name another place by TALLYMARK_DATA_DIR"
    if free < _LEAST_SPACE:
        yield failing("disk", says, remedy)
    elif free < _GOOD_SPACE:
        yield warning("disk", says, remedy)
    else:
        yield well("disk", says)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
