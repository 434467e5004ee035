"""What goes wrong on the way, and how it is told: nothing half is ever taken for whole."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from erphub.erp.datasets import BY_ID
from erphub.erp.reading import DateRange
from erphub.platform.errors import ErpRefused, HubError, Unavailable
from local.sqlserver import Database

from .conftest import EACH_READER, PASSWORD, Site

pytestmark = EACH_READER

LEDGER = BY_ID["gl_transactions"]


def broken(site: Site, kind: str, **options: Any) -> HubError:
    """The error of a read during which something goes wrong."""
    opened, company, plan = site.plan_reading("gl_transactions")
    site.server.inject(kind, **options)  # type: ignore[arg-type]
    with pytest.raises(HubError) as error, opened.read(LEDGER, company, plan, plan.slices[0]) as found:
        list(found.batches())
    return error.value


@pytest.mark.parametrize(
    ("fault", "options", "code"),
    [
        ("cut", {"statement": "rows", "after_rows": 500}, "connection_cut"),
        ("cut", {"statement": "rows", "after_rows": 0}, "connection_cut"),
        ("cut", {"statement": "totals", "after_rows": 3}, "connection_cut"),
        ("deadlock", {"statement": "rows", "after_rows": 500}, "deadlock"),
        ("snapshot", {"statement": "rows", "after_rows": 5}, "snapshot_conflict"),
        ("lock_timeout", {"statement": "rows"}, "lock_timeout"),
        (
            "error",
            {"statement": "rows", "number": 40613, "text": "Database is not currently available."},
            "server_unavailable",
        ),
        ("error", {"statement": "rows", "number": 701, "text": "There is insufficient memory."}, "server_busy"),
        ("refused", {}, "server_unreachable"),
    ],
)
def test_what_passes_is_unavailable_and_may_be_tried_again(
    site: Site, many: Database, fault: str, options: dict[str, Any], code: str
) -> None:
    error = broken(site, fault, **options)
    assert isinstance(error, Unavailable)
    assert error.code == code
    assert error.__cause__ is not None
    assert PASSWORD not in str(error.members)
    site.server.mend()
    assert len(site.imported("gl_transactions").rows) == 1000


@pytest.mark.parametrize(
    ("number", "text", "code"),
    [
        (8114, "Error converting data type varchar to numeric.", "value_unreadable"),
        (230, "The SELECT permission was denied on the column 'AcAm'.", "permission_denied"),
        (50001, "Something of its own.", "erp_refused"),
    ],
)
def test_what_a_person_must_change_is_refused(site: Site, many: Database, number: int, text: str, code: str) -> None:
    error = broken(site, "error", statement="rows", number=number, text=text)
    assert isinstance(error, ErpRefused)
    assert error.code == code
    assert text.rstrip(".") in str(error.members.get("server_said", error.detail))


@pytest.mark.usefixtures("patient")
def test_a_stall_is_noticed(site: Site, many: Database) -> None:
    error = broken(site, "stall", statement="rows", after_rows=500)
    assert isinstance(error, Unavailable)
    assert error.code == "query_timeout"
    site.server.mend()
    assert len(site.imported("gl_transactions").rows) == 1000


def test_a_cut_in_the_middle_is_never_taken_for_the_end(
    site: Site, many: Database, rows_at_a_time: Callable[[int], None]
) -> None:
    rows_at_a_time(100)
    opened, company, plan = site.plan_reading("gl_transactions")
    site.server.inject("cut", statement="rows", after_rows=550)
    rows = 0
    with pytest.raises(Unavailable) as cut, opened.read(LEDGER, company, plan, plan.slices[0]) as found:  # noqa: PT012
        for batch in found.batches():
            rows += batch.num_rows
    assert cut.value.code == "connection_cut"
    assert 0 < rows < 1000


def test_a_reader_that_stops_early_lets_go_of_the_connection(
    site: Site, many: Database, rows_at_a_time: Callable[[int], None]
) -> None:
    rows_at_a_time(10)
    opened, company, plan = site.plan_reading("gl_transactions")
    with opened.read(LEDGER, company, plan, plan.slices[0]) as found:
        assert next(found.batches()).num_rows == 10
    assert not [thread.name for thread in threading.enumerate() if thread.name in ("ahead", "tds-guard")]
    assert len(site.imported("gl_transactions").rows) == 1000


class TestChangedMeanwhile:
    """Between the choice of a company and its import, a database has a life of its own."""

    def test_a_dropped_company_is_gone(self, site: Site, many: Database) -> None:
        opened, company, plan = site.plan_reading("gl_transactions")
        site.catalogue.drop("F0001")
        with pytest.raises(ErpRefused) as gone:
            opened.plan_reading(LEDGER, company, DateRange(), 100)
        assert gone.value.code == "company_gone"
        with pytest.raises(ErpRefused) as gone, opened.read(LEDGER, company, plan, plan.slices[0]):
            pass
        assert gone.value.code == "company_gone"

    @pytest.mark.parametrize(("state", "kind"), [("OFFLINE", Unavailable), ("RESTORING", Unavailable)])
    def test_a_company_that_is_away_may_come_back(
        self, site: Site, many: Database, state: Any, kind: type[HubError]
    ) -> None:
        opened, company, _ = site.plan_reading("gl_transactions")
        many.state = state
        with pytest.raises(kind) as away:
            opened.plan_reading(LEDGER, company, DateRange(), 100)
        assert away.value.code == "company_unavailable"

    def test_a_right_taken_away_is_told(self, site: Site, many: Database) -> None:
        opened, company, _ = site.plan_reading("gl_transactions")
        many.deny("reader", "AcTr")
        with pytest.raises(ErpRefused) as denied:
            opened.plan_reading(LEDGER, company, DateRange(), 100)
        assert denied.value.code == "permission_denied"
        many.revoke("reader")
        with pytest.raises(ErpRefused) as denied:
            opened.plan_reading(LEDGER, company, DateRange(), 100)
        assert denied.value.code == "permission_denied"

    def test_a_dropped_table_is_told(self, site: Site, many: Database) -> None:
        opened, company, plan = site.plan_reading("gl_transactions")
        many.drop_table("AcTr")
        with pytest.raises(ErpRefused) as missing:
            opened.plan_reading(LEDGER, company, DateRange(), 100)
        assert missing.value.code == "table_missing"
        with pytest.raises(ErpRefused) as missing, opened.read(LEDGER, company, plan, plan.slices[0]):
            pass
        assert missing.value.code == "table_missing"

    @pytest.mark.parametrize(("column", "code"), [("JNo", "column_missing"), ("VoDt", "column_missing")])
    def test_a_key_or_the_date_that_is_gone_is_told(self, site: Site, many: Database, column: str, code: str) -> None:
        many.drop_column("AcTr", column)
        with pytest.raises(ErpRefused) as missing:
            site.plan_reading("gl_transactions")
        assert missing.value.code == code

    @pytest.mark.parametrize("column", ["AcAm", "Txt", "R1"])
    def test_a_column_dropped_after_the_survey_is_not_read_as_null(
        self, site: Site, many: Database, column: str
    ) -> None:
        opened, company, plan = site.plan_reading("gl_transactions")
        many.drop_column("AcTr", column)
        with pytest.raises(ErpRefused) as changed, opened.read(LEDGER, company, plan, plan.slices[0]):
            pass
        assert changed.value.code == "schema_changed"

    def test_a_changed_password_is_told_as_such(self, site: Site, many: Database) -> None:
        opened, company, _ = site.plan_reading("gl_transactions")
        site.catalogue.login("reader", "another")
        with pytest.raises(ErpRefused) as refused:
            opened.plan_reading(LEDGER, company, DateRange(), 100)
        assert refused.value.code == "credentials_refused"


def test_the_hub_says_nothing_that_is_not_on_its_list(site: Site, many: Database) -> None:
    site.probes()
    site.imported("gl_transactions")
    site.imported("customers")
    assert site.server.stats.counts["unknown statements"] == 0
