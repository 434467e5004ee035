"""Files as objects in a bucket; callers put and fetch them by a signed address."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from io import BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING, Any, cast, override

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from erphub.platform import problems
from erphub.platform.aws.errors import code_of
from erphub.platform.aws.sessions import tenant_client
from erphub.platform.files import FileLink, Files, FileVersion, UploadSlot, VersionedFiles

if TYPE_CHECKING:
    from collections.abc import Buffer

PART_BYTES = 4 * 1024 * 1024
"""Of a file that is read in parts: a call each."""
_TRIES = 3
_SLOT_LIFETIME = timedelta(minutes=15)
_LINK_LIFETIME = timedelta(minutes=5)


class S3Files(Files, VersionedFiles):
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
    def link(self, name: str, content_type: str, file_name: str, now: datetime, version: str = "") -> FileLink:
        url = tenant_client("s3").generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": name,
                "ResponseContentType": content_type,
                "ResponseContentDisposition": f'attachment; filename="{file_name}"',
                **_version(version),
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
    def versions(self, name: str, most: int) -> Sequence[FileVersion]:
        # Newest first, and those of longer names after it (reference of ListObjectVersions).
        found = tenant_client("s3").list_object_versions(Bucket=self._bucket, Prefix=name, MaxKeys=most)
        return [
            FileVersion(str(one["VersionId"]), one["Size"], str(one["ETag"]), one["LastModified"])
            for one in reversed(cast(list[dict[str, Any]], found.get("Versions", [])))
            if one["Key"] == name
        ]

    @override
    def keep(self, name: str, content: bytes, content_type: str) -> None:
        tenant_client("s3").put_object(Bucket=self._bucket, Key=name, Body=content, ContentType=content_type)

    @override
    def read(self, name: str, version: str = "") -> bytes:
        return self._body(name, version).read()

    @override
    def open(self, name: str) -> IO[bytes]:
        return BufferedReader(_Parts(self._bucket, name), PART_BYTES)

    @override
    def start(self, name: str, size: int) -> bytes:
        return self._body(name).read(size)

    @override
    def lines(self, name: str) -> Iterator[bytes]:
        yield from self._body(name).iter_lines(chunk_size=1 << 20)

    def _body(self, name: str, version: str = "") -> Any:
        try:
            return tenant_client("s3").get_object(Bucket=self._bucket, Key=name, **_version(version))["Body"]
        except ClientError as error:
            if code_of(error) in {"NoSuchKey", "NoSuchVersion"}:
                raise problems.FILE_MISSING() from error
            raise


class _Parts(RawIOBase):
    """An object's bytes by ranges: nobody holds a connection while a part is worked on, and each is tried again."""

    def __init__(self, bucket: str, name: str) -> None:
        self._bucket, self._name = bucket, name
        self._at, self._end = 0, 1
        self._state: dict[str, str] = {}

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: "Buffer", /) -> int:
        target = memoryview(buffer)
        if self._at >= self._end or not target.nbytes:
            return 0
        content = self._part(target.nbytes)
        self._at += len(content)
        target[: len(content)] = content
        return len(content)

    def _part(self, most: int) -> bytes:
        asked: Any = {"Range": f"bytes={self._at}-{self._at + most - 1}"} | self._state
        tries = 0
        while True:
            try:
                part = tenant_client("s3").get_object(Bucket=self._bucket, Key=self._name, **asked)
                content = part["Body"].read()
            except ClientError as error:
                return _none_or_raise(error)
            except (HTTPClientError, IncompleteReadError):  # the line broke within the part, where boto tries no more
                tries += 1
                if tries == _TRIES:
                    raise
            else:
                self._state = {"IfMatch": part["ETag"]}
                self._end = int(part["ContentRange"].rpartition("/")[2])
                return content


def _none_or_raise(error: ClientError) -> bytes:
    match code_of(error):
        case "InvalidRange":  # of an object without a byte
            return b""
        case "NoSuchKey":
            raise problems.FILE_MISSING() from error
        case "PreconditionFailed":
            raise problems.FILE_REPLACED() from error
        case _:
            raise error


def _version(version: str) -> dict[str, Any]:
    return {"VersionId": version} if version else {}
