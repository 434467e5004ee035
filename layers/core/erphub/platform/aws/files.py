"""Files as objects in a bucket; callers put and fetch them by a signed address."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, override

from botocore.exceptions import ClientError

from erphub.platform import problems
from erphub.platform.aws.errors import code_of
from erphub.platform.aws.sessions import tenant_client
from erphub.platform.files import FileLink, Files, UploadSlot

_SLOT_LIFETIME = timedelta(minutes=15)
_LINK_LIFETIME = timedelta(minutes=5)


class S3Files(Files):
    """Files as objects in one bucket, met with the rights of the request's client alone."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    @override
    def slot(self, name: str, content_type: str, now: datetime) -> UploadSlot:
        url = tenant_client("s3").generate_presigned_url(
            "put_object",
            Params={"Bucket": self._bucket, "Key": name, "ContentType": content_type},
            ExpiresIn=int(_SLOT_LIFETIME.total_seconds()),
        )
        return UploadSlot(url, {"Content-Type": content_type}, now + _SLOT_LIFETIME)

    @override
    def link(self, name: str, content_type: str, file_name: str, now: datetime) -> FileLink:
        url = tenant_client("s3").generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": name,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": f'attachment; filename="{file_name}"',
            },
            ExpiresIn=int(_LINK_LIFETIME.total_seconds()),
        )
        return FileLink(url, now + _LINK_LIFETIME)

    @override
    def size(self, name: str) -> int | None:
        try:
            return tenant_client("s3").head_object(Bucket=self._bucket, Key=name)["ContentLength"]
        except ClientError as error:
            if code_of(error) in {"404", "NoSuchKey", "NotFound"}:
                return None
            raise

    @override
    def read(self, name: str) -> bytes:
        return self._body(name).read()

    @override
    def start(self, name: str, size: int) -> bytes:
        return self._body(name).read(size)

    @override
    def lines(self, name: str) -> Iterator[bytes]:
        yield from self._body(name).iter_lines(chunk_size=1 << 20)

    def _body(self, name: str) -> Any:
        try:
            return tenant_client("s3").get_object(Bucket=self._bucket, Key=name)["Body"]
        except ClientError as error:
            if code_of(error) == "NoSuchKey":
                raise problems.FILE_MISSING() from error
            raise
