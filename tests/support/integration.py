"""Which tests need more than their own code: a server, a local AWS, another Python, the table engine, a stand-in ERP.

A fixture that starts such a thing is marked here, and whoever uses it, however indirectly, is an integration test
(`make test-integration`). The others stay within their process: unit tests, which take less than a minute together
(`make test-unit`), and those marked `generated`, which play made-up requests and histories by the hundreds
(`make test-generated`). One of them that connects to something, listens or starts a process nevertheless, fails.
"""

import functools
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MOTO = "moto"
"""The value of a parameter for which a test runs on moto."""
APART = ("template", "standins/sqlserver", "reliability", "e2e")
"""Folders with commands of their own (`make test-template` and so on): all of their tests are integration tests."""
_TESTS = Path(__file__).resolve().parents[1]
_now: list[str] = []
"""The unit test that runs now."""


def integration[**P, R](fixture: Callable[P, R]) -> Callable[P, R]:
    """This fixture brings something from outside the process. Stands below `@pytest.fixture`."""
    fixture.__dict__["integration"] = True
    return fixture


def is_integration(item: pytest.Function) -> bool:
    """Whether a fixture, moto or its folder makes it one."""
    if _is_apart(item.path):
        return True
    fixtures = item._fixtureinfo.name2fixturedefs
    brought = (definition.func for name in item.fixturenames for definition in fixtures.get(name, ()))
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(getattr(func, "integration", False) for func in brought) or any(value == MOTO for value in parameters)


@functools.cache
def _is_apart(path: Path) -> bool:
    return any(path.is_relative_to(_TESTS / folder) for folder in APART)


class Reached(Exception):
    """A unit test reached for something outside its process."""


def watch() -> None:
    """From now on a unit test can neither connect, nor listen, nor start a process."""
    for owner, name in ((socket.socket, "connect"), (socket.socket, "bind"), (subprocess.Popen, "__init__")):
        setattr(owner, name, _watched(getattr(owner, name)))


def _watched(original: Callable[..., Any]) -> Callable[..., Any]:
    def reach(*arguments: Any, **options: Any) -> Any:
        if _now:
            raise Reached(f"{_now[0]} uses {original.__qualname__}: use a fixture that is marked @integration")
        return original(*arguments, **options)

    return reach


def begin(item: pytest.Item) -> None:
    """The test begins."""
    _now[:] = [] if item.get_closest_marker("integration") else [item.nodeid]


def end() -> None:
    """It is over."""
    _now.clear()
