"""Documents' files, as callers put them and transfers read them."""

from datetime import UTC, datetime

import pytest

from erphub.platform.aws.clients import client
from erphub.platform.aws.files import S3Files
from erphub.platform.errors import NotFound

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
