"""Documents' files, as callers put them and transfers read them."""

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody

from erphub.platform.aws import files as aws_files
from erphub.platform.aws.clients import client
from erphub.platform.aws.files import S3Files
from erphub.platform.errors import Conflict, NotFound

NOW = datetime(2026, 2, 1, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize("where", ["moto"])
def test_files_are_put_by_a_signed_address_and_read_back(aws: None) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    files = S3Files("files")
    slot = files.slot("documents/a.pdf", "application/pdf", NOW)
    assert "documents/a.pdf" in slot.url
    assert "X-Amz-Signature" in slot.url
    assert slot.headers == {"Content-Type": "application/pdf"}
    assert files.size("documents/a.pdf") is None
    with pytest.raises(NotFound):
        files.read("documents/a.pdf")
    s3.put_object(Bucket="files", Key="documents/a.pdf", Body=b"one\ntwo")
    assert files.size("documents/a.pdf") == 7
    assert list(files.lines("documents/a.pdf")) == [b"one", b"two"]


# --- a file in parts -------------------------------------------------------------------------------------------------

NAME = "staging/uploads/till.xml"
CONTENT = bytes(range(256)) * 41


@pytest.fixture
def files(aws: None, monkeypatch: pytest.MonkeyPatch) -> S3Files:
    """A bucket whose files are read 1,000 bytes at a time."""
    monkeypatch.setattr(aws_files, "PART_BYTES", 1000)
    client("s3").create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    return S3Files("files")


def put(content: bytes) -> None:
    client("s3").put_object(Bucket="files", Key=NAME, Body=content)


@pytest.mark.parametrize("where", ["moto"])
@pytest.mark.parametrize("length", [0, 1, 999, 1000, 1001, 2000, len(CONTENT)])
@pytest.mark.parametrize("at_a_time", [1, 333, 5000])
def test_a_file_is_read_in_parts_and_comes_whole(files: S3Files, length: int, at_a_time: int) -> None:
    put(CONTENT[:length])
    with files.open(NAME) as file:
        assert b"".join(iter(lambda: file.read(at_a_time), b"")) == CONTENT[:length]


@pytest.mark.parametrize("where", ["moto"])
def test_a_file_that_is_not_there_is_missed_at_its_first_part(files: S3Files) -> None:
    with files.open(NAME) as file, pytest.raises(NotFound) as missed:
        file.read(1)
    assert missed.value.code == "file_missing"


@pytest.mark.parametrize("where", ["moto"])
def test_a_file_that_is_replaced_while_it_is_read_is_no_file(files: S3Files) -> None:
    put(CONTENT)
    with files.open(NAME) as file:
        assert file.read(10) == CONTENT[:10]
        put(CONTENT[::-1])
        with pytest.raises(Conflict) as replaced:
            file.read()
    assert replaced.value.code == "file_replaced"


class CutBody(StreamingBody):
    """The line breaks when half of a part has come."""

    def read(self, amt: int | None = None) -> bytes:
        raise IncompleteReadError(actual_bytes=500, expected_bytes=1000)


@pytest.mark.parametrize("where", ["moto"])
@pytest.mark.parametrize("breaks", [1, 2, 3])
def test_a_part_whose_line_breaks_is_asked_for_again_at_most_twice(
    files: S3Files, monkeypatch: pytest.MonkeyPatch, breaks: int
) -> None:
    put(CONTENT)
    s3, calls = client("s3"), 0

    class Breaking:
        def get_object(self, **asked: Any) -> dict[str, Any]:
            nonlocal calls
            calls += 1
            found: dict[str, Any] = dict(s3.get_object(**asked))
            return found | {"Body": CutBody(BytesIO(b""), 0)} if 2 <= calls < 2 + breaks else found

    monkeypatch.setattr(aws_files, "tenant_client", lambda _: Breaking())
    with files.open(NAME) as file:
        if breaks == 3:
            with pytest.raises(IncompleteReadError):
                file.read()
        else:
            assert file.read() == CONTENT


@pytest.mark.parametrize("where", ["moto"])
def test_every_version_that_was_put_to_an_address_is_there(aws: None) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="files", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    s3.put_bucket_versioning(Bucket="files", VersioningConfiguration={"Status": "Enabled"})
    files = S3Files("files")
    assert files.versions("documents/1.pdf", 5) == []
    for content in (b"one", b"two", b"two"):
        s3.put_object(Bucket="files", Key="documents/1.pdf", Body=content)
    files.keep("documents/1.pdf/kept.pdf", b"another's", "application/pdf")
    found = files.versions("documents/1.pdf", 5)
    assert [files.read("documents/1.pdf", one.id) for one in found] == [b"one", b"two", b"two"]
    assert [one.size for one in found] == [3, 3, 3]
    assert found[0].tag != found[1].tag == found[2].tag
    assert [one.id for one in files.versions("documents/1.pdf", 2)] == [one.id for one in found[1:]]
    link = files.link("documents/1.pdf", "application/pdf", "Z1.pdf", NOW, found[0].id)
    assert f"versionId={found[0].id}" in link.url
    with pytest.raises(NotFound):
        files.read("documents/1.pdf", "0" * 32)
