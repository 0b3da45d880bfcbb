"""The trace that work belongs to: carried from a request to the jobs that it leaves behind, and from a job to the next.

It is text in the form of W3C's trace context, which whoever traces sets and reads; where nobody does there is none.
"""

from __future__ import annotations

from contextvars import ContextVar

TRACEPARENT = "traceparent"
"""The argument under which a job carries it."""

current: ContextVar[str | None] = ContextVar("traceparent", default=None)
