"""Documents, logos and exports in object storage, on a server that speaks S3 (platform §17), and webhooks signed by a key of one's own."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import boto3
import httpx
import pypdf
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey
from moto.server import ThreadedMotoServer
from tests import kit
from tests.conftest import ADMIN_KEY
from tests.rooms.test_webhooks import Receiver, receiver  # noqa: F401  # a fixture

from tallymark.app import Running, running
from tallymark.settings import Settings

BUCKET, REGION = "bills", "eu-west-1"
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNkYAAAAAYAAjCB0C8AAAAASUVORK5CYII="


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """A server that speaks S3, in this process, with a bucket; its address."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    bucket_of(address).create(CreateBucketConfiguration={"LocationConstraint": REGION})
    yield address
    server.stop()


def bucket_of(address):
    known = {"aws_access_key_id": "who", "aws_secret_access_key": "hidden", "region_name": REGION}
    return boto3.resource("s3", endpoint_url=address, **known).Bucket(BUCKET)


def kept(address) -> dict[str, bytes]:
    """What lies in the bucket, by its key."""
    return {one.key: one.get()["Body"].read() for one in bucket_of(address).objects.all()}


@pytest.fixture(scope="module")
def own_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
async def application(database_url, s3, own_key, tmp_path_factory) -> AsyncIterator[Running]:
    """The application as the environment of a self-hoster configures it."""
    pem = own_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.MonkeyPatch.context() as environment:
        for name, value in {
            "LAGO_USE_AWS_S3": "true",
            "LAGO_AWS_S3_BUCKET": BUCKET,
            "LAGO_AWS_S3_REGION": REGION,
            "LAGO_AWS_S3_ENDPOINT": s3,
            "LAGO_AWS_S3_ACCESS_KEY_ID": "who",
            "LAGO_AWS_S3_SECRET_ACCESS_KEY": "hidden",
            "LAGO_AWS_S3_PATH_STYLE": "true",
            "LAGO_RSA_PRIVATE_KEY": base64.b64encode(pem).decode(),
            "LAGO_API_URL": "http://test",
            "ADMIN_API_KEY": ADMIN_KEY,
        }.items():
            environment.setenv(name, value)
        folder = tmp_path_factory.mktemp("data")
        options = Settings(data_dir=folder, webhooks_allow_private_networks=True)
    async with running(options, database_url) as parts:
        yield parts
    assert [*folder.rglob("*.pdf"), *folder.rglob("*.csv")] == []


@pytest.fixture
async def bill(client):
    """An issued invoice of 12.00 EUR, its tax included."""
    await kit.tax(client, "20")
    add_on = {"name": "Setup", "code": "setup", "amount_cents": 1000, "amount_currency": "EUR"}
    await kit.post(client, "/add_ons", {"add_on": add_on})
    who = await kit.customer(client, external_id="halden", name="Halden & Rowe", currency="EUR")
    body = {"external_customer_id": who["external_id"], "currency": "EUR", "fees": [{"add_on_code": "setup"}]}
    return (await kit.post(client, "/invoices", {"invoice": body}))["invoice"]


async def fetch(application, url, *, expect=200) -> bytes:
    """What a link leads to, for whoever has it."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application.asgi)) as anybody:
        answer = await anybody.get(url)
    assert answer.status_code == expect, answer.text
    return answer.content


async def test_a_document_is_kept_in_the_bucket_and_read_by_its_signed_link(application, client, s3, bill):
    made = (await kit.post(client, f"/invoices/{bill['lago_id']}/download", {}))["invoice"]
    content = await fetch(application, made["file_url"])
    pages = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(content)).pages)
    assert "Halden & Rowe" in pages
    assert "12.00" in pages
    stored = kept(s3)
    assert content in stored.values()
    (key,) = [key for key, held in stored.items() if held == content]
    assert key in made["file_url"]
    forged = made["file_url"][:-1] + ("0" if made["file_url"][-1] != "0" else "1")
    await fetch(application, forged, expect=404)
    bucket_of(s3).Object(key).delete()
    await fetch(application, made["file_url"], expect=404)


async def test_a_logo_is_kept_in_the_bucket(application, client, s3):
    logo = f"data:image/png;base64,{PIXEL}"
    (entity,) = (await kit.get(client, "/billing_entities"))["billing_entities"]
    path = f"/billing_entities/{entity['code']}"
    changed = (await kit.call(client, "PUT", path, {"billing_entity": {"logo": logo}}))["billing_entity"]
    assert await fetch(application, changed["logo_url"]) == base64.b64decode(PIXEL)
    assert base64.b64decode(PIXEL) in kept(s3).values()


async def test_an_export_is_written_to_the_bucket(application, client, organization, s3, bill):
    asked = {"data_export": {"resource_type": "invoices"}}
    made = (await kit.post(client, "/data_exports", asked))["data_export"]
    await application.tasks.export_data(organization_id=organization.id, export_id=UUID(made["lago_id"]))
    done = (await kit.get(client, f"/data_exports/{made['lago_id']}"))["data_export"]
    content = await fetch(application, done["file_url"])
    (row,) = csv.DictReader(io.StringIO(content.decode(), newline=""))
    assert (row["invoice_number"], row["total_amount_cents"]) == (bill["number"], "1200")
    assert content in kept(s3).values()


async def test_webhooks_are_signed_by_the_key_of_the_environment(
    application,
    client,
    organization,
    own_key,
    receiver: Receiver,  # noqa: F811
):
    """Verified by another library, with what the API hands out."""
    endpoint = {"webhook_url": receiver.url(), "signature_algo": "jwt"}
    await kit.post(client, "/webhook_endpoints", {"webhook_endpoint": endpoint})
    await kit.customer(client, external_id="halden")
    await application.courier.deliver(organization.id)
    ((headers, body),) = receiver.got
    handed_out = (await kit.get(client, "/webhooks/json_public_key"))["webhook"]["public_key"]
    public = base64.b64decode(handed_out)
    own = own_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert public == own
    token = jwt.decode(headers["x-lago-signature"], RSAKey.import_key(public), algorithms=["RS256"])
    assert token.claims == {"data": body.decode(), "iss": "http://test"}
