"""Builds the documentation site: `python docs/site/make.py` into build/site, or `dev` to serve it as it is edited.

The API's description comes from the installed package; its pages are written before Docusaurus builds everything. Node is
found as for the web app (web/build.py).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SITE = Path(__file__).resolve().parent
sys.path.insert(0, str(SITE.parents[1] / "web"))

from build import Npm  # noqa: E402 (a script of the web app, not a package)


def main(arguments: list[str]) -> None:
    """Install what the lock file names, describe the API, and run a script of package.json: `build` by default."""
    npm = Npm.find(SITE)
    npm.install()
    described = describe()
    npm.run("run", "--silent", "pages", "--", "build/hosting")
    npm.run("run", "--silent", "reference", "--", str(described), "build/reference")
    npm.run("run", "--silent", *(arguments or ["build"]))


def describe() -> Path:
    """Write the API's description where the site serves it."""
    folder = SITE / "build" / "static"
    folder.mkdir(parents=True, exist_ok=True)
    command = Path(sys.executable).parent / "tallymark"
    description = folder / "openapi.json"
    description.write_bytes(subprocess.run([command, "openapi"], check=True, capture_output=True).stdout)
    return description


if __name__ == "__main__":
    main(sys.argv[1:])
