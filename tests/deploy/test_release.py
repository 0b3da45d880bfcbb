"""How a release is made: the changelog is turned, the version is named everywhere, and what users notice is told."""

import shutil
import subprocess
from datetime import date

import pytest
from deploy.release import PLACES, Changelog, Refused, hold, is_noticed
from tests.deploy.conftest import ROOT

from deploy import release

DAY = date(2026, 12, 1)
BEFORE = """# Changelog

What users notice.

## Unreleased

- Wallets speak.
- Invoices sing,
  in two lines.

## 0.1.0 — 2026-11-01

- Everything.
"""
AFTER = """# Changelog

What users notice.

## Unreleased

## 0.2.0 — 2026-12-01

- Wallets speak.
- Invoices sing,
  in two lines.

## 0.1.0 — 2026-11-01

- Everything.
"""


def with_line(line, text=BEFORE):
    return text.replace("- Wallets speak.\n", f"- Wallets speak.\n{line}\n")


@pytest.fixture
def root(tmp_path):
    """Each file that names the version, and a changelog, in a folder of its own."""
    for path in {path for path, _ in PLACES}:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    (tmp_path / "CHANGELOG.md").write_text(BEFORE)
    for name in (
        f"{release.MIGRATIONS}/0001_first.py",
        f"{release.MIGRATIONS}/0002_next.py",
        f"{release.WORLDS}/0002.tar.xz",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


class TestTheRepository:
    def test_names_one_version(self):
        named = release.named(ROOT)
        assert len(named) == len(PLACES)
        assert len({version for _, version in named}) == 1, named

    def test_has_a_changelog_that_can_be_turned(self):
        text = (ROOT / "CHANGELOG.md").read_text()
        log = Changelog.of(text)
        assert log.head + log.unreleased + log.released == text


class TestCutting:
    def test_turns_the_changelog(self, root):
        release.cut(root, "0.2.0", DAY)
        assert (root / "CHANGELOG.md").read_text() == AFTER

    def test_begins_with_what_was_never_released(self):
        first = "# Changelog\n\n## Unreleased\n\n- All.\n"
        assert (
            Changelog.of(first).cut("0.1.0", DAY)
            == "# Changelog\n\n## Unreleased\n\n## 0.1.0 — 2026-12-01\n\n- All.\n"
        )

    def test_names_the_version_everywhere_and_changes_nothing_else(self, root):
        old = release.named(root)[0][1]
        before = {path: (root / path).read_text() for path, _ in PLACES}
        release.cut(root, "12.0.3", DAY)
        assert {version for _, version in release.named(root)} == {"12.0.3"}
        for path, text in before.items():
            lines = (root / path).read_text().splitlines()
            changed = [(a, b) for a, b in zip(text.splitlines(), lines, strict=True) if a != b]
            assert len(changed) == sum(place == path for place, _ in PLACES), path
            assert all(b == a.replace(old, "12.0.3") for a, b in changed)
        release.check(root, "v12.0.3")

    def test_is_not_released_with_a_schema_that_has_no_world(self, root):
        release.cut(root, "0.2.0", DAY)
        (root / release.MIGRATIONS / "0003_another.py").touch()
        with pytest.raises(Refused, match="no world of schema 0003"):
            release.check(root, "v0.2.0")

    @pytest.mark.parametrize(
        "version", ["0.0.9", "0.1.0", "1", "1.2", "v0.2.0", "0.2.0rc1", "0.2.0-rc.1", "0.02.0", ""]
    )
    def test_refuses_what_is_no_later_version(self, root, version):
        before = {path: (root / path).read_text() for path, _ in PLACES}
        with pytest.raises(Refused):
            release.cut(root, version, DAY)
        assert (root / "CHANGELOG.md").read_text() == BEFORE
        assert {path: (root / path).read_text() for path, _ in PLACES} == before

    def test_refuses_an_empty_release(self, root):
        (root / "CHANGELOG.md").write_text(AFTER)
        with pytest.raises(Refused, match="nothing is unreleased"):
            release.cut(root, "0.3.0", DAY)

    def test_writes_nothing_where_a_place_no_longer_names_it(self, root):
        (root / "docs/hosting/platforms.md").write_text("Gone.\n")
        with pytest.raises(Refused, match="platforms"):
            release.cut(root, "0.2.0", DAY)
        assert (root / "CHANGELOG.md").read_text() == BEFORE


class TestChecking:
    def test_refuses_a_tag_of_another_version(self, root):
        release.cut(root, "0.2.0", DAY)
        for tag in ("v0.2.1", "0.2.0", "v0.2", "release"):
            with pytest.raises(Refused):
                release.check(root, tag)

    def test_refuses_a_place_that_was_forgotten(self, root):
        release.cut(root, "0.2.0", DAY)
        chart = root / "deploy/helm/tallymark/Chart.yaml"
        chart.write_text(chart.read_text().replace('appVersion: "0.2.0"', 'appVersion: "0.1.0"'))
        with pytest.raises(Refused, match=r"Chart\.yaml names 0\.1\.0"):
            release.check(root, "v0.2.0")

    def test_refuses_a_release_that_the_changelog_does_not_tell_of(self, root):
        release.cut(root, "0.2.0", DAY)
        (root / "CHANGELOG.md").write_text(BEFORE)
        with pytest.raises(Refused, match=r"no release 0\.2\.0"):
            release.check(root, "v0.2.0")

    def test_notes_are_what_stands_below_the_heading(self):
        log = Changelog.of(AFTER)
        assert log.notes("0.2.0") == "- Wallets speak.\n- Invoices sing,\n  in two lines.\n"
        assert log.notes("0.1.0") == "- Everything.\n"
        with pytest.raises(Refused):
            log.notes("0.2")


class TestHolding:
    def test_wants_a_line_for_what_users_notice(self):
        with pytest.raises(Refused, match="no-changelog"):
            hold(BEFORE, BEFORE, ["docs/limits.md", "src/tallymark/app.py"])
        hold(BEFORE, with_line("- Plans dance."), ["src/tallymark/app.py"])
        hold(BEFORE, BEFORE.replace("speak.", "speak and sing."), ["src/tallymark/app.py"])
        hold(BEFORE, AFTER, ["src/tallymark/app.py", "deploy/helm/tallymark/Chart.yaml"])

    def test_is_not_content_with_a_line_less(self):
        with pytest.raises(Refused):
            hold(with_line("- Plans dance."), BEFORE, ["src/tallymark/app.py"])

    @pytest.mark.parametrize(("path", "noticed"), [
        ("src/tallymark/domain/money.py", True),
        ("web/src/pages/plans.tsx", True),
        ("web/src/pages/plans.test.tsx", False),
        ("deploy/container/Dockerfile", True),
        ("deploy/helm/tallymark/values.yaml", True),
        ("compose.yaml", True),
        ("deploy/tools.txt", False),
        ("deploy/release.py", False),
        ("tests/kit.py", False),
        ("docs/limits.md", False),
        (".github/workflows/ci.yml", False),
    ])  # fmt: skip
    def test_knows_what_users_notice(self, path, noticed):
        assert is_noticed(path) is noticed

    def test_keeps_what_was_said_of_releases_that_are_out(self):
        below = BEFORE.replace("- Everything.", "- Everything.\n- Plans dance.")
        with pytest.raises(Refused, match="under Unreleased"):
            hold(BEFORE, below, [])

    def test_reads_both_sides_from_the_history(self, tmp_path):
        def git(*arguments):
            who = ("-c", "user.name=Who", "-c", "user.email=who@example.com", "-c", "commit.gpgsign=false")
            subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

        git("init", "--initial-branch", "main")
        (tmp_path / "CHANGELOG.md").write_text(BEFORE)
        (tmp_path / "src").mkdir()
        (tmp_path / "src" / "a.py").write_text("")
        git("add", ".")
        git("commit", "--message", "Begin")
        git("switch", "--create", "change")
        (tmp_path / "src" / "a.py").write_text("a = 1\n")
        git("commit", "--all", "--message", "Change")
        with pytest.raises(Refused, match=r"src/a\.py"):
            release.told(tmp_path, "main")
        (tmp_path / "CHANGELOG.md").write_text(with_line("- Plans dance."))
        git("commit", "--all", "--message", "Tell")
        release.told(tmp_path, "main")


def test_says_what_it_can_do():
    with pytest.raises(Refused, match=r"release\.py cut"):
        release.main([])
