"""Performs the Dockerfile's steps in roots that debootstrap makes, and tries what comes out, where there is no container engine.

    make try-image           # as root, on Debian or Ubuntu with debootstrap

`debian:13-slim` and what debootstrap makes of Debian 13 are the same packages but for documentation. Each RUN runs in a chroot with
namespaces of its own for mounts and processes; at the end the image's user runs api and worker as process 1, on a root that is
read-only, against a PostgreSQL of this machine. Nothing stays mounted or running.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
from deploy.container.dockerfile import Instruction, Stage, read

from tallymark.db.embedded import embedded_postgres_server

CONTEXT = Path(__file__).resolve().parents[2]
DOCKERFILE = Path(__file__).with_name("Dockerfile")
SUITE = "trixie"
"""Debian 13, which the base's tag names."""

LENT_FILES = ("/etc/resolv.conf", "/etc/pip.conf", "/root/.npmrc", "/usr/local/share/ca-certificates")
LENT_VARIABLES = (
    "PIP_",
    "UV_",
    "NPM_",
    "SSL_CERT_",
    "NODE_EXTRA_CA",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
"""How a machine that reaches the registries by a proxy says so; the container engine would pass it on in the same way."""

STOP_SECONDS = 30
DATABASE_HOST = "127.0.0.54"
"""An address of this machine on which nobody else has a PostgreSQL."""

HARDENED = """
mount --bind "$ROOT" "$ROOT"
mount --bind "$DATA" "$ROOT/var/lib/tallymark"
mount -o remount,bind,ro "$ROOT"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
"""
"""What `read_only: true`, a volume and `tmpfs: [/tmp]` do."""


def say(what: str) -> None:
    print(what, flush=True)  # noqa: T201


@dataclass(slots=True)
class Root:
    """A folder that becomes a stage's file system, with what its instructions have set so far."""

    path: Path
    env: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    folder: str = "/"
    user: str = "0:0"

    def command(self, arguments: Sequence[str], *, before: str = "") -> list[str]:
        """What runs a command in it, with its own view of mounts and processes; both are gone when it ends."""
        inside = f"cd {shlex.quote(self.folder)} && exec {shlex.join(arguments)}"
        uid, _, gid = self.user.partition(":")
        root = shlex.quote(str(self.path))
        script = f"""set -e
ROOT={root}
{before}
mount --rbind /dev {root}/dev
mount -t proc proc {root}/proc
exec {shutil.which("chroot")} --userspec={uid}:{gid} --groups= {root} /bin/sh -c {shlex.quote(inside)}
"""
        return [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--propagation",
            "private",
            "/bin/sh",
            "-c",
            script,
        ]


class Build:
    """Performs stages below a folder."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._roots: dict[str, Root] = {}

    def base(self) -> Path:
        """What debootstrap makes, once."""
        made = self._work / SUITE
        if not (made / "etc" / "debian_version").exists():
            shutil.rmtree(made, ignore_errors=True)
            say(f"debootstrap {SUITE}")
            subprocess.run(
                ["debootstrap", "--variant=minbase", SUITE, str(made)], check=True, stdout=subprocess.DEVNULL
            )
        return made

    def perform(self, stage: Stage) -> Root:
        """All instructions of a stage, on a fresh copy of the base."""
        root = Root(self._work / (stage.name or "final"))
        if root.path.exists():
            shutil.rmtree(root.path)
        subprocess.run(["cp", "--archive", "--reflink=auto", str(self.base()), str(root.path)], check=True)
        lent = lend(root.path)
        for instruction in stage.instructions:
            began = time.monotonic()
            self._perform(root, instruction)
            if instruction.word in {"RUN", "COPY"}:
                say(f"{time.monotonic() - began:7.1f} s  {instruction.word} {instruction.rest[:100]}")
        for path in lent:
            path.unlink(missing_ok=True)
        self._roots[stage.name or "final"] = root
        return root

    def _perform(self, root: Root, instruction: Instruction) -> None:
        match instruction.word:
            case "SHELL":
                root.shell = instruction.as_list()
            case "ENV":
                root.env |= instruction.as_pairs()
            case "WORKDIR":
                root.folder = instruction.rest
                inside(root, instruction.rest).mkdir(parents=True, exist_ok=True)
            case "USER":
                root.user = instruction.rest
            case "COPY":
                self._copy(root, shlex.split(instruction.rest))
            case "RUN":
                # DEBIAN_FRONTEND as the terminal of a build is: there is none.
                env = root.env | borrowed() | {"HOME": "/root", "DEBIAN_FRONTEND": "noninteractive"}
                command = root.command([*root.shell, instruction.rest])
                subprocess.run(command, check=True, env=env, stdout=subprocess.DEVNULL)
            case "LABEL" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD":
                pass  # said of the image, not done to it

    def _copy(self, root: Root, words: list[str]) -> None:
        option = words.pop(0) if words[0].startswith("--from=") else None
        *sources, target = words
        where = inside(root, os.path.join(root.folder, target))
        for source in sources:
            if option:
                found = inside(self._roots[option.removeprefix("--from=")], source)
                subprocess.run(
                    ["cp", "--archive", "--no-target-directory", str(found), str(where)], check=True
                )
            elif (CONTEXT / source).is_dir():
                copy_folder(CONTEXT / source, where)
            else:
                shutil.copy2(CONTEXT / source, where / source if target.endswith("/") else where)


def inside(root: Root, path: str) -> Path:
    """A path of the root, as this machine sees it."""
    return root.path / path.lstrip("/")


def lend(root: Path) -> list[Path]:
    """Put in what it takes to reach the registries from here; returns what has to be taken out again."""
    lent = []
    for name in LENT_FILES:
        source, target = Path(name), root / name.lstrip("/")
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
            lent += [target / one.name for one in source.iterdir() if one.is_file()]
        elif source.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
            lent.append(target)
    return lent


def borrowed() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.upper().startswith(LENT_VARIABLES)}


def copy_folder(source: Path, target: Path) -> None:
    """Copy what .dockerignore lets into the build."""
    patterns = ignored_patterns((CONTEXT / ".dockerignore").read_text())
    for folder, folders, files in os.walk(source):
        above = Path(folder).relative_to(CONTEXT)
        folders[:] = [one for one in folders if not is_ignored((above / one).as_posix(), patterns)]
        where = target / Path(folder).relative_to(source)
        where.mkdir(parents=True, exist_ok=True)
        for file in files:
            if not is_ignored((above / file).as_posix(), patterns):
                shutil.copy2(Path(folder) / file, where / file)


def ignored_patterns(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a path stays out of the build: the last pattern that fits it, or a folder above it, says so.

    >>> patterns = ["*", "!src", "**/*.pyc", "src/dist"]
    >>> [is_ignored(name, patterns) for name in ("data/x", "src/a.py", "src/a/b.pyc", "src/dist/x")]
    [True, False, True, True]
    """
    parts = name.split("/")
    above = ["/".join(parts[: length + 1]) for length in range(len(parts))]
    found = False
    for pattern in patterns:
        plain = pattern.removeprefix("!").removesuffix("/")
        tails = ["/".join(parts[start : end + 1]) for end in range(len(parts)) for start in range(end + 1)]
        if any(fits(one, plain) for one in (tails if plain.startswith("**/") else above)):
            found = not pattern.startswith("!")
    return found


def fits(name: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("**/")
    return name.count("/") == pattern.count("/") and fnmatch.fnmatchcase(name, pattern)


class Trial:
    """Runs the image's commands as a container engine would: its user, a read-only root, process 1."""

    def __init__(self, root: Root, stage: Stage, work: Path, variables: dict[str, str]) -> None:
        self._root, self._work = root, work
        self._entrypoint, self._default = stage.last("ENTRYPOINT").as_list(), stage.last("CMD").as_list()
        self._env = root.env | variables
        self.port = variables["TALLYMARK_PORT"]
        self._data = work / "volume"
        shutil.rmtree(self._data, ignore_errors=True)
        self._data.mkdir()
        os.chown(self._data, *map(int, root.user.split(":")))

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return self._root.command(arguments, before=f"DATA={shlex.quote(str(self._data))}\n{HARDENED}")

    def run(
        self, *arguments: str, is_plain: bool = False, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """One command to its end, in a container of its own; a plain one is no argument of the entry point."""
        command = self._command(arguments if is_plain else [*self._entrypoint, *arguments])
        env = self._env | variables
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=300)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Container]:
        """A container that runs until it is told to stop."""
        log = self._work / f"{(arguments or self._default)[0]}.log"
        with log.open("w") as output:
            command = self._command([*self._entrypoint, *(arguments or self._default)])
            process = subprocess.Popen(command, env=self._env, stdout=output, stderr=output)
            container = Container(process, self, log)
            try:
                yield container
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()

    def enter(self, process: int, *arguments: str) -> int:
        """Run a command in a running container, as a health check is; returns its exit code."""
        uid, _, gid = self._root.user.partition(":")
        command = [
            "nsenter",
            "--target",
            str(process),
            "--mount",
            "--pid",
            "--root",
            "--wd",
            "--setuid",
            uid,
            "--setgid",
            gid,
        ]
        done = subprocess.run(
            [*command, *arguments], env=self._env, capture_output=True, check=False, timeout=60
        )
        return done.returncode


@dataclass
class Container:
    """What `Trial.running` has started."""

    process: subprocess.Popen[bytes]
    trial: Trial
    log: Path

    def first_process(self) -> psutil.Process:
        """Process 1 of the container, as this machine sees it."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            children = psutil.Process(self.process.pid).children()
            if children and children[0].name() not in {"sh", "chroot", "mount", "unshare"}:
                return children[0]
            time.sleep(0.1)
        raise AssertionError(f"it did not start:\n{self.log.read_text()}")

    def wait_until_healthy(self, *check: str, seconds: float = 120) -> float:
        """Until the health check passes; returns how long that took."""
        began = time.monotonic()
        process = self.first_process().pid
        while time.monotonic() - began < seconds:
            assert self.process.poll() is None, self.log.read_text()
            if self.trial.enter(process, *check) == 0:
                return time.monotonic() - began
            time.sleep(0.5)
        raise AssertionError(f"not healthy in time:\n{self.log.read_text()}")

    def stop(self) -> float:
        """SIGTERM to process 1; returns how long it took to end. It has to end with 0."""
        began = time.monotonic()
        self.first_process().send_signal(signal.SIGTERM)
        code = self.process.wait(STOP_SECONDS)
        assert code == 0, f"ended with {code}:\n{self.log.read_text()}"
        return time.monotonic() - began


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def megabytes(path: Path) -> int:
    done = subprocess.run(
        ["du", "--summarize", "--block-size=1M", str(path)], check=True, capture_output=True, text=True
    )
    return int(done.stdout.split()[0])


def look_at(root: Root, base: Path) -> None:
    """What is in the image, and what is not."""
    say(f"the image has {megabytes(root.path)} MB, of which {megabytes(base)} are the base's")
    leftovers = [
        name
        for name in ("gcc", "cc", "make", "pip", "uv", "node", "npm", "git", "initdb")
        if find(root, name)
    ]
    assert leftovers == [], f"build tools are left in the image: {leftovers}"


def find(root: Root, program: str) -> bool:
    return any((inside(root, folder) / program).exists() for folder in root.env["PATH"].split(":"))


def try_it(trial: Trial, check: Sequence[str]) -> None:
    """All that the image promises."""
    told = trial.run("version")
    assert told.returncode == 0, told.stderr
    say(f"version: {told.stdout.strip()}")
    for path in ("/opt/tallymark/x", "/x"):
        assert trial.run("/bin/touch", path, is_plain=True).returncode != 0, f"{path} can be written"
    assert trial.run("/bin/touch", "/var/lib/tallymark/x", "/tmp/x", is_plain=True).returncode == 0
    say("only the volume and /tmp can be written")
    refused = trial.run("up", DATABASE_URL="")
    assert refused.returncode == 1, "the embedded database is in the image"
    say(f"up, without a database: {refused.stderr.strip()}")
    for attempt in (1, 2):
        done = trial.run("migrate", "--wait", "60")
        assert done.returncode == 0, done.stderr
        say(f"migrate, {attempt}: {done.stdout.strip()}")
    with trial.running() as api, trial.running("worker") as worker:
        say(f"api: healthy after {api.wait_until_healthy(*check):.1f} s, as {user_of(api)}")
        say(
            f"worker: healthy after {worker.wait_until_healthy('tallymark', 'health', '--worker'):.1f} s, as {user_of(worker)}"
        )
        for path in ("/health", "/ready", "/", "/api-docs"):
            answer = httpx.get(f"http://127.0.0.1:{trial.port}{path}", timeout=10)
            assert answer.status_code == 200, (path, answer.status_code)
            say(f"GET {path}: {answer.status_code} {answer.headers['content-type']} {answer.text[:60]!r}")
        made = trial.run("orgs", "create", "--name", "Acme", "--json")
        assert made.returncode == 0, made.stderr
        say("orgs create: done")
        say(f"worker: ended {worker.stop():.1f} s after SIGTERM, with 0")
        say(f"api: ended {api.stop():.1f} s after SIGTERM, with 0")
    done = trial.run("backup", "/var/lib/tallymark/backups", "--json")
    assert done.returncode == 0, done.stderr
    place = json.loads(done.stdout)["backup"]
    say(f"backup: {place}")
    done = trial.run("restore", place, "--replace")
    assert done.returncode == 0, done.stdout + done.stderr
    say(f"restore: {' '.join(done.stdout.split())}")


def user_of(container: Container) -> str:
    return ":".join(
        str(one) for one in (container.first_process().uids().real, container.first_process().gids().real)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, help="a folder of a gigabyte or two, kept afterwards (default: a temporary one)"
    )
    parser.add_argument(
        "--only-try", action="store_true", help="with --work: try what was built there before"
    )
    chosen = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        sys.exit("This needs root, and the package debootstrap.")
    with tempfile.TemporaryDirectory(prefix="tallymark-root-") as made:
        work = (chosen.work or Path(made)).resolve()
        work.mkdir(parents=True, exist_ok=True)
        build, stages = Build(work), read(DOCKERFILE)
        if chosen.only_try:
            root = Root(work / "final")
            root.env |= stages[-1].env
            root.user, root.folder = stages[-1].last("USER").rest, stages[-1].last("WORKDIR").rest
        else:
            root = [build.perform(stage) for stage in stages][-1]
        look_at(root, build.base())
        check = Instruction("CMD", stages[-1].last("HEALTHCHECK").rest.split(" CMD ", 1)[1]).as_list()
        with tempfile.TemporaryDirectory(prefix="tm-") as data:
            Path(data).chmod(0o755)
            with embedded_postgres_server(Path(data) / "d", settings={"listen_addresses": DATABASE_HOST}):
                variables = {
                    "DATABASE_URL": f"postgresql://tallymark@{DATABASE_HOST}/tallymark",
                    "TALLYMARK_PORT": str(free_port()),
                }
                try_it(Trial(root, stages[-1], work, variables), check)
    say("The image holds what it promises.")


if __name__ == "__main__":
    main()
