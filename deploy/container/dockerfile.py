"""A Dockerfile as values: its stages and their instructions, with variables put in.

It knows what our Dockerfile uses, and refuses what it does not know.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_KNOWN = frozenset(
    [
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """A word and what follows it, as written, on one line."""

    word: str
    rest: str

    def as_list(self) -> list[str]:
        """What follows, where it is a list in JSON, as of CMD."""
        found: list[str] = json.loads(self.rest)
        return found

    def as_pairs(self) -> dict[str, str]:
        """What follows, where it is NAME=VALUE several times, as of ENV."""
        return dict(part.split("=", 1) for part in shlex.split(self.rest))


@dataclass(slots=True)
class Stage:
    """What is made from one FROM."""

    base: str
    name: str | None
    instructions: list[Instruction] = field(default_factory=list)

    def last(self, word: str) -> Instruction:
        """The one of its kind that counts, of those that count once. Raises ValueError where there is none."""
        found = [one for one in self.instructions if one.word == word]
        if not found:
            raise ValueError(f"the stage has no {word}")
        return found[-1]

    @property
    def env(self) -> dict[str, str]:
        """The variables that its containers have."""
        found: dict[str, str] = {}
        for one in self.instructions:
            if one.word == "ENV":
                found |= one.as_pairs()
        return found


def read(path: Path, arguments: Mapping[str, str] | None = None) -> list[Stage]:
    """The stages of a Dockerfile; `arguments` go over the defaults of its ARGs. Raises ValueError for what is not known here."""
    stages: list[Stage] = []
    outer: dict[str, str] = {}
    known = outer
    for one in _instructions(path.read_text()):
        if one.word not in _KNOWN:
            raise ValueError(f"this reads no {one.word}")
        rest = _put_in(one.rest, known) if one.word in {"FROM", "LABEL", "USER", "WORKDIR"} else one.rest
        if one.word == "ARG":
            name, _, default = rest.partition("=")
            known[name] = (arguments or {}).get(name, default or outer.get(name, ""))
        elif one.word == "FROM":
            base, _, name = rest.partition(" AS ")
            stages.append(Stage(base.strip(), name.strip() or None))
            known = dict(outer)
        else:
            stages[-1].instructions.append(Instruction(one.word, rest))
    return stages


def _instructions(text: str) -> Iterator[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield Instruction(word.upper(), rest.strip())


def _put_in(text: str, known: Mapping[str, str]) -> str:
    """Variables by their values; those of the environment in a RUN are the shell's to put in."""
    return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), text)
