"""The doors to correcting events, and to what they were."""

from __future__ import annotations

from fastapi import Request

from tallymark.api.context import Context, InContext
from tallymark.api.refusals import not_allowed
from tallymark.api.routing import tenant_router
from tallymark.rooms.adjustments.model import UNTOLD
from tallymark.rooms.amendments import service
from tallymark.rooms.amendments.schemas import (
    AmendRequest,
    CorrectedEventOutput,
    CorrectedEventResponse,
    CorrectionInput,
    VersionOutput,
    VersionsResponse,
    VoidRequest,
    read_changes,
)
from tallymark.rooms.corrections import service as corrections
from tallymark.rooms.corrections.model import Author

router = tenant_router("events", resource="event")
REFUSALS = ("event_archived", "period_already_invoiced", *UNTOLD)


@router.post("/events/{transaction_id:path}/amend", responses=not_allowed(*REFUSALS))
async def amend_event(
    transaction_id: str, body: AmendRequest, request: Request, context: InContext
) -> CorrectedEventResponse:
    """Give an event a new version; only what is sent changes, and a voided one counts again."""
    changes = read_changes(await request.body())
    async with context.transaction() as tx:
        event, version = await service.amend(
            tx,
            transaction_id=transaction_id,
            external_subscription_id=body.event.external_subscription_id,
            changes=changes,
            author=_author(body.event, context),
        )
    return CorrectedEventResponse(event=CorrectedEventOutput.of(event, version))


@router.post("/events/{transaction_id:path}/void", responses=not_allowed("event_already_voided", *REFUSALS))
async def void_event(transaction_id: str, body: VoidRequest, context: InContext) -> CorrectedEventResponse:
    """Have an event count nowhere; amending it brings it back."""
    async with context.transaction() as tx:
        event, version = await service.void(
            tx,
            transaction_id=transaction_id,
            external_subscription_id=body.event.external_subscription_id,
            author=_author(body.event, context),
        )
    return CorrectedEventResponse(event=CorrectedEventOutput.of(event, version))


@router.get("/events/{transaction_id:path}/versions")
async def list_event_versions(
    transaction_id: str, context: InContext, external_subscription_id: str = ""
) -> VersionsResponse:
    """All versions of an event: what it was, who changed it, when, and why."""
    async with context.transaction() as tx:
        versions = await corrections.list_versions(
            tx, transaction_id=transaction_id, external_subscription_id=external_subscription_id
        )
    return VersionsResponse(versions=[VersionOutput.of(version) for version in versions])


def _author(sent: CorrectionInput, context: Context) -> Author:
    actor = context.actor
    return Author(
        api_key_id=actor.api_key_id, user_email=actor.user_email, reason=sent.reason, now=context.now
    )
