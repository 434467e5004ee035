"""Objects of the bucket with all their versions: counted, and removed so that nothing can bring them back."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from erphub.platform.aws.clients import client
from erphub.platform.aws.files import Files, S3Files, translated
from erphub.platform.errors import ServiceBusy

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import ObjectIdentifierTypeDef


type Wanted = Callable[[str], bool]


class Objects(Files, Protocol):
    """A bucket with versions, or for tests a folder."""

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Every object whose key begins with the prefix, and its bytes, as it is now."""
        ...

    def folders(self, prefix: str) -> Iterator[str]:
        """The names that stand between the prefix and the next slash."""
        ...

    def write(self, key: str, data: bytes) -> None:
        """Put an object in the place of whatever is there."""
        ...

    def purge(self, prefix: str, wanted: Wanted | None = None, *, older: datetime | None = None) -> int:
        """Remove every version of the objects below the prefix that are wanted; returns how many versions.

        With `older`, versions that count today are left alone unless they were written before that.
        """
        ...


class Bucket(S3Files):
    """One S3 bucket that keeps versions. Satisfies `Objects`."""

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """See above. Raises Unavailable."""
        with translated():
            for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                yield from ((found.get("Key", ""), found.get("Size", 0)) for found in page.get("Contents", []))

    def folders(self, prefix: str) -> Iterator[str]:
        """See above. Raises Unavailable."""
        listing = client("s3").get_paginator("list_objects_v2")
        with translated():
            for page in listing.paginate(Bucket=self._bucket, Prefix=prefix, Delimiter="/"):
                names = (found.get("Prefix", "") for found in page.get("CommonPrefixes", []))
                yield from (name.removeprefix(prefix).rstrip("/") for name in names)

    def write(self, key: str, data: bytes) -> None:
        """See above. Raises Unavailable."""
        with translated():
            client("s3").put_object(Bucket=self._bucket, Key=key, Body=data)

    def purge(self, prefix: str, wanted: Wanted | None = None, *, older: datetime | None = None) -> int:
        """See above. Raises Unavailable."""
        removed = 0
        with translated():
            pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
                gone = [_identifier(one) for one in cast(list[dict[str, Any]], versions) if _goes(one, wanted, older)]
                if gone:
                    answer = client("s3").delete_objects(Bucket=self._bucket, Delete={"Objects": gone, "Quiet": True})
                    if failed := answer.get("Errors"):
                        why = RuntimeError(f"{len(failed)} versions stayed: {failed[0].get('Code')}")
                        raise ServiceBusy("Some of it could not be removed yet.", code="lake_unavailable") from why
                removed += len(gone)
        return removed


def _goes(version: dict[str, Any], wanted: Wanted | None, older: datetime | None) -> bool:
    if wanted is not None and not wanted(version["Key"]):
        return False
    return older is None or not version.get("IsLatest") or version["LastModified"] < older


def _identifier(version: dict[str, Any]) -> "ObjectIdentifierTypeDef":
    return {"Key": version["Key"], "VersionId": version["VersionId"]}
