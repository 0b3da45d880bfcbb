"""The door to prices that are only looked at: the plan editor's calculator and its curve."""

from __future__ import annotations

from tallymark.api.permissions import permitted
from tallymark.api.routing import member_router
from tallymark.rooms.plans.calculator import compute_points
from tallymark.rooms.plans.schemas.prices import ChargePriceOutput, ChargePriceRequest, ChargePriceResponse

router = member_router("app: plans")


@router.post("/charge_prices")
@permitted(
    "plans:view", "plans:create", "plans:update", "charges:create", "charges:update", "subscriptions:create", "subscriptions:update",
)  # fmt: skip
def compute_charge_prices(body: ChargePriceRequest) -> ChargePriceResponse:
    """Price units by a charge that need not be kept anywhere: exact and rounded amounts with what they are made of.

    It is the rating of invoices, for a whole period, before coupons and taxes. Nothing is read and nothing is written.
    """
    # Not a coroutine: a curve of many tiers is computed beside the loop.
    asked = body.charge_price
    points = compute_points(asked.to_question())
    return ChargePriceResponse(charge_price=ChargePriceOutput.of(asked, points))
