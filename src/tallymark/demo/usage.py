"""What the customers of the demonstration use: events between two instants, the same every time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

from tallymark.demo.cast import SEED, Buyer

MODELS = ("small", "large", "vision")


def events(buyer: Buyer, plan: str, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
    """What a customer on a plan uses between two instants: more by day, and a little more each month."""
    chance = Random(f"{SEED}:{buyer.number}:{since:%Y-%m-%dT%H}")
    span = until - since
    days = max(span.days, 1)
    growth = 1 + (since.year * 12 + since.month - 2025 * 12) % 24 / 16
    for n, (code, properties) in enumerate(_used(buyer, plan, days, growth, chance)):
        at = since + span * (chance.random() * 0.98 + 0.01)
        yield {
            "transaction_id": f"{buyer.subscription_id}-{since:%y%m%d%H}-{n}",
            "external_subscription_id": buyer.subscription_id,
            "code": code,
            "timestamp": f"{int(at.timestamp())}",
            "properties": properties,
        }


def _used(
    buyer: Buyer, plan: str, days: int, growth: float, chance: Random
) -> Iterator[tuple[str, dict[str, Any]]]:
    size = buyer.size
    if plan == "team":
        if chance.random() < 0.5 * min(days, 2):
            yield "seats", {"user_id": f"user-{chance.randrange(4 + size * 3)}"}
        yield "projects", {"count": 4 + size * 2 + int(growth * 3)}
    if plan in ("ai", "enterprise"):
        for _ in range(min(1 + days, 4)):
            tokens = int(chance.lognormvariate(13, 0.8) * size * growth * days / min(1 + days, 4))
            yield "ai_tokens", {"tokens": tokens, "model": chance.choice(MODELS)}
    if plan in ("ai", "annual"):
        for _ in range(min(2 * size + 1, 8)):
            yield "api_requests", {"path": "/v1/run"}
    if plan == "ai":
        yield "peak_memory", {"gb": round(chance.uniform(2, 6) * size, 1)}
    if plan in ("prepaid", "enterprise"):
        for _ in range(min(1 + days, 3)):
            seconds = int(chance.uniform(150, 900) * size * growth * days)
            yield "compute_seconds", {"seconds": seconds, "region": chance.choice(("eu", "eu", "us"))}
        yield "egress", {"megabytes": int(chance.uniform(900, 9_000) * size)}
    if plan == "enterprise":
        yield "storage", {"gb": round(chance.uniform(2, 20) * size, 1)}
