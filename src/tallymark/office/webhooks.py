"""Where tenants are told what happens, and each delivery."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Text, cast, func, select
from starlette.requests import Request
from starlette_admin import IntegerField, TextAreaField
from starlette_admin.actions import ActionSelection
from starlette_admin.exceptions import ActionFailed
from starlette_admin.flash import flash

from tallymark.db.tables import organizations, webhook_endpoints, webhooks
from tallymark.domain.errors import NotAllowed, NotFound
from tallymark.jobs.deeds import Verb
from tallymark.office.acting import acting_for, deed, noting, row_deed
from tallymark.office.tables import TableView, instant, words
from tallymark.rooms.webhooks import service


class EndpointsView(TableView):
    """Every tenant's receivers, and how many deliveries failed at each."""

    key = "endpoints"
    display_name = "Endpoint"
    menu_label = "Endpoints"
    icon = "fa-solid fa-tower-broadcast"
    searched = ("id", "organization", "webhook_url", "name")
    statement = select(
        webhook_endpoints.c.id,
        organizations.c.name.label("organization"),
        webhook_endpoints.c.webhook_url,
        webhook_endpoints.c.name,
        webhook_endpoints.c.signature_algo,
        func.coalesce(func.array_to_string(webhook_endpoints.c.event_types, ", "), "every type").label(
            "event_types"
        ),
        select(func.count())
        .select_from(webhooks)
        .where(webhooks.c.endpoint_id == webhook_endpoints.c.id, webhooks.c.status == "failed")
        .correlate(webhook_endpoints)
        .scalar_subquery()
        .label("failed"),
        webhook_endpoints.c.created_at,
    ).join_from(webhook_endpoints, organizations, organizations.c.id == webhook_endpoints.c.organization_id)
    fields = (
        words("organization"),
        words("webhook_url", "URL"),
        words("name"),
        words("signature_algo", "Signed by"),
        words("event_types", "Wants"),
        IntegerField("failed", label="Failed", filters=[]),
        instant("created_at", "Made"),
        words("id", "Id", exclude_from_list=True),
    )


class DeliveriesView(TableView):
    """Each delivery, the newest first; a search for `failed` finds those."""

    key = "deliveries"
    display_name = "Delivery"
    menu_label = "Deliveries"
    icon = "fa-solid fa-paper-plane"
    searched = ("id", "organization", "webhook_url", "webhook_type", "status", "http_status", "object_key")
    row_actions = ("send_again",)
    actions = ("send_all_again",)
    statement = (
        select(
            webhooks.c.id,
            webhooks.c.organization_id,
            organizations.c.name.label("organization"),
            webhooks.c.webhook_type,
            webhooks.c.object_key,
            webhook_endpoints.c.webhook_url,
            webhooks.c.status,
            cast(webhooks.c.http_status, Text).label("http_status"),
            webhooks.c.retries,
            webhooks.c.next_attempt_at,
            webhooks.c.created_at,
            webhooks.c.updated_at,
            webhooks.c.body,
            webhooks.c.response,
        )
        .join_from(webhooks, webhook_endpoints, webhook_endpoints.c.id == webhooks.c.endpoint_id)
        .join(organizations, organizations.c.id == webhooks.c.organization_id)
    )
    fields = (
        words("organization"),
        words("webhook_type", "Type"),
        words("webhook_url", "To"),
        words("status"),
        words("http_status", "HTTP"),
        IntegerField("retries", label="Failed tries", filters=[]),
        instant("created_at", "Made"),
        instant("updated_at", "Changed", exclude_from_list=True),
        instant("next_attempt_at", "Tried next, or last", exclude_from_list=True),
        words("object_key", "Object", exclude_from_list=True),
        TextAreaField("body", filters=[], exclude_from_list=True),
        TextAreaField("response", filters=[], exclude_from_list=True),
        words("id", "Id", exclude_from_list=True),
    )

    async def is_row_action_allowed_for_obj(self, request: Request, name: str, obj: object) -> bool:
        """What has arrived is not sent again."""
        if name == "send_again" and getattr(obj, "status", None) not in ("failed", "retrying"):
            return False
        return await super().is_row_action_allowed_for_obj(request, name, obj)

    @row_deed(
        name="send_again",
        text="Send again",
        confirmation="It is tried once more, at once, with the same body.",
        header="Send this webhook again",
        submit_btn_text="Send again",
        icon_class="fa-solid fa-paper-plane",
    )
    async def send_again(self, request: Request, pk: str) -> None:
        """Have one tried once more."""
        await self._do(request, [pk])

    @deed(
        name="send_all_again",
        text="Send again",
        confirmation="Those that have not arrived are tried once more, at once, with the same bodies.",
        header="Send these webhooks again",
        submit_btn_text="Send again",
        icon_class="fa-solid fa-paper-plane",
    )
    async def send_all_again(self, request: Request, selection: ActionSelection) -> None:
        """Have many tried once more."""
        await self._do(request, await selection.pks())

    async def _do(self, request: Request, pks: list[str]) -> None:
        rows = await self.find_by_pks(request, pks)
        sent = 0
        for row in rows:
            sent += await self._send(request, row.organization_id, row.id, row.webhook_type, row.status)
        if not sent:
            raise ActionFailed("Nothing was done: it has arrived.")
        flash(request, f"{sent} sent again.", "success")

    async def _send(
        self, request: Request, organization_id: UUID, delivery_id: UUID, called: str, status: str
    ) -> bool:
        try:
            async with acting_for(self.database, request, organization_id) as (tx, act):
                after = await service.resend(tx, delivery_id, now=act.now)
                await noting(
                    tx,
                    act,
                    Verb.SENT_AGAIN,
                    ("webhook", delivery_id, called),
                    before={"status": status},
                    after={"status": after.status.value},
                )
        except (NotAllowed, NotFound):
            return False
        return True
