"""Charges paid in advance: which events are to be priced, and what each of them costs."""
