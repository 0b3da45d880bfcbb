"""Where settings come from, the environment and the files that it names, how they may be written there, and what they are without."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from tallymark.db.errors import StartupError
from tallymark.db.patience import read_duration

PREFIX = "TALLYMARK_"


def default_data_dir() -> Path:
    """`$XDG_DATA_HOME/tallymark`, or `~/.local/share/tallymark`."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "tallymark"


def half_the_cores() -> int:
    """Of those that this process may use."""
    return len(os.sched_getaffinity(0)) // 2


def _read_duration(written: object) -> timedelta:
    return written if isinstance(written, timedelta) else read_duration(str(written))


Duration = Annotated[timedelta, BeforeValidator(_read_duration)]
"""A time as PostgreSQL writes it: `30s`, `5min`; 0 for none."""


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


class FromEnvironment(BaseSettings):
    """Settings that are read so."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", populate_by_name=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the names are the library's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library calls it by these names
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library calls it by these names
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags first, then variables and the files that they name."""
        return init_settings, EnvironmentAndFiles(settings_cls)


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


def _check_address(written: str) -> str:
    split = urlsplit(written)
    if split.scheme not in ("http", "https") or not split.hostname:
        raise ValueError("it has to be an address that begins with https:// or http://")
    return written


WebAddress = Annotated[str, AfterValidator(_check_address)]
"""An address that browsers and programs can be sent to: with its scheme and a host."""


def _read_object(written: object) -> object:
    try:
        return json.loads(written) if isinstance(written, str) else written
    except ValueError:
        raise ValueError("it has to be an object of JSON") from None


FromJson = (NoDecode, BeforeValidator(_read_object))
"""Marks what is written as an object of JSON: `Annotated[dict[str, str], *FromJson]`."""


def read_address(written: object) -> object:
    """A bare e-mail address as an address that says what it is.

    >>> [read_address(text) for text in ("security@acme.test", "https://acme.test/report", None)]
    ['mailto:security@acme.test', 'https://acme.test/report', None]
    """
    is_bare = isinstance(written, str) and "@" in written and ":" not in written
    return f"mailto:{written}" if is_bare else written
