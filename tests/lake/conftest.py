"""An object store for the lake's tests: the local AWS, straight or through a proxy that has requests go wrong."""

import os
from collections.abc import Generator, Iterator
from urllib.parse import urlsplit

import pytest

from erphub.platform.aws import clients
from erphub.platform.aws.objects import Bucket
from local import emulator, processes
from tests.support.integration import integration
from tests.support.lossy import LossyStore

BUCKET = "lake"
ROOT_KEY = "AKIATESTTESTTESTTEST"


@pytest.fixture(scope="session")
@integration
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The local AWS: the table engine speaks S3 by itself, so a stand-in within this process would not be asked."""
    directory, port = tmp_path_factory.mktemp("aws"), processes.free_port()
    started = emulator.start(directory, port, ROOT_KEY)
    try:
        emulator.wait_until_ready(directory, port, started)
        yield f"http://127.0.0.1:{port}"
    finally:
        processes.stop(started)


@pytest.fixture
def s3(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """An empty bucket, and clients that talk to it."""
    yield from _bucket(endpoint, monkeypatch)


@pytest.fixture(scope="module")
def proxy(endpoint: str) -> Iterator[LossyStore]:
    """A proxy before it."""
    store = LossyStore(urlsplit(endpoint).port or 0)
    yield store
    store.close()


@pytest.fixture
def lossy(proxy: LossyStore, monkeypatch: pytest.MonkeyPatch) -> Generator[LossyStore]:
    """An empty bucket behind a proxy, and clients that talk to that, and wait for nothing before they try again."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    for _ in _bucket(proxy.address, monkeypatch):
        yield proxy


def _bucket(address: str, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ROOT_KEY)
    clients.client.cache_clear()
    clients._session.cache_clear()
    client = clients.client("s3")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    yield address
    Bucket(BUCKET).delete_all("")
    client.delete_bucket(Bucket=BUCKET)
    clients.client.cache_clear()
    clients._session.cache_clear()


def options(address: str) -> dict[str, str]:
    """What the table engine is told of it."""
    return {
        "aws_endpoint": address,
        "aws_allow_http": "true",
        "aws_region": os.environ["AWS_DEFAULT_REGION"],
        "aws_conditional_put": "etag",
        "backoff_config.init_backoff": "1ms",
        "backoff_config.max_backoff": "5ms",
    }
