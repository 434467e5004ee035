"""Addresses that callers put files to work in every region: its own host, and the signature every bucket takes."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from erphub.platform.aws import clients
from erphub.platform.aws.files import S3Files

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
REGIONS = {
    "us-east-1": "s3.us-east-1.amazonaws.com",
    "eu-west-1": "s3.eu-west-1.amazonaws.com",
    "eu-north-1": "s3.eu-north-1.amazonaws.com",
    "eu-south-2": "s3.eu-south-2.amazonaws.com",
    "ap-southeast-7": "s3.ap-southeast-7.amazonaws.com",
    "cn-north-1": "s3.cn-north-1.amazonaws.com.cn",
    "us-gov-west-1": "s3.us-gov-west-1.amazonaws.com",
}
"""Old ones, one opened after 2019, China and GovCloud, with the hosts that AWS's list of endpoints gives."""
CORE = Path(clients.__file__).parents[2]


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Clients made anew for the region that a test names, and forgotten afterwards."""
    for kept in (clients.client, clients._session):
        kept.cache_clear()
    yield monkeypatch
    for kept in (clients.client, clients._session):
        kept.cache_clear()


@pytest.mark.parametrize("region", REGIONS)
def test_an_upload_goes_to_the_regions_own_host_under_signature_version_4(region: str, fresh: pytest.MonkeyPatch):
    fresh.setenv("AWS_DEFAULT_REGION", region)
    slot = S3Files("lake-1").slot("documents/c/z/1.pdf", "application/pdf", NOW)
    address = urlsplit(slot.url)
    signed = parse_qs(address.query)
    assert (address.scheme, address.netloc) == ("https", f"lake-1.{REGIONS[region]}")
    assert address.path == "/documents/c/z/1.pdf"
    assert signed["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert signed["X-Amz-Credential"][0].split("/")[2:] == [region, "s3", "aws4_request"]
    assert signed["X-Amz-SignedHeaders"] == ["content-type;host"]
    assert signed["X-Amz-Expires"] == ["900"]
    assert "Signature" not in signed


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_an_emulator_is_one_host_so_the_bucket_is_in_the_path(variable: str, fresh: pytest.MonkeyPatch):
    fresh.setenv(variable, "http://127.0.0.1:4566")
    slot = S3Files("lake-1").slot("documents/c/z/1.pdf", "application/pdf", NOW)
    address = urlsplit(slot.url)
    assert (address.netloc, address.path) == ("127.0.0.1:4566", "/lake-1/documents/c/z/1.pdf")
    assert parse_qs(address.query)["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]


def test_whoever_signs_an_address_uses_the_client_that_knows_how():
    """Only one place makes clients, so a second one that signs gets the same settings."""
    makers = [path.name for path in CORE.rglob("*.py") if ".create_client(service" in path.read_text()]
    assert makers == ["clients.py"]
    signers = [path for path in CORE.rglob("*.py") if ".generate_presigned" in path.read_text()]
    assert signers
    for path in signers:
        text = path.read_text()
        assert text.count(".generate_presigned") == text.count('client("s3").generate_presigned'), path
