"""Makes a release out of what is unreleased, and holds the changelog to it.

    python deploy/release.py cut 0.2.0         # `make release VERSION=0.2.0`: CHANGELOG.md and every place that names the version
    python deploy/release.py check v0.2.0      # the tag, every such place and the changelog agree; the schema has a world
    python deploy/release.py notes 0.2.0       # what the changelog says of it
    python deploy/release.py told origin/main  # what users notice since then is in the changelog

It needs nothing but Python and git: workflows run it before anything is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = "CHANGELOG.md"
UNRELEASED = "## Unreleased\n"

PLACES = (
    ("pyproject.toml", r'^version = "(.+)"$'),
    ("uv.lock", r'^name = "tallymark"\nversion = "(.+)"$'),
    ("deploy/helm/tallymark/Chart.yaml", r"^version: (.+)$"),
    ("deploy/helm/tallymark/Chart.yaml", r'^appVersion: "(.+)"$'),
    ("docs/hosting/aws.md", r'/tallymark:([\d.]+)"'),
    ("docs/hosting/containers.md", r"\bTALLYMARK_VERSION=([\d.]+)$"),
    ("docs/hosting/containers.md", r"/tallymark:([\d.]+) "),
    ("docs/hosting/platforms.md", r'\bimage_tag\s+= "(.+)"$'),
    ("docs/operations/errors.md", r"`tallymark@([\d.]+)`"),
)
"""Where the version is named: a file, and what stands around it there, once."""

NOTICED = ("src/", "web/src/", "deploy/", "compose.yaml", "porter.yaml")
"""Whatever users notice is below these."""

UNNOTICED = (
    "deploy/tools.",
    "deploy/release.py",
    "deploy/container/try_in_a_root.py",
    "deploy/worlds/",
    "deploy/monitoring/prometheus/drill/",
)
"""But these, and tests of the web app."""

MIGRATIONS = "src/tallymark/db/migrations/versions"
WORLDS = "tests/upgrades/worlds"
"""A world of each released schema, from which upgrades are tried."""

_HEADING = re.compile(r"^## (\d+\.\d+\.\d+) — \d{4}-\d\d-\d\d$", re.MULTILINE)


class Refused(Exception):
    """A release, or a change, that can't be as it is; the text says why."""


@dataclass(frozen=True, slots=True)
class Changelog:
    """CHANGELOG.md: what stands above everything, what is unreleased, and the releases, newest first."""

    head: str
    unreleased: str
    released: str

    @classmethod
    def of(cls, text: str) -> Changelog:
        """Take it apart; the parts joined are the text."""
        head, mark, rest = text.partition(UNRELEASED)
        if not mark:
            raise Refused(f"{CHANGELOG} has no line {UNRELEASED.strip()!r}")
        newest = _HEADING.search(rest)
        cut = newest.start() if newest else len(rest)
        return cls(head + mark, rest[:cut], rest[cut:])

    def versions(self) -> list[str]:
        """The releases, newest first."""
        return _HEADING.findall(self.released)

    def notes(self, version: str) -> str:
        """What is said of a release."""
        for heading in _HEADING.finditer(self.released):
            if heading[1] == version:
                following = _HEADING.search(self.released, heading.end())
                return self.released[heading.end() : following and following.start()].strip() + "\n"
        raise Refused(f"{CHANGELOG} tells of no release {version}")

    def cut(self, version: str, day: date) -> str:
        """The text in which what was unreleased is a release of this day."""
        entries = self.unreleased.strip()
        if not entries:
            raise Refused("nothing is unreleased")
        below = f"\n{self.released}" if self.released else ""
        return f"{self.head}\n## {version} — {day.isoformat()}\n\n{entries}\n{below}"


def parts(version: str) -> tuple[int, ...]:
    """A version's three numbers; another form is refused: Python, Helm and registries agree on no other."""
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}", version):
        raise Refused(f"{version!r} is no version: three numbers, as 1.4.0")
    return tuple(map(int, version.split(".")))


def named(root: Path) -> list[tuple[str, str]]:
    """Each place that names the version, and the version it names."""
    return [(path, _only(root, path, pattern)[1]) for path, pattern in PLACES]


def cut(root: Path, version: str, day: date) -> None:
    """Turn what is unreleased into a release, and name its version everywhere; nothing is written when it is refused."""
    log = Changelog.of((root / CHANGELOG).read_text())
    current = named(root)[0][1]
    if parts(version) < parts(current) or version in log.versions():
        raise Refused(f"{version} does not come after {current}")
    texts = {CHANGELOG: log.cut(version, day)}
    for path, pattern in PLACES:
        found = _only(root, path, pattern)
        text = texts.get(path, found.string)
        # Of the text that is already changed: two places may be in one file.
        again = re.search(pattern, text, re.MULTILINE)
        assert again is not None
        texts[path] = text[: again.start(1)] + version + text[again.end(1) :]
    for path, text in texts.items():
        (root / path).write_text(text)


def check(root: Path, tag: str) -> None:
    """Refuse a tag that is not of the version that is named everywhere, or that the changelog does not tell of, and a schema
    from which no upgrade could be tried."""
    version = tag.removeprefix("v")
    if tag == version:
        raise Refused(f"{tag!r} is no tag of a release: v and its version")
    parts(version)
    for path, other in named(root):
        if other != version:
            raise Refused(f"{path} names {other}, the tag {version}")
    log = Changelog.of((root / CHANGELOG).read_text())
    log.notes(version)
    if log.versions()[0] != version:
        raise Refused(f"{CHANGELOG} has a newer release: {log.versions()[0]}")
    schema = max(path.name[:4] for path in (root / MIGRATIONS).glob("[0-9]*.py"))
    if not (root / WORLDS / f"{schema}.tar.xz").exists():
        raise Refused(f"{WORLDS} has no world of schema {schema}: `make release` makes it")


def hold(before: str, after: str, changed: list[str]) -> None:
    """Refuse a change that users notice and that is told nowhere, or told below a release that is out."""
    old, new = Changelog.of(before), Changelog.of(after)
    if not new.released.endswith(old.released):
        raise Refused(
            f"what {CHANGELOG} says of releases that are out has changed: new lines belong under Unreleased"
        )
    noticed = [path for path in changed if is_noticed(path)]
    told = (
        set(new.unreleased.splitlines()) - set(old.unreleased.splitlines())
        or new.versions() != old.versions()
    )
    if noticed and not told:
        raise Refused(
            f"{noticed[0]} changes, and {CHANGELOG} says nothing new under Unreleased. "
            "If users don't notice, label the pull request `no-changelog`."
        )


def is_noticed(path: str) -> bool:
    """Whether users may notice a change of this file."""
    return path.startswith(NOTICED) and not path.startswith(UNNOTICED) and ".test." not in path


def told(root: Path, base: str) -> None:
    """Hold what is committed since the base against the changelog."""

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
        return done.stdout

    origin = git("merge-base", base, "HEAD").strip()
    changed = git("diff", "--name-only", origin, "HEAD").splitlines()
    hold(git("show", f"{origin}:{CHANGELOG}"), git("show", f"HEAD:{CHANGELOG}"), changed)


def _only(root: Path, path: str, pattern: str) -> re.Match[str]:
    found = list(re.finditer(pattern, (root / path).read_text(), re.MULTILINE))
    if len(found) != 1:
        raise Refused(f"{path} has {len(found)} places like {pattern}, not one")
    return found[0]


def main(arguments: list[str], root: Path = ROOT) -> str:
    """Carry out one of the commands above; returns what is printed."""
    match arguments:
        case ["cut", version]:
            cut(root, version, datetime.now(UTC).date())
            return (
                f"Look at `git diff`, then: git commit --all --message 'Release {version}', have it merged, and\n"
                f"on main: git tag --sign v{version} --message 'Tallymark {version}' && git push origin v{version}\n"
            )
        case ["check", tag]:
            check(root, tag)
        case ["notes", version]:
            return Changelog.of((root / CHANGELOG).read_text()).notes(version)
        case ["told", base]:
            told(root, base)
        case _:
            raise Refused((__doc__ or "").strip())
    return ""


if __name__ == "__main__":
    try:
        sys.stdout.write(main(sys.argv[1:]))
    except Refused as refusal:
        sys.exit(str(refusal))
