"""The house rules that no linter knows; the arrows between modules are import-linter's (`make check`)."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tallymark"

LONGEST_FILE = 500
LONGEST_FUNCTION = 70

# The one place that reads the system's clock.
MAY_READ_THE_CLOCK = {"rooms/organizations/access.py"}

# Migrations are written once, by a machine, and never touched again.
GENERATED = "db/migrations/versions/"

# A ratchet: what is longer today may shrink and may not grow. Nothing is ever added here.
LONGER_FILES: dict[str, int] = {}
LONGER_FUNCTIONS: dict[str, int] = {}

CLOCK_CALLS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "date.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}
FLOATING_MATH = {"math.floor", "math.ceil", "math.fsum", "math.sqrt", "math.pow"}


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def sources(*folders: str) -> list[Path]:
    found = sorted(path for folder in folders or ("",) for path in (SOURCE / folder).rglob("*.py"))
    assert found, f"no source below {folders}"
    return [path for path in found if not name_of(path).startswith(GENERATED)]


def calls(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def where(path: Path, line: int, what: str) -> str:
    return f"{name_of(path)}:{line}: {what}"


class TestMoney:
    def test_knows_no_float(self) -> None:
        found = []
        for path in sources("domain", "rooms", "metering"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(func=ast.Name(id="float")):
                        found.append(where(path, node.lineno, "float()"))
                    case ast.Constant(value=float()):
                        found.append(where(path, node.lineno, f"the literal {node.value!r}"))
                    case ast.Call(func=ast.Attribute()) if ast.unparse(node.func) in FLOATING_MATH:
                        found.append(where(path, node.lineno, ast.unparse(node.func)))
        allowed = "rooms/organizations/access.py"  # seconds of a cache, no money
        assert [line for line in found if not line.startswith(allowed)] == []

    def test_is_not_rounded_by_the_way(self) -> None:
        found = [
            where(path, line, "round()")
            for path in sources("domain", "rooms", "metering")
            for line, call in calls(path)
            if call == "round"
        ]
        assert found == [], "round() rounds half to even; domain/money.py has the one rounding there is"


class TestTime:
    def test_comes_in_as_an_argument(self) -> None:
        found = [
            where(path, line, call)
            for path in sources("domain", "rooms", "metering", "jobs", "api")
            if name_of(path) not in MAY_READ_THE_CLOCK
            for line, call in calls(path)
            if call in CLOCK_CALLS
        ]
        assert found == []

    def test_is_not_asked_of_the_database(self) -> None:
        """Its `now()` is the system's, and a simulated organization has another one."""
        found = [
            where(path, line, call)
            for path in sources("rooms")
            for line, call in calls(path)
            if call in {"func.now", "func.current_timestamp", "func.clock_timestamp", "func.current_date"}
        ]
        assert found == []


class TestRooms:
    def test_are_entered_through_their_service_or_model(self) -> None:
        found = []
        for path in sources("rooms"):
            own = name_of(path).split("/")[1]
            for node in ast.walk(ast.parse(path.read_text())):
                for module, line in imported(node):
                    parts = module.split(".")
                    is_other_room = parts[:2] == ["tallymark", "rooms"] and len(parts) > 2 and parts[2] != own
                    if is_other_room and "repository" in parts:
                        found.append(where(path, line, module))
        assert found == []

    def test_say_what_they_own(self) -> None:
        rooms = {path.parent for path in (SOURCE / "rooms").glob("*/__init__.py")}
        assert [room.name for room in sorted(rooms) if not (room / "README.md").exists()] == []

    def test_open_no_transaction_in_a_service(self) -> None:
        """Whoever opens a transaction commits it; services are handed one."""
        found = []
        for path in sources("rooms"):
            if path.name == "service.py" or path.parent.name == "service":
                found += [
                    where(path, line, call)
                    for line, call in calls(path)
                    if call.endswith((".commit", ".rollback", ".transaction"))
                ]
        assert found == []


def imported(node: ast.AST) -> list[tuple[str, int]]:
    match node:
        case ast.Import(names=names):
            return [(alias.name, node.lineno) for alias in names]
        case ast.ImportFrom(module=str(module), names=names):
            return [(f"{module}.{alias.name}", node.lineno) for alias in names]
    return []


class TestSize:
    def test_of_files(self) -> None:
        lengths = {name_of(path): len(path.read_text().splitlines()) for path in sources()}
        assert too_long(lengths, LONGEST_FILE, LONGER_FILES) == {}

    def test_of_functions(self) -> None:
        lengths = {}
        for path in sources():
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    assert node.end_lineno is not None
                    lengths[f"{name_of(path)}:{node.name}"] = node.end_lineno - node.lineno + 1
        assert too_long(lengths, LONGEST_FUNCTION, LONGER_FUNCTIONS) == {}


def too_long(lengths: dict[str, int], limit: int, known: dict[str, int]) -> dict[str, int]:
    return {name: length for name, length in lengths.items() if length > max(limit, known.get(name, 0))}


class TestNames:
    @pytest.mark.parametrize("word", ["utils", "common", "helpers", "kit", "misc", "manager"])
    def test_have_a_home(self, word: str) -> None:
        assert [name_of(path) for path in sources() if word in path.with_suffix("").parts] == []


class TestExceptions:
    def test_from_a_rule_say_which_and_why(self) -> None:
        unexplained = re.compile(r"#\s*(type: ignore(\[[^]]*\])?|noqa(: [A-Z0-9, ]+)?)\s*$")
        silent = [
            where(path, number, line.strip())
            for path in sources()
            for number, line in enumerate(path.read_text().splitlines(), 1)
            if unexplained.search(line)
        ]
        assert silent == []


class TestModules:
    def test_open_with_a_sentence(self) -> None:
        silent = [
            name_of(path) for path in sources() if ast.get_docstring(ast.parse(path.read_text())) is None
        ]
        assert [name for name in silent if not name.startswith("db/migrations/")] == []


@pytest.mark.parametrize("folder", ["src/tallymark/db/migrations/versions", "docs/decisions"])
def test_what_is_numbered_has_a_number_of_its_own(folder: str) -> None:
    numbers = [int(path.name[:4]) for path in (ROOT / folder).glob("[0-9][0-9][0-9][0-9]*")]
    assert sorted(numbers) == list(range(1, len(numbers) + 1))
