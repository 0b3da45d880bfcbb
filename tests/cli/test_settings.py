"""Settings under the names that self-hosters know (platform §17)."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from obstore.store import GCSStore, LocalStore, S3Store
from pydantic import ValidationError

from tallymark.cli.terminal import read_settings
from tallymark.db.errors import StartupError
from tallymark.integrations.files import open_store
from tallymark.rooms.webhooks.signing import JwtSigner, read_key
from tallymark.settings import Settings

S3 = {
    "LAGO_USE_AWS_S3": "true",
    "LAGO_AWS_S3_BUCKET": "bills",
    "LAGO_AWS_S3_REGION": "eu-west-1",
    "LAGO_AWS_S3_ENDPOINT": "http://minio:9000",
    "LAGO_AWS_S3_ACCESS_KEY_ID": "who",
    "LAGO_AWS_S3_SECRET_ACCESS_KEY": "hidden",
    "LAGO_AWS_S3_PATH_STYLE": "true",
}


@pytest.fixture
def read(monkeypatch):
    """The settings of some variables."""

    def read(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings()

    return read


def opened(settings, tmp_path):
    return open_store(settings.files_address, settings.files_options, folder=tmp_path)


def test_plain_values_are_read(read):
    found = read(DATABASE_POOL="7", LAGO_LOG_LEVEL="WARN")
    assert (found.database_pool_size, found.log_level) == (7, "warning")


def test_an_empty_variable_is_none(read):
    found = read(
        DATABASE_POOL="", LAGO_USE_AWS_S3="", TALLYMARK_PUBLIC_URL="", LAGO_API_URL="https://api.acme.test"
    )
    assert (found.database_pool_size, found.use_s3) == (10, False)
    assert found.public_url == "https://api.acme.test", "the first that is set"


@pytest.mark.parametrize(
    ("written", "contact"),
    [
        ("security@acme.test", "mailto:security@acme.test"),
        ("mailto:security@acme.test", "mailto:security@acme.test"),
        ("https://acme.test/report", "https://acme.test/report"),
        ("tel:+1-201-555-0123", "tel:+1-201-555-0123"),
    ],
)
def test_a_security_contact_is_an_address(read, written, contact):
    assert read(TALLYMARK_SECURITY_CONTACT=written).security_contact == contact


@pytest.mark.parametrize("written", ["nobody", "http://acme.test", "a@b\nContact: c@d", "mailto:"])
def test_what_is_no_security_contact_is_refused(read, written):
    with pytest.raises(ValidationError, match="security_contact"):
        read(TALLYMARK_SECURITY_CONTACT=written)


def test_where_payment_providers_are_asked_is_an_object_by_kind(read):
    written = '{"stripe": "http://proxy.test/stripe"}'
    assert read(TALLYMARK_PAYMENT_PROVIDER_URLS=written).payment_provider_urls == {
        "stripe": "http://proxy.test/stripe"
    }
    for wrong in ("http://proxy.test", "[]", '{"stripes": "http://proxy.test"}', '{"stripe": "proxy.test"}'):
        with pytest.raises(ValidationError, match=r"(?i)payment_provider_urls"):
            read(TALLYMARK_PAYMENT_PROVIDER_URLS=wrong)


def test_days_of_alerts_are_read_in_any_order(read):
    assert read().termination_alerts == (timedelta(days=45), timedelta(days=15))
    found = read(LAGO_SUBSCRIPTION_TERMINATION_ALERT_SENT_AT_DAYS="1, 30,7")
    assert found.termination_alerts == (timedelta(days=30), timedelta(days=7), timedelta(days=1))


@pytest.mark.parametrize(
    "variable",
    [
        "TALLYMARK_PUBLIC_URL",
        "LAGO_FRONT_URL",
        "AWS_ENDPOINT_URL",
        "SENTRY_DSN",
        "TALLYMARK_SENTRY_BROWSER_DSN",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "TALLYMARK_VIES_URL",
    ],
)
def test_an_address_without_its_scheme_is_refused_by_its_variables_name(monkeypatch, variable):
    for written in (
        "billing.example.com",
        "billing.example.com:8443",
        "https://",
        "ftp://billing.example.com",
    ):
        monkeypatch.setenv(variable, written)
        with pytest.raises(StartupError, match=f"^{variable}: it has to be an address that begins"):
            read_settings()


def test_what_is_wrong_is_told_by_the_name_that_it_was_given_under(monkeypatch):
    monkeypatch.setenv("DATABASE_POOL", "1")
    with pytest.raises(StartupError, match=r"^port: Input should be .*; DATABASE_POOL: Input should be"):
        read_settings(port=0)
    monkeypatch.setenv("DATABASE_POOL", "2")
    monkeypatch.setenv("LAGO_USE_AWS_S3", "true")
    with pytest.raises(StartupError, match=r"^TALLYMARK_USE_S3 needs TALLYMARK_S3_BUCKET$"):
        read_settings()


@pytest.mark.parametrize("days", ["0", "-1", "15;45", "soon", "15,"])
def test_days_that_are_none_are_refused(read, days):
    with pytest.raises(ValidationError):
        read(LAGO_SUBSCRIPTION_TERMINATION_ALERT_SENT_AT_DAYS=days)


class TestFiles:
    def test_are_in_a_folder_by_default(self, read, tmp_path):
        assert isinstance(opened(read(), tmp_path), LocalStore)

    def test_are_in_the_bucket_of_s3(self, read, tmp_path):
        found = read(**S3)
        assert "hidden" not in repr(found)
        store = opened(found, tmp_path)
        assert isinstance(store, S3Store)
        assert store.config == {
            "bucket": "bills",
            "region": "eu-west-1",
            "endpoint": "http://minio:9000",
            "access_key_id": "who",
            "secret_access_key": "hidden",
            "virtual_hosted_style_request": "false",
        }
        assert store.client_options == {"allow_http": "true"}, "as its address says"

    def test_are_at_the_address_that_other_programs_know(self, read, tmp_path):
        store = opened(read(TALLYMARK_FILES_URL="s3://bills", AWS_ENDPOINT_URL="http://minio:9000"), tmp_path)
        assert isinstance(store, S3Store)
        assert store.config["endpoint"] == "http://minio:9000"
        assert store.client_options == {"allow_http": "true"}

    def test_are_where_a_url_says_before_all(self, read, tmp_path):
        store = opened(read(**S3, TALLYMARK_FILES_URL="s3://others/below"), tmp_path)
        assert isinstance(store, S3Store)
        assert (store.config["bucket"], store.prefix, store.config["region"]) == (
            "others",
            "below",
            "eu-west-1",
        )
        assert read(TALLYMARK_FILES_URL="file:///srv/bills").files_options == {}

    def test_are_in_the_bucket_of_google(self, read, tmp_path):
        store = opened(read(LAGO_USE_GCS="true", LAGO_GCS_BUCKET="bills"), tmp_path)
        assert isinstance(store, GCSStore)
        assert store.config == {"bucket": "bills"}

    @pytest.mark.parametrize("switch", ["LAGO_USE_AWS_S3", "LAGO_USE_GCS"])
    def test_need_their_bucket(self, read, switch):
        with pytest.raises(ValidationError, match=r"needs TALLYMARK_\w+_BUCKET"):
            read(**{switch: "true"})


def as_setting(key):
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return base64.b64encode(pem).decode()


def test_webhooks_are_signed_by_the_key_that_is_given():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    shown = JwtSigner(read_key(as_setting(key)), "issuer").public_key()
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert base64.b64decode(shown) == public


@pytest.mark.parametrize(("text", "told"), [
    ("secret, and no Base64", "it is no private key as PEM in Base64, without a passphrase"),
    (base64.b64encode(b"secret").decode(), "it is no private key as PEM in Base64, without a passphrase"),
    (as_setting(ec.generate_private_key(ec.SECP256R1())), "it is no RSA key"),
])  # fmt: skip
def test_another_key_is_refused_untold(text, told):
    with pytest.raises(ValueError, match=told):
        read_key(text)


class TestFilesOfSecrets:
    def test_say_what_the_variable_would(self, read, tmp_path):
        url, key = tmp_path / "url", tmp_path / "key"
        url.write_text("postgresql://tallymark:s3cr3t@db/tallymark\n")
        key.write_text("  two words \r\n")
        found = read(DATABASE_URL_FILE=str(url), SECRET_KEY_BASE_FILE=str(key))
        assert found.database_url == "postgresql://tallymark:s3cr3t@db/tallymark"
        assert found.secret_key == "  two words ", "only the end of the line is the editor's"

    def test_are_under_each_of_a_settings_names(self, read, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("hunter2")
        assert read(TALLYMARK_SMTP_PASSWORD_FILE=str(secret)).smtp_password == "hunter2"
        assert read(LAGO_SMTP_PASSWORD="other").smtp_password == "hunter2", "the first name still wins"

    def test_give_way_to_flags(self, monkeypatch, tmp_path):
        port = tmp_path / "port"
        port.write_text("9000")
        monkeypatch.setenv("TALLYMARK_PORT_FILE", str(port))
        assert (Settings().port, Settings(port=1234).port) == (9000, 1234)

    def test_set_nothing_where_they_are_empty(self, read, tmp_path):
        empty = tmp_path / "empty"
        empty.write_text("\n")
        assert read(TALLYMARK_ADMIN_API_KEY_FILE=str(empty)).admin_api_key is None

    def test_are_not_read_beside_the_variable(self, read, tmp_path):
        secret = tmp_path / "secret"
        secret.write_text("one")
        with pytest.raises(
            StartupError, match="TALLYMARK_ADMIN_API_KEY and TALLYMARK_ADMIN_API_KEY_FILE are"
        ):
            read(TALLYMARK_ADMIN_API_KEY="other", TALLYMARK_ADMIN_API_KEY_FILE=str(secret))

    def test_that_cannot_be_read_are_told_by_name(self, read, tmp_path):
        missing = tmp_path / "missing"
        with pytest.raises(
            StartupError, match=r"TALLYMARK_SECRET_KEY_FILE: cannot read .*missing: No such file"
        ):
            read(TALLYMARK_SECRET_KEY_FILE=str(missing))
        (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(StartupError, match="it is no text"):
            read(TALLYMARK_SECRET_KEY_FILE=str(tmp_path / "binary"))
