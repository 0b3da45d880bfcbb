"""The settings as a table for people; docs/settings.md is printed from here, and a test holds both equal."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tallymark.settings import Settings
from tallymark.variables import variables_of

_INTRODUCTION = """\
# Settings

A flag of the command line wins over an environment variable, and that over the default. Where a setting has several
variables, the first that is set counts; one that is empty is not set. Each may be given by a file: `NAME_FILE` is the path of what has
the value of `NAME`, for secrets that shall not be in the environment; setting both is refused. `tallymark settings` prints this table; this page is its `--markdown` form.

| variable | default | meaning |
|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: the variables that set it (the first wins), its default as one would write it, its meaning."""

    variables: tuple[str, ...]
    default: str
    meaning: str


def describe() -> list[Setting]:
    """Every setting, in the order in which they are declared."""
    return [
        Setting(variables_of(name, field), _default(field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]


def describe_as_markdown() -> str:
    """The page docs/settings.md."""
    rows = (
        f"| {' '.join(f'`{name}`' for name in setting.variables)} | {_code(setting.default)} | {setting.meaning} |\n"
        for setting in describe()
    )
    return _INTRODUCTION + "".join(rows)


def _default(field: FieldInfo) -> str:
    """Defaults that depend on the machine are told in the meaning."""
    return "" if field.default in (None, PydanticUndefined) else str(field.default)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""
