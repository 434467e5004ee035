"""What botocore knows of AWS's services, read from its files without looking at the services that nobody here uses."""

import gzip
from pathlib import Path
from typing import Any, Literal, get_args, override

from botocore.loaders import JSONFileLoader, Loader
from pydantic_core import from_json

type Service = Literal[
    "dynamodb", "s3", "secretsmanager", "stepfunctions", "lambda", "cognito-idp", "events", "kms", "sts"
]


class ServiceModels(Loader):
    """botocore's loader, quicker: the first client of a process is made in two thirds of the time.

    botocore walks the folders of all 400 services before it believes that one of them is there, and parses JSON into
    ordered dictionaries, as if dictionaries were not.
    """

    def __init__(self) -> None:
        """Of botocore's own models alone: Lambda brings no others."""
        super().__init__(file_loader=_Files())

    @override
    def list_available_services(self, type_name: str) -> list[str]:
        return list(get_args(Service.__value__))


class _Files(JSONFileLoader):
    @override
    def load_file(self, file_path: str) -> Any:
        if (packed := Path(f"{file_path}.json.gz")).is_file():
            return from_json(gzip.decompress(packed.read_bytes()))
        if (plain := Path(f"{file_path}.json")).is_file():
            return from_json(plain.read_bytes())
        return None
