"""What an operator can set of what Tallymark stands on: where it listens, its database, and where its files are."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from pydantic import AliasChoices, Field, model_validator

from tallymark.db.patience import Patience
from tallymark.variables import Duration, FromEnvironment, WebAddress, default_data_dir


class Foundations(FromEnvironment):
    """The first of the settings."""

    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8787, ge=1, le=65535, description="Port the API listens on.")
    internal_host: str = Field(
        "127.0.0.1",
        description="Address of the internal listener, which is for those who run Tallymark and never for the public.",
    )
    internal_port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Port of the internal listener (`/metrics`, `/health`, the back office), by custom 8788; without one there is none.",
    )
    staff: str | None = Field(
        None,
        pattern=r"^\s*(\*|[^\s@,*]+)@[^\s@,*]+(\s*,\s*(\*|[^\s@,*]+)@[^\s@,*]+)*\s*$",
        description="Whom a tailnet may sign in to the back office: logins, with commas between; `*@example.com` is everybody of a domain."
        " Anybody else needs a link.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Where the embedded database and generated files live. Default: ~/.local/share/tallymark.",
    )
    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_DATABASE_URL", "DATABASE_URL"),
        description="An existing PostgreSQL >= 15 to use instead of the embedded one (also read from DATABASE_URL).",
    )
    database_pool_size: int = Field(
        10,
        ge=2,
        le=500,
        validation_alias=AliasChoices("TALLYMARK_DATABASE_POOL_SIZE", "DATABASE_POOL"),
        description="Connections that one process keeps open.",
    )
    database_statement_timeout: Duration = Field(
        "30s",
        validate_default=True,
        validation_alias=AliasChoices(
            "TALLYMARK_DATABASE_STATEMENT_TIMEOUT", "LAGO_DATABASE_STATEMENT_TIMEOUT"
        ),
        description="How long the database may take over one statement of a request, as PostgreSQL writes it: `30s`, `2min`, a number"
        " alone for milliseconds. Then it is answered with 503 `statement_timeout`; 0 means as long as it takes.",
    )
    database_lock_timeout: Duration = Field(
        "20s",
        validate_default=True,
        validation_alias=AliasChoices("TALLYMARK_DATABASE_LOCK_TIMEOUT", "LAGO_DATABASE_LOCK_TIMEOUT"),
        description="How long a request waits for what another one, or a billing run, is changing. Then it is answered with 422"
        " `lock_acquisition_failed`; 0 means as long as it takes.",
    )
    database_job_timeout: Duration = Field(
        "1h",
        validate_default=True,
        description="How long the database may take over one statement of a job, which is then tried again; 0 means as long as it takes.",
    )
    files_url: str | None = Field(
        None,
        description="Where documents are stored: s3://, gs://, az:// or file:// URL. Default: below data_dir.",
    )
    use_s3: bool = Field(
        False,
        validation_alias=AliasChoices("TALLYMARK_USE_S3", "LAGO_USE_AWS_S3"),
        description="Whether documents are stored in the bucket s3_bucket, without a files_url.",
    )
    s3_bucket: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_S3_BUCKET", "LAGO_AWS_S3_BUCKET"),
        description="The bucket that use_s3 means.",
    )
    s3_region: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_S3_REGION", "LAGO_AWS_S3_REGION"),
        description="The region of the S3 bucket, however that is named. Default: AWS_REGION.",
    )
    s3_endpoint: WebAddress | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_S3_ENDPOINT", "LAGO_AWS_S3_ENDPOINT", "AWS_ENDPOINT_URL"),
        description="The address of a server that speaks S3. Default: Amazon's.",
    )
    s3_access_key_id: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_S3_ACCESS_KEY_ID", "LAGO_AWS_S3_ACCESS_KEY_ID"),
        description="Who opens the S3 bucket. Default: AWS_ACCESS_KEY_ID, else what the machine is.",
    )
    s3_secret_access_key: str | None = Field(
        None,
        repr=False,
        validation_alias=AliasChoices("TALLYMARK_S3_SECRET_ACCESS_KEY", "LAGO_AWS_S3_SECRET_ACCESS_KEY"),
        description="The secret of s3_access_key_id. Default: AWS_SECRET_ACCESS_KEY.",
    )
    s3_path_style: bool = Field(
        False,
        validation_alias=AliasChoices("TALLYMARK_S3_PATH_STYLE", "LAGO_AWS_S3_PATH_STYLE"),
        description="Whether the S3 bucket is named in the path, and not in the host's name.",
    )
    use_gcs: bool = Field(
        False,
        validation_alias=AliasChoices("TALLYMARK_USE_GCS", "LAGO_USE_GCS"),
        description="Whether documents are stored in the bucket gcs_bucket of Google's, without a files_url;"
        " GOOGLE_APPLICATION_CREDENTIALS names the file of its key.",
    )
    gcs_bucket: str | None = Field(
        None,
        validation_alias=AliasChoices("TALLYMARK_GCS_BUCKET", "LAGO_GCS_BUCKET"),
        description="The bucket that use_gcs means.",
    )

    @model_validator(mode="after")
    def _names_its_bucket(self) -> Self:
        for kind in ("s3", "gcs"):
            if getattr(self, f"use_{kind}") and not self.files_url and not getattr(self, f"{kind}_bucket"):
                raise ValueError(f"TALLYMARK_USE_{kind.upper()} needs TALLYMARK_{kind.upper()}_BUCKET")
        return self

    @property
    def patience(self) -> Patience:
        """How long the database may take."""
        return Patience(
            request=self.database_statement_timeout,
            lock=self.database_lock_timeout,
            job=self.database_job_timeout,
        )

    @property
    def files_address(self) -> str | None:
        """The URL of where documents are stored; None for a folder below data_dir."""
        if self.files_url is not None:
            return self.files_url
        if self.use_s3:
            return f"s3://{self.s3_bucket}"
        return f"gs://{self.gcs_bucket}" if self.use_gcs else None

    @property
    def files_options(self) -> dict[str, Any]:
        """How the store at `files_address` is opened, as obstore names it; what is not set is left to the environment."""
        if not (self.files_address or "").startswith(("s3://", "s3a://")):
            return {}
        is_plain = (self.s3_endpoint or "").startswith("http://")
        options: dict[str, Any] = {
            "region": self.s3_region,
            "endpoint": self.s3_endpoint,
            "access_key_id": self.s3_access_key_id,
            "secret_access_key": self.s3_secret_access_key,
            "virtual_hosted_style_request": False if self.s3_path_style else None,
            "client_options": {"allow_http": True} if is_plain else None,
        }
        return {name: value for name, value in options.items() if value is not None}
