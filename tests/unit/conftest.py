"""Which AWS the stores talk to: one in memory, unless a test or `--aws` says otherwise."""

from collections.abc import Iterator

import pytest

from tests.support.aws import AWS


@pytest.fixture
def where(request: pytest.FixtureRequest) -> str:
    """`memory` or `moto`; `on_both` sets it for a test."""
    return request.config.getoption("--aws")


@pytest.fixture
def aws(where: str) -> Iterator[None]:
    """An AWS of the test's own."""
    with AWS[where]():
        yield
