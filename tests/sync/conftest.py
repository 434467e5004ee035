"""What tests of syncs share."""

from collections.abc import Iterator

import pytest

from erphub.platform.aws.table import Table
from tests.support.aws import AWS, EXPORTS, TENANTS, make_table
from tests.support.operators_log import Log, operators_log  # noqa: F401  fixture
from tests.support.sync import hub  # noqa: F401  fixture


@pytest.fixture(autouse=True)
def _prepared(operators_log: Log) -> None:  # noqa: F811
    """What hubs tell operators is kept."""


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Iterator[Table]:
    """The export log's table, in memory and in DynamoDB."""
    with AWS[request.param]():
        yield make_table(TENANTS | EXPORTS)
