"""Tallymark: usage events in, correct invoices out."""

from importlib.metadata import version

__version__ = version("tallymark")
