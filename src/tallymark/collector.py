"""The garbage collector of a process that lives long."""

from __future__ import annotations

import gc

_THRESHOLDS = (20_000, 20, 50)


def spare_the_collector() -> None:
    """Keep what lives as long as the process out of the garbage collector's sight, and have it look less often.

    Every full collection walked through all modules and statements: a fifth of a second in which nobody was answered.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
