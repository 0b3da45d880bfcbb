"""What users ask of the outside: somebody who brings them a link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tallymark.jobs.notices import NoticeKind


class Messenger(Protocol):
    """Brings people what only they may have."""

    async def bring_reset(self, *, email: str, url: str) -> None:
        """Send somebody the link with which they set another password. Raises an error where it may be tried again."""

    async def bring_sign_up(self, *, email: str, url: str) -> None:
        """Send somebody the link by which they sign up. Raises as `bring_reset` does."""

    async def bring_welcome_back(self, *, email: str, sign_in_url: str, reset_url: str) -> None:
        """Tell somebody who wanted to sign up that they belong here already. Raises as `bring_reset` does."""

    async def tell(self, emails: Sequence[str], kind: NoticeKind, *, about: str, organization: str) -> None:
        """Tell some people, none of whom sees the others, what was done in an organization. Raises as `bring_reset` does."""
