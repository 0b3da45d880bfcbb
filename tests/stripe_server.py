"""Stripe on 127.0.0.1: an account in memory behind Stripe's wire, with pages that a browser can pay on.

In a test: `with serving() as stripe`. By hand: `python tests/stripe_server.py --port 8790`, then start Tallymark with
`TALLYMARK_PAYMENT_PROVIDER_URLS='{"stripe": "http://127.0.0.1:8790"}'` and connect Stripe with the key that is printed.
"""

from __future__ import annotations

import argparse
import html
import json
import queue
import threading
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

try:
    from tests.stripe_account import METHODS, ROUTES, SECRET_KEY, Account, Answer, Problem, Sent
except ModuleNotFoundError:  # run by hand, where a package of another project has the name `tests`
    from stripe_account import (  # type: ignore[import-not-found, no-redef]
        METHODS,
        ROUTES,
        SECRET_KEY,
        Account,
        Answer,
        Problem,
        Sent,
    )

_TRUTH = {"true": True, "false": False, "True": True, "False": False}


@dataclass(frozen=True)
class Asked:
    """One request to the API."""

    method: str
    path: str
    params: dict[str, Any]
    key: str | None
    version: str | None


class StripeServer(Account):
    """An account that is reached at `url` with `key`.

    `goes_wrong` says what becomes of the next requests that write: `"lost"` is done and not answered, `"broken"` is done and answered by
    a 500 from then on, a number is a status with nothing done. Events wait in `outbox` for a test to take them; with `delivers`, they are posted to where they are registered.
    """

    key = SECRET_KEY

    def __init__(self, port: int, *, delivers: bool = False) -> None:
        super().__init__(f"http://127.0.0.1:{port}")
        self.asked: list[Asked] = []
        self.goes_wrong: deque[str | int] = deque()
        self.forbidden: set[str] = set()
        self._lock = threading.RLock()
        self._kept: dict[str, tuple[Any, Answer]] = {}
        self._post: queue.Queue[Sent | None] | None = queue.Queue() if delivers else None

    def ask(self, asked: Asked, token: str | None) -> tuple[Answer | None, bool]:
        """What is answered, and whether it was said before; no answer for one that is lost."""
        with self._lock:
            self.asked.append(asked)
            if token != self.key:
                return Problem(401, "invalid_request_error", "Invalid API Key provided: sk_test_****").answer, False  # fmt: skip
            if asked.path in self.forbidden:
                return Problem(403, "invalid_request_error", "The provided key does not have the required permissions.").answer, False  # fmt: skip
            wrong = self.goes_wrong.popleft() if self.goes_wrong and asked.method == "POST" else None
            if isinstance(wrong, int):
                return Problem(wrong, "api_error", "Something went wrong.").answer, False
            answer, is_replayed = self._once(asked)
            if wrong == "broken":
                answer = Problem(500, "api_error", "Something went wrong.").answer
                self._kept[asked.key or ""] = (self._kept[asked.key or ""][0], answer)
            self._deliver()
            return (None if wrong == "lost" else answer), is_replayed

    def _once(self, asked: Asked) -> tuple[Answer, bool]:
        digest = (asked.method, asked.path, json.dumps(asked.params, sort_keys=True))
        if asked.key is not None and asked.key in self._kept:
            first, answer = self._kept[asked.key]
            if first != digest:
                return Problem(400, "idempotency_error", "Keys for idempotent requests can only be used with the same parameters they were first used with.").answer, False  # fmt: skip
            return answer, True
        answer = self._do(asked)
        # What is refused before anything was done is not kept.
        if asked.key is not None and answer[0] in (200, 402):
            self._kept[asked.key] = (digest, answer)
        return answer, False

    def _do(self, asked: Asked) -> Answer:
        parts = asked.path.split("/")
        for route, do in ROUTES.items():
            method, _, path = route.partition(" ")
            wanted = path.split("/")
            if method == asked.method and len(wanted) == len(parts) and all(w in ("*", p) for w, p in zip(wanted, parts, strict=True)):  # fmt: skip
                ids = [p for w, p in zip(wanted, parts, strict=True) if w == "*"]
                try:
                    # As it is now: what happens to it later is not in an answer that was given.
                    return 200, json.loads(json.dumps(do(self, dict(asked.params), *ids)))
                except Problem as problem:
                    return json.loads(json.dumps(problem.answer))
        return Problem(404, "invalid_request_error", f"Unrecognized request URL ({asked.method}: {asked.path}).").answer  # fmt: skip

    def pass_a_day(self) -> None:
        """Stripe no longer knows what was asked for by which key, and its search finds everybody."""
        self._kept.clear()
        self.found.update(self.objects.get("customer", {}))

    def page(self, session_id: str, form: dict[str, str] | None) -> tuple[int, str, str | None]:
        """A page of Checkout's as a browser sees it, or what comes of its form: a status, what is shown, where it leads."""
        with self._lock:
            session = self.objects.get("checkout.session", {}).get(session_id)
            if session is None or session["status"] != "open":
                return 404, "<p>This page is over.</p>", None
            told = ""
            if form is not None:
                try:
                    self.fill(session_id, form["method"])
                    self._deliver()
                    return 303, "", session["success_url"]
                except Problem as problem:
                    self._deliver()
                    told = f"<p role=alert>{html.escape(str(problem))}</p>"
            return 200, told + _form(session), None

    def step(self, intent_id: str, form: dict[str, str] | None) -> tuple[int, str, str | None]:
        """A bank's page, on which a customer confirms a payment."""
        with self._lock:
            intent = self.get("payment_intent", intent_id)
            if form is None:
                return 200, "<form method=post><button name=answer value=yes>Confirm</button> <button name=answer value=no>Refuse</button></form>", None  # fmt: skip
            back = (intent["next_action"] or {}).get("redirect_to_url", {}).get("return_url")
            self.authenticate(intent_id, succeeds=form["answer"] == "yes")
            self._deliver()
            return (303, "", back) if back else (200, "<p>Thank you.</p>", None)

    def _deliver(self) -> None:
        if self._post is not None:
            for sent in self.take():
                self._post.put(sent)

    def flush(self) -> None:
        """Wait until the events so far are posted."""
        if self._post is not None:
            with self._lock:
                self._deliver()
            self._post.join()

    def stop(self) -> None:
        if self._post is not None:
            self._post.put(None)

    def deliver_all(self) -> None:
        """Post events as they come, one after the other, until told to stop."""
        assert self._post is not None
        while (sent := self._post.get()) is not None:
            try:
                response = httpx.post(sent.url, content=sent.body, headers=sent.headers, timeout=30)
                print(f"{sent.type} → {sent.url}: {response.status_code}", flush=True)
            except httpx.HTTPError as error:
                print(f"{sent.type} → {sent.url}: {type(error).__name__}", flush=True)
            finally:
                self._post.task_done()
        self._post.task_done()


def _form(session: dict[str, Any]) -> str:
    what = "Save a payment method"
    if session["mode"] == "payment":
        price = session["line_items"][0]["price_data"]
        what = f"Pay {price['unit_amount']} {price['currency'].upper()} for {price['product_data']['name']}"
    allowed = session["payment_method_types"]
    options = "".join(
        f"<option value={name}>{name}</option>"
        for name, method in METHODS.items()
        if method["type"] in allowed
    )
    return f"<h1>{html.escape(what)}</h1><form method=post><label>Method <select name=method>{options}</select></label> <button>Go on</button></form>"  # fmt: skip


def read_form(text: str) -> dict[str, Any]:
    """Stripe's forms as what they mean: `a[b][]=1` is a list in an object.

    >>> read_form("amount=5&confirm=true&types[0]=card&data[name]=x")
    {'amount': 5, 'confirm': True, 'types': ['card'], 'data': {'name': 'x'}}
    """
    found: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *rest = name.replace("]", "").split("[")
        place, last = found, first
        for part in rest:
            place = place.setdefault(last, {})
            last = part if part else str(len(place))
        # Metadata are texts, whatever they look like.
        place[last] = value if first == "metadata" or "metadata" in rest else _value(value)
    return {name: _listed(value) for name, value in found.items()}


def _value(text: str) -> Any:
    return _TRUTH.get(text, int(text) if text.isascii() and text.isdigit() else text)


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _listed(one) for name, one in value.items()}
    is_list = list(inner) == [str(number) for number in range(len(inner))] and inner
    return list(inner.values()) if is_list else inner


@contextmanager
def serving(*, port: int = 0, delivers: bool = False):
    """Stripe, listening."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # in one piece: a body that follows its headers waits for them to be acknowledged

        def do_GET(self) -> None:
            self._any("GET")

        def do_POST(self) -> None:
            self._any("POST")

        def do_DELETE(self) -> None:
            self._any("DELETE")

        def _any(self, method: str) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            _, first, *rest = url.path.split("/")
            if first in ("pay", "authenticate"):
                see = stripe.page if first == "pay" else stripe.step
                self._show(*see(rest[0], dict(parse_qsl(body)) if method == "POST" else None))
                return
            asked = Asked(method, url.path, read_form(body if method == "POST" else url.query), self.headers.get("Idempotency-Key") if method == "POST" else None, self.headers.get("Stripe-Version"))  # fmt: skip
            answer, is_replayed = stripe.ask(asked, (self.headers.get("Authorization") or "").removeprefix("Bearer "))  # fmt: skip
            if answer is None:
                self.close_connection = True
                return
            extra = {"Idempotent-Replayed": "true"} if is_replayed else {}
            self._send(answer[0], json.dumps(answer[1]), {"Content-Type": "application/json", "Request-Id": f"req_{len(stripe.asked)}", **extra})  # fmt: skip

        def _show(self, status: int, shown: str, leads: str | None) -> None:
            headers = {"Content-Type": "text/html; charset=utf-8", **({"Location": leads} if leads else {})}
            self._send(
                status,
                f"<!doctype html><link rel=icon href='data:,'><title>Stripe, not really</title>{shown}",
                headers,
            )

        def _send(self, status: int, body: str, headers: dict[str, str]) -> None:
            raw = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    stripe = StripeServer(server.server_port, delivers=delivers)
    threads = [threading.Thread(target=server.serve_forever, daemon=True)]
    if delivers:
        threads.append(threading.Thread(target=stripe.deliver_all, daemon=True))
    for thread in threads:
        thread.start()
    try:
        yield stripe
    finally:
        stripe.stop()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8790)
    with serving(port=parser.parse_args().port, delivers=True) as stripe:
        print(f"Stripe, not really, on {stripe.url} with the key {stripe.key}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
