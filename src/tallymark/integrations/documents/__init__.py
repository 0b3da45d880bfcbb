"""Invoices as PDF, by Typst: what is on them (data), how numbers look (formats), and the rendering."""

from tallymark.integrations.documents.renderer import TypstRenderer

__all__ = ["TypstRenderer"]
