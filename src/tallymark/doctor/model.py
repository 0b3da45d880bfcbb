"""What an examination finds."""

from __future__ import annotations

from enum import StrEnum

from tallymark.domain.values import value


class Verdict(StrEnum):
    """How something is: `FAILING` has to be mended before Tallymark can be relied on, `WARNING` should be looked at."""

    WELL = "ok"
    UNUSED = "unused"
    WARNING = "warning"
    FAILING = "failing"


@value
class Finding:
    """One thing that was looked at: how it is, in a line, and what mends it where it is not well."""

    about: str
    verdict: Verdict
    says: str
    remedy: str | None = None


def well(about: str, says: str) -> Finding:
    """Nothing is wrong with it."""
    return Finding(about=about, verdict=Verdict.WELL, says=says)


def unused(about: str, says: str) -> Finding:
    """It is not set up, which is nobody's fault."""
    return Finding(about=about, verdict=Verdict.UNUSED, says=says)


def warning(about: str, says: str, remedy: str) -> Finding:
    """It works, and should be looked at."""
    return Finding(about=about, verdict=Verdict.WARNING, says=says, remedy=remedy)


def failing(about: str, says: str, remedy: str) -> Finding:
    """It does not work, or money or data may be lost by it."""
    return Finding(about=about, verdict=Verdict.FAILING, says=says, remedy=remedy)


def counted(number: int, noun: str) -> str:
    """So many of them.

    >>> counted(1, "job"), counted(2, "job")
    ('1 job', '2 jobs')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
