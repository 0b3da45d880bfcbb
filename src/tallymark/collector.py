"""The garbage collector of a process that lives long, and of one that ends soon."""

from __future__ import annotations

import gc

_THRESHOLDS = (20_000, 20, 50)


def call_the_collector_less_often() -> None:
    """While the application is read: all of it stays, and walking through it again and again takes a fifth of the time."""
    gc.set_threshold(*_THRESHOLDS)


def spare_the_collector() -> None:
    """Keep what lives as long as the process out of the garbage collector's sight, and have it look less often.

    Every full collection walked through all modules and statements: a fifth of a second in which nobody was answered.
    """
    gc.collect()
    gc.freeze()
    call_the_collector_less_often()
