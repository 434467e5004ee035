"""A store that is busy is waited for, and held against no part of an import; one that is wrong is not waited for."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from erphub.imports.runs.models import RunStatus
from erphub.lake.delta import storage
from erphub.platform.aws import errors, objects
from erphub.platform.errors import ServiceBusy, Unavailable
from tests.support.imports import Imports

HEAD = "Kernel error -> Generic S3 error\n ↳ Error performing GET http://s3/b/k in 21ms, after 10 retries"
BUSY = [
    f"{HEAD} - Server returned non-2xx status code\n ↳ 503 Service Unavailable\n ↳ <Code>SlowDown</Code>",
    f"{HEAD} - Server returned non-2xx status code\n ↳ 429 Too Many Requests\n",
    f"{HEAD} - Server returned non-2xx status code\n ↳ 500 Internal Server Error\n ↳ <Code>InternalError</Code>",
    f"{HEAD} - HTTP error\n ↳ error sending request\n ↳ client error (Connect)\n ↳ Connection refused (os error 111)",
]
WRONG = [
    f"{HEAD} - Server returned non-2xx status code\n ↳ 403 Forbidden\n ↳ <Error><Code>AccessDenied</Code></Error>",
    f"{HEAD} - Server returned non-2xx status code\n ↳ 404 Not Found\n ↳ <Error><Code>NoSuchBucket</Code></Error>",
    "No space left on device",
]


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "GetObject")


@pytest.mark.parametrize("text", BUSY)
def test_what_the_engine_says_of_a_busy_store_is_waited_for(text: str):
    with pytest.raises(ServiceBusy) as busy, storage.translated():
        raise OSError(text)
    assert busy.value.code == "lake_unavailable"


@pytest.mark.parametrize("text", WRONG)
def test_what_the_engine_says_of_a_store_that_is_wrong_is_not(text: str):
    with pytest.raises(Unavailable) as wrong, storage.translated():
        raise OSError(text)
    assert not isinstance(wrong.value, ServiceBusy)


@pytest.mark.parametrize(
    "error", [*map(refused, sorted(errors.BUSY)), EndpointConnectionError(endpoint_url="http://s3")], ids=str
)
def test_what_s3_says_when_it_is_busy_is_waited_for(error: Exception):
    with pytest.raises(ServiceBusy), objects._translated:
        raise error


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket", "404"])
def test_what_s3_refuses_for_good_is_not(code: str):
    with pytest.raises(Unavailable) as wrong, objects._translated:
        raise refused(code)
    assert not isinstance(wrong.value, ServiceBusy)


@pytest.mark.parametrize("step", ["stage", "staged_totals", "publish"])
def test_a_store_that_is_busy_for_long_fails_no_part_of_a_run(
    imports: Imports, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, busy = getattr(imports.lake, step), [step] * 3

    def slow(*arguments: Any) -> Any:
        if busy:
            busy.pop()
            raise ServiceBusy("The lake's storage did not answer as it should.", code="lake_unavailable")
        return real(*arguments)

    monkeypatch.setattr(imports.lake, step, slow)
    assert imports.run(imports.job()).status is RunStatus.SUCCEEDED
    assert busy == []
    assert imports.count("gl_transactions") == 120
