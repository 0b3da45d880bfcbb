"""Demonstrations, sold, metered and billed over the API under a test clock: a cloud company's year, or a trace of usage."""

from tallymark.demo.trace import run_trace
from tallymark.demo.year import Made, Size, run_year

__all__ = ["Made", "Size", "run_trace", "run_year"]
