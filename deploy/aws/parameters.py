"""What is said of an installation on AWS: `cdk deploy -c image=… -c publicUrl=…`, or the same under `context` in cdk.json."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


class Refused(Exception):
    """A parameter that is missing or can't be; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """An installation. Sizes of tasks are what Fargate sells: 1024 units are a processor, memory is in MiB."""

    image: str
    """With its tag or digest, of a public registry or of ECR in the same account."""
    public_url: str
    certificate_arn: str
    """Of AWS Certificate Manager, in the region of the stack, for the host of the public URL."""
    alarm_email: str = ""
    architecture: str = "X86_64"
    zones: int = 2
    nat_gateways: int = 1
    api_tasks: int = 2
    api_tasks_most: int = 6
    worker_tasks: int = 2
    cpu: int = 512
    memory: int = 1024
    database_class: str = "t4g.medium"
    database_multi_az: bool = True
    database_storage_gb: int = 50
    database_storage_most_gb: int = 500
    backup_days: int = 14
    log_days: int = 30
    settings: Mapping[str, str]
    """More of docs/settings.md, which stand in the open."""
    secrets: Mapping[str, str]
    """Settings that are secrets: the name, and the ARN of the secret in Secrets Manager that has the value."""

    @classmethod
    def of(cls, context: Callable[[str], Any]) -> Parameters:
        """Read them from a context, in which they are written in camel case, and refuse what can't be."""

        def text(name: str, default: str | None = None) -> str:
            found = context(name)
            if found in (None, ""):
                if default is None:
                    raise Refused(f"{name} is missing: -c {name}=…")
                return default
            return str(found)

        def number(name: str, default: int, *, least: int = 1, most: int = 65536) -> int:
            found = text(name, str(default))
            if not found.isdecimal() or not least <= int(found) <= most:
                raise Refused(f"{name} is a whole number from {least} to {most}, not {found!r}")
            return int(found)

        def one_of(name: str, *allowed: str) -> str:
            found = text(name, allowed[0])
            if found not in allowed:
                raise Refused(f"{name} is one of {', '.join(allowed)}, not {found!r}")
            return found

        def mapping(name: str) -> Mapping[str, str]:
            found = context(name) or {}
            try:
                found = json.loads(found) if isinstance(found, str) else found
            except ValueError as error:
                raise Refused(f"{name} is no JSON: {error}") from None
            if not isinstance(found, Mapping):
                raise Refused(f"{name} is an object of names and texts")
            return {str(key): str(value) for key, value in found.items()}

        zones = number("zones", 2, least=2, most=3)
        api_tasks = number("apiTasks", 2)
        storage = number("databaseStorageGb", 50, least=20)
        read = cls(
            image=text("image"),
            public_url=text("publicUrl"),
            certificate_arn=text("certificateArn"),
            alarm_email=text("alarmEmail", ""),
            architecture=one_of("architecture", "X86_64", "ARM64"),
            zones=zones,
            nat_gateways=number("natGateways", 1, most=zones),
            api_tasks=api_tasks,
            api_tasks_most=number("apiTasksMost", max(6, api_tasks), least=api_tasks),
            worker_tasks=number("workerTasks", 2),
            cpu=number("cpu", 512, least=256),
            memory=number("memory", 1024, least=512, most=122880),
            database_class=text("databaseClass", "t4g.medium"),
            database_multi_az=one_of("databaseMultiAz", "true", "false") == "true",
            database_storage_gb=storage,
            # RDS wants room to grow by a tenth at the least.
            database_storage_most_gb=number(
                "databaseStorageMostGb", storage * 10, least=storage + storage // 10 + 1
            ),
            backup_days=number("backupDays", 14, most=35),
            log_days=number("logDays", 30),
            settings=mapping("settings"),
            secrets=mapping("secrets"),
        )
        if not re.fullmatch(r"https://[\w.-]+", read.public_url):
            raise Refused(f"publicUrl is https:// and a host, not {read.public_url!r}")
        if not re.fullmatch(r"arn:aws[\w-]*:acm:[\w-]+:\d{12}:certificate/[\w-]+", read.certificate_arn):
            raise Refused(f"certificateArn is the ARN of a certificate, not {read.certificate_arn!r}")
        if not re.search(r"(:[\w.-]+|@sha256:[0-9a-f]{64})$", read.image):
            raise Refused(f"image names its release by a tag or a digest: {read.image!r} does not")
        return read
