"""What a reader makes of every type is what docs/sqlserver-readers.md says."""

import pytest

from erphub.erp.transports.sqlserver.drivers.connection import Reader
from tests.support.integration import integration

from .conformance import written_down
from .conftest import NATIVE
from .every_type import Case, cases
from .spelled import reading

SAID = written_down()


@pytest.fixture
@integration
def on_the_line() -> None:
    """A server speaks."""


@pytest.mark.usefixtures("on_the_line")
@pytest.mark.parametrize("reader", [Reader.PYMSSQL, NATIVE])
@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_reader_does_with_every_type_as_it_is_written_down(case: Case, reader: Reader) -> None:
    assert reading(reader, case) == SAID[case.name][reader]


def test_every_type_is_written_down() -> None:
    assert list(SAID) == [case.name for case in cases()]
    assert all(list(said) == list(Reader) for said in SAID.values())
