"""Metabase: its connection to the analytics views, and the questions and dashboards over them, kept as code."""
