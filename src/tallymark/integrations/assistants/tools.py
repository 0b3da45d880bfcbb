"""What assistants can do: each tool is one call of the REST API, with the rights of the caller's key (platform §16)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tallymark.api.permissions import READ, WRITE, Right
from tallymark.domain.errors import Invalid

Schema = Mapping[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
ANYTHING: Schema = {"type": "object"}
DAY: Schema = {"type": "string", "description": "A day, YYYY-MM-DD."}
PAGE: Mapping[str, Schema] = {
    "page": {"type": "integer", "minimum": 1, "description": "1 where it is left out."},
    "per_page": {"type": "integer", "minimum": 1, "maximum": 100, "description": "20 where it is left out."},
}
FEW = 20
"""How many records a page has unless more are asked for: an assistant reads every word."""


def told(description: str, schema: Schema = TEXT) -> Schema:
    """The schema with words for who fills it in."""
    return {**schema, "description": description}


def one_of(*values: str) -> Schema:
    """A closed list of texts."""
    return {"type": "string", "enum": list(values)}


CUSTOMER = told("The customer's external id.")
SUBSCRIPTION = told("The subscription's external id.")
INVOICE = told("The invoice's `lago_id`.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request: its path with the query, and the body of one that writes."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A call and how it is filled in: arguments named in the path go there, the rest in the query, or below `root`."""

    name: str
    description: str
    path: str
    resource: str
    arguments: Mapping[str, Schema] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    method: str = "GET"
    root: str | None = None
    """The root of the body; without one a call that writes sends its arguments as they are."""

    is_list: bool = False
    is_destructive: bool = False

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method != "GET"

    @property
    def right(self) -> Right:
        """What a key needs to have for it."""
        return Right(WRITE if self.writes else READ, self.resource)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        arguments = {**self.arguments, **(PAGE if self.is_list else {})}
        return {
            "type": "object",
            "properties": {name: dict(schema) for name, schema in arguments.items()},
            "required": [*self.required],
            "additionalProperties": False,
        }

    def call(self, arguments: Mapping[str, Any]) -> Call:
        """The request that these arguments make. Raises `Invalid` for those that are missing, unknown, or of another kind.

        >>> TOOLS_BY_NAME["get_customer"].call({"external_id": "a/b c"}).path
        '/api/v1/customers/a%2Fb%20c'
        >>> TOOLS_BY_NAME["get_customer"].call({"external_id": ".."}).path
        '/api/v1/customers/%2E%2E'
        >>> TOOLS_BY_NAME["list_plans"].call({"per_page": 5}).query
        (('per_page', '5'),)
        """
        self._check(arguments)
        given = {"per_page": FEW, **arguments} if self.is_list else dict(arguments)
        in_path = {name for name in self.arguments if f"{{{name}}}" in self.path}
        path = self.path.format(**{name: _as_part(given[name]) for name in in_path})
        rest = {name: value for name, value in given.items() if name not in in_path and value is not None}
        if not self.writes:
            return Call(method=self.method, path=f"/api/v1{path}", query=tuple(_pairs(rest)))
        body = rest if self.root is None else {self.root: rest}
        return Call(method=self.method, path=f"/api/v1{path}", body=body)

    def _check(self, arguments: Mapping[str, Any]) -> None:
        known = self.schema["properties"]
        wrong = {name: ["value_is_mandatory"] for name in self.required if arguments.get(name) in (None, "")}
        wrong |= {name: ["unknown_argument"] for name in arguments if name not in known}
        wrong |= {
            name: ["invalid_type"]
            for name, value in arguments.items()
            if name in known and value is not None and not _is(value, known[name])
        }
        if wrong:
            raise Invalid(wrong)


_KINDS: Mapping[str, tuple[type, ...]] = {
    "string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "array": (list,), "object": (dict,),
}  # fmt: skip


def _is(value: Any, schema: Schema) -> bool:
    """Whether a value is of a schema's kind.

    >>> _is("a", TEXT), _is(["a"], TEXTS), _is([1], TEXTS), _is(True, NUMBER)
    (True, True, False, False)
    """
    kind = schema["type"]
    if isinstance(value, bool) and kind != "boolean":
        return False
    if isinstance(value, list) and kind == "array":
        return all(_is(one, schema["items"]) for one in value)
    return isinstance(value, _KINDS[kind])


def _as_part(value: Any) -> str:
    """A part of a path, whatever it holds: also one that would lead elsewhere, as `..` does."""
    return quote(str(value), safe="").replace(".", "%2E")


def _pairs(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name, value in values.items():
        if isinstance(value, list):
            found += [(f"{name}[]", str(one)) for one in value]
        else:
            found.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return found


_OF_USAGE = {
    "external_customer_id": CUSTOMER,
    "external_subscription_id": SUBSCRIPTION,
    "apply_taxes": told("Whether taxes are added; yes where it is left out.", FLAG),
}
_MONTHS = {
    "currency": told("Of one currency alone, as EUR."),
    "months": told("How many months back.", NUMBER),
}

READING = (
    Tool(
        name="list_customers",
        description="Customers, newest first; `search_term` looks at names, e-mails and external ids.",
        path="/customers",
        resource="customer",
        arguments={
            "search_term": TEXT,
            "billing_entity_codes": TEXTS,
            "countries": TEXTS,
            "currencies": TEXTS,
        },
        is_list=True,
    ),
    Tool(
        name="get_customer",
        description="One customer with billing settings, taxes and metadata.",
        path="/customers/{external_id}",
        resource="customer",
        arguments={"external_id": CUSTOMER},
        required=("external_id",),
    ),
    Tool(
        name="list_subscriptions",
        description="Subscriptions by customer, plan and status (active ones where no status is given).",
        path="/subscriptions",
        resource="subscription",
        arguments={"external_customer_id": CUSTOMER, "plan_code": TEXT, "status": TEXTS},
        is_list=True,
    ),
    Tool(
        name="get_subscription",
        description="One subscription with its plan, period and what follows it.",
        path="/subscriptions/{external_id}",
        resource="subscription",
        arguments={"external_id": SUBSCRIPTION},
        required=("external_id",),
    ),
    Tool(
        name="get_current_usage",
        description="What a subscription has used in its running period and what that costs so far, charge by charge.",
        path="/customers/{external_customer_id}/current_usage",
        resource="customer_usage",
        arguments=_OF_USAGE,
        required=("external_customer_id", "external_subscription_id"),
    ),
    Tool(
        name="explain_current_usage",
        description="How each amount of the running period follows from its events, step by step.",
        path="/customers/{external_customer_id}/current_usage/explanation",
        resource="customer_usage",
        arguments={"external_customer_id": CUSTOMER, "external_subscription_id": SUBSCRIPTION},
        required=("external_customer_id", "external_subscription_id"),
    ),
    Tool(
        name="get_projected_usage",
        description="What the running period will come to if usage goes on alike.",
        path="/customers/{external_customer_id}/projected_usage",
        resource="customer_usage",
        arguments=_OF_USAGE,
        required=("external_customer_id", "external_subscription_id"),
    ),
    Tool(
        name="list_invoices",
        description="Invoices, newest first, by customer, status, payment, amount and day of issue. Amounts are in cents.",
        path="/invoices",
        resource="invoice",
        arguments={
            "external_customer_id": CUSTOMER,
            "statuses": {
                "type": "array",
                "items": one_of("draft", "finalized", "voided", "failed", "pending"),
            },
            "payment_statuses": {"type": "array", "items": one_of("pending", "succeeded", "failed")},
            "payment_overdue": FLAG,
            "issuing_date_from": DAY,
            "issuing_date_to": DAY,
            "amount_from": told("In cents.", NUMBER),
            "amount_to": told("In cents.", NUMBER),
            "currency": TEXT,
            "search_term": TEXT,
        },
        is_list=True,
    ),
    Tool(
        name="get_invoice",
        description="One invoice with its fees, credits and taxes.",
        path="/invoices/{lago_id}",
        resource="invoice",
        arguments={"lago_id": INVOICE},
        required=("lago_id",),
    ),
    Tool(
        name="explain_invoice",
        description="How an invoice's total follows from its fees: coupons, taxes, credit notes, wallets.",
        path="/invoices/{lago_id}/explanation",
        resource="invoice",
        arguments={"lago_id": INVOICE},
        required=("lago_id",),
    ),
    Tool(
        name="explain_fee",
        description="How a fee's amount follows from usage, prices and days, step by step.",
        path="/fees/{lago_id}/explanation",
        resource="fee",
        arguments={"lago_id": told("The fee's `lago_id`, from its invoice.")},
        required=("lago_id",),
    ),
    Tool(
        name="list_credit_notes",
        description="Credit notes, newest first.",
        path="/credit_notes",
        resource="credit_note",
        arguments={"external_customer_id": CUSTOMER, "reason": TEXT, "currency": TEXT},
        is_list=True,
    ),
    Tool(
        name="list_wallets",
        description="A customer's prepaid wallets with their balances, and what usage leaves of them.",
        path="/wallets",
        resource="wallet",
        arguments={"external_customer_id": CUSTOMER},
        required=("external_customer_id",),
        is_list=True,
    ),
    Tool(
        name="list_payments",
        description="Payments, newest first.",
        path="/payments",
        resource="payment",
        arguments={"external_customer_id": CUSTOMER, "invoice_id": INVOICE},
        is_list=True,
    ),
    Tool(
        name="list_plans",
        description="Plans with what they charge.",
        path="/plans",
        resource="plan",
        is_list=True,
    ),
    Tool(
        name="get_plan",
        description="One plan with its charges, filters, fixed charges, commitment and thresholds.",
        path="/plans/{code}",
        resource="plan",
        arguments={"code": TEXT},
        required=("code",),
    ),
    Tool(
        name="list_billable_metrics",
        description="What is metered, and how events are added up.",
        path="/billable_metrics",
        resource="billable_metric",
        is_list=True,
    ),
    Tool(
        name="list_events",
        description="Usage events, newest first; `unmatched` ones count nowhere and say why.",
        path="/events",
        resource="event",
        arguments={
            "external_subscription_id": SUBSCRIPTION,
            "code": told("The metric's code."),
            "timestamp_from": told("ISO 8601, included."),
            "timestamp_to": told("ISO 8601, included."),
            "unmatched": FLAG,
        },
        is_list=True,
    ),
    Tool(
        name="summarize_unmatched_events",
        description="How many events count nowhere, by reason, code and subscription.",
        path="/events/unmatched_summary",
        resource="event",
    ),
    Tool(
        name="get_gross_revenue",
        description="What was invoiced, month by month.",
        path="/analytics/gross_revenue",
        resource="analytic",
        arguments={**_MONTHS, "external_customer_id": CUSTOMER},
    ),
    Tool(
        name="get_mrr",
        description="Recurring revenue of subscriptions, month by month.",
        path="/analytics/mrr",
        resource="analytic",
        arguments=_MONTHS,
    ),
    Tool(
        name="get_invoice_collection",
        description="Invoices by how they are paid, month by month.",
        path="/analytics/invoice_collection",
        resource="analytic",
        arguments=_MONTHS,
    ),
    Tool(
        name="get_overdue_balance",
        description="What is overdue, month by month.",
        path="/analytics/overdue_balance",
        resource="analytic",
        arguments={**_MONTHS, "external_customer_id": CUSTOMER},
    ),
    Tool(
        name="get_invoiced_usage",
        description="What usage was invoiced, by metric and month.",
        path="/analytics/invoiced_usage",
        resource="analytic",
        arguments=_MONTHS,
    ),
)

WRITING = (
    Tool(
        name="save_customer",
        description="Make a customer, or change one with the same external id: only what is given changes.",
        path="/customers",
        resource="customer",
        arguments={
            "external_id": CUSTOMER,
            "name": TEXT,
            "email": TEXT,
            "currency": TEXT,
            "timezone": TEXT,
            "country": TEXT,
            "net_payment_term": told("Days until an invoice is due.", NUMBER),
        },
        required=("external_id",),
        method="POST",
        root="customer",
    ),
    Tool(
        name="create_subscription",
        description="Subscribe a customer to a plan, or move a subscription to another plan.",
        path="/subscriptions",
        resource="subscription",
        arguments={
            "external_customer_id": CUSTOMER,
            "plan_code": TEXT,
            "external_id": SUBSCRIPTION,
            "name": TEXT,
            "billing_time": one_of("calendar", "anniversary"),
            "subscription_at": told("When it starts, ISO 8601; now where it is left out."),
            "ending_at": told("When it ends by itself, ISO 8601."),
        },
        required=("external_customer_id", "plan_code", "external_id"),
        method="POST",
        root="subscription",
    ),
    Tool(
        name="terminate_subscription",
        description="End a subscription now: its last invoice is made, unused time paid in advance comes back as credit.",
        path="/subscriptions/{external_id}",
        resource="subscription",
        arguments={"external_id": SUBSCRIPTION},
        required=("external_id",),
        method="DELETE",
        is_destructive=True,
    ),
    Tool(
        name="send_event",
        description="Record usage. The transaction id makes sending again harmless.",
        path="/events",
        resource="event",
        arguments={
            "transaction_id": told("Unique for the subscription."),
            "external_subscription_id": SUBSCRIPTION,
            "code": told("The metric's code."),
            "timestamp": told("Unix seconds; now where it is left out.", {"type": "number"}),
            "properties": ANYTHING,
        },
        required=("transaction_id", "external_subscription_id", "code"),
        method="POST",
        root="event",
    ),
    Tool(
        name="finalize_invoice",
        description="Issue a draft: it gets its number and cannot change any more.",
        path="/invoices/{lago_id}/finalize",
        resource="invoice",
        arguments={"lago_id": INVOICE},
        required=("lago_id",),
        method="PUT",
        is_destructive=True,
    ),
    Tool(
        name="void_invoice",
        description="Void an issued invoice: what it took from coupons, credit notes and wallets goes back.",
        path="/invoices/{lago_id}/void",
        resource="invoice",
        arguments={"lago_id": INVOICE},
        required=("lago_id",),
        method="POST",
        is_destructive=True,
    ),
    Tool(
        name="record_payment",
        description="Note that an invoice was paid, in full or in part.",
        path="/payments",
        resource="payment",
        arguments={
            "invoice_id": INVOICE,
            "amount_cents": NUMBER,
            "reference": told("What the bank statement says."),
            "paid_at": DAY,
        },
        required=("invoice_id", "amount_cents", "reference"),
        method="POST",
        root="payment",
    ),
    Tool(
        name="top_up_wallet",
        description="Add credits to a wallet: bought ones are invoiced, granted ones are free.",
        path="/wallet_transactions",
        resource="wallet_transaction",
        arguments={
            "wallet_id": told("The wallet's `lago_id`."),
            "paid_credits": told("A decimal number as text."),
            "granted_credits": told("A decimal number as text."),
            "name": TEXT,
        },
        required=("wallet_id",),
        method="POST",
        root="wallet_transaction",
    ),
)

TOOLS = (*READING, *WRITING)
TOOLS_BY_NAME = {tool.name: tool for tool in TOOLS}
