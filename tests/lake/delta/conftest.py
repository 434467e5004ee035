"""What all tests of the lake's tables have."""

import pytest

from tests.support.integration import integration


@pytest.fixture(autouse=True)
@integration
def _table_engine() -> None:
    """The table engine: compiled, with threads and files of its own."""
