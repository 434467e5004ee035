"""Objects in the lake's bucket that are not the table engine's business: read, copied and removed by key."""

from typing import Any, Protocol, cast

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from ..errors import Unavailable
from .clients import client


class Files(Protocol):
    """A bucket, or for tests a folder."""

    def read(self, key: str) -> bytes:
        """The bytes of one object."""
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
        with _translated():
            return client("s3").get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def copy(self, source: str, target: str) -> None:
        """See above. Raises Unavailable."""
        with _translated():
            client("s3").copy_object(
                Bucket=self._bucket, Key=target, CopySource={"Bucket": self._bucket, "Key": source}
            )

    def delete_all(self, prefix: str) -> None:
        """See above. Raises Unavailable."""
        with _translated():
            for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                keys = [{"Key": found["Key"]} for found in page.get("Contents", []) if "Key" in found]
                if keys:
                    delete = cast(Any, {"Objects": keys, "Quiet": True})
                    client("s3").delete_objects(Bucket=self._bucket, Delete=delete)


class _translated:
    """S3's errors in the hub's words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (ClientError, ConnectionError, HTTPClientError)):
            raise Unavailable("The lake's storage did not answer as it should.", code="lake_unavailable") from error
