"""A unit test stays within its process, and which tests are unit tests is decided by what they use."""

import socket
import subprocess
from pathlib import Path

import pytest

from tests.support.integration import Reached


def is_integration(request: pytest.FixtureRequest) -> bool:
    return request.node.get_closest_marker("integration") is not None


@pytest.fixture
def indirectly(fresh_python: Path) -> Path:
    return fresh_python


def test_a_test_that_uses_nothing_from_outside_is_a_unit_test(request: pytest.FixtureRequest):
    assert not is_integration(request)


def test_a_test_that_uses_something_from_outside_however_indirectly_is_an_integration_test(
    request: pytest.FixtureRequest, indirectly: Path
):
    assert is_integration(request)
    assert subprocess.run([indirectly, "-c", "pass"], check=True).returncode == 0


@pytest.mark.parametrize("where", ["memory", "moto"])
def test_a_test_on_moto_is_an_integration_test(request: pytest.FixtureRequest, where: str):
    assert is_integration(request) is (where == "moto")


def test_a_unit_test_that_connects_listens_or_starts_a_process_fails():
    with socket.socket() as one, pytest.raises(Reached, match=r"uses socket\.connect"):
        one.connect(("127.0.0.1", 9))
    with socket.socket() as one, pytest.raises(Reached, match=r"uses socket\.bind"):
        one.bind(("127.0.0.1", 0))
    with pytest.raises(Reached, match="@integration"):
        subprocess.run(["true"], check=False)
