"""What an import did, found different, held back and left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from tallymark.domain.errors import TallymarkError
from tallymark.moving.likeness import Difference, plain

CREATED, CHANGED, UNCHANGED, FAILED = "created", "changed", "unchanged", "failed"
OUTCOMES = (CREATED, CHANGED, UNCHANGED, FAILED)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of one object."""

    kind: str
    key: str
    text: str


@dataclass(slots=True)
class Report:
    """Filled as the import goes on."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    different: list[tuple[str, str, Difference]] = field(default_factory=list)
    failed: list[Remark] = field(default_factory=list)
    held: list[Remark] = field(default_factory=list)
    notes: list[Remark] = field(default_factory=list)
    left_out: dict[str, int | None] = field(default_factory=dict)

    def count(self, kind: str, outcome: str, number: int = 1) -> None:
        """Note what became of some objects."""
        self.counts.setdefault(kind, Counter())[outcome] += number

    def fail(self, kind: str, key: str, why: object) -> None:
        """Note an object that could not be copied."""
        self.count(kind, FAILED)
        self.failed.append(Remark(kind, key, str(why)))

    def differ(self, kind: str, key: str, found: Iterable[Difference]) -> None:
        """Note where a copy is not its original."""
        self.different += [(kind, key, one) for one in found]

    @property
    def changes_nothing(self) -> bool:
        """Whether all that there is was there before."""
        return not any(found[CREATED] or found[CHANGED] for found in self.counts.values())

    @property
    def is_clean(self) -> bool:
        """Whether everything that can be copied is here, and is what it was."""
        return not (self.failed or self.held or self.different)

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "clean": self.is_clean,
            "changes_nothing": self.changes_nothing,
            "objects": {
                kind: {outcome: found[outcome] for outcome in OUTCOMES} for kind, found in self.counts.items()
            },
            "differences": [
                {"kind": kind, "key": key, "field": one.field, "source": one.source, "target": one.target}
                for kind, key, one in self.different
            ],
            "failed": [_as_json(one) for one in self.failed],
            "held_back": [_as_json(one) for one in self.held],
            "notes": [_as_json(one) for one in self.notes],
            "left_out": self.left_out,
        }

    def show(self, console: Console) -> None:
        """The same for people."""
        table = Table("copied", *OUTCOMES, box=None, header_style="bold", padding=(0, 2, 0, 0))
        for kind, found in self.counts.items():
            table.add_row(kind, *(f"{found[outcome]:,}" if found[outcome] else "·" for outcome in OUTCOMES))
        console.print(table)
        if self.different:
            shown = Table("what", "which", "field", "there", "here", box=None, header_style="bold")
            for kind, key, one in self.different:
                shown.add_row(kind, key, one.field, _told(one.source), _told(one.target))
            console.print("\n[bold]Different from the original[/bold]")
            console.print(shown)
        _show(console, "Could not be copied", self.failed)
        _show(console, "Held back: run the import again when this is over", self.held)
        _show(console, "To know", self.notes)
        left = [name if number is None else f"{name} ({number:,})" for name, number in self.left_out.items()]
        console.print(f"\n[bold]Stays where it is[/bold]: {', '.join(left)}", soft_wrap=True)
        if self.changes_nothing and self.is_clean:
            console.print("\nEverything was here already, and is what it is there.")


def _show(console: Console, title: str, remarks: list[Remark]) -> None:
    if not remarks:
        return
    console.print(f"\n[bold]{title}[/bold]")
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for one in remarks:
        table.add_row(one.kind, one.key, one.text)
    console.print(table)


def _as_json(one: Remark) -> dict[str, str]:
    return {"kind": one.kind, "key": one.key, "text": one.text}


def _told(value: Any) -> str:
    return "-" if plain(value) is None else str(value)


def why(error: Exception) -> str:
    """What was wrong with one object, for its owner."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    if isinstance(error, TallymarkError):
        details = getattr(error, "details", None)
        return f"{getattr(error, 'code', type(error).__name__)}{f': {details}' if details else ''}"
    if isinstance(error, LookupError | ValueError):
        return f"an answer can't be read: {type(error).__name__}: {error}"
    return str(error)
