"""Every operation of both descriptions answers what it says, whatever it is sent: ours, and the contract's.

TALLYMARK_FUZZ_MINUTES says how long to go on with ever new calls (`make fuzz MINUTES=30`); without it, a few calls are made,
the same each time. TALLYMARK_FUZZ_SEED draws the same calls again. CI draws those of one seed, TALLYMARK_FUZZ_ROUNDS of them and no
more, however fast the machine is: whatever fails there is of the change. Its minutes only end it on a slow one.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random, SystemRandom
from typing import Any

import pytest
import requests
from tests import kit
from tests.contract.fuzzing import CONTENT_TYPES, NULL, SCHEMAS, SERVER_ERRORS, STATUSES, Fuzz, operations_of
from tests.contract.world import Json, settle
from tests.people import Person, sign_up

from tallymark.app import Running

MINUTES = float(os.environ.get("TALLYMARK_FUZZ_MINUTES", "0"))
ROUNDS = int(os.environ.get("TALLYMARK_FUZZ_ROUNDS", "0")) or None
"""How often to go through each description at the most."""

SEED = os.environ.get("TALLYMARK_FUZZ_SEED") or str(SystemRandom().randrange(2**32))
OURS = kit.description()
CONTRACT = Path(__file__).parents[3] / "shared" / "openapi" / "lago.json"

SECRET = "hidden_9f3a"
"""The code of a billing entity of somebody else, which most of their records name."""

ENDING = frozenset({"DELETE /app/v1/session", "PUT /app/v1/password", "PUT /app/v1/authentication_methods"})
"""What would end the caller's session."""

# Where the contract's document asks for something else than what is answered: a pattern of operations, one of kinds and
# places, and why. What the house leaves out by its pages stands in `tests/api/test_description.py` too.
EXCEPT = (
    (".*", f"{NULL} .*", "the pages tell of null wherever nothing is set (platform §1.3)"),
    (".*", r"required balance wallets?(\.\[\])?", "wallets have credits and cents; the pages know no `balance` (wallets §2)"),
    (".*", r"required entitlement .*", "entitlements stand in their list without a root (platform §11)"),
    (".*", r"type .*fixed_charges?(\.\[\])?\.units", "units are decimals, in texts (pricing §13)"),
    (".*", r"type api_logs?(\.\[\])?\.request_(body|response)", "the document calls objects strings"),
    (".*", r"enum api_logs?(\.\[\])?\.http_method", "methods are shown in small letters (platform §10.2)"),
    (".*", r"oneOf events?(\.\[\])?\.properties(\..*)?", "properties are any JSON (metering §1.1)"),
    ("(GET|POST|PUT) /(payments|payment_requests|wallet_transactions|billing_entities).*", r"required lago_id ", "the pages have a root"),
    (".*", r"type .*\.previous_value", "values of alerts are decimals, in texts (platform §1.3)"),
    (".*", r"pattern .*thresholds\.\[\]\.value", "balances go below zero, and so may a value that one is compared with (wallets §9)"),
    (".*", r"pattern wallets?(\.\[\])?\.credits_ongoing_balance", "what is being used takes it below zero (wallets §7)"),
    ("POST /.*/alerts", r"oneOf ", "what is made is no page (wallets §9)"),
    ("GET /customers/.*/projected_usage", r"required groups .*", "the document requires what it has no property of: it is `grouped_usage` (metering §9.2)"),
    (".*", r"enum (.*\.)?timezone", "the document takes America/Nuuk and shows America/Godthab for it; what was given is answered"),
    ("POST /credit_notes/estimate", r"type estimated_credit_note\.precise_.*", "precise amounts are decimals, in texts (platform §1.3)"),
)  # fmt: skip


def rounds() -> Iterator[tuple[int, float | None]]:
    """Numbers to draw calls by, each with when it is enough: the same one once, or one after the other.

    That goes on until there were all rounds, or the time is over.
    """
    if not MINUTES:
        yield 1, None
        return
    numbers = Random(int(SEED))
    until = time.monotonic() + MINUTES * 60
    for _ in itertools.repeat(None) if ROUNDS is None else range(ROUNDS):
        if time.monotonic() > until:
            return
        yield numbers.randrange(2**32), until


def callers(api_key: str, person: Person, portal_url: str) -> Callable[[str], requests.Session]:
    """Somebody with a key for the API, somebody who has signed in for the web app, and a customer with a link."""
    by_key, by_session, by_link = requests.Session(), requests.Session(), requests.Session()
    by_link.headers["Authorization"] = f"Bearer {portal_url.rsplit('/', 1)[-1]}"
    by_key.headers["Authorization"] = f"Bearer {api_key}"
    by_session.headers["X-Lago-Organization"] = person.organization_id
    cookies = person.browser.cookies.items()
    by_session.headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
    known = {"app": by_session, "portal": by_link}
    return lambda path: known.get(path.split("/")[1], by_key)


async def portal_url_of(client: Any) -> str:
    """A link to the portal of a customer who is there."""
    listed = await kit.get(client, "/customers", per_page=1)
    (who,) = listed["customers"]
    found = await kit.get(client, f"/customers/{who['external_id']}/portal_url")
    return str(found["customer"]["portal_url"])


@pytest.fixture
async def try_out(server: str, make_organization: Any, application: Running) -> Any:
    """Try a document out, each round in a world of its own, whose laws of money hold in the end."""

    async def run(
        document: Json,
        checks: tuple[str, ...],
        *,
        below: str = "",
        examples: int,
        is_known: Callable[[tuple[str, ...]], bool] = lambda _: False,
    ) -> tuple[dict[tuple[str, ...], str], Counter[int]]:
        faults: dict[tuple[str, ...], str] = {}
        statuses: Counter[int] = Counter()
        other = await make_organization("2026-01-01T00:00:00Z", name=SECRET)
        foreign = await settle(other.client, OURS)
        # Nobody is to say it: what a caller has said itself may be answered, in their own API logs for instance.
        foreign.forget(SECRET)
        operations = operations_of(document)
        for number, until in rounds():
            organization = await make_organization("2026-01-01T00:00:00Z")
            known = await settle(organization.client, OURS)
            known.foreign = foreign
            fuzz = Fuzz(
                operations=operations,
                base_url=server + below,
                known=known,
                caller_of=callers(
                    organization.api_key, await sign_up(application), await portal_url_of(organization.client)
                ),
                checks=checks,
                secret=SECRET,
                passed_over=ENDING,
            )
            await asyncio.to_thread(fuzz.run, number=number, examples=examples, until=until)
            found = {what: shown for what, shown in fuzz.faults.items() if not is_known(what)}
            print(f"round {number}: {dict(fuzz.statuses)}, {len(found)} faults", flush=True)
            if MINUTES and found.keys() - faults:
                # Long before the end, so that somebody can begin to mend.
                print(told(found), flush=True)
            faults |= found
            statuses += fuzz.statuses
            await kit.advance(organization.client, "2026-04-05")
        return faults, statuses

    return run


def is_excepted(what: tuple[str, ...]) -> bool:
    """Whether the contract's document asks for something else than what is answered, and why is known."""
    return any(
        re.fullmatch(operation, what[0]) and re.fullmatch(kind, " ".join(what[2:]))
        for operation, kind, _ in EXCEPT
    )


def told(faults: dict[tuple[str, ...], str]) -> str:
    """What is wrong, each with a call that shows it, and how to have the same calls made again."""
    again = f"TALLYMARK_FUZZ_SEED={SEED} make fuzz MINUTES={MINUTES:g}" if MINUTES else "make test"
    shown = [f"{' | '.join(what)}\n{shown}" for what, shown in sorted(faults.items())]
    return "\n\n".join([*shown, f"Again: {again}"])


@pytest.mark.timeout(900 + MINUTES * 90)
async def test_ours(try_out: Any) -> None:
    faults, statuses = await try_out(OURS, (SERVER_ERRORS, STATUSES, CONTENT_TYPES, SCHEMAS), examples=10)
    assert not faults, told(faults)
    assert statuses[200] > 500, "calls that are all refused try nothing"


@pytest.mark.timeout(900 + MINUTES * 90)
async def test_the_contracts(try_out: Any) -> None:
    if not CONTRACT.exists():
        pytest.skip("the contract's document does not lie beside this checkout")
    document = json.loads(CONTRACT.read_text())
    checks = (SERVER_ERRORS, CONTENT_TYPES, SCHEMAS)
    faults, statuses = await try_out(document, checks, below="/api/v1", examples=6, is_known=is_excepted)
    assert not faults, told(faults)
    assert statuses[200] > 200, "calls that are all refused try nothing"
