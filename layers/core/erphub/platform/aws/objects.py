"""One S3 bucket: objects with all their versions, counted, and removed so that nothing can bring them back."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast, override

from botocore.exceptions import ClientError

from erphub.platform import problems
from erphub.platform.aws.errors import code_of, later_when_busy
from erphub.platform.aws.sessions import tenant_client
from erphub.platform.aws.transactions import make_waiting_writes
from erphub.platform.errors import Unavailable
from erphub.platform.objects import ObjectStore, Wanted, require_same_content

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef

_EXISTS, _UNDER_WAY = "PreconditionFailed", "ConditionalRequestConflict"
_translated = later_when_busy(problems.LAKE_UNAVAILABLE, otherwise=Unavailable)


class Bucket(ObjectStore):
    """One S3 bucket that keeps versions, reached with the credentials of the tenant at hand."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    @override
    def read(self, key: str) -> bytes:
        with _translated:
            return _s3().get_object(Bucket=self._bucket, Key=key)["Body"].read()

    @override
    def put_once(self, key: str, data: bytes) -> None:
        make_waiting_writes()
        # S3 may store an object and lose the answer: its client then sends it again and is told that there is one
        # (`PreconditionFailed`). Whose it is, its content says. While another write to the name is under way S3 says
        # `ConditionalRequestConflict`: send it again (reference of PutObject).
        for last in (False, False, True):
            try:
                with _translated:
                    _s3().put_object(Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*")
            except Unavailable as error:
                cause = error.__cause__
                code = code_of(cause) if isinstance(cause, ClientError) else None
                if code == _EXISTS:
                    require_same_content(key, self.read(key), data)
                elif code != _UNDER_WAY or last:
                    raise
                else:
                    continue
            return

    @override
    def copy(self, source: str, target: str) -> None:
        make_waiting_writes()
        with _translated:
            _s3().copy_object(Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source})

    @override
    def delete_all(self, prefix: str) -> None:
        make_waiting_writes()
        with _translated:
            for page in _s3().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys = [{"Key": found["Key"]} for found in page.get("Contents", []) if "Key" in found]
                if keys:
                    delete = cast(Any, {"Objects": keys, "Quiet": True})
                    _s3().delete_objects(Bucket=self._bucket, Delete=delete)

    @override
    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        with _translated:
            for page in _s3().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                yield from ((found.get("Key", ""), found.get("Size", 0)) for found in page.get("Contents", []))

    @override
    def folders(self, prefix: str) -> Iterator[str]:
        listing = _s3().get_paginator("list_objects_v2")
        with _translated:
            for page in listing.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
                names = (found.get("Prefix", "") for found in page.get("CommonPrefixes", []))
                yield from (name.removeprefix(prefix).rstrip("/") for name in names)

    @override
    def write(self, key: str, data: bytes) -> None:
        make_waiting_writes()
        with _translated:
            _s3().put_object(Bucket=self._bucket, Key=key, Body=data)

    @override
    def purge(self, prefix: str, wanted: Wanted | None = None, *, older: datetime | None = None) -> int:
        removed = 0
        with _translated:
            pages = _s3().get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                gone = [_identifier(one) for one in cast(list[dict[str, Any]], versions) if _goes(one, wanted, older)]
                if gone:
                    answer = _s3().delete_objects(Bucket=self._bucket, Delete={"Objects": gone, "Quiet": True})
                    if failed := answer.get("Errors"):
                        why = RuntimeError(f"{len(failed)} versions stayed: {failed[0].get('Code')}")
                        raise problems.NOT_ALL_REMOVED() from why
                removed += len(gone)
        return removed


def _s3() -> "S3Client":
    return tenant_client("s3")


def _goes(version: dict[str, Any], wanted: Wanted | None, older: datetime | None) -> bool:
    if wanted is not None and not wanted(version["Key"]):
        return False
    return older is None or not version.get("IsLatest") or version["LastModified"] < older


def _identifier(version: dict[str, Any]) -> "ObjectIdentifierTypeDef":
    return {"Key": version["Key"], "VersionId": version["VersionId"]}
