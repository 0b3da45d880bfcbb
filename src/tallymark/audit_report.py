"""The audit as people and programs read it: every law, and a line for each breach."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.text import Text

from tallymark.rooms.audit.model import Breach, Law
from tallymark.rooms.organizations.model import Entry


@dataclass(slots=True)
class AuditReport:
    """Hears of laws and breaches as they are read; shows them at once where it has a console."""

    console: Console | None = None
    organizations: list[dict[str, Any]] = field(default_factory=list)
    breaches: int = 0
    _of_law: int = 0

    @property
    def holds(self) -> bool:
        """Whether no law was broken."""
        return not self.breaches

    def tell(self, entry: Entry, law: Law, breach: Breach | None) -> None:
        """Take in a breach, or with None that a law was read to its end."""
        of_entry = self._organization(entry)
        if breach is None:
            of_entry["laws"].append({"law": law.name, "says": law.says, "holds": not self._of_law})
            if not self._of_law:
                self._show(Text.assemble(("  ok  ", "green"), f"{law.name:<25}", (law.says, "dim")))
            self._of_law = 0
            return
        if not self._of_law:
            self._show(Text.assemble(("  NO  ", "bold red"), (f"{law.name:<25}", "bold"), law.says))
        self.breaches += 1
        self._of_law += 1
        names = ("law", "place", "expected", "found")
        of_entry["breaches"].append({name: getattr(breach, name) for name in names})
        where = f"{breach.place}: expected {breach.expected}, found {breach.found}"
        self._show(Text.assemble(("      ", ""), (where, "red")))

    def close(self) -> None:
        """Say in one line what came of it."""
        number, kinds = (
            len(self.organizations),
            "organization" if len(self.organizations) == 1 else "organizations",
        )
        if self.holds:
            laws = len(self.organizations[0]["laws"]) if self.organizations else 0
            self._show(Text(f"All {laws} laws hold for {number} {kinds}.", style="bold green"))
        else:
            broken = "1 breach" if self.breaches == 1 else f"{self.breaches} breaches"
            self._show(Text(f"{broken} in {number} {kinds}.", style="bold red"))

    def as_json(self) -> dict[str, Any]:
        """The whole of it."""
        return {"holds": self.holds, "organizations": self.organizations}

    def _organization(self, entry: Entry) -> dict[str, Any]:
        if not self.organizations or self.organizations[-1]["lago_id"] != str(entry.id):
            self._show(Text.assemble((entry.name, "bold"), f" ({entry.slug})"))
            made = {
                "lago_id": str(entry.id),
                "name": entry.name,
                "slug": entry.slug,
                "laws": [],
                "breaches": [],
            }
            self.organizations.append(made)
        return self.organizations[-1]

    def _show(self, line: Text) -> None:
        if self.console is not None:
            self.console.print(line, soft_wrap=True)
