"""Pages of a list and their `meta` (platform §1.4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query
from pydantic import BaseModel

DEFAULT_PER_PAGE = 100
FALLBACK_PER_PAGE = 25
"""What a `per_page` that is no positive number means (quirk)."""

_LARGEST = 2**31


@dataclass(frozen=True, slots=True)
class Page:
    """Which slice of a list is asked for; numbers count from 1."""

    number: int = 1
    size: int = DEFAULT_PER_PAGE

    @property
    def offset(self) -> int:
        """How many records come before the page."""
        return (self.number - 1) * self.size


class Meta(BaseModel):
    """Where a page stands in its list."""

    current_page: int
    next_page: int | None
    prev_page: int | None
    total_pages: int
    total_count: int

    @classmethod
    def of(cls, page: Page, total_count: int) -> Meta:
        """Place a page in a list of `total_count` records.

        >>> Meta.of(Page(5, 100), 203).model_dump()
        {'current_page': 5, 'next_page': None, 'prev_page': 4, 'total_pages': 3, 'total_count': 203}
        """
        if total_count == 0:
            return cls(current_page=0, next_page=None, prev_page=None, total_pages=0, total_count=0)
        pages = -(-total_count // page.size)
        return cls(
            current_page=page.number,
            next_page=page.number + 1 if page.number < pages else None,
            prev_page=page.number - 1 if page.number > 1 else None,
            total_pages=pages,
            total_count=total_count,
        )


def _whole(text: str | None, fallback: int) -> int:
    if text is None or not text.isascii() or not text.isdigit():
        return fallback
    return min(int(text[:10]), _LARGEST) or fallback


def read_page(
    page: Annotated[str | None, Query(description="Number of the page, from 1.")] = None,
    per_page: Annotated[str | None, Query(description="Records on a page, 100 by default.")] = None,
) -> Page:
    """Read the page asked for; what is no number means the first page, or 25 records."""
    size = DEFAULT_PER_PAGE if per_page is None else _whole(per_page, FALLBACK_PER_PAGE)
    return Page(number=_whole(page, 1), size=size)


InPage = Annotated[Page, Depends(read_page)]
