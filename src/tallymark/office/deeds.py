"""The audit: what staff have done, for reading."""

from __future__ import annotations

from sqlalchemy import select
from starlette_admin import JSONField

from tallymark.db.tables import organizations, staff_deeds
from tallymark.office.tables import TableView, instant, words


class DeedsView(TableView):
    """Each thing that was done here, the last one first."""

    key = "audit"
    display_name = "Deed"
    menu_label = "Audit"
    icon = "fa-solid fa-clipboard-list"
    searched = ("login", "verb", "subject", "subject_id", "organization", "reason")
    statement = select(
        staff_deeds,
        organizations.c.name.label("organization"),
    ).join_from(
        staff_deeds, organizations, organizations.c.id == staff_deeds.c.about_organization_id, isouter=True
    )
    fields = (
        instant("created_at", "When"),
        words("login", "Who"),
        words("verb", "Did"),
        words("subject_type", "To what"),
        words("subject", "Which"),
        words("organization"),
        words("reason"),
        JSONField("before", filters=[], exclude_from_list=True, viewer_collapsed=False),
        JSONField("after", filters=[], exclude_from_list=True, viewer_collapsed=False),
        words("subject_id", "Id of what", exclude_from_list=True),
        words("via", "Signed in by", exclude_from_list=True),
        words("ip_address", "From", exclude_from_list=True),
        words("id", "Id", exclude_from_list=True),
    )
