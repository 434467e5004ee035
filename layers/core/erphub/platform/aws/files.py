"""Objects in the lake's bucket that are not the table engine's business: read, stored, copied and removed by key."""

from typing import Any, Protocol, cast

from botocore.exceptions import ClientError

from erphub.platform.aws.clients import client
from erphub.platform.aws.errors import UNANSWERED, code_of
from erphub.platform.errors import Conflict, ServiceBusy, Unavailable

_EXISTS, _UNDER_WAY = "PreconditionFailed", "ConditionalRequestConflict"


class Files(Protocol):
    """A bucket, or for tests a folder."""

    def read(self, key: str) -> bytes:
        """The bytes of one object."""
        ...

    def put_once(self, key: str, data: bytes) -> None:
        """Store an object under a name that no other content is ever stored under; again is fine.

        Raises Conflict (`object_differs`) when there is another content, and leaves it.
        """
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy within the bucket, without the bytes coming by here."""
        ...

    def delete_all(self, prefix: str) -> None:
        """Remove everything whose key begins with the prefix."""
        ...


class S3Files:
    """One S3 bucket."""

    def __init__(self, bucket: str) -> None:
        self._bucket = bucket

    def read(self, key: str) -> bytes:
        """See above. Raises Unavailable."""
        with translated():
            return client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def put_once(self, key: str, data: bytes) -> None:
        """See above. Raises Conflict, Unavailable.

        S3 may store an object and lose the answer: its client then sends it again and is told that there is one
        (`PreconditionFailed`). Whose it is, its content says. While another write to the name is under way S3 says
        `ConditionalRequestConflict`: send it again (reference of PutObject).
        """
        for last in (False, False, True):
            try:
                with translated():
                    client("s3").put_object(Bucket=self._bucket, Key=key, Body=data, IfNoneMatch="*")
            except Unavailable as error:
                code = _code(error.__cause__)
                if code == _EXISTS:
                    must_be_the_same(key, self.read(key), data)
                elif code != _UNDER_WAY or last:
                    raise
                else:
                    continue
            return

    def copy(self, source: str, target: str) -> None:
        """See above. Raises Unavailable."""
        with translated():
            client("s3").copy_object(
                Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source}
            )

    def delete_all(self, prefix: str) -> None:
        """See above. Raises Unavailable."""
        with translated():
            for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys = [{"Key": found["Key"]} for found in page.get("Contents", []) if "Key" in found]
                if keys:
                    delete = cast(Any, {"Objects": keys, "Quiet": True})
                    client("s3").delete_objects(Bucket=self._bucket, Delete=delete)


def must_be_the_same(key: str, stored: bytes, data: bytes) -> None:
    """Raises Conflict (`object_differs`) when what is stored under a name is not what was to be stored there."""
    if stored != data:
        name = key.rpartition("/")[2]
        raise Conflict(f"Another content is stored under the name {name} already.", code="object_differs")


def _code(error: BaseException | None) -> str | None:
    return error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else None


BUSY_STORE = {"SlowDown", "RequestTimeout", "ServiceUnavailable", "InternalError", "500", "502", "503", "504"}
"""What S3 says when it is busy (Amazon S3 API reference, "Error responses"); a HEAD has no body, only its status."""


class translated:
    """S3's errors in the hub's words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ClientError, *UNANSWERED)):
            busy = not isinstance(error, ClientError) or code_of(error) in BUSY_STORE
            kind = ServiceBusy if busy else Unavailable
            raise kind("The lake's storage did not answer as it should.", code="lake_unavailable") from error
