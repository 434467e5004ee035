"""What all tests share: no test reaches a real AWS account, and samples lie beside the checkout when there are any."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from erphub.erp.transports.sqlserver import reaching
from erphub.platform import redaction
from tests.support import answers, integration
from tests.support.aws import AWS

pytest_plugins = [
    *("tests.support.receiver", "tests.support.hub", "tests.support.whole", "tests.support.places"),
    "tests.support.typescript",
]

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"

# The same examples for everybody, so that a change is judged by what it changes; who looks for new ones says
# `--hypothesis-profile random`.
settings.register_profile("steady", derandomize=True, database=None, deadline=None)
settings.register_profile("random", database=None, deadline=None)
settings.load_profile("steady")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests of what stands upon the stores run on an AWS in memory, or on moto's."""
    parser.addoption("--aws", choices=("memory", "moto"), default="memory", help="where tests keep their tables")
    parser.addoption(
        "--requests", type=int, default=5, help="how many requests are generated of a kind for an operation"
    )
    parser.addoption("--answers", help="a folder for the answers that tests are given (make answers)")


def pytest_configure(config: pytest.Config) -> None:
    """Hide the developer's own AWS settings before any client is made."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "eu-north-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    integration.watch()
    answers.write_to(config.getoption("--answers"))
    gc.disable()  # while tests are collected: nearly all that is made stays


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """Modules and tests stay to the end: the collector need not go through them again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()


@pytest.hookimpl(tryfirst=True)  # before -m is looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that need more than this process are integration tests."""
    for item in items:
        if isinstance(item, pytest.Function) and integration.is_integration(item):
            item.add_marker("integration")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Watch a test and its fixtures."""
    integration.begin(item)
    try:
        return (yield)
    finally:
        integration.end()


def pytest_sessionfinish() -> None:
    """Write down what tests were answered."""
    answers.write()


def pytest_unconfigure() -> None:
    """Take Hypothesis's hook off the garbage collector: it keeps modules alive until after the interpreter's end, and
    duckdb then tells of every one of its functions, page after page, that it was leaked."""
    gc.unfreeze()  # what `app.api` froze lives as long, and has the same heard
    gc.callbacks[:] = [hook for hook in gc.callbacks if not hook.__module__.startswith("hypothesis")]


@pytest.fixture(autouse=True)
def _nothing_to_hide() -> None:
    """A test begins as an invocation does: no secret of the one before is known."""
    redaction.reset()


@pytest.fixture(autouse=True)
def _no_wait_for_those_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is no SQL Server is told at once; tests of when it is told set their own time."""
    monkeypatch.setattr(reaching, "ANSWERED_AFTER_SECONDS", 0.0)


@pytest.fixture(scope="session")
def samples() -> Path:
    """Real sample files, kept outside the project; a test that needs them is skipped where they are absent."""
    folder = SHARED / "samples"
    if not folder.is_dir():
        pytest.skip("the folder ../shared/samples with real sample files is not there")
    return folder


@pytest.fixture
def where(request: pytest.FixtureRequest) -> str:
    """`memory` or `moto`; `on_both` sets it for a test."""
    return request.config.getoption("--aws")


@pytest.fixture
def aws(where: str) -> Iterator[None]:
    """An AWS of the test's own."""
    with AWS[where]():
        yield


@pytest.fixture
@integration.integration
def fresh_python() -> Path:
    """Another Python, which has imported nothing yet."""
    return Path(sys.executable)
