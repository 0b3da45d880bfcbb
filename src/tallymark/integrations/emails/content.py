"""What an e-mail shows, in words of the customer's language: the same facts and sums as its document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import assert_never

from tallymark.domain.money import currency as currency_of
from tallymark.integrations.documents.credit_note import credit_note_data
from tallymark.integrations.documents.data import base_data, invoice_data, labels_of, words_of
from tallymark.integrations.documents.receipt import receipt_data
from tallymark.integrations.emails.format import Json, day, fill, money, percent
from tallymark.rooms.credit_notes.model import CreditNoteView
from tallymark.rooms.emails.model import Attachment, Letter, Subject
from tallymark.rooms.invoices.model import InvoiceView
from tallymark.rooms.payment_requests.model import RequestView
from tallymark.rooms.payments.model import ReceiptDocument

OWED = ("due", "remaining", "total")
"""Which row is the last answer: the first of these that there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name and an amount; `is_final` is what all of it comes to, an `url` leads to the document."""

    name: str
    amount: str
    note: str = ""
    is_final: bool = False
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """An e-mail's parts from top to bottom, as texts."""

    language: str
    subject: str
    issuer: str
    title: str
    number: str
    headline: str
    amount: str
    intro: str
    facts: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    button: tuple[str, str] | None
    closing: str
    issuer_lines: tuple[str, ...]
    powered_by: str
    accent: str


@cache
def _words() -> Json:
    found: Json = json.loads((Path(__file__).parent / "words.json").read_text())
    return found


def content_of(letter: Letter, files: Sequence[Attachment]) -> Content:
    """All that an e-mail shows."""
    if isinstance(letter.subject, RequestView):
        return _of_request(letter, letter.subject, files)
    data = _data_of(letter.subject)
    labels, formats = labels_of(data["words"]), data["formats"]
    own = _words()[data["words"]]
    title = labels["title"][data["title"]]
    head = data["headline"]
    return Content(
        language=data["words"],
        subject=fill(
            labels["document_of"], title=title, number=data["number"], issuer=data["issuer"]["legal_name"]
        ),
        issuer=data["issuer"]["legal_name"],
        title=title,
        number=data["number"],
        headline=fill(
            labels["headline"][head["kind"]], date=day(head["date"], formats) if "date" in head else ""
        ),
        amount=money(head["amount_cents"], data["currency"], formats),
        intro=own["attached"],
        facts=tuple(_facts(data, labels)),
        rows=tuple(_rows(data, labels)),
        button=(own["open"], files[0].url),
        closing=own["questions"],
        issuer_lines=_issuer_lines(data),
        powered_by=labels["powered_by"],
        accent=data["brand"]["accent"],
    )


def _data_of(subject: Subject) -> Json:
    match subject:
        case InvoiceView():
            return invoice_data(subject)
        case CreditNoteView():
            return credit_note_data(subject)
        case ReceiptDocument():
            return receipt_data(subject)
        case RequestView():
            raise AssertionError("a payment request has no document")
        case _:
            assert_never(subject)


def _facts(data: Json, labels: Json) -> Iterator[tuple[str, str]]:
    """The document's, but for its number, which stands beside the title."""
    for fact in data["facts"][1:]:
        name = fact["label"] if "label" in fact else labels["fact"][fact["kind"]]
        if fact.get("type") == "date":
            yield name, day(fact["value"], data["formats"])
        elif fact.get("type") == "days":
            yield name, _term(fact["value"], labels)
        else:
            yield name, fact["value"]


def _term(days: int, labels: Json) -> str:
    return fill(labels["fact"]["days"], n=str(days)) if days else labels["fact"]["on_receipt"]


def _rows(data: Json, labels: Json) -> Iterator[Row]:
    totals = data["totals"]
    kinds = [row["kind"] for row in totals]
    final = next((kind for kind in OWED if kind in kinds), None)
    formats = data["formats"]
    for row in totals:
        name = fill(
            labels["total"][row["kind"]],
            ref=row.get("ref", ""),
            name=row.get("name", ""),
            rate=percent(row["rate"], formats) if "rate" in row else "",
            date=day(row["date"], formats) if "date" in row else "",
        )
        amount = money(row["amount_cents"], data["currency"], formats)
        note = " · ".join(_how(row, labels)) if "method" in row else ""
        yield Row(name=name, amount=amount, note=note, is_final=row["kind"] == final)


def _how(row: Json, labels: Json) -> Iterator[str]:
    """How a payment was made, and by which reference."""
    yield labels["method"][row["method"]]
    if "reference" in row:
        yield row["reference"]


def _issuer_lines(data: Json) -> tuple[str, ...]:
    issuer = data["issuer"]
    return (issuer["legal_name"], *issuer["address_lines"], *([issuer["email"]] if "email" in issuer else []))


def _of_request(letter: Letter, view: RequestView, files: Sequence[Attachment]) -> Content:
    """The invoices that are asked for, each with a link, its terms and what is due of it."""
    words = words_of(letter.customer.document_locale or letter.customer_entity.document_locale)
    data = base_data(letter.issuer, letter.customer, view.request.currency, words)
    labels, own, formats = labels_of(words), _words()[words], data["formats"]
    assert currency_of(view.request.currency).exponent == data["currency"]["digits"]
    rows = [
        Row(
            name=one.invoice.number,
            amount=money(one.invoice.total_due_amount_cents, data["currency"], formats),
            note=f"{labels['fact']['due_date']} {day(one.invoice.payment_due_date.isoformat(), formats)}"
            f" · {_term(one.invoice.net_payment_term, labels)}",
            url=file.url,
        )
        for one, file in zip(view.invoices, files, strict=True)
    ]
    due = sum(one.invoice.total_due_amount_cents for one in view.invoices)
    total = money(due, data["currency"], formats)
    issuer = data["issuer"]["legal_name"]
    return Content(
        language=words,
        subject=fill(own["request_subject"], issuer=issuer),
        issuer=issuer,
        title=own["request_title"],
        number="",
        headline=own["request_headline"],
        amount=total,
        intro=own["request_intro"],
        facts=(),
        rows=(*rows, Row(name=labels["total"]["due"], amount=total, is_final=True)),
        button=(own["pay"], letter.pay_url) if letter.pay_url else None,
        closing=own["questions"],
        issuer_lines=_issuer_lines(data),
        powered_by=labels["powered_by"],
        accent=data["brand"]["accent"],
    )
