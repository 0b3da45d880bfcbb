"""The addresses that answers name: of files, and of pages of the web app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where an installation is found: its API and its web app, without a trailing slash.

    `sign_file` makes the path and query of a link to a file, from the organization's id and the file's key.
    """

    base_url: str
    app_url: str
    sign_file: Callable[[UUID, str], str]

    def links(self, organization_id: UUID) -> Links:
        """The links of one organization."""
        return Links(site=self, organization_id=organization_id)

    def unsigned(self) -> Site:
        """The same, whose links to files open nothing: for what is kept and read for long."""
        return replace(self, sign_file=lambda owner, key: self.sign_file(owner, key).partition("?")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Links of one organization."""

    site: Site
    organization_id: UUID

    def file(self, key: str | None) -> str | None:
        """A link to a file that needs no API key; None where there is no file."""
        return None if key is None else self.to(key)

    def to(self, key: str) -> str:
        """A link to a file that there is."""
        return self.site.base_url + self.site.sign_file(self.organization_id, key)

    def page(self, *steps: object) -> str:
        """A link to a page of the web app, which knows an organization by its id as by its slug.

        >>> acme = UUID("018f0000-0000-7000-8000-000000000001")
        >>> site = Site(base_url="https://api.acme.test", app_url="https://acme.test", sign_file=lambda owner, key: key)
        >>> site.links(acme).page("invoices")
        'https://acme.test/018f0000-0000-7000-8000-000000000001/invoices'
        """
        return "/".join((self.site.app_url, str(self.organization_id), *map(str, steps)))
