"""Rows of the lake, as readers page through them."""

import base64
import json
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erphub.lake.datasets.service import DatasetService
from erphub.lake.rows.schemas import RowsQuery
from erphub.lake.rows.service import RowService
from erphub.platform.errors import Gone, Invalid, NotFound
from tests.support.imports import CLIENT, CONNECTION, FIRST_DAY, Imports, Prepared, ledger


def pages(rows: RowService, dataset: str = "gl_transactions", **query: Any) -> list[list[dict[str, Any]]]:
    """All pages of a list."""
    found, word = [], None
    while True:
        page = rows.list_rows(CLIENT, dataset, RowsQuery.model_validate(query | {"next": word}))
        found.append(page.items)
        if (word := page.next) is None:
            return found


@pytest.fixture
def imported(imports: Imports, prepared: Prepared) -> Imports:
    return prepared(imports, "rows", _imported)


def _imported(imports: Imports) -> None:
    imports.erp.data["F0001"]["gl_transactions"] += [
        {"journal_no": None, "entry_no": None, "amount": Decimal("0.10")},
        {"journal_no": None, "entry_no": None, "amount": Decimal("0.10")},
        {
            "journal_no": "59",
            "entry_no": "1",
            "voucher_date": FIRST_DAY + timedelta(days=29),
            "amount": Decimal("0.20"),
        },
        {
            "journal_no": "59",
            "entry_no": "1",
            "voucher_date": FIRST_DAY + timedelta(days=29),
            "amount": Decimal("0.30"),
        },
    ]
    imports.run(imports.job())


def test_pages_hold_every_row_once_whatever_their_size(imported: Imports) -> None:
    rows = RowService(imported.reader())
    whole = pages(rows, limit=200)[0]
    assert len(whole) == 124
    for limit in (1, 7, 50):
        found = pages(rows, limit=limit)
        assert {len(page) for page in found[:-1]} <= {limit}
        assert [row for page in found for row in page] == whole


def test_a_page_of_long_rows_is_shorter_and_nothing_is_lost(imported: Imports, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = RowService(imported.reader())
    whole = pages(rows, limit=2000)[0]
    monkeypatch.setattr("erphub.lake.delta.rows.MAX_PAGE_BYTES", 6_000)
    found = pages(rows, limit=2000)
    assert len(found) > 3
    assert [row for page in found for row in page] == whole
    monkeypatch.setattr("erphub.lake.delta.rows.MAX_PAGE_BYTES", 1)
    assert [row for page in pages(rows, limit=2000) for row in page] == whole


def test_pages_show_one_state_even_when_a_run_publishes_in_between(imported: Imports) -> None:
    rows = RowService(imported.reader())
    first = rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=60))
    imported.erp.data["F0001"]["gl_transactions"] = ledger(5)
    imported.run(imported.job())
    second = rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=200, next=first.next))
    assert len(first.items) + len(second.items) == 124
    assert len(rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=200)).items) == 65


def test_decimals_are_text_and_days_are_iso(imported: Imports) -> None:
    query = RowsQuery.model_validate({"limit": 1, "from_date": "2026-01-02", "columns": "amount, voucher_date,company"})
    row = RowService(imported.reader()).list_rows(CLIENT, "gl_transactions", query).items[0]
    assert row == {"amount": "2.00", "voucher_date": "2026-01-02", "company": "F0001"}


def test_filters_by_company_and_days(imported: Imports) -> None:
    rows = RowService(imported.reader())
    found = pages(rows, company_key="F0002", **{"from_date": "2026-01-03", "to_date": "2026-01-04"})[0]
    assert {row["company"] for row in found} == {"F0002"}
    assert [row["journal_no"] for row in found] == ["4", "5", "6", "7"]
    assert pages(rows, company_key="' OR '1'='1")[0] == []
    assert pages(rows, connection_id="another")[0] == []


def test_another_client_sees_nothing(imported: Imports) -> None:
    assert RowService(imported.reader()).list_rows("01HZZZZZZZZZZZZZZZZZZZZZZD", "accounts", RowsQuery()).items == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"columns": "amount,password"}, "column_unknown"),
        ({"columns": "amount;DROP TABLE t"}, "column_unknown"),
        ({"columns": ","}, "column_unknown"),
        ({"from_date": "2026-02-01", "to_date": "2026-01-01"}, "period_backwards"),
        ({"next": "bm9uc2Vuc2U"}, "next_invalid"),
        ({"next": "%%%"}, "next_invalid"),
    ],
)
def test_what_cannot_be_answered_is_refused(imported: Imports, query: dict[str, str], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        RowService(imported.reader()).list_rows(CLIENT, "gl_transactions", RowsQuery.model_validate(query))
    assert refused.value.errors[0].code == code


def test_a_next_of_another_list_opens_nothing(imported: Imports) -> None:
    rows = RowService(imported.reader())
    word = rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1)).next
    with pytest.raises(Invalid):
        rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1, next=word, company_key="F0001"))


def made_up(rows: RowService, forged: dict[str, Any]) -> str:
    """A `next` of the ledger with some of it replaced."""
    word = rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1)).next or ""
    given = dict(
        zip(("of", "version", "last", "again"), json.loads(base64.urlsafe_b64decode(word + "==")), strict=True)
    )
    return base64.urlsafe_b64encode(json.dumps(list((given | forged).values())).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "forged",
    [
        {"version": -1},
        {"version": 10**25},
        {"version": None},
        {"again": -1},
        {"again": 10**30},
        {"last": []},
        {"last": [None]},
        {"last": 5},
        {"last": ["2026-01-01", "59", "1", "F0001", CONNECTION]},
        {"last": [5, "59", "1", "F0001", CONNECTION]},
        {"last": [None, {"day": "2026-01-01"}, "1", "F0001", CONNECTION]},
        {"last": [None, True, "1", "F0001", CONNECTION]},
        {"last": [1.5, "59", "1", "F0001", CONNECTION]},
        {"last": [{"day": "yesterday"}, "59", "1", "F0001", CONNECTION]},
    ],
)
def test_a_next_that_somebody_made_up_is_refused(imported: Imports, forged: dict[str, Any]) -> None:
    rows = RowService(imported.reader())
    word = rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1)).next or ""
    given = dict(
        zip(("of", "version", "last", "again"), json.loads(base64.urlsafe_b64decode(word + "==")), strict=True)
    )
    made_up = base64.urlsafe_b64encode(json.dumps(list((given | forged).values())).encode()).decode().rstrip("=")
    with pytest.raises(Invalid) as refused:
        rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1, next=made_up))
    assert refused.value.errors[0].code == "next_invalid"


def test_a_state_that_is_still_to_come_is_not_waited_for(imported: Imports) -> None:
    rows = RowService(imported.reader())
    with pytest.raises(Gone) as gone:
        rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1, next=made_up(rows, {"version": 2**63 - 1})))
    assert gone.value.code == "page_expired"


def test_days_of_a_dataset_without_dates_are_refused_and_unknown_datasets_not_found(imported: Imports) -> None:
    rows = RowService(imported.reader())
    with pytest.raises(Invalid) as refused:
        rows.list_rows(CLIENT, "accounts", RowsQuery.model_validate({"from_date": "2026-01-01"}))
    assert refused.value.errors[0].code == "dataset_without_dates"
    with pytest.raises(NotFound):
        rows.list_rows(CLIENT, "passwords", RowsQuery())


def test_a_state_that_is_no_longer_kept_says_so(imported: Imports) -> None:
    rows = RowService(imported.reader())
    word = rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1)).next
    for log in (imported.folder / "lake" / CLIENT / "gl_transactions" / "_delta_log").iterdir():
        log.rename(log.with_name(log.name.replace("0.json", "9.json")))
    with pytest.raises(Gone) as gone:
        rows.list_rows(CLIENT, "gl_transactions", RowsQuery(limit=1, next=word))
    assert gone.value.code == "page_expired"


def test_datasets_are_listed_with_the_schema_they_have(imported: Imports) -> None:
    listed = {view.id: view for view in DatasetService(imported.types).list_datasets(CLIENT).items}
    assert len(listed) == 8
    assert listed["gl_transactions"].has_data
    assert not listed["orders"].has_data
    amount = next(column for column in listed["gl_transactions"].columns if column.name == "amount")
    assert amount.type == "decimal(18,2)"
    assert [c.name for c in listed["accounts"].columns if c.is_key] == ["account_no", "company", "connection"]


def test_a_widened_column_is_listed_as_it_is(imported: Imports) -> None:
    imported.erp.types = {"amount": "decimal(28,6)"}
    imported.run(imported.job())
    types = imported.types.of_client(CLIENT)["gl_transactions"]
    assert types["amount"] == "decimal(28,6)"


def test_days_at_the_end_of_time_are_fine(imported: Imports) -> None:
    query = RowsQuery.model_validate({"from_date": date.min.isoformat(), "to_date": date.max.isoformat(), "limit": 200})
    assert len(RowService(imported.reader()).list_rows(CLIENT, "gl_transactions", query).items) == 122
