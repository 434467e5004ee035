"""S3 and Secrets Manager in memory, as far as a connection leaves traces there: objects with versions, and secrets."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from botocore.exceptions import ClientError

from tests.support.service import Hook, Service, operation


@dataclass(frozen=True)
class Version:
    """One version of an object; without a body it says that the object was deleted."""

    id: str
    at: datetime
    body: bytes | None


class MemoryS3(Service):
    """`client("s3")` with buckets that keep every version."""

    name = "s3"

    def __init__(self, hooks: list[Hook]) -> None:
        super().__init__(hooks)
        self.buckets: dict[str, dict[str, list[Version]]] = {}
        self._numbers = count(1)

    @operation
    def create_bucket(self, Bucket: str, CreateBucketConfiguration: Mapping[str, str]) -> dict[str, Any]:
        self.buckets[Bucket] = {}
        return {"Location": f"http://{Bucket}.s3.amazonaws.com/"}

    @operation
    def put_bucket_versioning(self, Bucket: str, VersioningConfiguration: Mapping[str, str]) -> dict[str, Any]:
        if VersioningConfiguration != {"Status": "Enabled"}:
            raise NotImplementedError("a bucket in memory keeps its versions")
        self._bucket(Bucket)
        return {}

    def _bucket(self, name: str) -> dict[str, list[Version]]:
        if name not in self.buckets:
            raise self.error("NoSuchBucket", "The specified bucket does not exist")
        return self.buckets[name]

    def _add(self, bucket: str, key: str, body: bytes | None) -> Version:
        version = Version(f"version-{next(self._numbers)}", datetime.now(UTC), body)
        self._bucket(bucket).setdefault(key, []).append(version)
        return version

    @operation
    def put_object(self, Bucket: str, Key: str, Body: bytes) -> dict[str, Any]:
        return {"VersionId": self._add(Bucket, Key, bytes(Body)).id}

    @operation
    def get_object(self, Bucket: str, Key: str, VersionId: str | None = None) -> dict[str, Any]:
        versions = self._bucket(Bucket).get(Key, [])
        found = [one for one in versions if VersionId in (None, one.id)][-1:]
        if not found or found[0].body is None:
            raise self.error("NoSuchVersion" if VersionId else "NoSuchKey", "The specified key does not exist.")
        return {"Body": io.BytesIO(found[0].body), "ContentLength": len(found[0].body), "VersionId": found[0].id}

    @operation
    def list_objects_v2(self, Bucket: str, Prefix: str = "", Delimiter: str = "") -> dict[str, Any]:
        current = {key: versions[-1] for key, versions in sorted(self._bucket(Bucket).items()) if versions}
        found = [
            {"Key": key, "Size": len(one.body), "LastModified": one.at}
            for key, one in current.items()
            if key.startswith(Prefix) and one.body is not None
        ]
        if Delimiter:
            below = [one["Key"].removeprefix(Prefix) for one in found]
            folders = sorted({Prefix + key.split(Delimiter)[0] + Delimiter for key in below if Delimiter in key})
            found = [one for one, key in zip(found, below, strict=True) if Delimiter not in key]
            listed = {"CommonPrefixes": [{"Prefix": folder} for folder in folders]} if folders else {}
            return listed | {"KeyCount": len(found) + len(folders)} | ({"Contents": found} if found else {})
        return {"KeyCount": len(found)} | ({"Contents": found} if found else {})

    @operation
    def list_object_versions(self, Bucket: str, Prefix: str = "") -> dict[str, Any]:
        found: dict[str, list[dict[str, Any]]] = {}
        for key, versions in sorted(self._bucket(Bucket).items()):
            for one in reversed(versions) if key.startswith(Prefix) else ():
                shown = {"Key": key, "VersionId": one.id, "IsLatest": one is versions[-1], "LastModified": one.at}
                size = {} if one.body is None else {"Size": len(one.body)}
                found.setdefault("DeleteMarkers" if one.body is None else "Versions", []).append(shown | size)
        return dict(found)

    @operation
    def delete_objects(self, Bucket: str, Delete: Mapping[str, Any]) -> dict[str, Any]:
        objects: Sequence[Mapping[str, str]] = Delete["Objects"]
        if len(objects) > 1000:
            raise self.error("MalformedXML", "The XML you provided was not well-formed")
        for one in objects:
            if "VersionId" not in one:
                self._add(Bucket, one["Key"], None)
                continue
            versions = self._bucket(Bucket).get(one["Key"], [])
            versions[:] = [version for version in versions if version.id != one["VersionId"]]
        return {} if Delete.get("Quiet") else {"Deleted": [dict(one) for one in objects]}


class MemorySecrets(Service):
    """`client("secretsmanager")`: secrets by name, which are gone at once when they are deleted."""

    name = "secretsmanager"

    def __init__(self, hooks: list[Hook]) -> None:
        super().__init__(hooks)
        self.kept: dict[str, tuple[str, Sequence[Mapping[str, str]]]] = {}
        self._written: dict[str, datetime] = {}

    def _missing(self) -> ClientError:
        return self.error("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

    def _keep(self, name: str, value: str, tags: Sequence[Mapping[str, str]]) -> None:
        self.kept[name] = value, tags
        self._written[name] = datetime.now(UTC)

    @operation
    def create_secret(self, Name: str, SecretString: str, Tags: Sequence[Mapping[str, str]] = ()) -> dict[str, Any]:
        if Name in self.kept:
            raise self.error(
                "ResourceExistsException", f"The operation failed because the secret {Name} already exists"
            )
        self._keep(Name, SecretString, Tags)
        return {"Name": Name}

    @operation
    def put_secret_value(self, SecretId: str, SecretString: str) -> dict[str, Any]:
        if SecretId not in self.kept:
            raise self._missing()
        self._keep(SecretId, SecretString, self.kept[SecretId][1])
        return {"Name": SecretId}

    @operation
    def get_secret_value(self, SecretId: str) -> dict[str, Any]:
        if SecretId not in self.kept:
            raise self._missing()
        return {"Name": SecretId, "SecretString": self.kept[SecretId][0]}

    @operation
    def delete_secret(self, SecretId: str, ForceDeleteWithoutRecovery: bool) -> dict[str, Any]:
        if not ForceDeleteWithoutRecovery:
            raise NotImplementedError("a secret that can be restored")
        self.kept.pop(SecretId, None)  # without a way back, one that is not there is no error
        return {"Name": SecretId}

    @operation
    def list_secrets(self, Filters: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        found = list(self.kept)
        for wanted in Filters:
            if wanted["Key"] != "name":
                raise NotImplementedError(wanted["Key"])
            found = [name for name in found if name.startswith(tuple(wanted["Values"]))]
        return {
            "SecretList": [
                {"Name": name, "Tags": self.kept[name][1], "LastChangedDate": self._written[name]} for name in found
            ]
        }
