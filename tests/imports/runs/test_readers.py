"""A source that is read by native code: the run says what read it, and none is lost to a reader that fails or kills."""

from collections import Counter

import pytest

from erphub.erp.problems import ReaderFailed
from erphub.imports.runs.models import Run, RunStatus
from erphub.platform.errors import Unavailable
from tests.support.imports import Imports, Killed

FAST, SAFE = "native", "proven"


@pytest.fixture
def imports(imports: Imports) -> Imports:
    imports.erp.readers = (FAST, SAFE)
    imports.sources.selected = ["F0001"]
    return imports


def whole(imports: Imports, run: Run) -> bool:
    return run.status is RunStatus.SUCCEEDED and (imports.count("gl_transactions"), imports.count("accounts")) == (
        60,
        12,
    )


def readers(imports: Imports, run: Run) -> set[str]:
    return set[str]().union(*(unit.rows_by_reader for unit in imports.units(run).values()))


def test_a_run_says_what_read_it(imports: Imports) -> None:
    run = imports.run(imports.job())
    assert whole(imports, run)
    units = imports.units(run)
    assert units["gl_transactions", "F0001"].rows_by_reader == {FAST: 60}
    assert units["accounts", "F0001"].rows_by_reader == {FAST: 12}


def test_a_source_with_one_way_of_reading_has_nothing_to_say(imports: Imports) -> None:
    imports.erp.readers = None
    run = imports.run(imports.job())
    assert readers(imports, run) == set()
    assert "reader_lost" not in imports.log(run)


def test_a_part_whose_reader_killed_its_worker_is_read_by_the_other_and_the_run_says_so(imports: Imports) -> None:
    def kill(reader: str) -> None:
        if reader == FAST:
            raise Killed(reader)

    imports.erp.on_reader = kill
    run = imports.run(imports.job())
    assert whole(imports, run)
    assert readers(imports, run) == {SAFE}
    assert "reader_lost" in imports.log(run)


def test_only_the_part_that_killed_is_read_with_caution(imports: Imports) -> None:
    deaths = Counter[str]()

    def kill(reader: str) -> None:
        deaths[reader] += 1
        if reader == FAST and deaths[reader] == 1:
            raise Killed(reader)

    imports.erp.on_reader = kill
    run = imports.run(imports.job())
    assert whole(imports, run)
    assert readers(imports, run) == {FAST, SAFE}
    assert imports.log(run).count("reader_lost") == 1


def test_a_reader_that_fails_is_made_good_by_the_other_within_the_same_try(imports: Imports) -> None:
    def fail(reader: str) -> None:
        if reader == FAST:
            raise ReaderFailed("It cannot read this type.")

    imports.erp.on_reader = fail
    run = imports.run(imports.job())
    assert whole(imports, run)
    assert readers(imports, run) == {SAFE}
    assert "reader_failed" in imports.log(run)
    assert "reader_lost" not in imports.log(run)


def test_a_failure_of_the_source_is_not_held_against_its_reader(imports: Imports) -> None:
    failures = iter([True])

    def cut(_: str) -> None:
        if next(failures, False):
            raise Unavailable("The connection was cut.", code="connection_cut")

    imports.erp.on_reader = cut
    run = imports.run(imports.job())
    assert whole(imports, run)
    assert readers(imports, run) == {FAST}
    assert "reader_lost" not in imports.log(run)


def test_what_fails_by_both_readers_fails_as_what_it_is(imports: Imports) -> None:
    def fail(reader: str) -> None:
        raise ReaderFailed(f"{reader} failed.")

    imports.erp.on_reader = fail
    run = imports.run(imports.job())
    assert run.status is RunStatus.FAILED
    assert {(unit.problem or {})["code"] for unit in imports.units(run).values()} == {"reader_failed"}
