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


def _series(metric: str, by: str | None, *, unit: str) -> dict[str, Any]:
    """A value over months, a series for each of something."""
    return {
        "graph.dimensions": ["month", *([by] if by else [])],
        "graph.metrics": [metric],
        "graph.x_axis.title_text": "Month",
        "graph.y_axis.title_text": unit,
    }


def _stacked(metric: str, by: str, *, unit: str) -> dict[str, Any]:
    return {**_series(metric, by, unit=unit), "stackable.stack_type": "stacked"}


QUESTIONS: Sequence[Question] = (
    Question(key="mrr_now", name="MRR now", display="table"),
    Question(
        key="mrr_by_month",
        name="MRR by month",
        display="line",
        settings=_series("mrr", "currency", unit="MRR"),
    ),
    Question(
        key="mrr_movements",
        name="MRR movements",
        display="bar",
        settings=_stacked("amount", "movement", unit="Change of MRR"),
    ),
    Question(key="mrr_by_plan", name="MRR by plan", display="table"),
    Question(
        key="mrr_invoiced",
        name="MRR as invoiced",
        display="line",
        settings=_series("mrr", "currency", unit="MRR, with taxes"),
    ),
    Question(
        key="customer_churn",
        name="Customer churn",
        display="line",
        settings=_series("churn_percent", "currency", unit="Percent of customers"),
    ),
    Question(
        key="revenue_churn",
        name="Revenue churn",
        display="line",
        settings=_series("churn_percent", "currency", unit="Percent of MRR"),
    ),
    Question(
        key="net_revenue_retention",
        name="Net revenue retention",
        display="line",
        settings=_series("retention_percent", "currency", unit="Percent of MRR"),
    ),
    Question(
        key="customers_by_month",
        name="Paying customers",
        display="bar",
        settings=_series("customers", "currency", unit="Customers"),
    ),
    Question(key="churned_customers", name="Customers lost", display="table"),
    Question(
        key="collection_by_month",
        name="Invoices by payment status",
        display="bar",
        settings=_stacked("amount", "status", unit="Total"),
    ),
    Question(
        key="overdue_by_month",
        name="Overdue balance by due month",
        display="bar",
        settings=_series("overdue", "currency", unit="Overdue"),
    ),
    Question(
        key="paid_in_time",
        name="Invoices paid in time",
        display="line",
        settings=_series("in_time_percent", "currency", unit="Percent of invoices"),
    ),
    Question(
        key="days_to_pay",
        name="Days to pay",
        display="line",
        settings=_series("days", "currency", unit="Days"),
    ),
    Question(key="overdue_invoices", name="Overdue invoices", display="table"),
    Question(
        key="usage_by_metric",
        name="Usage by metric",
        display="bar",
        settings=_stacked("amount", "metric", unit="Amount before taxes"),
    ),
    Question(
        key="units_by_metric",
        name="Units by metric",
        display="line",
        settings=_series("units", "metric", unit="Units"),
    ),
    Question(
        key="invoiced_usage",
        name="Invoiced usage by metric",
        display="bar",
        settings=_stacked("amount", "metric", unit="Billed"),
    ),
    Question(key="top_customers_by_usage", name="Top customers by usage", display="table"),
    Question(
        key="gross_revenue",
        name="Gross revenue",
        display="bar",
        settings=_series("revenue", "currency", unit="Invoiced, less refunds"),
    ),
    Question(
        key="revenue_streams",
        name="Revenue streams",
        display="bar",
        settings=_stacked("amount", "stream", unit="Before coupons and taxes"),
    ),
    Question(key="net_revenue", name="Gross to net", display="table"),
    Question(key="prepaid_credits", name="Prepaid credits", display="table"),
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
