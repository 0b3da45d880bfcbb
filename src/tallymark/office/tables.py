"""Lists of the office: each shows what one statement finds, for reading; what can be done to a row is said by its view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, Row, Select, Text, cast, func, literal, or_, select, text
from starlette.requests import Request
from starlette.responses import Response
from starlette_admin import BaseField, DateTimeField, RowActionsDisplayType, RowActionsPosition, StringField
from starlette_admin.exceptions import ActionFailed
from starlette_admin.filters import FilterGroup
from starlette_admin.views import BaseModelView

from tallymark.db.engine import Database
from tallymark.domain.money import currency, fixed, major_units

MOST = 10_000
"""How many rows are counted: nobody looks at the page after them."""

_PATIENCE = text("SET LOCAL statement_timeout = '10s'")


def words(name: str, label: str | None = None, **more: Any) -> BaseField:
    """A column of text."""
    return StringField(name, label=label, filters=[], **more)


def instant(name: str, label: str | None = None, **more: Any) -> BaseField:
    """A column of instants, in UTC."""
    return DateTimeField(name, label=label, filters=[], output_format="yyyy-MM-dd HH:mm:ss", **more)


def money(name: str, label: str, *, of: str = "currency") -> BaseField:
    """A column of amounts in minor units, shown in those of their currency."""

    def shown(_: Request, row: Row[Any]) -> str:
        return amount_text(getattr(row, name), getattr(row, of))

    return StringField(name, label=label, filters=[], getter=shown)


def amount_text(cents: int, code: str) -> str:
    """An amount as it is read.

    >>> amount_text(123456, "EUR"), amount_text(-5, "USD"), amount_text(1200, "JPY")
    ('1,234.56 EUR', '-0.05 USD', '1,200 JPY')
    """
    one = currency(code)
    return f"{fixed(major_units(cents, one), one.exponent):,} {code}"


class TableView(BaseModelView):
    """A list that is read by one statement, whose labels are the names of its fields; `id` is the key."""

    statement: ClassVar[Select[Any]]
    searched: ClassVar[tuple[str, ...]] = ()
    """The labels that a search looks into."""
    newest_first: ClassVar[str] = "id"
    """The label by which rows are in order while nobody asks for another: ids rise with time."""

    pk_attr = "id"
    page_size = 25
    page_size_options: Sequence[int] = (25, 100)
    exporters: Sequence[Any] = ()
    importers: Sequence[Any] = ()
    actions: Sequence[str] | None = ()
    row_actions: Sequence[str] | None = ()
    row_actions_display_type = RowActionsDisplayType.INLINE_LINKS
    row_actions_position = RowActionsPosition.AFTER_COLUMNS
    column_visibility = False
    search_highlight = False

    def __init__(self, database: Database) -> None:
        self.database = database
        self.searchable_fields = list(self.searched)
        self.fields_default_sort = [(self.newest_first, True)]
        super().__init__()

    async def find_all(
        self,
        request: Request,
        skip: int = 0,
        limit: int = 100,
        q: str | None = None,
        sorts: Sequence[tuple[str, str]] | None = None,
        filters: FilterGroup | None = None,
    ) -> Sequence[Any]:
        """A page of rows."""
        found = self._found(q)
        for name, direction in sorts or [(self.newest_first, "desc")]:
            column = found.selected_columns[name]
            found = found.order_by(
                column.desc().nulls_last() if direction == "desc" else column.nulls_first()
            )
        found = found.order_by(found.selected_columns["id"].desc())  # so that no row is on two pages
        found = found.limit(limit if 0 <= limit <= MOST else MOST).offset(skip)
        return await self._read(found)

    async def count(self, request: Request, q: str | None = None, filters: FilterGroup | None = None) -> int:
        """How many there are, `MOST` where there are more."""
        some = self._found(q).with_only_columns(literal(1), maintain_column_froms=True).limit(MOST).subquery()
        (row,) = await self._read(select(func.count().label("count")).select_from(some))
        return int(row[0])

    async def find_by_pk(self, request: Request, pk: Any) -> Any:
        """A row by its key."""
        return next(iter(await self.find_by_pks(request, [pk])), None)

    async def find_by_pks(self, request: Request, pks: list[Any]) -> Sequence[Any]:
        """Rows by their keys."""
        found = self.statement.subquery()
        kind = found.c.id.type.python_type
        try:
            keys = [kind(str(pk)) for pk in pks]
        except ValueError:
            return []
        if kind is int:
            keys = [
                key for key in keys if abs(key) < 2**63
            ]  # no column holds another, nor can be asked for it
        return await self._read(select(found).where(found.c.id.in_(keys)))

    def _found(self, searched: str | None) -> Select[Any]:
        """The statement's rows in which a search finds something."""
        found = self.statement.subquery()
        chosen = select(found)
        if searched:
            pattern = "%" + searched.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
            hits: list[ColumnElement[bool]] = [
                cast(found.c[name], Text).ilike(pattern) for name in self.searched
            ]
            chosen = chosen.where(or_(*hits))
        return chosen

    async def _read(self, statement: Select[Any]) -> Sequence[Any]:
        async with self.database.system() as connection:
            await connection.execute(_PATIENCE)
            found: Sequence[Any] = (await connection.execute(statement)).all()
            return found

    async def handle_row_action(self, request: Request, pk: Any, name: str) -> Response | None:
        """Do something to a row that there is: the library would ask a view to do it to any text."""
        if await self.find_by_pk(request, pk) is None:
            raise ActionFailed("Nothing was done: it is not there.")
        return await super().handle_row_action(request, pk, name)

    def can_create(self, request: Request) -> bool:
        """Nothing is made here."""
        return False

    def can_edit(self, request: Request) -> bool:
        """Nothing is changed but by what a view says can be done."""
        return False

    def can_delete(self, request: Request) -> bool:
        """Nothing is deleted."""
        return False

    def can_export(self, request: Request) -> bool:
        """Tenants' data do not leave by the dozen."""
        return False

    def can_import(self, request: Request) -> bool:
        """Nothing comes in."""
        return False

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Never asked for: the library's base is abstract in it."""
        raise ActionFailed("Nothing is made here.")

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Never asked for either."""
        raise ActionFailed("Nothing is changed here.")

    async def delete(self, request: Request, pks: list[Any]) -> int | None:
        """Nor this."""
        raise ActionFailed("Nothing is deleted here.")
