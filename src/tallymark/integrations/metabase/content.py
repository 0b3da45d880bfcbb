"""The questions and dashboards, in the order in which they are shown: SQL lies in `questions/`, looks are here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

FOLDER = Path(__file__).parent / "questions"
WIDTH = 24
"""Columns of a dashboard's grid."""

FILTERS: Mapping[str, str] = MappingProxyType({"organization": "Organization", "currency": "Currency"})
"""Variables that a question may take, by their names in the SQL: what a dashboard's filters set."""

_VARIABLE = re.compile(r"\{\{(\w+)\}\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question: its SQL is in the file of its key, whose first line says what it tells."""

    key: str
    name: str
    display: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        """The query, with Metabase's variables in it."""
        return (FOLDER / f"{self.key}.sql").read_text()

    @property
    def description(self) -> str:
        """The comment that the query begins with."""
        first, _, _ = self.sql.partition("\n")
        return first.removeprefix("-- ")

    @property
    def variables(self) -> list[str]:
        """The filters that it takes, each once."""
        return [name for name in FILTERS if name in _VARIABLE.findall(self.sql)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """A dashboard: rows of questions, each row as high as it says and divided evenly."""

    key: str
    name: str
    description: str
    rows: Sequence[tuple[int, Sequence[str]]]


def _table(key: str, name: str) -> Question:
    return Question(key=key, name=name, display="table")


def _chart(display: str, key: str, name: str, metric: str, by: str, unit: str, **more: str) -> Question:
    settings = {
        "graph.dimensions": ["month", by],
        "graph.metrics": [metric],
        "graph.x_axis.title_text": "Month",
        "graph.y_axis.title_text": unit,
        **more,
    }
    return Question(key=key, name=name, display=display, settings=settings)


def _line(key: str, name: str, metric: str, *, unit: str, by: str = "currency") -> Question:
    """A value over months, a line for each of something."""
    return _chart("line", key, name, metric, by, unit)


def _bars(key: str, name: str, metric: str, *, unit: str) -> Question:
    """A value over months, a bar for each currency beside the others."""
    return _chart("bar", key, name, metric, "currency", unit)


def _stacked(key: str, name: str, metric: str, *, by: str, unit: str) -> Question:
    """What a value of a month is made of, one part above the other."""
    return _chart("bar", key, name, metric, by, unit, **{"stackable.stack_type": "stacked"})


QUESTIONS: Sequence[Question] = (
    _table("mrr_now", "MRR now"),
    _line("mrr_by_month", "MRR by month", "mrr", unit="MRR"),
    _stacked("mrr_movements", "MRR movements", "amount", by="movement", unit="Change of MRR"),
    _table("mrr_by_plan", "MRR by plan"),
    _line("mrr_invoiced", "MRR as invoiced", "mrr", unit="MRR, with taxes"),
    _line("customer_churn", "Customer churn", "churn_percent", unit="Percent of customers"),
    _line("revenue_churn", "Revenue churn", "churn_percent", unit="Percent of MRR"),
    _line("net_revenue_retention", "Net revenue retention", "retention_percent", unit="Percent of MRR"),
    _bars("customers_by_month", "Paying customers", "customers", unit="Customers"),
    _table("churned_customers", "Customers lost"),
    _stacked("collection_by_month", "Invoices by payment status", "amount", by="status", unit="Total"),
    _bars("overdue_by_month", "Overdue balance by due month", "overdue", unit="Overdue"),
    _line("paid_in_time", "Invoices paid in time", "in_time_percent", unit="Percent of invoices"),
    _line("days_to_pay", "Days to pay", "days", unit="Days"),
    _table("overdue_invoices", "Overdue invoices"),
    _stacked("usage_by_metric", "Usage by metric", "amount", by="metric", unit="Amount before taxes"),
    _line("units_by_metric", "Units by metric", "units", by="metric", unit="Units"),
    _stacked("invoiced_usage", "Invoiced usage by metric", "amount", by="metric", unit="Billed"),
    _table("top_customers_by_usage", "Top customers by usage"),
    _bars("gross_revenue", "Gross revenue", "revenue", unit="Invoiced, less refunds"),
    _stacked("revenue_streams", "Revenue streams", "amount", by="stream", unit="Before coupons and taxes"),
    _table("net_revenue", "Gross to net"),
    _table("prepaid_credits", "Prepaid credits"),
)

DASHBOARDS: Sequence[Dashboard] = (
    Dashboard(
        key="recurring_revenue",
        name="Recurring revenue",
        description="MRR, how it moves, and where it comes from.",
        rows=(
            (4, ("mrr_now",)),
            (7, ("mrr_by_month", "mrr_movements")),
            (7, ("mrr_by_plan", "mrr_invoiced")),
        ),
    ),
    Dashboard(
        key="churn",
        name="Churn",
        description="Who was lost, and what is kept of those who stayed.",
        rows=(
            (7, ("customer_churn", "revenue_churn")),
            (7, ("net_revenue_retention", "customers_by_month")),
            (8, ("churned_customers",)),
        ),
    ),
    Dashboard(
        key="collection",
        name="Collection",
        description="What is paid, how soon, and what is overdue.",
        rows=(
            (7, ("collection_by_month", "overdue_by_month")),
            (7, ("paid_in_time", "days_to_pay")),
            (8, ("overdue_invoices",)),
        ),
    ),
    Dashboard(
        key="usage",
        name="Usage",
        description="What is used, by metric and by customer, and what of it was billed.",
        rows=(
            (7, ("usage_by_metric", "units_by_metric")),
            (8, ("invoiced_usage", "top_customers_by_usage")),
        ),
    ),
    Dashboard(
        key="revenue",
        name="Revenue",
        description="What was invoiced, for what, and what was taken off.",
        rows=(
            (7, ("gross_revenue", "revenue_streams")),
            (7, ("net_revenue", "prepaid_credits")),
        ),
    ),
)
