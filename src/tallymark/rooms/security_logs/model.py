"""What entries are, and what a caller's name for itself tells of its device (platform §10.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

KEPT = timedelta(days=90)

BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iOS"), ("Windows", "Windows"), ("Mac OS X", "macOS"),
           ("Linux", "Linux"))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that was changed; resources are JSON."""

    id: UUID
    log_type: str
    log_event: str
    user_email: str | None
    api_key_id: UUID | None
    api_key_name: str | None
    """As it is called now; a key that has ended keeps its name."""
    api_key_ending: str | None
    resources: str
    user_agent: str | None
    ip_address: str | None
    logged_at: datetime
    created_at: datetime

    @property
    def used_key_id(self) -> UUID | None:
        """The key that it was done with. An entry on keys names the one that it is about: members change keys, and the operator."""
        return None if self.log_type == "api_key" else self.api_key_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which entries a list shows; empty means any."""

    logged_from: datetime | None
    logged_to: datetime
    user_ids: tuple[UUID, ...] = ()
    user_emails: tuple[str, ...] = ()
    api_key_ids: tuple[UUID, ...] = ()
    log_types: tuple[str, ...] = ()
    log_events: tuple[str, ...] = ()


def read_device(user_agent: str | None) -> dict[str, str | None]:
    """Browser, system and kind of device, as far as they can be told: a program that is no browser has none.

    >>> read_device("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1")
    {'browser': 'Safari', 'os': 'iOS', 'device_type': 'mobile'}
    >>> read_device("Lago Python v1.50.0")
    {'browser': None, 'os': None, 'device_type': None}
    """
    text = user_agent or ""
    browser = next((name for sign, name in BROWSERS if sign in text), None)
    system = next((name for sign, name in SYSTEMS if sign in text), None)
    if browser is None:
        kind = None
    elif "iPad" in text or "Tablet" in text:
        kind = "tablet"
    else:
        kind = "mobile" if "Mobi" in text else "desktop"
    return {"browser": browser, "os": system, "device_type": kind}
