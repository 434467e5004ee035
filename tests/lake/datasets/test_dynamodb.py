"""Types of tables are kept the same in memory and on DynamoDB."""

from collections.abc import Generator

import pytest

from erphub.lake.datasets.dynamodb import TableTypesTable
from erphub.platform.aws.table import Table
from erphub.platform.ids import new_id
from tests.support.aws import AWS, TENANTS, make_table

CLIENT = "01HZZZZZZZZZZZZZZZZZZZZZZC"


@pytest.fixture(params=AWS)
def table(request: pytest.FixtureRequest) -> Generator[Table]:
    with AWS[request.param]():
        yield make_table(TENANTS)


def test_types_are_remembered_per_dataset_and_client(table: Table) -> None:
    types = TableTypesTable(table)
    types.save(CLIENT, "accounts", {"account_no": "string"})
    types.save(CLIENT, "accounts", {"account_no": "string", "name": "string"})
    assert types.of_client(CLIENT) == {"accounts": {"account_no": "string", "name": "string"}}
    assert types.of_client(new_id()) == {}
