"""Where settings come from, the environment and the files that it names, and how they may be written there."""

from __future__ import annotations

from pathlib import Path

from pydantic import AliasChoices
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource

from tallymark.db.errors import StartupError

PREFIX = "TALLYMARK_"


class EnvironmentAndFiles(EnvSettingsSource):
    """The environment, in which `NAME_FILE` names the file that has the value of `NAME`: secrets stay out of it."""

    def __init__(self, settings_cls: type[BaseSettings]) -> None:
        super().__init__(settings_cls)
        self.env_vars = {**self.env_vars, **self._read_files()}

    def _read_files(self) -> dict[str, str]:
        found = {}
        for field_name, field in self.settings_cls.model_fields.items():
            for variable in variables_of(field_name, field):
                path = self.env_vars.get(f"{variable}_FILE".lower())
                if path is None:
                    continue
                if self.env_vars.get(variable.lower()) is not None:
                    raise StartupError(f"{variable} and {variable}_FILE are both set: leave one out")
                value = _read_secret(f"{variable}_FILE", Path(path))
                if value:
                    found[variable.lower()] = value
        return found


def _read_secret(variable: str, path: Path) -> str:
    """What the file says, without the line's end that editors leave."""
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise StartupError(f"{variable}: cannot read {path}: {why}") from None


def variables_of(name: str, field: FieldInfo) -> tuple[str, ...]:
    """The variables that set a field, the first of which wins."""
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    return (alias if isinstance(alias, str) else f"{PREFIX}{name}".upper(),)


def read_level(written: object) -> object:
    """A level in any case, and by the names that other programs have for it.

    >>> [read_level(name) for name in ("WARN", "info", "fatal")]
    ['warning', 'info', 'error']
    """
    name = str(written).lower()
    return {"warn": "warning", "fatal": "error"}.get(name, name)


def read_address(written: object) -> object:
    """A bare e-mail address as an address that says what it is.

    >>> [read_address(text) for text in ("security@acme.test", "https://acme.test/report", None)]
    ['mailto:security@acme.test', 'https://acme.test/report', None]
    """
    is_bare = isinstance(written, str) and "@" in written and ":" not in written
    return f"mailto:{written}" if is_bare else written
