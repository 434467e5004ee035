"""Each test of this folder is asked of every system."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.erp.conformance.subjects import SUBJECTS, Subject
from tests.support.integration import integration


@pytest.fixture(params=SUBJECTS)
@integration
def subject(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """A system, over its stand-in."""
    with SUBJECTS[request.param](tmp_path, monkeypatch) as made:
        yield made
